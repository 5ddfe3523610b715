"""In place of the package's extractor: its answers where they are right, and right ones elsewhere.

What the package answered is in data/reference, written under its own library versions.
"""

import inspect

import librosa
import numpy as np
import pytest
import soundfile

import inside_musicnn
from helpers.evidence.reference import reference
from inside_musicnn import InputError, MusiCNN, load_clip
from inside_musicnn.drop_in import FEATURES, extractor, top_tags
from inside_musicnn.network.musicnn import MODELS
from inside_musicnn.sound.clips import DATA

FRAMES = 187
SERIES = {"timbral": 408, "temporal": 153, "cnn1": 64, "cnn2": 64, "cnn3": 64}
POOLED = {"mean_pool": 753, "max_pool": 753, "penultimate": 200}


@pytest.fixture(scope="module", params=MODELS)
def answer(request):
    """Model, and what the extractor says of the default clip."""
    return request.param, extractor("disco", request.param)


def test_taggram_and_labels_are_the_packages(answer):
    model, (taggram, labels, _) = answer
    known = reference("disco", model)
    assert type(labels) is list and labels == list(known["labels"])
    assert taggram.dtype == np.float32 and taggram.shape == known["taggram"].shape
    assert np.allclose(taggram, known["taggram"], atol=1e-4)


def test_features_of_the_first_patch_are_the_packages(answer):
    model, (taggram, _, features) = answer
    known = reference("disco", model)
    assert list(features) == [*SERIES, *POOLED]
    for name, columns in SERIES.items():
        assert features[name].shape == (FRAMES * len(taggram), columns)
        assert np.allclose(features[name][:FRAMES], known[name], rtol=1e-4, atol=1e-4), name
    for name, columns in POOLED.items():
        assert features[name].shape == (len(taggram), columns)
        assert np.allclose(features[name][0], known[name], rtol=1e-4, atol=1e-4), name
    assert all(values.dtype == np.float32 for values in features.values())


def test_features_of_later_patches_are_their_own(answer):
    model, (_, _, features) = answer
    net, patches = MusiCNN(model), load_clip("disco").patches()
    layers = dict.fromkeys(layer for layer, _ in FEATURES.values())
    acts = net.activations(patches[4:6], list(layers))
    u = acts["cnn_1/out"].reshape(-1, 561)
    expected = {
        "timbral": u[:, :408], "temporal": u[:, 408:], "cnn1": acts["cnn_2/norm"],
        "cnn2": acts["cnn_3/sum"], "cnn3": acts["cnn_4/sum"], "mean_pool": acts["pool/mean"],
        "max_pool": acts["pool/max"], "penultimate": acts["dense/norm"]}
    for name, values in features.items():
        rows = slice(4 * FRAMES, 6 * FRAMES) if name in SERIES else slice(4, 6)
        flat = expected[name].reshape(-1, values.shape[1])
        assert np.allclose(values[rows], flat, rtol=1e-4, atol=1e-4), name
    # The package repeats the first patch here.
    repeated = reference("disco", model)["cnn1_second"]
    assert not np.allclose(features["cnn1"][FRAMES : 2 * FRAMES], repeated, atol=0.1)


@pytest.mark.parametrize("length, overlap, frames, hop", [
    (3, 1, 187, 62 - 1), (1, False, 62, 62), (2.0, 0.5, 125, 30), (3.5, 4, 218, 249),
    (0.016, False, 1, 1)])
def test_other_lengths_and_overlaps(length, overlap, frames, hop):
    """Patches cut by hand, as `batch_data` of the package cuts them."""
    def to_frames(seconds):
        return librosa.time_to_frames(seconds, sr=16000, n_fft=512, hop_length=256)

    assert frames == to_frames(length) + 1 and hop == (to_frames(overlap) if overlap else frames)
    file = DATA / "piano.ogg"
    spectrogram = load_clip("piano").db_mel
    starts = range(0, len(spectrogram) - frames + 1, hop)
    some = sorted({0, 1, len(starts) // 2, len(starts) - 1})
    patches = np.stack([spectrogram[starts[i] : starts[i] + frames] for i in some])
    taggram, _, features = extractor(str(file), "MTT_musicnn", length, overlap)
    assert len(taggram) == len(starts)
    acts = MusiCNN("MTT_musicnn").activations(patches, ["tags/sigmoid", "cnn_4/sum", "dense/norm"])
    assert np.allclose(taggram[some], acts["tags/sigmoid"], atol=1e-3)
    assert np.allclose(features["penultimate"][some], acts["dense/norm"], rtol=1e-2, atol=1e-2)
    series = features["cnn3"].reshape(len(starts), frames, 64)
    assert np.allclose(series[some], acts["cnn_4/sum"], rtol=1e-2, atol=1e-2)


def test_without_features():
    taggram, labels = extractor("disco", "MSD_musicnn", extract_features=False)
    whole = extractor("disco", "MSD_musicnn")
    assert np.array_equal(taggram, whole[0]) and labels == whole[1]


def test_changing_what_is_returned_changes_nothing_later():
    taggram, labels, features = extractor("disco")
    labels.clear()
    taggram[:], features["cnn1"][:] = np.nan, np.nan
    again = extractor("disco")
    assert len(again[1]) == 50 and np.isfinite(again[0]).all()
    assert np.isfinite(again[2]["cnn1"]).all()


def test_signatures_are_the_packages():
    from inside_musicnn.network.musicnn import (
        MusiCNN as opened,  # TensorFlow as the package needs it
    )

    opened("MTT_musicnn").tags(np.zeros((1, 187, 96), np.float32))
    from musicnn import extractor as theirs
    from musicnn import tagger

    for ours, original in ((extractor, theirs.extractor), (top_tags, tagger.top_tags)):
        assert _without_types(ours) == _without_types(original)
    assert inside_musicnn.extractor is extractor and inside_musicnn.top_tags is top_tags


def _without_types(function):
    return [(each.name, each.kind, each.default)
            for each in inspect.signature(function).parameters.values()]


def test_top_tags(tmp_path, capsys):
    mean = reference("rock", "MTT_musicnn")["taggram"].mean(axis=0)
    labels = reference("rock", "MTT_musicnn")["labels"]
    file = tmp_path / "saved.tags"
    for _ in range(2):
        found = top_tags("rock", topN=4, save_tags=str(file))
    assert found == list(labels[mean.argsort()[::-1][:4]])
    said = capsys.readouterr().out.splitlines()[:5]
    assert said == ["[rock] Top4 tags: ", *(f" - {tag}" for tag in found)]
    line = f"rock,MTT_musicnn,input_length=3,input_overlap=False,{','.join(found)}"
    assert file.read_text().splitlines() == [line, line]
    assert len(top_tags("rock", topN=99, print_tags=False)) == 50


@pytest.mark.parametrize("options, words", [
    ({"model": "MTT_vgg"}, "'MTT_vgg' is not offered here; choose one of MSD_musicnn, MTT_mus"),
    ({"model": "MSD_musicnn_big"}, "is not offered"), ({"model": "vgg"}, "no model 'vgg'"),
    ({"input_length": 0}, "input_length is 0; .* at least 0.016"),
    ({"input_length": "3"}, "input_length is '3'"), ({"input_length": -3}, "input_length"),
    ({"input_length": np.nan}, "input_length is nan"), ({"input_length": 1e9}, "too short"),
    ({"input_overlap": 0.01}, "input_overlap is 0.01; .* at least 0.032"),
    ({"input_overlap": np.inf}, "input_overlap is inf"),
    ({"file_name": "no.wav"}, "no audio file 'no.wav'"),
])
def test_wrong_calls(options, words):
    with pytest.raises(InputError, match=words):
        extractor(**{"file_name": "disco"} | options)


def test_shorter_than_a_window(tmp_path):
    """The package raises an UnboundLocalError."""
    soundfile.write(tmp_path / "short.wav", np.zeros(30000), 16000)
    with pytest.raises(InputError, match="too short: 1.87 s .* one patch of 187 frames needs 2.98"):
        extractor(str(tmp_path / "short.wav"))
    taggram, _ = extractor(str(tmp_path / "short.wav"), input_length=1, extract_features=False)
    assert taggram.shape == (1, 50)
    with pytest.raises(InputError, match="must be 1 or more"):
        top_tags("disco", topN=0)


def test_loud_music_has_no_infinite_input(tmp_path):
    """On NumPy 2 the package's float16 overflows; here a loud tone is only a loud tone."""
    tone = 0.99 * np.sin(2 * np.pi * 440 * np.arange(4 * 16000) / 16000)
    soundfile.write(tmp_path / "tone.wav", tone, 16000)
    taggram, _, features = extractor(str(tmp_path / "tone.wav"))
    assert all(np.isfinite(values).all() for values in [taggram, *features.values()])
