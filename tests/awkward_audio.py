"""Audio files as people have them: whole ones, and ways to break them. For several test files."""

import io
import struct
import zlib
from fractions import Fraction
from functools import cache

import numpy as np
import soundfile

from inside_musicnn.sound.shipped import DATA

SECONDS = 12
RATE = 44100
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@cache
def music(seconds=SECONDS, rate=RATE):
    """Mono music, float32; at another rate it plays faster or slower."""
    count = seconds * max(rate, RATE)
    samples = soundfile.read(DATA / "techno.ogg", frames=count, dtype="float32")[0]
    samples = samples.mean(axis=1) if samples.ndim > 1 else samples
    return samples[: seconds * rate]


def encoded(kind, samples=None, rate=RATE, **options):
    """Bytes of a file that libsndfile writes."""
    file = io.BytesIO()
    options = {"subtype": {"OGG": "VORBIS"}.get(kind), **options}
    soundfile.write(file, music() if samples is None else samples, rate, format=kind, **options)
    return file.getvalue()


def by_pyav(path, codec, container, samples=None, rate=RATE, **options):
    """Bytes of a file that PyAV writes."""
    import av

    samples = music() if samples is None else samples
    with av.open(path, "w", format=container, options=options) as target:
        stream = target.add_stream(codec, rate=rate, layout="mono", bit_rate=96000)
        resampler = av.AudioResampler(stream.format.name, "mono", rate)
        for first in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                target.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            target.mux(stream.encode(ready))
        target.mux(stream.encode(None))
    return path.read_bytes()


def overwritten(data, share=0.3, count=3000, seed=3):
    """With random bytes in the middle."""
    data, place = bytearray(data), int(len(data) * share)
    data[place : place + count] = np.random.default_rng(seed).bytes(count)
    return bytes(data)


def without(data, share=0.3, count=3000):
    """With bytes taken out."""
    place = int(len(data) * share)
    return data[:place] + data[place + count :]


def pages(data):
    """The pages of an Ogg file."""
    found, place = [], 0
    while place < len(data):
        size = 27 + data[place + 26] + sum(data[place + 27 : place + 27 + data[place + 26]])
        found.append(bytearray(data[place : place + size]))
        place += size
    return found


def marked(page, last):
    """An Ogg page with or without the mark of a stream's end."""
    page = bytearray(page)
    page[5] = page[5] | 4 if last else page[5] & ~4
    page[22:26] = bytes(4)
    sum_of_bits = zlib.crc32(bytes(page).translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    page[22:26] = int(f"{sum_of_bits:032b}"[::-1], 2).to_bytes(4, "little")
    return page


def joined(parts):
    return b"".join(bytes(part) for part in parts)


def without_table(data):
    """An MP3 file without its first frame, which tells the length."""
    kilobits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[data[2] >> 4]
    return data[144 * kilobits * 1000 // RATE + (data[2] >> 1 & 1) :]


def with_sizes(data, size, whole=None):
    """A WAV file whose header tells other sizes of the sound, and of the whole."""
    data = bytearray(data)
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", size)
    data[4:8] = struct.pack("<I", size if whole is None else whole)
    return bytes(data)
