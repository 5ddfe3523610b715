"""The dB mel spectrogram: what the package computed under NumPy 1, and finite for any sound."""

import warnings

import librosa
import numpy as np
import pytest
from arithmetic.sound import decibels, of_logarithm, spectrogram

from helpers.evidence.reference import reference
from inside_musicnn import Clip, InputError, load_clip
from inside_musicnn.sound import mel, probes
from inside_musicnn.sound.spectrogram import (
    band_edges,
    cut_patches,
    db_mel,
    float16_bits,
    mel_filters,
    mel_power,
)

numeric = pytest.mark.numeric
each_clip = pytest.mark.parametrize("name", ["disco", "piano", "lucky_13", "ave_maria"])


def outside(powers, truth):
    """How many float16 powers do not lie between the roundings that the truth allows."""
    count = len(powers)
    return int(((powers < truth.low[:count]) | (powers > truth.high[:count])).sum())


@numeric
@each_clip
def test_every_power_is_the_packages_under_numpy_1_to_a_float16_step(name):
    """Both lie where float32 may put them; where two float16 numbers are possible, neighbours."""
    samples, stored = load_clip(name).samples, reference(name, "MSD_musicnn")
    truth = spectrogram(samples)
    assert outside(stored["mel_power_float16"].astype(np.float64), truth) == 0
    assert outside(mel_power(samples).astype(np.float16).astype(np.float64), truth) == 0
    assert (np.nextafter(truth.low.astype(np.float16), np.float16(np.inf)) >= truth.high).all()
    assert (truth.low != truth.high).mean() < 0.01  # elsewhere they are equal to the last bit


@numeric
@each_clip
def test_decibels_of_every_patch(name):
    """Of the float16 powers, ours and the package's, in which nothing is in doubt."""
    clip, stored = load_clip(name), reference(name, "MSD_musicnn")
    own = mel_power(clip.samples).astype(np.float16)
    theirs = stored["mel_power_float16"].reshape(-1, 187, 96)
    assert clip.patches().shape == theirs.shape
    for found, powers in ((clip.db_mel, own), (stored["patches"], theirs[:2])):
        exact = decibels(powers)
        assert (np.abs(found - exact) <= of_logarithm(exact)).all()


WRONG_POWERS = {
    "a sample late": lambda x: mel_power(np.concatenate([x[1:], x[:1]])),
    "two bands swapped": lambda x: mel_power(x)[:, [*range(40), 41, 40, *range(42, 96)]],
    "a frame late": lambda x: np.roll(mel_power(x), 1, axis=0),
    "magnitude in place of power": lambda x: np.sqrt(
        mel.power_spectrogram(x, 512, 256)).T @ mel_filters().T,
    "filters of equal height": lambda x: mel_power(x) / mel_filters().max(axis=1),
    "a window with both ends": lambda x: _power(x, np.hanning(512)),
    "no window": lambda x: _power(x, np.ones(512)),
    "padded by reflection": lambda x: _power(x, mel.hann(512), mode="reflect"),
}
WRONG_DECIBELS = {
    "float16 throughout, as NumPy 2 has it": lambda power: np.log10(
        np.float16(10000) * power + np.float16(1)),
    "1 not added": lambda power: np.log10(np.maximum(np.float32(1e4) * power, 1)),
    "natural logarithm": lambda power: np.log(np.float32(1e4) * power + 1),
    "a thousand times": lambda power: np.log10(np.float32(1e3) * power + 1),
    "float16 in the end": lambda power: np.log10(
        np.float32(1e4) * power + np.float32(1)).astype(np.float16),
}


def _power(samples, window, **padding):
    padded = np.pad(samples, 256, **padding)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::256]
    return np.abs(np.fft.rfft(window * frames)) ** 2 @ mel_filters().T


@numeric
@pytest.mark.parametrize("fault", WRONG_POWERS)
def test_wrong_powers_are_noticed(fault):
    samples = load_clip("disco", segments=1).samples
    wrong = WRONG_POWERS[fault](samples).astype(np.float16).astype(np.float64)
    assert outside(wrong, spectrogram(samples)) > 0


@numeric
@pytest.mark.parametrize("fault", WRONG_DECIBELS)
def test_wrong_decibels_are_noticed(fault):
    power = mel_power(load_clip("disco", segments=1).samples).astype(np.float16)
    exact = decibels(power)
    with np.errstate(over="ignore"):
        wrong = WRONG_DECIBELS[fault](power if "NumPy 2" in fault else power.astype(np.float32))
    assert (np.abs(wrong - exact) > of_logarithm(exact)).any()


@numeric
def test_rounding_then_float32():
    samples = load_clip("rock").samples
    power = mel_power(samples).astype(np.float16).astype(np.float32)
    assert np.array_equal(db_mel(samples), np.log10(np.float32(1e4) * power + np.float32(1)))
    assert power.max() > 6.55  # where NumPy 2 in float16 would have overflowed


def test_bits_of_float16_are_those_of_numpy():
    """Among all magnitudes, with each tie between two float16 numbers and its neighbours."""
    every = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    ties = (every[:-1] + every[1:]) / 2
    values = np.concatenate([every, ties, np.nextafter(ties, np.float32(0)),
                             np.nextafter(ties, np.float32(1e9)),
                             np.float32(2.0) ** np.arange(-140, 15, dtype=np.float32)])
    expected = values.astype(np.float16).view(np.uint16)
    assert np.array_equal(float16_bits(values), expected)
    assert float16_bits(np.array([np.nan], np.float32))[0] > 0x7C00  # beyond all numbers


@pytest.mark.parametrize("probe", [
    *probes.all_probes().values(), probes.sine(amplitude=1.0), probes.sine(amplitude=1e4),
    probes.noise(amplitude=1e6),
], ids=lambda probe: probe.name)
def test_finite_for_any_sound(probe):
    spectrogram = probe.db_mel
    assert spectrogram.dtype == np.float32
    assert np.isfinite(spectrogram).all() and (spectrogram >= 0).all()


def test_silence_is_zero():
    assert not probes.silence().db_mel.any()


def test_a_sine_is_loudest_in_its_own_band():
    for frequency in (200, 1000, 5000):
        band = probes.sine(frequency).db_mel[20:-20].mean(axis=0).argmax()
        low, _, high = band_edges()[band]
        assert low < frequency < high


def test_clicks_are_where_they_were_put():
    clicks = probes.click_train(rate=2, seconds=6)
    loud = np.flatnonzero(clicks.db_mel.sum(axis=1) > 0)
    expected = np.arange(0.25, 6, 0.5) / 0.016
    assert all(np.abs(loud - frame).min() <= 1 for frame in expected)


@pytest.mark.parametrize("hop", [1, 50, 187, 400])
def test_patches_any_hop(hop):
    spectrogram = np.arange(600 * 96, dtype=np.float32).reshape(600, 96)
    patches = cut_patches(spectrogram, hop)
    starts = range(0, 600 - 187 + 1, hop)
    assert len(patches) == len(starts)
    for patch, start in zip(patches, starts, strict=True):
        assert np.array_equal(patch, spectrogram[start : start + 187])


@pytest.mark.parametrize("hop", [0, -3, 1.5])
def test_bad_hop(hop):
    with pytest.raises(InputError, match="whole number of frames"):
        cut_patches(np.zeros((300, 96)), hop)


def test_too_few_frames():
    with pytest.raises(InputError, match="one patch needs 187"):
        Clip("", "", np.zeros(1000, np.float32)).patches()


@numeric
@pytest.mark.parametrize("samples", [1, 255, 256, 511, 512, 47616, 100_003])
def test_mel_power_is_librosas_to_the_last_bit(samples):
    """On any processor: the same operations in the same order."""
    y = np.random.default_rng(samples).normal(0, 0.3, samples).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its word on signals shorter than a window
        theirs = librosa.feature.melspectrogram(y=y, sr=16000, hop_length=256, n_fft=512,
                                                n_mels=96).T
    assert np.array_equal(mel_power(y), theirs)


@numeric
def test_filters_and_bands_are_librosas_to_the_last_bit():
    assert np.array_equal(mel_filters(), librosa.filters.mel(sr=16000, n_fft=512, n_mels=96))
    edges = librosa.mel_frequencies(n_mels=98, fmin=0, fmax=8000)
    assert np.array_equal(band_edges()[:, 1], edges[1:-1])
    assert np.array_equal(mel.hann(512), librosa.filters.get_window("hann", 512))
