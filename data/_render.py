"""Turn a MIDI file into a 30 s OGG file: fluidsynth, levels, fades, Vorbis."""

import math
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 44100
FRAMES = 30 * RATE
PEAK = 10 ** (-1 / 20)  # -1 dBFS
LARGEST = 500_000  # bytes; quality is lowered until a file fits
BLOCK = 16384  # frames per write, because libsndfile can crash on long Vorbis writes
HOP, REACH = 60, 25  # limiter: frames per gain value, gain values looked at on each side
FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # where Debian and Ubuntu install it


class MissingTool(Exception):
    """Fluidsynth or the sound font is not there."""


def check_tools(font):
    """Raise `MissingTool` with one clear sentence if rendering cannot work."""
    if shutil.which("fluidsynth") is None:
        raise MissingTool("The program fluidsynth is needed to render the clips; install it "
                          "(Debian: apt install fluidsynth) or use --midi-only.")
    if not Path(font).is_file():
        raise MissingTool(f"There is no sound font at {font}; install one (Debian: apt install "
                          "fluid-soundfont-gm) or name another with --soundfont.")


def synthesise(midi_file, font, room):
    """Return the sound of a MIDI file as floats, shape (frames, 2)."""
    settings = {"synth.reverb.room-size": room, "synth.reverb.damp": 0.3,
                "synth.reverb.level": 0.8, "synth.reverb.width": 1.0, "synth.gain": 0.4}
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "out.wav"
        command = ["fluidsynth", "-n", "-i", "-q", *options, "-r", str(RATE), "-T", "wav",
                   "-O", "float", "-F", str(wave), str(font), str(midi_file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sound, _ = soundfile.read(wave, always_2d=True)
    return sound


def limit(sound, push):
    """Raise the level by `push` decibels and turn the gain down around the peaks."""
    sound = sound / np.abs(sound).max() * 10 ** (push / 20)
    blocks = np.abs(sound).max(axis=1).reshape(-1, HOP).max(axis=1)
    gain = 1 / np.maximum(blocks, 1)
    # The lowest gain nearby, averaged over the same reach, is smooth and never too high.
    nearby = np.lib.stride_tricks.sliding_window_view(
        np.pad(gain, REACH, constant_values=1.0), 2 * REACH + 1).min(axis=1)
    window = np.hanning(2 * REACH + 3)[1:-1]
    smooth = np.convolve(np.pad(nearby, REACH, mode="edge"), window / window.sum(), "valid")
    centres = (np.arange(len(smooth)) + 0.5) * HOP
    return sound * np.interp(np.arange(len(sound)), centres, smooth)[:, None]


def master(sound, push):
    """Cut to 30 s, centre, hold down the peaks, fade the end and set the peak level."""
    sound = np.vstack([sound, np.zeros((FRAMES, 2))])[:FRAMES]
    sound = sound - sound.mean(axis=0)
    sound = limit(sound, push) * fades()[:, None]
    return sound * (PEAK / np.abs(sound).max())


def fades(first=0.005, last=0.25):
    """Return the gain over time: a very short fade in, a short fade out at the end."""
    gain = np.ones(FRAMES)
    rise, fall = int(first * RATE), int(last * RATE)
    gain[:rise] = np.linspace(0, 1, rise)
    gain[-fall:] = np.cos(np.linspace(0, math.pi / 2, fall)) ** 2
    return gain


def encode(sound, target):
    """Write OGG Vorbis at the best quality that keeps the file small enough."""
    for compression in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        with soundfile.SoundFile(target, "w", RATE, 2, "VORBIS", format="OGG",
                                 compression_level=compression) as file:
            for start in range(0, len(sound), BLOCK):
                file.write(sound[start : start + BLOCK])
        if target.stat().st_size <= LARGEST:
            return


def render(midi_file, target, font=FONT, room=0.5, push=0.0):
    """Render a MIDI file to `target` and return the peak of the decoded file."""
    sound = master(synthesise(midi_file, font, room), push)
    for _ in range(4):  # Vorbis can overshoot; then leave it more room and write again
        encode(sound, target)
        peak = float(np.abs(soundfile.read(target)[0]).max())
        if peak < 0.95:
            break
        sound = sound * (0.92 / peak)
    return peak
