"""The dB mel spectrogram: what the package computed under NumPy 1, and finite for any sound."""

import warnings

import librosa
import numpy as np
import pytest

from helpers.evidence.reference import reference
from inside_musicnn import Clip, InputError, load_clip
from inside_musicnn.sound import probes
from inside_musicnn.sound.mel import hann
from inside_musicnn.sound.spectrogram import band_edges, cut_patches, db_mel, mel_filters, mel_power


@pytest.mark.parametrize("name", ["disco", "piano"])
def test_every_patch_equals_the_package_under_numpy_1(name):
    # Equal to the last bit where it was measured; 1e-4 allows for another processor's arithmetic.
    stored = reference(name, "MSD_musicnn")
    power = stored["mel_power_float16"].astype(np.float32)
    expected = np.log10(np.float32(10000) * power + np.float32(1)).reshape(-1, 187, 96)
    patches = load_clip(name).patches()
    assert patches.shape == expected.shape
    # One step of float16 is 4.3e-4 after the logarithm: at most a few values may round otherwise.
    difference = np.abs(patches - expected)
    assert (difference > 1e-4).mean() < 1e-4 and difference.max() < 5e-4
    assert np.abs(patches[:2] - stored["patches"]).max() <= difference.max()


def test_rounding_then_float32():
    samples = load_clip("rock").samples
    power = mel_power(samples).astype(np.float16).astype(np.float32)
    assert np.array_equal(db_mel(samples), np.log10(np.float32(1e4) * power + np.float32(1)))
    assert power.max() > 6.55  # where NumPy 2 in float16 would have overflowed


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
    from inside_musicnn.sound.spectrogram import band_edges

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


@pytest.mark.parametrize("samples", [1, 255, 256, 511, 512, 47616, 100_003])
def test_mel_power_is_librosas_to_the_last_bit(samples):
    y = np.random.default_rng(samples).normal(0, 0.3, samples).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its word on signals shorter than a window
        theirs = librosa.feature.melspectrogram(y=y, sr=16000, hop_length=256, n_fft=512,
                                                n_mels=96).T
    assert np.array_equal(mel_power(y), theirs)


def test_filters_and_bands_are_librosas_to_the_last_bit():
    assert np.array_equal(mel_filters(), librosa.filters.mel(sr=16000, n_fft=512, n_mels=96))
    edges = librosa.mel_frequencies(n_mels=98, fmin=0, fmax=8000)
    assert np.array_equal(band_edges()[:, 1], edges[1:-1])
    assert np.array_equal(hann(512), librosa.filters.get_window("hann", 512))
