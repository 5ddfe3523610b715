"""Piano, walking bass and brushes: sixteen bars of ii-V-I and a close."""

from _score import Clip

BASS = """G2 A2 Bb2 B2  C3 Bb2 G2 E2  F2 A2 C3 E3  D3 C3 A2 F#2
          G2 Bb2 D3 Db3  C3 E3 G2 Bb2  A2 F2 A2 B2  C3 Bb2 F2 A2
          Bb2 D3 F3 D3  Eb3 Db3 Bb2 G2  A2 C3 E3 Eb3  D3 C3 A2 F#2
          G2 Bb2 D3 B2  C3 G2 E2 Gb2  F2 A2 D3 Ab2  G2 D3 C3 Gb2""".split()
GM7, C7, FM7, D7 = "F3 A3 Bb3 D4", "E3 A3 Bb3 D4", "E3 G3 A3 C4", "F#3 A3 C4 Eb4"
CHORDS = [GM7, C7, FM7, D7, GM7, C7, FM7, ("Eb3 G3 Bb3 D4", "Eb3 G3 A3 D4"),
          "D3 F3 A3 C4", "Db3 F3 G3 C4", "G3 B3 C4 E4", D7, GM7, "E3 Ab3 Bb3 Db4",
          (FM7, D7), (GM7, C7)]
RHYTHMS = ((0, 1.5), (1.5, 3.5), (0.5, 2.5), (0, 2.5))  # where the left hand plays
SOLO = """
    -/1 D5/.5 F5/.5 A5/.5 G5/.5 F5/.5 D5/.5    E5/.5 G5/.5 Bb5/.5 A5/.5 >G5/1 -/.5 E5/.5
    C5/.5 E5/.5 G5/1 >A5/1.5 -/.5    -/.5 F#5/.5 A5/.5 C6/.5 >Eb6/.5 C6/.5 A5/.5 F#5/.5
    >G5/1.5 D5/.5 F5/.5 D5/.5 Bb4/1    -/.5 E5/.5 G5/.5 Bb5/.5 >Db6/.5 Bb5/.5 G5/.5 E5/.5
    F5/.5 A5/.5 >C6/1 -/.5 A5/.5 F5/.5 D5/.5    Eb5/1 G5/.5 Bb5/.5 >A5/1 -/.5 F5/.5
    D5/.5 F5/.5 A5/.5 C6/.5 >D6/1 -/1    -/.5 >Db6/.5 Bb5/.5 G5/.5 F5/.5 Db5/.5 Eb5/1
    C5/.5 E5/.5 G5/.5 B5/.5 >C6/1 A5/1    -/.5 C6/.5 Bb5/.5 A5/.5 F#5/.5 Eb5/.5 D5/.5 C5/.5
    Bb4/.5 D5/.5 >F5/1 G5/.5 F5/.5 D5/1    -/.5 E5/.5 >Ab5/.5 G5/.5 E5/.5 Db5/.5 Bb4/.5 G4/.5
    A4/.5 C5/.5 F5/.5 G5/.5 >F#5/.5 A5/.5 C6/.5 A5/.5    >Bb5/1 -/.5 A5/.5 G5/.5 E5/.5 F5/1
"""
END = 64


def piano(score):
    """An improvised line for the right hand, sparse chords without roots for the left."""
    right = score.part("Piano, right hand", 0, volume=127, pan=70, reverb=38, loose=0.009,
                       feel=7, lag=0.012)
    left = score.part("Piano, left hand", 0, volume=112, pan=58, reverb=38, loose=0.008, feel=6)
    right.line(0, SOLO, (88, 100), legato=0.9)
    for bar, chord in enumerate(CHORDS):
        halves = chord if isinstance(chord, tuple) else (chord, chord)
        for late in RHYTHMS[bar % 4]:
            hold = 0.4 if late % 1 else 1.2
            left.chord(bar * 4 + late, halves[late >= 2], hold, 66)
    left.chord(END, "E3 A3 D4 G4", 4.5, 66, strum=0.03)
    right.chord(END + 0.5, "C5 F5", 4, 72)
    right.line(END + 1, "A5/.5 C6/.5 D6/.5 G6/3", (66, 46), legato=1.5)
    for part in (left, right):
        part.control(END, 64, 127)


def bass(score):
    """Four notes to the bar, each leading to the next chord."""
    low = score.part("Upright bass", 32, volume=76, pan=60, reverb=22, loose=0.006, feel=5)
    for beat, name in enumerate(BASS):
        low.note(beat, name, 0.92, 94 if beat % 2 else 88)
    low.note(END, "F2", 4.5, 96)
    low.note(END + 1.5, "C3", 3, 70)


def drums(score):
    """Ride cymbal, hi-hat on two and four, a light snare that answers the piano."""
    kit = score.part("Drums with brushes", 40, drum=True, volume=112, pan=72, reverb=30,
                     loose=0.005, feel=6)
    for bar in range(16):
        beat = bar * 4
        kit.hits(beat, 51, "x.Xxx.Xx" if bar % 4 != 3 else "x.Xxx.X.", 84, step=0.5)
        kit.hits(beat, 44, ".x.x", 92, step=1)
        kit.hits(beat, 36, "xxxx", 42, step=1)
        kit.hits(beat, 38, ("...x..o.", "o....x..", "..o....x", ".x...o.x")[bar % 4], 62, step=0.5)
    kit.hits(31, 38, "xX", 78, step=0.5)
    kit.hits(62, 38, ".xxX", 74, step=0.5)
    kit.note(END, 51, 4, 84)
    kit.note(END, 36, 1, 70)
    kit.note(END + 2, 53, 3, 50)


def write(score):
    """Write the trio."""
    for section in (piano, bass, drums):
        section(score)


CLIP = Clip(
    name="jazz_trio",
    title="Last Tram to Harbour Square",
    style="swing for piano trio",
    tempo=138,
    key="F major",
    instruments=("piano", "double bass", "drums with brushes"),
    write=write,
    swing=0.62,
    room=0.4,
    push=4,
)
