"""Disco with a duck: four on the floor, octave bass, strings, brass and a quacking lead."""

from _score import FILTER_CUTOFF, FILTER_RESONANCE, Clip

# (first beat, length, bass root, chord): intro, verse, chorus, break, chorus, last hit.
INTRO = [(0, 4, "A1", "G3 C4 E4"), (4, 2, "A1", "G3 C4 E4"), (6, 2, "E2", "G#3 B3 D4")]
VERSE = [(8, 4, "A1", "G3 C4 E4"), (12, 4, "D2", "A3 C4 F4"), (16, 4, "G1", "F3 B3 D4"),
         (20, 2, "C2", "G3 B3 E4"), (22, 2, "E2", "G#3 B3 D4")]
CHORUS = [(24, 4, "F1", "A3 C4 E4"), (28, 4, "G1", "B3 D4 G4"), (32, 4, "E2", "G3 B3 D4"),
          (36, 4, "A1", "A3 C4 E4")]
BREAK = [(40, 4, "A1", "G3 C4 E4"), (44, 4, "A1", "G3 C4 E4")]
LAST = [(48, 2, "F1", "A3 C4 E4"), (50, 2, "G1", "B3 D4 G4"), (52, 4, "E2", "G#3 B3 D4")]
MAIN = VERSE + CHORUS + BREAK + LAST
HARMONY = INTRO + MAIN
PICKUPS = {7.5, 39.5, 54, 54.5, 55, 55.5}  # where the bass leaves its pattern
HIT = 56


def drums(score):
    """Kick on every beat, open hats between them, claps, congas and fills."""
    kit = score.part("Drums", 0, drum=True, volume=127, reverb=18, loose=0.003)
    for bar in range(14):
        beat = bar * 4
        kit.hits(beat, 36, "X...x...X...x...", 104)
        kit.hits(beat, 46, "..x...x...x...x.", 78)
        kit.hits(beat, 42, "x.o.x.o.x.o.x.o." if bar < 2 else "xo.oxo.oxo.oxo.o", 66)
        kit.hits(beat, 63, "...x..x.....x.x.", 66)
        kit.hits(beat, 64, "..........xx....", 68)
        if bar >= 2:
            kit.hits(beat, 38, "....x.......x...", 94)
            kit.hits(beat, 39, "....x.......x...", 84)
            kit.hits(beat, 54, "x.x.x.x.x.x.x.x.", 50)
    for beat in (8, 24, 48, HIT):
        kit.note(beat, 49, 2, 100)
    for beat, pattern in ((7, "xxXx"), (23, "oxxX"), (39, "x.xX"), (46, "..x.xxXX")):
        kit.hits(beat, 38, pattern, 88)
    kit.hits(47, 47, "xx..", 92)
    kit.hits(47, 43, "..xx", 96)
    kit.hits(HIT, 36, "X", 110)
    kit.hits(HIT, 38, "X", 100)


def bass(score):
    """Octaves in eighth notes, with a walk into the next chord now and then."""
    low = score.part("Finger bass", 33, volume=100, reverb=6, loose=0.003)
    up = {"A1": "A2", "D2": "D3", "G1": "G2", "C2": "C3", "E2": "E3", "F1": "F2"}
    for beat, length, root, _ in HARMONY:
        for step in range(length * 2):
            name, hold, loud = (up[root], 0.3, 90) if step % 2 else (root, 0.42, 98)
            if beat + step / 2 not in PICKUPS:
                low.note(beat + step / 2, name, hold, loud)
    low.line(7.5, "F#2/.25 G#2/.25", 92)
    low.line(39.5, "G2/.25 G#2/.25", 92)
    low.line(54, "E2/.5 E3/.5 F#2/.5 G#2/.5", (96, 108))
    low.note(HIT, "A1", 1.6, 112)


def rhythm_guitars(score):
    """A clavinet through a wah pedal on the left, a scratching guitar on the right."""
    clav = score.part("Wah clavinet", 7, volume=124, pan=40, reverb=25, loose=0.004)
    clav.generator(0, FILTER_RESONANCE, 130)
    for beat, length, _, chord in HARMONY:
        top = chord.split()[1:]
        for step in range(length):
            clav.generator(beat + step, FILTER_CUTOFF, -3600)
            clav.generator(beat + step + 0.5, FILTER_CUTOFF, -900)
            for late, loud in ((0, 62), (0.5, 88), (0.75, 74)):
                clav.chord(beat + step + late, " ".join(top), 0.16, loud)
    scratch = score.part("Rhythm guitar", 27, volume=86, pan=98, reverb=25, chorus=40,
                         loose=0.004)
    for beat, length, _, chord in MAIN:
        high = [note[:-1] + str(int(note[-1]) + 1) for note in chord.split()]
        for half in range(0, length, 2):
            for late, loud, hold in ((0.5, 84, 0.2), (0.75, 60, 0.1), (1.25, 68, 0.12),
                                     (1.5, 88, 0.3)):
                scratch.chord(beat + half + late, " ".join(high), hold, loud, strum=0.012)


def strings(score):
    """Runs into each section, long notes in the verse, the tune of the chorus in octaves."""
    high = score.part("Disco strings", 48, volume=122, pan=74, reverb=60, chorus=20, lag=-0.03)
    low = score.part("Disco strings, low", 49, volume=104, pan=50, reverb=60, lag=-0.05)
    high.line(4, "E5/.25 F5/.25 G5/.25 A5/.25 B5/.25 C6/.25 D6/.25 E6/.25 E6/1 -/.5 "
                 "E6/.25 D6/.25", (70, 104))
    high.line(8, "C6/.5 -/7.5 B5/.5 -/.5 D6/.5 -/2.5", 90)
    high.line(20, "G5/.5 A5/.5 B5/.5 C6/.5 E5/.25 F#5/.25 G#5/.25 A5/.25 B5/.25 C6/.25 "
                  "D6/.25 E6/.25", (78, 108))
    for beat, length, _, chord in VERSE:
        low.chord(beat, chord, length * 0.96, 62)
    tune = ("C6/1.5 A5/.5 C6/.5 >E6/1.5 D6/1.5 B5/.5 D6/.5 >G6/1.5 "
            "B5/1.5 G5/.5 B5/.5 D6/.5 >E6/1 C6/1 B5/.5 A5/.5 E5/.5 A5/.5 C6/.5 E6/.5")
    lower = ("C5/1.5 A4/.5 C5/.5 >E5/1.5 D5/1.5 B4/.5 D5/.5 >G5/1.5 "
             "B4/1.5 G4/.5 B4/.5 D5/.5 >E5/1 C5/1 B4/.5 A4/.5 E4/.5 A4/.5 C5/.5 E5/.5")
    high.line(24, tune, 92)
    low.line(24, lower, 88)
    high.line(46, "A5/.25 G5/.25 E5/.25 G5/.25 A5/.25 B5/.25 C6/.25 D6/.25", (76, 108))
    high.line(48, "C6/.5 A5/.5 C6/.5 E6/.5 D6/.5 B5/.5 D6/.5 G6/.5 G#6/1 E6/1 "
                  "D6/.5 B5/.5 G#5/.5 E5/.5 A5/.8", (94, 110))
    low.line(48, "C5/.5 A4/.5 C5/.5 E5/.5 D5/.5 B4/.5 D5/.5 G5/.5 G#5/1 E5/1 "
                 "D5/.5 B4/.5 G#4/.5 E4/.5 A4/.8", (90, 106))


def brass(score):
    """Short hits by trumpets and trombones in the choruses, one riff in the break."""
    horns = score.part("Brass section", 61, volume=76, pan=58, reverb=45, lag=-0.012)
    for beat, chord in ((24, "A4 C5 E5"), (28, "B4 D5 G5"), (32, "G4 B4 D5")):
        for late, hold in ((0, 0.5), (0.75, 0.4), (1.5, 0.3), (3.5, 0.35)):
            horns.chord(beat + late, chord, hold, 96)
    horns.line(36, "A4+C5+E5/1.5 -/1 A4/.25 C5/.25 D5/.25 E5/.25", (88, 108))
    horns.line(43, "-/.5 E5/.25 G5/.25 >A4+C5+E5/.4", 98, legato=0.8)
    horns.line(6, "-/.5 A4+C5+E5/.5 -/.5 G#4+B4+E5/.5", 98, legato=0.7)
    for beat, chord in ((48, "A4 C5 E5"), (50, "B4 D5 G5"), (52, "G#4 B4 E5")):
        for late in (0, 0.75, 1.5):
            horns.chord(beat + late, chord, 0.35, 100)
    horns.line(54, ">G#4+D5+E5/.5 -/.5 >G#4+D5+E5/.5 >G#4+D5+E5/.5", 104, legato=0.7)
    horns.chord(HIT, "A4 C5 E5 G5", 1.0, 112)


def quack(parts, beat, name, length, velocity):
    """Play one quack: the pitch scoops up and falls, the filter opens and shuts."""
    for part in parts:
        for late, cutoff in ((0, -3400), (0.15, -600), (0.45, -1500), (0.75, -3000)):
            part.generator(beat + late * length, FILTER_CUTOFF, cutoff)
        for late, semitones in ((0, -1.2), (0.06, -0.4), (0.12, 0), (0.7, -0.3), (0.9, -1.6)):
            part.bend(beat + late * length, semitones)
        part.note(beat, name, length, velocity)


def duck(score):
    """The soloist: a muted trumpet doubled by a saxophone, both made to quack."""
    parts = [score.part("Duck: muted trumpet", 59, volume=127, pan=64, reverb=30, loose=0),
             score.part("Duck: alto saxophone", 65, volume=96, pan=64, reverb=30, loose=0)]
    for part in parts:
        part.generator(0, FILTER_RESONANCE, 100)
    solo = [
        (8, "E5/.5 E5/.25 E5/.25 -/.5 G5/.5 E5/.5 -/.5 D5/.5 C5/.5"),
        (12, "-/.5 D5/.5 F5/.5 A5/.5 F5/.75 -/1.25"),
        (16, "D5/.5 D5/.25 D5/.25 -/.5 F5/.5 D5/.5 -/.5 C5/.5 B4/.5"),
        (20, "C5/.5 E5/.5 G5/.5 E5/.5 G#4/.5 B4/.5 E5/.75"),
        (26.5, "A5/.25 A5/.25 G5/.5"), (30.5, "B5/.25 B5/.25 D5/.5"),
        (34, "-/.5 G5/.25 G5/.25 E5/.5"), (37.5, "E5/.25 E5/.25 A5/.5 E5/.5"),
        (40, "A5/.5 A5/.25 A5/.25 -/1 E5/.5 E5/.25 E5/.25 -/1"),
        (44, "A5/.25 A5/.25 C6/.5 A5/.5 G5/.5 E5/.75"),
        (53, "E5/.25 E5/.25 G#5/.5"), (HIT + 0.5, "A5/.25 A5/.25 A5/.6"),
    ]
    for beat, text in solo:
        for token in text.split():
            name, length = token.split("/")
            if name != "-":
                quack(parts, beat, name, float(length) * 0.85, 104)
            beat += float(length)


def electric_piano(score):
    """Soft chords that hold the verse and the choruses together."""
    keys = score.part("Electric piano", 4, volume=78, pan=82, reverb=40, chorus=50)
    for beat, length, _, chord in MAIN:
        keys.chord(beat, chord, 0.9, 72)
        keys.chord(beat + 1.5, chord, 0.45 if length == 2 else 2.3, 66)
    keys.chord(HIT, "A3 C4 E4 G4", 1.6, 84)


def write(score):
    """Write the whole arrangement."""
    for section in (drums, bass, rhythm_guitars, electric_piano, strings, brass, duck):
        section(score)


CLIP = Clip(
    name="disco",
    title="Ducks Under the Mirror Ball",
    style="1970s disco with a comic lead",
    tempo=116,
    key="A minor",
    instruments=("drums", "congas", "bass guitar", "clavinet", "electric guitar",
                 "electric piano", "strings", "brass", "muted trumpet", "alto saxophone"),
    write=write,
    room=0.35,
    push=6,
)
