// What the page's script asks of the compiled engine. All arrays lie in the module's memory, where
// the script has put them; nothing is allocated here.
#define ASKED(name) __attribute__((export_name(#name)))
typedef float four __attribute__((vector_size(16), aligned(4)));
typedef int four_whole __attribute__((vector_size(16), aligned(4)));
