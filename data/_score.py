"""A small layer over pretty_midi: write music in beats and note names, not in seconds."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pretty_midi

SECONDS = 30.0
SHORTEST = 0.03  # seconds; closer notes of one pitch count as one
GRID = 24  # steps per beat used to add up a changing tempo
VOLUME, PAN, PEDAL, REVERB, CHORUS, NOTES_OFF = 7, 10, 64, 91, 93, 123
FILTER_CUTOFF, FILTER_RESONANCE = 8, 9  # SoundFont generator numbers


@dataclass(frozen=True)
class Clip:
    """Everything that is said about a clip, and the function that writes its music."""

    name: str
    title: str
    style: str
    tempo: float
    key: str
    instruments: tuple[str, ...]
    write: Callable[["Score"], None]
    rubato: tuple[tuple[float, float], ...] = ()  # (beat, tempo factor) points
    swing: float = 0.5  # where the second eighth note of a beat falls
    room: float = 0.5  # size of the reverb room, 0 to 1
    push: float = 0.0  # decibels of gain before the limiter that holds the peaks down

    def midi(self):
        """Return the clip as a `pretty_midi.PrettyMIDI` object."""
        score = Score(self)
        self.write(score)
        return score.finish()


def pitch(name):
    """Return the MIDI number of a note such as 'F#4'; numbers pass through."""
    return name if isinstance(name, int) else pretty_midi.note_name_to_number(name)


def pitches(names):
    """Return the MIDI numbers of notes separated by spaces."""
    return [pitch(name) for name in names.split()]


class Score:
    """A piece in the making: a clock that turns beats into seconds, and the parts."""

    def __init__(self, clip):
        self.clip = clip
        self.random = random.Random(clip.name)
        self.parts = []
        self.ticks = self._add_up_tempo()

    def _add_up_tempo(self):
        """Return the time in seconds of every grid step of the piece."""
        times = [0.0]
        while times[-1] <= SECONDS + 1:
            factor = self._factor((len(times) - 0.5) / GRID)
            times.append(times[-1] + 60.0 / (self.clip.tempo * factor * GRID))
        return times

    def _factor(self, beat):
        """Return the tempo factor at a beat, by straight lines between the rubato points."""
        points = self.clip.rubato or ((0.0, 1.0),)
        if beat <= points[0][0]:
            return points[0][1]
        for (left, low), (right, high) in zip(points, points[1:], strict=False):
            if beat <= right:
                return low + (high - low) * (beat - left) / (right - left)
        return points[-1][1]

    def seconds(self, beat):
        """Return when a beat falls, with swing and rubato applied."""
        whole, part = divmod(max(beat, 0.0), 1.0)
        swing = self.clip.swing
        part = part * 2 * swing if part < 0.5 else swing + (part - 0.5) * 2 * (1 - swing)
        step = (whole + part) * GRID
        index = min(int(step), len(self.ticks) - 2)
        left, right = self.ticks[index : index + 2]
        return left + (right - left) * (step - index)

    def part(self, name, program, **settings):
        """Add an instrument; see `Part` for the settings."""
        part = Part(self, name, program, **settings)
        self.parts.append(part)
        return part

    def finish(self):
        """Return the piece as MIDI that lasts exactly `SECONDS`."""
        midi = pretty_midi.PrettyMIDI(initial_tempo=self.clip.tempo)
        midi.instruments = [part.finish() for part in self.parts]
        return midi


class Part:
    """One instrument of a score.

    `loose` is the spread of the timing in seconds and `feel` that of the velocity;
    `lag` moves the whole part later (or earlier, if negative), in seconds.
    """

    def __init__(self, score, name, program, *, drum=False, volume=100, pan=64, reverb=40,
                 chorus=0, loose=0.006, feel=4.0, lag=0.0):
        self.score, self.loose, self.feel, self.lag = score, loose, feel, lag
        self.free = 0.0  # the first beat at which a generator offset can be sent
        self.midi = pretty_midi.Instrument(program, is_drum=drum, name=name)
        for number, value in ((VOLUME, volume), (PAN, pan), (REVERB, reverb), (CHORUS, chorus)):
            self.control(0, number, value)

    def control(self, beat, number, value):
        """Send a control change at a beat."""
        time = self.score.seconds(beat)
        if time < SECONDS:
            self.midi.control_changes.append(pretty_midi.ControlChange(number, int(value), time))

    def pedal(self, *beats):
        """Change the sustain pedal at each beat: up, and down again a moment later."""
        for beat in beats:
            self.control(beat, PEDAL, 0)
            self.control(beat + 0.08, PEDAL, 127)

    def swell(self, beat, length, low, high):
        """Move the expression controller evenly from `low` to `high`."""
        steps = max(2, int(length * 4))
        for step in range(steps + 1):
            value = low + (high - low) * step / steps
            self.control(beat + length * step / steps, 11, min(127, max(1, value)))

    def bend(self, beat, semitones):
        """Set the pitch bend, in semitones between -2 and 2."""
        value = max(-8192, min(8191, int(semitones * 4096)))
        time = self.score.seconds(beat)
        if time < SECONDS:
            self.midi.pitch_bends.append(pretty_midi.PitchBend(value, time))

    def generator(self, beat, number, amount):
        """Offset a SoundFont generator by an NRPN; call it in the order of time.

        The four messages must stay in order and apart from those of another offset, or they
        would set a different generator: each gets its own tick, and each offset its own place.
        """
        beat = max(beat, self.free)
        self.free = beat + 4.5 / 150
        msb, lsb = divmod(8192 + int(amount), 128)
        for step, (control, value) in enumerate(((99, 120), (98, number), (38, lsb), (6, msb))):
            self.control(beat + step / 150, control, value)

    def note(self, beat, name, length, velocity=80):
        """Play one note."""
        rng = self.score.random
        shift = self.lag + max(-2.0, min(2.0, rng.gauss(0, 1))) * self.loose
        loud = velocity + rng.gauss(0, 1) * self.feel
        start = max(0.0, self.score.seconds(beat) + shift)
        end = max(start + SHORTEST, self.score.seconds(beat + length) + shift)
        if start < SECONDS - 0.05:
            self.midi.notes.append(pretty_midi.Note(
                int(max(1, min(127, loud))), pitch(name), start, min(end, SECONDS)))

    def chord(self, beat, names, length, velocity=80, strum=0.0):
        """Play notes together, or one after the other, `strum` beats apart."""
        notes = pitches(names) if isinstance(names, str) else names
        for index, name in enumerate(notes):
            late = index * strum
            self.note(beat + late, name, max(0.05, length - late), velocity)

    def line(self, beat, text, velocity=80, legato=0.95):
        """Play a melody such as 'C4/1 >E4+G4/.5 -/2': notes, chords, rests, accents.

        `velocity` is a number, or a pair to go from the first to the second.
        Returns the beat on which the line ends.
        """
        first, last = velocity if isinstance(velocity, tuple) else (velocity, velocity)
        tokens = text.split()
        for index, token in enumerate(tokens):
            names, length = token.lstrip(">").split("/")
            loud = first + (last - first) * index / max(1, len(tokens) - 1)
            loud += 14 if token.startswith(">") else 0
            if names != "-":
                self.chord(beat, names.replace("+", " "), float(length) * legato, loud)
            beat += float(length)
        return beat

    def hits(self, beat, drum, pattern, velocity=90, step=0.25):
        """Play a drum by a pattern of 'x' (hit), 'X' (accent), 'o' (soft) and '.' (rest)."""
        extra = {"x": 0, "X": 15, "o": -30}
        for index, mark in enumerate(pattern.replace(" ", "")):
            if mark != ".":
                self.note(beat + index * step, drum, step * 0.9, velocity + extra[mark])

    def finish(self):
        """Return the instrument with no two overlapping notes of the same pitch."""
        last, kept = {}, []
        for note in sorted(self.midi.notes, key=lambda note: (note.start, note.pitch)):
            before = last.get(note.pitch)
            if before and note.start - before.start < SHORTEST:  # the same note twice
                before.velocity = max(before.velocity, note.velocity)
                before.end = max(before.end, note.end)
                continue
            if before and before.end > note.start - 0.005:
                before.end = note.start - 0.005
            last[note.pitch] = note
            kept.append(note)
        self.midi.notes = kept
        # An event at the very end gives the file its exact length.
        self.midi.control_changes.append(pretty_midi.ControlChange(NOTES_OFF, 0, SECONDS))
        return self.midi
