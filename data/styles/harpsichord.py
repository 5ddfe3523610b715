"""A two-part invention for harpsichord: subject, answer, sequence, close."""

from _score import Clip

SUBJECT = "D5/.25 E5/.25 F5/.25 G5/.25 A5/.5 D5/.5 Bb5/.5 C#5/.5 D5/.5 A5/.5 "
RIGHT = SUBJECT + (
    "F5/.25 E5/.25 D5/.25 F5/.25 E5/.25 D5/.25 C5/.25 E5/.25 "
    "D5/.25 C5/.25 Bb4/.25 D5/.25 C#5/.25 B4/.25 A4/.25 C#5/.25 "
    # the answer lies in the left hand; the right hand goes against it
    "F5/.5 A5/.5 F5/.5 A5/.5 G5/.5 E5/.5 D5/.5 F5/.5 "
    "A5/.25 G5/.25 F5/.25 A5/.25 G5/.25 F5/.25 E5/.25 G5/.25 "
    "F5/.25 E5/.25 D5/.25 F5/.25 E5/.5 C#5/.5 "
    # falling fifths
    "F5/.25 G5/.25 A5/.25 Bb5/.25 C6/.5 F5/.5 E5/.25 F5/.25 G5/.25 A5/.25 Bb5/.5 E5/.5 "
    "D5/.25 E5/.25 F5/.25 G5/.25 A5/.5 D5/.5 C5/.25 D5/.25 E5/.25 F5/.25 G5/.5 C5/.5 "
    "A4/.25 C5/.25 F5/.25 A5/.25 C6/.5 A5/.5 G5/.25 Bb5/.25 A5/.25 G5/.25 F5/.25 E5/.25 "
    "D5/.25 C5/.25 F5/1 -/.5 C5/.5 A5/.5 F5/.5 D5/.5 F#5/.5 "
    # through G minor back home
    "G5/.25 A5/.25 Bb5/.25 C6/.25 D6/.5 G5/.5 Eb6/.5 F#5/.5 G5/.5 D6/.5 "
    "Bb5/.25 A5/.25 G5/.25 Bb5/.25 A5/.25 G5/.25 F5/.25 A5/.25 "
    "G5/.25 F5/.25 E5/.25 G5/.25 F5/.25 E5/.25 D5/.25 C#5/.25 ") + SUBJECT + (
    "G5/.25 F5/.25 E5/.25 D5/.25 C#5/.25 D5/.25 E5/.25 C#5/.25 "
    "F5/.25 E5/.25 D5/.25 F5/.25 E5/.5 C#5/.5 ")
LEFT = (
    "-/1 D3/.5 F3/.5 G3/.5 A3/.5 D3/.5 C3/.5 Bb2/1 C3/1 Bb2/1 A2/1 "
    "D3/.25 E3/.25 F3/.25 G3/.25 A3/.5 D3/.5 Bb3/.5 C#3/.5 D3/.5 A3/.5 "
    "F3/1 C3/1 D3/1 A2/1 "
    "A3/.5 F3/.5 A2/.5 A3/.5 G3/.5 C3/.5 G2/.5 G3/.5 "
    "F3/.5 D3/.5 F2/.5 F3/.5 E3/.5 C3/.5 E2/.5 E3/.5 "
    "F3/.5 A3/.5 F3/.5 D3/.5 E3/.5 C3/.5 A2/.5 Bb2/.5 F3/.5 C3/.5 F2/.5 A2/.5 A2/.5 Bb2/.5 "
    "Bb2/.5 A2/.5 "
    "G2/1 Bb2/1 C3/.5 D3/.5 G2/.5 Bb2/.5 G2/1 D3/1 E3/1 A2/1 "
    "D3/.25 C3/.25 D3/.25 E3/.25 F3/.5 D3/.5 G3/.5 A3/.5 F3/.5 D3/.5 "
    "E3/1 A2/1 D3/1 A2/1 ")
END = 48


def write(score):
    """Write both hands; a harpsichord has no loud and soft, so velocity hardly changes."""
    right = score.part("Harpsichord, right hand", 6, volume=108, pan=72, reverb=50,
                       loose=0.006, feel=2)
    left = score.part("Harpsichord, left hand", 6, volume=104, pan=54, reverb=50,
                      loose=0.006, feel=2)
    assert right.line(0, RIGHT, 84, legato=0.88) == END
    assert left.line(0, LEFT, 80, legato=0.86) == END
    left.chord(END, "D2 D3 A3", 3, 84, strum=0.06)
    right.chord(END + 0.15, "D4 F#4 A4 D5", 2.8, 84, strum=0.06)


CLIP = Clip(
    name="harpsichord",
    title="Invention for a Rainy Attic",
    style="baroque two-part invention",
    tempo=104,
    key="D minor",
    instruments=("harpsichord",),
    write=write,
    rubato=((0, 1.0), (43, 1.0), (48, 0.84), (52, 0.8)),
    room=0.5,
    push=2,
)
