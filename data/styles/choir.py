"""A chorale for four voices: two phrases, a full close and an Amen."""

from _score import Clip

# Soprano, alto, tenor, bass, length in beats.  A rest is a breath.
CHORALE = [
    "A4 F4 C4 F3 1", "C5 F4 A3 F3 1", "Bb4 F4 D4 Bb2 1", "G4 E4 C4 C3 1",
    "A4 F4 C4 F3 2", "A4 F4 D4 D3 1", "Bb4 G4 D4 G2 1",
    "C5 G4 E4 C3 2", "C5 F4 C4 A2 1", "D5 F4 Bb3 Bb2 1",
    "C5 E4 G3 C3 3.5", "- - - - .5",
    "F5 A4 D4 D3 1", "E5 A4 C4 A2 1", "D5 F4 Bb3 Bb2 1", "C5 F4 C4 A2 1",
    "Bb4 G4 D4 G2 1", "Bb4 G4 E4 C3 1", "A4 F4 C4 F3 1", "A4 D4 C4 F#3 1",
    "Bb4 D4 Bb3 G3 1", "D5 F4 Bb3 Bb2 1", "C5 F4 A3 C3 1", "G4 E4 Bb3 C3 1",
    "F4 C4 A3 F2 2", "F4 D4 Bb3 F2 2", "F4 C4 A3 F2 3",
]
VOICES = (("Soprano", 42, 106), ("Alto", 88, 92), ("Tenor", 104, 94), ("Bass", 24, 104))
SWELLS = ((0, 7, 80, 104), (7, 8, 104, 84), (16, 4, 100, 127), (20, 4, 120, 96),
          (24, 4, 104, 116), (28, 4, 100, 84), (32, 3, 84, 58))


def sing(part, voice):
    """Sing one voice; a repeated pitch is held, as a choir would on one breath."""
    beat, held = 0.0, None
    for row in [*CHORALE, "- - - - 0"]:
        *names, length = row.split()
        name = names[voice]
        if held and held[1] == name:
            held[2] += float(length)
        else:
            if held and held[1] != "-":
                part.note(held[0], held[1], held[2] + 0.04, 82)
            held = [beat, name, float(length)]
        beat += float(length)


def write(score):
    """Write the four voices, each as a blend of aahs and soft oohs."""
    for vowel, program, scale in (("aah", 52, 1.0), ("ooh", 53, 0.62)):
        for voice, (name, pan, volume) in enumerate(VOICES):
            part = score.part(f"{name}, {vowel}", program, volume=int(volume * scale), pan=pan,
                              reverb=95, chorus=20, loose=0.018, feel=3, lag=-0.02)
            sing(part, voice)
            for beat, length, low, high in SWELLS:
                part.swell(beat, length, low, high)


CLIP = Clip(
    name="choir",
    title="Evening Hymn Without Words",
    style="chorale for mixed choir",
    tempo=72,
    key="F major",
    instruments=("soprano", "alto", "tenor", "bass voices"),
    write=write,
    rubato=((0, 1.0), (13, 1.03), (16, 0.97), (20, 1.06), (27, 1.0), (30, 0.93), (35, 0.86)),
    room=0.85,
    push=2,
)
