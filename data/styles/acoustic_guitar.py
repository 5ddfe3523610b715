"""Finger-picked steel-string guitar: alternating thumb, a melody on the upper strings."""

from _score import Clip

# One row per bar: thumb on the four beats, fingers between them, melody on top.
BARS = [
    ("G2 D3 G2 D3", "G3 B3 G3 B3", "D5/1.5 B4/.5 G4/1 A4/1"),
    ("E2 B2 E2 B2", "G3 B3 G3 E4", "B4/2 -/.5 G4/.5 A4/.5 B4/.5"),
    ("C3 G3 C3 G3", "E4 C4 E4 C4", "C5/1.5 B4/.5 A4/1 G4/1"),
    ("D3 A3 D3 A3", "D4 F#4 D4 F#4", "A4/3 -/1"),
    ("G2 D3 G2 D3", "G3 B3 G3 B3", "D5/1.5 B4/.5 G4/1 A4/1"),
    ("E2 B2 E2 B2", "G3 B3 G3 E4", "B4/1.5 D5/.5 E5/1 D5/1"),
    ("A2 E3 A2 E3", "A3 C4 A3 C4", "C5/1 E5/1 D5/.5 C5/.5 A4/1"),
    ("D3 A3 D3 C3", "D4 F#4 C4 F#4", "B4/.5 A4/.5 F#4/1 A4/2"),
    ("C3 G3 C3 G3", "E4 C4 E4 C4", "G4/1 C5/1 E5/1.5 D5/.5"),
    ("B2 G3 B2 G3", "D4 B3 D4 B3", "D5/1.5 B4/.5 G4/1 B4/1"),
    ("A2 E3 A2 E3", "A3 C4 G3 C4", "C5/1 B4/.5 A4/.5 G4/1 E4/1"),
    ("D3 A3 D3 F#2", "D4 F#4 C4 F#4", "F#4/1 A4/1 C5/1 F#4/1"),
]


def write(score):
    """Write thumb, fingers and melody; every note rings on as on open strings."""
    thumb = score.part("Guitar, thumb", 25, volume=104, pan=60, reverb=42, loose=0.009)
    fingers = score.part("Guitar, fingers", 25, volume=98, pan=68, reverb=42, loose=0.01)
    melody = score.part("Guitar, melody", 25, volume=112, pan=64, reverb=46, loose=0.01)
    for bar, (bass, inner, tune) in enumerate(BARS):
        beat = bar * 4
        level = (74, 80, 84, 76)[bar % 4] + (6 if 4 <= bar < 10 else 0)
        for step, name in enumerate(bass.split()):
            thumb.note(beat + step, name, 1.9 if step < 2 else 0.98, level + (8, 0)[step % 2])
        for step, name in enumerate(inner.split()):
            fingers.note(beat + step + 0.5, name, 1.4, level - 14)
        melody.line(beat, tune, level + 14, legato=1.1)
    thumb.chord(48, "G2 D3 G3", 4, 78, strum=0.07)
    fingers.chord(48.21, "B3 D4", 3.8, 68, strum=0.07)
    melody.note(48.4, "G4", 3.6, 84)
    melody.line(49.5, "D5/.5 G5/2", 56)


CLIP = Clip(
    name="acoustic_guitar",
    title="Letters from the Lake House",
    style="finger-picked folk guitar",
    tempo=104,
    key="G major",
    instruments=("steel-string acoustic guitar",),
    write=write,
    rubato=((0, 1.0), (28, 1.0), (32, 0.97), (40, 1.0), (45, 0.98), (48, 0.86), (52, 0.9)),
    room=0.45,
    push=3,
)
