"""A classical quartet movement in small: statement, turn to the dominant, return."""

from _score import Clip

THEME = "G5/1 B5/.5 A5/.5 G5/1 D5/1 "
VIOLIN_1 = [
    (0, THEME + "E5/1 G5/.5 F#5/.5 E5/1 C5/1 A5/.5 F#5/.5 D5/.5 F#5/.5 A5/1 C6/1 "
        "B5/1.5 A5/.5 G5/1 -/1", (84, 92)),
    (16, THEME + "E5/1 G5/.5 F#5/.5 E5/1 A5/1 F#5/1 A5/1 G5/.5 E5/.5 C#5/.5 E5/.5 "
         "D5/1.5 A5/.5 F#5/1 -/1", (80, 92)),
    (32, "-/1 D#5/.5 F#5/.5 B5/1 A5/1 G5/1.5 F#5/.5 E5/1 -/1", (64, 72)),
    (40, "-/1 C#5/.5 E5/.5 A5/1 G5/1 F#5/1 A5/1 C6/2", (70, 96)),
    (48, THEME + "E5/1 G5/1 C6/1 E6/1 D6/1 B5/1 A5/1.5 F#5/.5", (92, 100)),
    (60, "G5/1 -/1 G5/1.6", (98, 96)),
]
G, C, D7 = "B4 G4 D4 G4", "G4 E4 C4 E4", "C5 A4 F#4 A4"
BROKEN = [  # second violin: one figure of four eighth notes per half bar
    (0, [G, G, C, C, D7, D7, G]), (16, [G, G, "B4 G4 E4 G4", "C#5 G4 E4 G4", "D5 A4 F#4 A4",
                                      "G4 E4 C#4 E4"]),
    (44, ["A4 F#4 D4 F#4", "A4 F#4 D4 F#4", G, G, C, "A4 E4 C4 E4"]),
]
VIOLIN_2 = [
    (14, "B4/1 -/1", (74, 74)), (28, "F#4/1 A4/1 D4/1 -/1", (80, 80)),
    (32, "F#4/1 A4/2 F#4/1 B4/.5 G4/.5 E4/.5 G4/.5 B4/1 -/1 E4/1 G4/2 E4/1", (60, 72)),
    (56, "G4/1 D5/1 C5/2 B4/1 -/1 B4/1.6", (86, 94)),
]
VIOLA = [
    (0, "D4/2 B3/2 G3/2 C4/2 D4/2 D4/1 C4/1 B3/1 D4/1 D4/1 -/1", (76, 80)),
    (16, "D4/2 B3/2 B3/2 E4/2 D4/2 E4/2 A3/1 D4/1 A3/1 -/1", (70, 80)),
    (32, "B3/2 B3/1 D#4/1 E4/1 B3/1 G3/1 -/1 A3/2 A3/1 C#4/1 D4/1 C4/1 A3/1 C4/1", (60, 84)),
    (48, "B3/2 D4/2 G3/2 E4/2 D4/2 A3/2 D4/1 -/1 D4/1.6", (84, 92)),
]
CELLO = [
    (0, "G3/1 D3/1 B2/1 G2/1 C3/1 E3/1 C3/2 F#3/1 D3/1 A2/1 D3/1 G3/1 D3/1 G2/1 -/1", (84, 88)),
    (16, "G3/1 D3/1 B2/1 G2/1 E3/1 G3/1 C#3/2 A3/2 A2/2 D3/1 F#3/1 D3/1 -/1", (78, 88)),
    (32, "D#3/2 B2/2 E3/1 G3/1 E3/1 -/1 C#3/2 A2/2 D3/1 F#3/1 A3/1 D3/1", (66, 92)),
    (48, "G3/1 D3/1 B2/1 G2/1 C3/1 E3/1 C3/2 D3/2 D2/2 G2/1 -/1 G2/1.6", (92, 100)),
]


def write(score):
    """Write the four parts, seated from left to right."""
    seats = (("Violin 1", 40, 30, 104, VIOLIN_1), ("Violin 2", 40, 52, 92, VIOLIN_2),
             ("Viola", 41, 80, 94, VIOLA), ("Cello", 42, 100, 104, CELLO))
    for name, program, pan, volume, phrases in seats:
        part = score.part(name, program, volume=volume, pan=pan, reverb=62, loose=0.01,
                          feel=3, lag=-0.02)
        for beat, text, loud in phrases:
            part.line(beat, text, loud, legato=0.92)
        if name == "Violin 2":
            for beat, figures in BROKEN:
                notes = " ".join(figures).split()
                part.line(beat, " ".join(f"{note}/.5" for note in notes), (72, 78), legato=0.8)
        for beat, low, high in ((0, 106, 112), (16, 100, 116), (32, 84, 120), (48, 118, 122)):
            part.swell(beat, 14, low, high)


CLIP = Clip(
    name="string_quartet",
    title="Allegro for Four Friends",
    style="classical string quartet",
    tempo=132,
    key="G major",
    instruments=("violin", "violin", "viola", "cello"),
    write=write,
    rubato=((0, 1.0), (31, 1.0), (32, 0.97), (47, 0.97), (48, 1.0), (56, 1.0), (60, 0.88),
            (64, 0.8)),
    room=0.6,
    push=3,
)
