"""A short nocturne: a singing right hand over wide broken chords."""

from _score import Clip

# Two left-hand figures per bar, six triplet notes each.
LEFT = [
    "Db2 Ab2 F3 Ab3 F3 Ab2", "Db2 Ab2 F3 Db4 F3 Ab2",
    "Bb1 F2 Db3 Ab3 Db3 F2", "Bb1 F2 Db3 F3 Db3 F2",
    "Eb2 Bb2 Gb3 Db4 Gb3 Bb2", "Ab1 Gb2 C3 Gb3 C3 Gb2",
    "Db2 Ab2 F3 Ab3 F3 Ab2", "F2 C3 A3 Eb4 A3 C3",
    "Bb1 F2 Db3 F3 Db3 F2", "Ab1 F2 Db3 F3 Db3 F2",
    "Gb1 Db2 Bb2 Gb3 Bb2 Db2", "Gb1 Db2 A2 Eb3 A2 Db2",
    "Ab1 F2 Db3 F3 Db3 F2", "Ab1 Gb2 C3 Eb3 C3 Gb2",
    "Db2 Ab2 F3 Ab3 Db4 F4",
]
TUNE = [
    ("F5/1.5 Eb5/.5 Db5/.5 Eb5/.5 Ab5/1", (70, 82)),
    ("F5/1 Db5/1.5 C5/.5 Db5/.5 Bb4/.5", (76, 60)),
    ("Gb5/1.5 F5/.5 Eb5/.5 C5/.5 Bb5/1", (64, 84)),
    ("Ab5/1.5 F5/.5 F5+A5/.5 A5+C6/.5 C6+Eb6/1", (78, 98)),
    ("Db5+F5+Db6/1.5 C5+C6/.5 Bb4+Bb5/.5 Ab4+Ab5/.5 F4+F5/1", (100, 84)),
    ("Db5+Bb5/1.5 Ab5/.5 A5/1 Gb5/.5 Eb5/.5", (84, 70)),
    ("F5/1 Db5/.5 Eb5/.5 F5/.333 Gb5/.333 F5/.334 Eb5/.5 C5/.5", (68, 56)),
    ("Db5/1 Ab5/.5 F5/.5", (62, 50)),
]


def write(score):
    """Write both hands and the pedal."""
    right = score.part("Piano, right hand", 0, volume=112, pan=66, reverb=55, loose=0.01, feel=3)
    left = score.part("Piano, left hand", 0, volume=100, pan=60, reverb=55, loose=0.008, feel=4)
    for bar, (text, loud) in enumerate(TUNE):
        right.line(bar * 4, text, loud, legato=1.02)
    for index, figure in enumerate(LEFT):
        level = 52 + 18 * max(0.0, 1 - abs(index - 8) / 6)
        for step, name in enumerate(figure.split()):
            accent = 8 if step == 0 else -step
            left.note(index * 2 + step / 3, name, 1.2 if step == 0 else 0.6, level + accent)
    left.chord(30, "Db2 Ab2 F3", 5, 62, strum=0.12)
    right.chord(30.36, "Ab4 Db5 F5 Db6", 4.6, 58, strum=0.12)
    for part in (right, left):
        part.pedal(*range(0, 32, 2))


CLIP = Clip(
    name="piano",
    title="Nocturne for a Quiet Street",
    style="romantic solo piano",
    tempo=72,
    key="D-flat major",
    instruments=("piano",),
    write=write,
    rubato=((0, 0.9), (4, 1.0), (7, 0.94), (9, 1.02), (14, 1.06), (16, 0.9), (20, 0.96),
            (25, 0.92), (28, 0.8), (30, 0.7), (32, 0.8)),
    room=0.6,
    push=5,
)
