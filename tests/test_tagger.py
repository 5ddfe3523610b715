"""Tagger: one answer whatever form the sound comes in, and sums that are exact."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from arithmetic.sound import truth_of_samples

from inside_musicnn import Clip, InputError, MusiCNN, Tagger, load_clip
from inside_musicnn.network.decomposition import decompose
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound.shipped import clip_file

NAME = "lucky_13"
PATCH = 187 * 256 / 16000  # seconds
numeric = pytest.mark.numeric


@pytest.fixture(scope="module", params=["MSD_musicnn", "MTT_musicnn"])
def tagger(request):
    return Tagger(request.param)


@pytest.fixture(scope="module")
def sound():
    """Samples of a recording in stereo, their rate."""
    samples, rate = soundfile.read(clip_file(NAME), dtype="float32", always_2d=True)
    other = np.roll(samples[:, 0], 50) * np.float32(0.5)
    return np.stack([samples[:, 0], other], axis=1)[: 10 * rate] * np.float32(0.7), rate


@pytest.fixture(scope="module")
def file(sound, tmp_path_factory):
    place = tmp_path_factory.mktemp("sound") / "stereo.wav"
    soundfile.write(place, *sound, subtype="FLOAT")
    return place


@pytest.fixture(scope="module")
def known(tagger, file):
    return tagger.taggram(file)


@numeric
def test_scores_are_the_compact_networks(tagger, file, known):
    truth = truth_of_samples(tagger.model, load_clip(file).samples, THRESHOLD)
    assert known.dtype == np.float32 and known.shape == (3, 50)
    assert truth.ratio("tags/sigmoid", known) <= 1
    assert truth.ratio("dense/norm", tagger.embedding(file)) <= 1
    found = tagger.pooled(file)
    assert truth.ratio("pool/max", found.max) <= 1 and truth.ratio("pool/mean", found.mean) <= 1


def test_labels_and_ranks(tagger, file, known):
    assert tagger.labels == tuple(MusiCNN(tagger.model, compact=True).labels)
    tags = tagger.tags(file)
    assert len(tags) == 50 and list(tags.values()) == sorted(tags.values(), reverse=True)
    for tag, score in tags.items():
        assert score == pytest.approx(known.mean(axis=0)[tagger.labels.index(tag)])
    assert tagger.tags(file, top=3) == dict(list(tags.items())[:3])


FORMS = {
    "channels last": lambda samples: samples,
    "channels first": lambda samples: samples.T,
    "float64": lambda samples: samples.astype(np.float64),
    "Fortran order": np.asfortranarray,
    "a list": lambda samples: samples.tolist(),
    "read-only": lambda samples: np.broadcast_to(samples, samples.shape),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_array_is_the_file(tagger, sound, known, form):
    """The same samples on the same way: the same numbers, bit for bit."""
    samples, rate = sound
    assert np.array_equal(tagger.taggram(FORMS[form](samples), rate), known)


@pytest.mark.parametrize("kind, subtype", [("int16", "PCM_16"), ("int32", "PCM_32"),
                                           ("uint8", "PCM_U8")])
def test_whole_numbers_are_scaled_as_decoders_do(tagger, sound, tmp_path, kind, subtype):
    samples, rate = sound
    soundfile.write(tmp_path / "whole.wav", samples[:, 0], rate, subtype=subtype)
    if kind == "uint8":
        numbers, _ = soundfile.read(tmp_path / "whole.wav", dtype="int16")
        numbers = (numbers // 256 + 128).astype(np.uint8)
    else:
        numbers, _ = soundfile.read(tmp_path / "whole.wav", dtype=kind)
    assert np.array_equal(tagger.taggram(numbers, rate), tagger.taggram(tmp_path / "whole.wav"))


def test_clips(tagger, file, known):
    assert np.allclose(tagger.taggram(load_clip(file)), known, rtol=0, atol=1e-5)
    part = load_clip(file, offset=PATCH, duration=4)
    assert tagger.taggram(part).shape == (1, 50)
    assert tagger.taggram(part, hop=0.5).shape == (3, 50)


@pytest.mark.parametrize("length", [300, 44100, 200_000])
def test_streams(tagger, sound, known, length):
    samples, rate = sound
    blocks = (samples[first : first + length] for first in range(0, len(samples), length))
    heard = list(tagger.stream(blocks, rate))
    assert np.allclose([each.scores for each in heard], known, rtol=0, atol=1e-5)
    assert [each.start for each in heard] == pytest.approx([0, PATCH, 2 * PATCH])
    assert list(heard[0].tags) == [tagger.labels[i] for i in np.argsort(-heard[0].scores)]
    assert np.allclose(heard[1].embedding, tagger.embedding(samples, rate)[1], atol=1e-4)


@pytest.mark.parametrize("hop", [0.5, 1.6, 4.0])
def test_a_hop_of_the_callers_choice(tagger, sound, hop):
    samples, rate = sound
    blocks = np.split(samples, range(1000, len(samples), 1000))
    heard = list(tagger.stream(blocks, rate, hop=hop))
    step = round(hop / 0.016) * 0.016
    assert [each.start for each in heard] == pytest.approx(step * np.arange(len(heard)))
    assert len(heard) == 1 + int((1 + len(samples) * 16000 // rate // 256 - 187)
                                 // round(hop / 0.016))
    together = tagger.taggram(samples, rate, hop=hop)
    assert np.allclose([each.scores for each in heard], together, rtol=0, atol=1e-5)
    start = round(heard[1].start * rate)
    alone = tagger.taggram(samples[start : start + round(3.2 * rate)], rate)[0]
    assert np.abs(alone - heard[1].scores).max() < 0.05  # but for what sounded before


def test_a_patch_is_answered_when_it_is_complete(tagger, sound):
    """Not when the next one begins, nor at the end."""
    samples, rate = sound
    asked = []

    def live():
        for first in range(0, len(samples), 1024):
            asked.append((first + 1024) / rate)
            yield samples[first : first + 1024]

    for hop in (None, 4.0):
        asked.clear()
        for number, heard in enumerate(tagger.stream(live(), rate, hop=hop)):
            assert heard.end <= asked[-1] + 0.03  # the last frame hears 16 ms more than its patch
            assert asked[-1] <= heard.end + 0.1, number


def test_named_layers(tagger, file):
    found = tagger.layers(file, ["cnn_1/out", "cnn_4/sum"])
    assert {name: values.shape[1:] for name, values in found.items()} == {
        "cnn_1/out": (187, 561), "cnn_4/sum": (187, 64)}
    assert np.array_equal(tagger.layers(file, "tags/sigmoid")["tags/sigmoid"],
                          tagger.taggram(file))
    with pytest.raises(InputError, match="has no layer 'cnn_2/conv', only cnn_1/out"):
        tagger.layers(file, ["cnn_2/conv"])


@pytest.mark.parametrize("of, shape", [("series", (753, 2)), ("structures", (187, 561)),
                                       ("bins", (187, 96))])
def test_contributions_add_up_and_are_those_of_chapter_15(tagger, file, of, shape):
    tag = tagger.labels[3]
    found = tagger.contributions(load_clip(file, segments=2), tag, of=of)
    assert found.values.shape == (2, *shape)
    sums = found.values.sum(axis=(1, 2)) + found.constants
    assert np.abs(sums - found.logits).max() < 1e-4
    patch = load_clip(file).patches()[0]
    theirs = getattr(decompose(MusiCNN(tagger.model), patch, tag, of), of)[0]
    assert np.abs(found.values[0] - theirs).max() <= 1e-3 * np.abs(theirs).max()
    scores = 1 / (1 + np.exp(-found.logits))
    assert np.allclose(scores, tagger.taggram(file)[:2, 3], atol=1e-5)


def test_many_sounds(tagger, file, known):
    answers = list(tagger.each([file, "no.wav", str(file)], threads=2))
    assert [sound for sound, _ in answers] == [file, "no.wav", str(file)]
    assert answers[0][1] == answers[2][1] == tagger.tags(file)
    assert isinstance(answers[1][1], InputError)
    asked = []
    sounds = (asked.append(number) or file for number in range(100))
    first = next(tagger.each(sounds, threads=1))
    assert first[1] == tagger.tags(file) and len(asked) < 10  # no more than is needed


def test_threads_and_processes(tagger, file, known):
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(tagger.taggram, [file] * 8):
            assert np.array_equal(found, known)
    again = pickle.loads(pickle.dumps(Tagger(tagger.model, threads=1)))
    assert again.model == tagger.model and again._net.engine.threads == 1
    assert np.array_equal(again.taggram(file), known)


def test_what_is_doubtful_is_told(tagger):
    with pytest.warns(UserWarning, match="The audio in the array is silent"):
        tagger.tags(np.zeros(4 * 16000), 16000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tagger.tags(np.random.default_rng(0).normal(0, 0.1, 4 * 16000), 16000)


def test_nothing_of_the_callers_is_changed(tagger, sound):
    samples, rate = sound
    before = samples.copy()
    found = tagger.taggram(samples, rate)
    found[:] = np.nan
    assert np.array_equal(samples, before) and np.isfinite(tagger.taggram(samples, rate)).all()


LONG = np.zeros(4 * 16000)


@pytest.mark.parametrize("ask, words", [
    (lambda t: t.tags(LONG), "without their rate"),
    (lambda t: t.tags("disco", 16000), "has its own; leave it out"),
    (lambda t: t.tags(Clip("x", "x", np.zeros(64000, np.float32)), 16000), "leave it out"),
    (lambda t: t.tags(LONG, 0), "The rate is 0"), (lambda t: t.tags(LONG, "16k"), "rate is '16k'"),
    (lambda t: t.tags(LONG, np.nan), "The rate is nan"),
    (lambda t: t.tags(LONG, 44100.5), "whole number of samples in a second"),
    (lambda t: t.tags(LONG[:100], 16000), "The audio in the array is too short: 0.0"),
    (lambda t: t.tags([], 16000), "too short"),
    (lambda t: t.tags(LONG.reshape(10, 10, -1), 16000), r"have the shape \(10, 10, 640\)"),
    (lambda t: t.tags(LONG.reshape(200, -1), 16000), "have the shape"),
    (lambda t: t.tags(LONG * 1j, 16000), "of the type 'complex128'"),
    (lambda t: t.tags(LONG > 0, 16000), "of the type 'bool'"),
    (lambda t: t.tags([[1], [1, 2]], 16000), "of the type 'object'"),
    (lambda t: t.tags(LONG + np.nan, 16000), "not a number or infinite"),
    (lambda t: t.tags(LONG + 1e30, 16000), "samples as large as 1e"),
    (lambda t: t.tags("disco", top=0), "number of tags is 0"),
    (lambda t: t.taggram("disco", hop=0.001), "The hop is 0.001; .* at least 0.016"),
    (lambda t: t.taggram("disco", hop="1"), "The hop is '1'"),
    (lambda t: t.contributions("disco", "rocks"), "has no tag 'rocks'"),
    (lambda t: t.contributions("disco", "rock", of="notes"), "no contributions of 'notes'"),
    (lambda t: list(t.stream([LONG, LONG.reshape(-1, 2)], 16000)), "2 channels, and those before"),
    (lambda t: list(t.stream([LONG[:99]], 16000)), "The audio in the stream is too short"),
    (lambda t: Tagger("vgg"), "no model 'vgg'"), (lambda t: Tagger(threads=0), "threads is 0"),
    (lambda t: list(t.each([], threads=-1)), "threads is -1"),
])
def test_wrong_calls_get_one_sentence(tagger, ask, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match=words):
            ask(tagger)
