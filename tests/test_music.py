"""The shipped music as kernels hear it, and null kernels."""

import numpy as np
import pytest
from arithmetic.network import largest_ratio
from arithmetic.rounding import given, same, weighted

from helpers.evidence import nulls
from helpers.evidence.music import best_moments, different, measured_tempo, outputs
from inside_musicnn.sound import probes
from inside_musicnn.sound.clips import Clip

PLAIN = {"gain": np.ones(1), "offset": np.zeros(1)}


def test_outputs_are_sums_of_products():
    random = np.random.default_rng(0)
    sound, kernels = random.standard_normal((400, 96)), random.standard_normal((7, 38, 3))
    found = np.concatenate(list(outputs(kernels, sound)))
    assert found.shape == (394, 59, 3)
    under, kernel = (each.astype(np.float32).astype(np.float64) for each in (
        sound[250:257, 5:43].reshape(1, -1), kernels[..., 1].reshape(-1, 1)))
    assert largest_ratio(found[250, 5, 1:2][None], weighted(given(under), kernel)) <= 1


def test_the_best_moment_of_a_kernel_is_where_it_was_cut_out():
    clips = [probes.chirp(seconds=3), probes.noise(seconds=3)]
    cut = clips[0].db_mel[60:67, 20:58]
    best = best_moments((cut / np.linalg.norm(cut))[..., None], PLAIN, clips)[0]
    by_cosine = max(best, key=lambda moment: moment.cosine)
    assert len(best) == 2 and best[0].value >= best[1].value
    flat = cut.reshape(1, -1)
    square = weighted(given(flat), flat.T.astype(np.float64))
    assert by_cosine.cosine <= 1 + 2 * (square.bound / square.value).item()
    own = best_moments(cut[..., None], PLAIN, clips[:1])[0][0]
    assert own.value >= (square.value - square.bound).item()


def test_no_two_of_one_author():
    clip = probes.noise(seconds=3)
    clips = [Clip(name, name, clip.samples) for name in ("disco", "disco", "techno")]
    moments = best_moments(np.ones((7, 38, 1)), PLAIN, clips)[0]
    assert [moment.clip.name for moment in different(moments, 5)] == ["disco", "techno"]


@pytest.mark.parametrize("tempo", [75, 100, 128])
def test_the_tempo_of_clicks(tempo):
    found, clear = measured_tempo(probes.click_train(tempo / 60, seconds=12))
    ratio = found / tempo
    assert min(abs(ratio - each) for each in (0.5, 1, 2)) < 0.02
    assert clear > 0.5
    assert measured_tempo(probes.silence(6))[1] == 0


def test_null_kernels_keep_what_they_say():
    random = np.random.default_rng(1)
    kernel = np.cumsum(random.standard_normal(64)) - 2
    shuffled, smooth = nulls.shuffled_in_time(kernel, 50), nulls.smooth_noise(kernel, 400)
    assert np.array_equal(np.sort(shuffled, axis=1), np.sort(kernel) + np.zeros((50, 1)))
    assert not np.array_equal(shuffled[0], shuffled[1])
    assert same(np.linalg.norm(smooth, axis=1), np.linalg.norm(kernel))

    def alike(each):
        return (each[..., 1:] * each[..., :-1]).sum(axis=-1) / (each**2).sum(axis=-1)

    assert alike(smooth).mean() == pytest.approx(alike(kernel), abs=0.1)
    two = nulls.smooth_noise(random.standard_normal((7, 38)), 5)
    assert two.shape == (5, 7, 38)
    limit = np.sqrt(6 / (32 * 52))
    drawn = nulls.untrained(32, 1, 51)
    assert 0.98 * limit < np.abs(drawn).max() <= limit
