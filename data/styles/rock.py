"""Hard rock: a palm-muted riff, an open chorus, a lead guitar on top."""

from _score import Clip, pitch

RIFF = ["E2", "E2", "E2", "G2", "E2", "E2", "A2", "G2"]  # one bar of eighth notes
ENDS = {3: ("B2", "D3"), 7: ("D3", "B2")}  # bars of the verse that end differently
CHORUS = [(32, 4, "C3"), (36, 4, "G2"), (40, 4, "D3"), (44, 2, "A2"), (46, 2, "B2"),
          (48, 4, "C3"), (52, 4, "G2"), (56, 4, "D3"), (60, 2, "A2"), (62, 2, "B2")]
END = 64


def power(root):
    """Return root, fifth and octave above a note name, as MIDI numbers."""
    return [pitch(root), pitch(root) + 7, pitch(root) + 12]


def drums(score):
    """A heavy kit with fills at the end of each section."""
    kit = score.part("Drums", 8, drum=True, volume=108, reverb=35, loose=0.005, feel=6)
    for bar in range(16):
        beat, chorus = bar * 4, bar >= 8
        kit.hits(beat, 36, "X.....x.X.x....." if not chorus else "X..x..x.X.x...x.", 108)
        kit.hits(beat, 38, "....X.......X...", 104)
        if chorus:
            kit.hits(beat, 51 if bar < 12 else 49, "x...x...x...x...", 84)
        elif bar >= 4:
            kit.hits(beat, 46, "x.x.x.x.x.x.x.x.", 74)
        else:
            kit.hits(beat, 42, "X.x.X.x.X.x.X.x.", 80)
    for beat in (0, 16, 32, 48):
        kit.note(beat, 49, 2, 112)
    for beat, toms in ((14, "...."), (30, "xxxx"), (46, "..xx"), (62, "xxxx")):
        kit.hits(beat, 48, toms, 100)
        kit.hits(beat + 1, 45, "xx..", 104)
        kit.hits(beat + 1, 43, "..xX", 108)
    kit.hits(END, 36, "X", 112)
    kit.note(END, 49, 4, 118)
    kit.note(END, 57, 4, 110)


def riff(guitar, first, bars, velocity):
    """Play the verse riff: muted low notes, open power chords on the moves."""
    for bar in bars:
        roots = RIFF[:6] + list(ENDS.get(bar, RIFF[6:]))
        for step, root in enumerate(roots):
            open_chord = root != "E2" or step == 0
            guitar.chord(first + bar * 4 + step * 0.5, power(root)[: 3 if open_chord else 2],
                         0.46 if open_chord else 0.24, velocity + (10 if open_chord else -8),
                         strum=0.01)


def guitars(score):
    """Two rhythm guitars, one on each side, slightly apart in time and sound."""
    for name, program, pan, lag in (("Rhythm guitar left", 29, 14, 0.0),
                                    ("Rhythm guitar right", 30, 114, 0.009)):
        guitar = score.part(name, program, volume=124, pan=pan, reverb=14, loose=0.006, lag=lag)
        riff(guitar, 0, range(8), 96)
        for beat, length, root in CHORUS:
            guitar.chord(beat, power(root), 1.4, 108, strum=0.012)
            for step in range(3, length * 2):
                guitar.chord(beat + step / 2, power(root), 0.4, 92 + 8 * (step % 2),
                             strum=0.012)
        guitar.chord(END, power("E2"), 4, 114, strum=0.02)


def bass(score):
    """Picked eighth notes under the guitars."""
    low = score.part("Picked bass", 34, volume=104, reverb=8, loose=0.004)
    for bar in range(8):
        roots = RIFF[:6] + list(ENDS.get(bar, RIFF[6:]))
        for step, root in enumerate(roots):
            low.note(bar * 4 + step * 0.5, root[:-1] + str(int(root[-1]) - 1), 0.44, 100)
    for beat, length, root in CHORUS:
        for step in range(length * 2):
            low.note(beat + step / 2, root[:-1] + str(int(root[-1]) - 1), 0.46, 100)
    low.note(END, "E1", 4, 108)


def lead(score):
    """Answer the riff in the second half of the verse, then sing over the chorus."""
    guitar = score.part("Lead guitar", 30, volume=98, pan=64, reverb=50, chorus=15, loose=0.008)
    guitar.line(16, "-/2 E4/.5 G4/.5 A4/.5 B4/.5 D5/1.5 B4/.5 A4/1 G4/1 "
                    "-/1 E4/.5 G4/.5 A4/.5 Bb4/.5 B4/1 D5/.5 E5/1.5 D5/.5 B4/.5 D5/1", (84, 104))
    guitar.line(32, "E5/3 G5/1 D5/3 B4/.5 D5/.5 F#5/2.5 E5/.5 D5/1 C#5/2 D#5/2", 100)
    guitar.line(48, "E5/.5 G5/.5 C6/2 B5/.5 G5/.5 D5/.5 G5/.5 B5/2 A5/.5 G5/.5 "
                    "F#5/.5 A5/.5 D6/2 C#6/.5 A5/.5 E5/.5 A5/.5 C#6/1 D#6/1 B5/1 E6/4",
                (100, 112))
    for beat in (20, 28.5, 32, 40, 49, 53, 57):  # bend up into the long notes
        for step, semitones in ((0, -2), (0.12, -1.2), (0.24, -0.4), (0.32, 0)):
            guitar.bend(beat + step, semitones if beat < 48 else semitones * 0.4)
    for step in range(24):
        guitar.bend(END + 0.5 + step / 8, 0.22 if step % 2 else -0.1)


def write(score):
    """Write the whole band."""
    for section in (drums, bass, guitars, lead):
        section(score)


CLIP = Clip(
    name="rock",
    title="Gravel Road, Full Tank",
    style="hard rock",
    tempo=136,
    key="E minor",
    instruments=("electric guitar", "electric guitar", "lead guitar", "bass guitar", "drums"),
    write=write,
    room=0.4,
    push=6,
)
