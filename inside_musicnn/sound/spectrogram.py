"""The dB mel spectrogram that MusiCNN hears, equal to what the package computed under NumPy 1.

Explained in chapter 3; sources: `musicnn/extractor.py` (`batch_data`) and
`musicnn/configuration.py`; part 3 of the articles.
"""

from functools import cache

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound import mel

SAMPLE_RATE = 16000  # Hz
FFT_SIZE = 512  # samples of one window: 32 ms
HOP = 256  # samples from one frame to the next: 16 ms
FRAME_SECONDS = HOP / SAMPLE_RATE
PATCH_SECONDS = FRAMES * FRAME_SECONDS
COMPRESSION = 10000  # factor inside the logarithm


def mel_power(samples: np.ndarray) -> np.ndarray:
    """Power of the Hann-windowed short-time Fourier transform in 96 mel bands.

    Args:
        samples: mono, 16 kHz, shape (n,).

    Returns:
        float32, shape (frames, 96), with frames = 1 + n // 256.
    """
    power = mel.power_spectrogram(samples, FFT_SIZE, HOP)
    return np.einsum("ft,mf->mt", power, mel_filters(), optimize=True).T


def db_mel(samples: np.ndarray) -> np.ndarray:
    """dB mel spectrogram: log10(10000 x + 1) of the mel power x, in float32.

    The package first rounds the power to float16, and NumPy 1 then went on in float32; NumPy 2
    would stay in float16, where 10000 x overflows. Powers beyond float16's largest value, which
    only samples far outside -1 to 1 reach, are held at that value, where the package had infinity.

    Args:
        samples: mono, 16 kHz, shape (n,).

    Returns:
        float32, shape (frames, 96), zero for silence.
    """
    limit = np.float32(np.finfo(np.float16).max)
    halves = float16_bits(np.minimum(mel_power(samples), limit))
    return np.take(_decibels(), halves, mode="clip")


def float16_bits(values: np.ndarray) -> np.ndarray:
    """The bits of `values.astype(np.float16)`, several times as fast.

    Args:
        values: float32, from 0 to the largest float16.

    Returns:
        uint32, the same shape; for what is not a number, more than any float16 number has.
    """
    bits = values.view(np.uint32)
    # To the nearest number with 13 bits less, to the even one of two; exponents begin elsewhere.
    halves = bits >> np.uint32(13)
    halves &= np.uint32(1)
    halves += bits
    halves += np.uint32(0xFFF)
    halves >>= np.uint32(13)
    halves -= np.uint32(112 << 10)
    # Below the smallest exponent float16 has steps of 2**-24, as float32 has them from 0.5 on.
    small = values < np.float32(2**-14)
    np.subtract((values + np.float32(0.5)).view(np.uint32), np.uint32(0x3F000000), out=halves,
                where=small)
    return halves


@cache
def _decibels() -> np.ndarray:
    """log10(10000 x + 1) for each float16 x from 0 on by its bits, and, last, not a number."""
    powers = np.arange(0x7C01, dtype=np.uint16).view(np.float16).astype(np.float32)
    powers[-1] = np.nan
    return np.log10(np.float32(COMPRESSION) * powers + np.float32(1))


def cut_patches(spectrogram: np.ndarray, hop: int = FRAMES) -> np.ndarray:
    """Cut a spectrogram into patches of 187 frames, as the package does; a rest is dropped.

    Args:
        spectrogram: shape (frames, 96).
        hop: frames from the start of one patch to the start of the next.

    Returns:
        float32, shape (patches, 187, 96).

    Raises:
        InputError: fewer than 187 frames, or a hop that is not a whole number of at least 1.
    """
    if int(hop) != hop or hop < 1:
        raise InputError(f"The hop between patches is {hop}; it must be a whole number of frames, "
                         "at least 1.")
    if len(spectrogram) < FRAMES:
        raise InputError(f"The spectrogram has {len(spectrogram)} frames; one patch needs "
                         f"{FRAMES}.")
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram, FRAMES, axis=0)
    return np.ascontiguousarray(windows[:: int(hop)].transpose(0, 2, 1), dtype=np.float32)


def mel_filters() -> np.ndarray:
    """The 96 triangular mel filters over the 257 frequency bins, shape (96, 257)."""
    return mel.mel_filters(BANDS, SAMPLE_RATE, FFT_SIZE)


def band_edges() -> np.ndarray:
    """Lower edge, centre and upper edge of each mel band in Hz, shape (96, 3)."""
    points = mel.mel_points(BANDS, SAMPLE_RATE)
    return np.stack([points[:-2], points[1:-1], points[2:]], axis=1)
