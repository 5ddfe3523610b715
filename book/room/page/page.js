// The sounds that come with the page, by name: sounds/*.js, each a file as text.
const shipped = {};
