"""A small raga: drone, a free opening, then a tune with drums in a rhythm of eight."""

from _score import Clip

# The scale of raga Bhairav on C: C Db E F G Ab B.
OPENING = "C4/2 Db4/1 C4/1 B3/1.5 C4/1.5 E4/1 F4/1 >G4/3 Ab4/.5 G4/1.5 F4/.5 E4/.5 Db4/1 "
TUNE = (
    "C4/.5 C4/.5 Db4/.5 E4/.5 F4/1 E4/.5 F4/.5 >G4/1 G4/.5 F4/.5 E4/.5 F4/.5 Db4/.5 C4/.5 "
    "C4/.5 E4/.5 F4/.5 G4/.5 >Ab4/1 G4/1 B4/.5 C5/.5 B4/.5 Ab4/.5 G4/1 F4/.5 E4/.5 "
    "G4/.5 Ab4/.5 B4/.5 C5/.5 >Db5/1 C5/1 >E5/.5 Db5/.5 C5/.5 B4/.5 C5/.5 B4/.5 Ab4/.5 G4/.5 ")
FAST = (
    "C5/.25 C5/.25 B4/.25 C5/.25 Ab4/.25 B4/.25 G4/.25 Ab4/.25 "
    "F4/.25 G4/.25 E4/.25 F4/.25 Db4/.25 E4/.25 C4/.25 Db4/.25 "
    "C4/.25 Db4/.25 E4/.25 F4/.25 G4/.25 F4/.25 E4/.25 F4/.25 >G4/.5 Ab4/.25 B4/.25 >C5/1 "
    "Db5/.25 C5/.25 B4/.25 Ab4/.25 G4/.25 F4/.25 E4/.5 ")
# The closing phrase comes three times and lands on the first beat: a tihai.
CLOSE = "E4/.5 F4/.5 >G4/.5 Db4/.5 " * 3 + ">C4/2 "


def drone(score):
    """A tanpura: four strings plucked in turn, softly, without end."""
    part = score.part("Drone", 104, volume=62, pan=44, reverb=80, loose=0.012)
    for beat in range(0, 58, 4):
        for step, name in enumerate(("G2", "C3", "C3", "C2")):
            part.note(beat + step, name, 3.8, 64)


def glide(part, beat, start):
    """Slide into a note from `start` semitones away."""
    for step in range(5):
        part.bend(beat + step * 0.05, start * (1 - step / 4))


def solo(score):
    """The sitar itself, with slides into the accented notes."""
    part = score.part("Sitar", 104, volume=120, pan=68, reverb=55, loose=0.007)
    beat = part.line(0, OPENING, (70, 88), legato=1.1)
    for late, start in ((0, -1), (2, -1), (5.5, -1), (7, -1), (9, -2), (13.5, 1)):
        glide(part, late, start)
    beat = part.line(beat, TUNE, (84, 98), legato=1.0)
    for late in (4, 12, 20, 24):
        glide(part, 16 + late, -1)
    beat = part.line(beat, FAST, (92, 106), legato=0.95)
    part.line(beat, CLOSE, (96, 104), legato=1.0)


def drums(score):
    """Two hand drums in the rhythm keherwa, a little busier every time."""
    kit = score.part("Hand drums", 0, drum=True, volume=104, pan=84, reverb=35, loose=0.005,
                     feel=7)
    for bar in range(16, 48, 4):
        kit.hits(bar, 60, "X.....x.....x.x." if bar < 32 else "X..ox.x...oox.xx", 84)
        kit.hits(bar, 61, "..x.o.....x...o." if bar < 32 else "..xo..o.x.x...o.", 74)
        kit.hits(bar, 64, "X.......x......." if bar < 40 else "X..x....x.x.....", 88)
    kit.hits(48, 60, "X..ox.x.", 86)
    for beat in (50, 52, 54):
        kit.hits(beat, 60, "x.x.X.x.", 90)
        kit.hits(beat, 64, "....X...", 96)
    kit.hits(56, 64, "X", 104)
    kit.hits(56, 60, "X", 96)


def write(score):
    """Write drone, sitar and drums."""
    for section in (drone, solo, drums):
        section(score)


CLIP = Clip(
    name="sitar",
    title="Courtyard Before the Rain",
    style="North Indian raga in miniature",
    tempo=116,
    key="C, raga Bhairav",
    instruments=("sitar", "drone", "hand drums"),
    write=write,
    room=0.6,
    push=3,
)
