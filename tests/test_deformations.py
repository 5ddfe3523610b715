"""Deformations of sound: each does what its name says, by as much as its strength says."""

import numpy as np
import pytest
from scipy import signal

from inside_musicnn.errors import InputError
from inside_musicnn.sound.clips import Clip, load_clip
from inside_musicnn.sound.deformations import DEFORMATIONS, deform
from inside_musicnn.sound.deformations.levels import loudness_of

RATE = 44100
STRENGTHS = {
    "gain": -6, "loudness": -23, "polarity": 1, "constant": 0.1, "one channel": 1,
    "compression": 4, "cut later": 5, "silence before": 50, "silence after": 50,
    "low-pass": 1000, "high-pass": 1000, "tilt": 1, "reverberation": -6, "white noise": 20,
    "pink noise": 20, "crowd": 20, "tempo": 8, "tempo by overlap": 8, "tempo there and back": 8,
    "tempo by overlap there and back": 8, "pitch": 100, "pitch by overlap": 100, "speed": 8,
    "through a rate": 8000, "MP3": 64, "Opus": 32}


@pytest.fixture(scope="module")
def clip():
    return load_clip("lucky_13", duration=4)


def sine(hertz, seconds=3, rate=RATE, amplitude=0.4):
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(seconds * rate) / rate)
            ).astype(np.float32)


def decibels(power, other):
    return 10 * np.log10(power / other)


def power(samples):
    return float((samples.astype(np.float64) ** 2).mean())


def loudest(samples, rate=RATE):
    """Frequency of the strongest part, in Hz, from the middle of the sound."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return spectrum.argmax() * rate / len(middle)


def test_all_are_tried_here():
    assert set(STRENGTHS) == set(DEFORMATIONS)


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_a_clip_stays_a_clip_and_lots_are_repeated(clip, name):
    one, same = (deform(clip, name, STRENGTHS[name], seed=3) for _ in range(2))
    assert isinstance(one, Clip) and one.kind == clip.kind and one.path is None
    assert clip.title in one.title and name in one.title
    assert one.samples.dtype == np.float32 and one.samples.ndim == 1
    np.testing.assert_array_equal(one.samples, same.samples)
    if DEFORMATIONS[name].seeded:
        assert not np.array_equal(one.samples, deform(clip, name, STRENGTHS[name], seed=4).samples)


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_stereo_keeps_its_axes(clip, name):
    stereo = np.column_stack([clip.samples, np.roll(clip.samples, 800)])[:24000]
    changed = deform(stereo, name, STRENGTHS[name], rate=16000)
    assert changed.ndim == 2 and changed.shape[1] == (1 if name == "one channel" else 2)
    assert np.isfinite(changed).all()
    if name not in ("polarity", "one channel"):
        assert not np.array_equal(changed, stereo)


@pytest.mark.parametrize("name", [name for name, one in DEFORMATIONS.items()
                                  if one.nothing is not None])
def test_at_strength_zero_nothing_happens(clip, name):
    same = deform(clip, name, DEFORMATIONS[name].nothing).samples
    tool = DEFORMATIONS[name].tool
    if "phase vocoder" in tool or "atempo" in tool:  # their marks are what shams are for
        assert len(same) == len(clip.samples)
        assert decibels(power(clip.samples), power(same - clip.samples)) > 20
    else:
        np.testing.assert_allclose(same, clip.samples, atol=1e-6)  # some units in the last place


def test_levels():
    tone = sine(440)
    quieter = deform(tone, "gain", -6, RATE)
    assert decibels(power(quieter), power(tone)) == pytest.approx(-6, abs=1e-4)
    np.testing.assert_array_equal(deform(tone, "polarity", 1, RATE), -tone)
    assert deform(tone, "constant", 0.1, RATE).mean() == pytest.approx(0.1, abs=1e-3)
    for lufs in (-30, -14):
        assert loudness_of(deform(tone, "loudness", lufs, RATE)[:, None], RATE) == pytest.approx(
            lufs, abs=0.01)  # the meter's own agreement with itself
    # By the recommendation a sine of 997 Hz at full scale in one channel has -3.01 LUFS.
    full = sine(997, amplitude=1.0)
    assert loudness_of(full[:, None], RATE) == pytest.approx(-3.01, abs=0.05)


def test_compression_brings_loud_and_soft_together():
    """Of 20 dB between two tones above the threshold, ratio 4 leaves about 5."""
    loud, soft = sine(440, amplitude=0.8), sine(440, amplitude=0.08)
    apart = []
    for ratio in (1, 4):
        ends = [deform(tone, "compression", ratio, RATE)[RATE:] for tone in (loud, soft)]
        apart.append(decibels(power(ends[0]), power(ends[1])))
    assert apart[0] == pytest.approx(20, abs=0.1)
    assert 4 < apart[1] < 8  # the knee is soft


@pytest.mark.parametrize("name, kept, lost", [("low-pass", 250, 4000), ("high-pass", 4000, 250)])
def test_filters_fall_by_24_decibels_an_octave(name, kept, lost):
    change = [decibels(power(deform(sine(hertz), name, 1000, RATE)[RATE // 2 :]),
                       power(sine(hertz)[RATE // 2 :])) for hertz in (kept, 1000, lost)]
    assert change[0] == pytest.approx(0, abs=0.1)
    assert change[1] == pytest.approx(-3.01, abs=0.1)
    assert change[2] == pytest.approx(-48, abs=1.5)


def test_tilt_is_told_in_octaves():
    for hertz, octaves in ((500, -1), (1000, 0), (4000, 2)):
        change = decibels(power(deform(sine(hertz), "tilt", 3, RATE)), power(sine(hertz)))
        assert change == pytest.approx(3 * octaves, abs=0.1)


@pytest.mark.parametrize("name", ["white noise", "pink noise", "crowd"])
def test_noise_has_its_ratio(clip, name):
    for ratio in (0, 20, 40):
        added = deform(clip, name, ratio).samples - clip.samples
        assert decibels(power(clip.samples), power(added)) == pytest.approx(ratio, abs=0.01)


def test_noises_have_their_spectra(clip):
    steps = {}
    for name in ("white noise", "pink noise", "crowd"):
        added = deform(clip, name, 0).samples.astype(np.float64) - clip.samples
        frequencies, density = signal.welch(added, 16000, nperseg=4096)
        octaves = [density[(frequencies >= low) & (frequencies < 2 * low)].mean()
                   for low in (125, 250, 500, 1000, 2000)]
        steps[name] = np.diff(10 * np.log10(octaves))
    assert abs(steps["white noise"].mean()) < 0.5
    assert steps["pink noise"].mean() == pytest.approx(-3.01, abs=0.5)
    assert steps["crowd"].mean() < -2  # voices fall towards high frequencies


def test_reverberation_rings_for_its_time():
    """The answer to one click falls by 60 dB in 0.6 s (Schroeder's integral)."""
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 1
    room = deform(click, "reverberation", 0, RATE) - click
    assert decibels(power(room), power(click)) == pytest.approx(0, abs=0.1)
    left = np.cumsum((room.astype(np.float64) ** 2)[::-1])[::-1]
    curve = 10 * np.log10(left / left.max() + 1e-12)
    fall = [np.argmax(curve < level) / RATE for level in (-5, -25)]
    assert 3 * (fall[1] - fall[0]) == pytest.approx(0.6, rel=0.1)


@pytest.mark.parametrize("name", ["tempo", "tempo by overlap"])
def test_tempo_changes_and_pitch_does_not(name):
    tone = sine(440)
    faster = deform(tone, name, 25, RATE)
    assert len(faster) == pytest.approx(len(tone) / 1.25, rel=0.01)  # to a block of the tool
    assert loudest(faster) == pytest.approx(440, rel=0.005)


@pytest.mark.parametrize("name", ["pitch", "pitch by overlap"])
def test_pitch_changes_and_tempo_does_not(name):
    tone = sine(440)
    higher = deform(tone, name, 200, RATE)
    assert len(higher) == len(tone)
    assert loudest(higher) == pytest.approx(440 * 2 ** (2 / 12), rel=0.005)


def test_speed_changes_both():
    faster = deform(sine(440), "speed", 25, RATE)
    assert len(faster) == pytest.approx(3 * RATE / 1.25, abs=2)
    assert loudest(faster) == pytest.approx(550, rel=0.001)


@pytest.mark.parametrize("name", ["MP3", "Opus", "through a rate"])
def test_coders_bring_no_delay(clip, name):
    changed = deform(clip, name, STRENGTHS[name]).samples
    assert len(changed) == len(clip.samples)
    likeness = signal.correlate(changed, clip.samples, method="fft")
    assert likeness.argmax() == len(clip.samples) - 1
    assert decibels(power(clip.samples), power(changed - clip.samples)) > 5


def test_more_kilobits_come_nearer(clip):
    for name in ("MP3", "Opus"):
        far, near = (power(deform(clip, name, kilobits).samples - clip.samples)
                     for kilobits in (16, 128))
        assert near < far / 4


def test_cuts_and_silence(clip):
    samples = clip.samples
    np.testing.assert_array_equal(deform(clip, "cut later", 5).samples, samples[80:])
    before, after = (deform(clip, f"silence {side}", 50).samples for side in ("before", "after"))
    np.testing.assert_array_equal(before, np.concatenate([np.zeros(800, np.float32), samples]))
    np.testing.assert_array_equal(after, np.concatenate([samples, np.zeros(800, np.float32)]))
    two = np.column_stack([samples, -samples])
    np.testing.assert_array_equal(deform(two, "one channel", 1, 16000)[:, 0], -samples)
    assert not deform(two, "one channel", 0, 16000).any()


@pytest.mark.parametrize("name, strength, rate, said", [
    ("echo", 1, RATE, "no deformation 'echo'"),
    ("gain", 1, None, "need their rate"),
    ("gain", float("nan"), RATE, "not a number"),
    ("low-pass", 30000, RATE, "between 0 and 22050 Hz"),
    ("tempo", -90, RATE, "between -75 and 300 %"),
    ("cut later", 5000, RATE, "must lie within it"),
    ("one channel", 2, RATE, "must be -1 (left), 0 (mean) or 1 (right)"),
    ("MP3", 4, RATE, "between 8 and 320"),
    ("through a rate", 10, RATE, "at least 1000"),
])
def test_bad_input_is_one_sentence(name, strength, rate, said):
    with pytest.raises(InputError) as error:
        deform(sine(440, 1), name, strength, rate)
    assert said in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("samples, name, said", [
    (np.zeros(RATE), "loudness", "silent"), (np.zeros(RATE), "crowd", "silent"),
    (np.full(10, np.nan), "gain", "not finite"), (np.zeros((2, 2, 2)), "gain", "shape"),
    (np.zeros(0), "gain", "shape"), (np.ones((100, 6)), "MP3", "6 channels"),
])
def test_bad_samples_are_one_sentence(samples, name, said):
    with pytest.raises(InputError, match=said):
        deform(samples, name, 20, RATE)
