"""Inputs made audible: from a dB mel spectrogram to sound and back.

A spectrogram of 96 bands does not say all that a sound is: the phases are guessed (Griffin and
Lim's way), and what lies between the bands is spread as the filters allow. Many inputs belong to
no sound at all, since neighbouring frames share half of their samples. So the sound is heard by
the network again, and its own value told.
"""

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound.spectrogram import (
    COMPRESSION,
    FFT_SIZE,
    HOP,
    SAMPLE_RATE,
    cut_patches,
    db_mel,
    mel_filters,
)

ROUNDS = 32  # of Griffin and Lim's
MULTIPLIED = 40  # times, of the bins' powers
AROUND = 8  # frames of silence before and after a window
REPEATED = {7: 4, 32: 3, 64: 2}  # by frames of the kernel: how often short windows are heard
BETWEEN = {7: 18}  # frames of silence between; else AROUND
PEAK = 0.9  # the loudest sample of a file
GAP = 0.15  # seconds between two sounds of a file
DELAY = 1105  # samples by which the encoder comes late
QUALITY = 0.947  # 16 kbit/s


@dataclass(frozen=True, eq=False)
class Sound:
    """One input as sound.

    Attributes:
        samples: at 16 kHz, not louder than `PEAK`.
        factor: what they were multiplied with for that.
    """

    samples: np.ndarray
    factor: float


def laid_out(window: np.ndarray, lowest_band: int, short: bool, highest: np.ndarray) -> np.ndarray:
    """What is heard of a window of dB mel values, (frames, bands): silence around it, short ones
    several times, of one band in all bands; (frames, 96).

    Args:
        highest: dB mel values that no band goes beyond, (96,).
    """
    frames, bands = window.shape
    if frames == FRAMES:
        return window
    tall = np.zeros((frames, BANDS))
    if bands == 1:
        tall[:] = np.minimum(window, highest)  # any band will do: all make clicks and pulses
    else:
        tall[:, lowest_band : lowest_band + bands] = window
    between = np.zeros((BETWEEN.get(frames, AROUND) if short else AROUND, BANDS))
    times = REPEATED.get(frames, 1) if short else 1
    return np.concatenate([between, *(each for _ in range(times) for each in (tall, between))])


def sound_of(db: np.ndarray) -> Sound:
    """A sound whose dB mel spectrogram comes near, (frames, 96)."""
    import librosa

    power = (10 ** np.maximum(db, 0) - 1) / COMPRESSION
    samples = librosa.griffinlim(np.sqrt(spread(power.T.astype(np.float32))), n_iter=ROUNDS,
                                 hop_length=HOP, n_fft=FFT_SIZE, pad_mode="constant",
                                 random_state=0)
    factor = min(1.0, PEAK / max(float(np.abs(samples).max()), 1e-9))
    return Sound((samples * factor).astype(np.float32), factor)


def spread(mel: np.ndarray) -> np.ndarray:
    """Power of the 257 bins whose mel power comes near, (257, frames), from (96, frames).

    Non-negative least squares by Lee and Seung's multiplications, which begin with each band
    spread over its own bins: smoother than what `librosa.feature.inverse.mel_to_stft` finds, so
    that the sound comes nearer, and ten times as fast.
    """
    filters = mel_filters()
    there = filters.T @ mel
    found = there + 1e-12
    for _ in range(MULTIPLIED):
        found *= there / np.maximum(filters.T @ (filters @ found), 1e-12)
    return found


def one_file(sounds: list[Sound]) -> tuple[bytes, list[float]]:
    """All sounds one after the other, as MP3 at a constant rate, and where each begins, in
    seconds."""
    gap = np.zeros(round(GAP * SAMPLE_RATE), np.float32)
    parts, starts, at = [gap], [], len(gap)
    for sound in sounds:
        starts.append(at / SAMPLE_RATE)
        parts += [sound.samples, gap]
        at += len(sound.samples) + len(gap)
    stream = io.BytesIO()
    soundfile.write(stream, np.concatenate(parts), SAMPLE_RATE, format="MP3",
                    subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=QUALITY)
    return stream.getvalue(), starts


def decoded(file: bytes) -> np.ndarray:
    """The samples of a file of sounds, without the encoder's delay."""
    return soundfile.read(io.BytesIO(file), dtype="float32")[0][DELAY:]


def heard_again(samples: np.ndarray, start: float, seconds: float, factor: float) -> np.ndarray:
    """One sound of a decoded file as a patch, (1, 187, 96): as loud as the input asked for,
    silence after it."""
    first = round(start * SAMPLE_RATE)
    part = samples[first : first + round(seconds * SAMPLE_RATE)] / np.float32(factor)
    whole = np.zeros(FRAMES * HOP, np.float32)
    whole[: min(len(part), len(whole))] = part[: len(whole)]
    return cut_patches(db_mel(whole))[:1]
