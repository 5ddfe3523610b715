"""Techno: an acid line whose filter opens, a break with a rise, a drop."""

import math

from _score import FILTER_CUTOFF, FILTER_RESONANCE, Clip

ACID = "A2 A2 A3 A2 C3 A2 A2 G3 A2 A2 E3 A2 D3 A2 Bb2 A2".split()
ACCENTS = {2, 4, 7, 10, 12}
BREAK, DROP, END = 32, 40, 64


def drums(score):
    """Kick on the grid, claps and hats that come in one by one, a roll before the drop."""
    kit = score.part("Drums", 25, drum=True, volume=120, reverb=10, loose=0, feel=1.5)
    hats = score.part("Hats and claps", 24, drum=True, volume=110, reverb=20, loose=0, feel=3)
    for bar in range(16):
        beat = bar * 4
        if not BREAK <= beat < DROP:
            kit.hits(beat, 36, "X...X...X...X...", 112)
            hats.hits(beat, 36, "x...x...x...x...", 100)
        if beat >= 8:
            hats.hits(beat, 42, "xoxxxoxxxoxxxoxx", 66)
        if beat >= 16 and not BREAK <= beat < DROP:
            hats.hits(beat, 46, "..x...x...x...x.", 84)
            hats.hits(beat, 39, "....x.......x...", 92)
        if beat >= DROP:
            hats.hits(beat, 54, "..xo..xo..xo..xo", 60)
    for step in range(32):
        hats.note(36 + step / 8, 40, 0.1, 40 + step * 2)
    for beat in (16, DROP, END):
        hats.note(beat, 49, 2, 100)
    kit.note(END, 36, 1, 120)


def cutoff(beat):
    """Return how far the filter of the acid line is closed, in cents, at a beat."""
    if beat < BREAK:
        return -4500 + 3400 * beat / BREAK
    if beat < DROP:
        return -4300 + 4300 * (beat - BREAK) / (DROP - BREAK)
    return -1100 + 1000 * math.sin((beat - DROP) * math.pi / 8)


def acid(score):
    """Sixteenth notes with accents, slides and a moving resonant filter."""
    # The synth leads of FluidR3 cancel out in mono; a synth bass and a fuzzy layer do not.
    lines = (score.part("Acid line", 39, volume=122, pan=62, reverb=26, loose=0, feel=2),
             score.part("Acid line, fuzz", 30, volume=110, pan=66, reverb=40, loose=0, feel=2))
    for line in lines:
        play_acid(line)


def play_acid(line):
    """Play the acid line on one part."""
    line.generator(0, FILTER_RESONANCE, 150)
    for step in range(END * 4):
        beat, index = step / 4, step % 16
        accent = index in ACCENTS
        line.generator(beat, FILTER_CUTOFF, cutoff(beat) + (900 if accent else 0))
        line.note(beat, ACID[index], 0.24 if accent else 0.15, 104 if accent else 82)
        if index == 14 and step % 32 > 16:
            line.bend(beat + 0.05, 1)
            line.bend(beat + 0.2, 0)
    line.note(END, "A2", 1, 110)


def bass(score):
    """A low note between the kicks."""
    low = score.part("Synth bass", 38, volume=112, reverb=4, loose=0, feel=2)
    for beat in range(8, END):
        if not BREAK <= beat < DROP:
            root = "F1" if beat % 16 >= 12 and beat >= DROP else "A1"
            for late in (0.25, 0.5, 0.75):
                low.note(beat + late, root, 0.2, 96 if late == 0.5 else 82)
    low.note(END, "A1", 1.4, 104)


def pads(score):
    """A pad that ducks under every kick, and stabs after the drop."""
    pad = score.part("Pad", 89, volume=88, pan=64, reverb=80, chorus=60, loose=0)
    for beat, chord in ((16, "A3 C4 E4"), (24, "F3 A3 C4 E4"), (32, "A3 C4 E4 A4"),
                        (36, "F3 A3 D4 A4"), (40, "A3 C4 E4"), (48, "F3 A3 C4"),
                        (56, "A3 C4 E4 G4")):
        pad.chord(beat, chord, 3.9 if beat in (32, 36) else 7.9, 74)
    for step in range(16 * 4, END * 4):
        beat = step / 4
        ducked = not BREAK <= beat < DROP
        pad.control(beat, 11, (40, 70, 100, 115)[step % 4] if ducked else 90 + (beat - BREAK) * 4)
    stab = score.part("Stab", 18, volume=92, pan=84, reverb=70, chorus=40, loose=0)
    stab.generator(0, FILTER_CUTOFF, -1500)
    for beat in range(DROP, END, 4):
        chord = "F4 A4 C5" if beat % 16 == 12 else "A4 C5 E5"
        for late in (0.75, 1.5, 2.75, 3.5):
            stab.chord(beat + late, chord, 0.18, 92)
    stab.chord(END, "A4 C5 E5", 0.6, 100)
    rise = score.part("Rise", 119, volume=100, reverb=70, loose=0)
    for beat in (12, 36):
        rise.note(beat, "C4", 4, 100)


def write(score):
    """Write all parts."""
    for section in (drums, bass, acid, pads):
        section(score)


CLIP = Clip(
    name="techno",
    title="Night Shift at the Substation",
    style="acid techno",
    tempo=132,
    key="A minor",
    instruments=("drum machine", "synth bass", "synthesiser", "synth pad"),
    write=write,
    room=0.5,
    push=5,
)
