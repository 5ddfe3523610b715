"""In place of the package's extractor: its answers where they are right, and right ones elsewhere.

What the package answered is in data/reference, written under its own library versions.
"""

import inspect

import librosa
import numpy as np
import pytest
import soundfile
from arithmetic.network import Truth, largest_ratio, pruned, truth_of
from arithmetic.sound import truth_of_clip

import inside_musicnn
from helpers.evidence.reference import reference
from inside_musicnn import InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.drop_in import AGREEMENT, FEATURES, extractor, top_tags
from inside_musicnn.network.musicnn import MODELS
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound.clips import DATA
from inside_musicnn.sound.recordings import open_recording

numeric = pytest.mark.numeric
FRAMES = 187
SERIES = {"timbral": 408, "temporal": 153, "cnn1": 64, "cnn2": 64, "cnn3": 64}
POOLED = {"mean_pool": 753, "max_pool": 753, "penultimate": 200}


@pytest.fixture(scope="module", params=[(model, how) for model in MODELS
                                        for how in ("compact", "original")])
def answer(request):
    """Model, whether the original graph answers, and what the extractor says of a clip."""
    model, how = request.param
    return model, how == "original", extractor("disco", model, original=how == "original")


def truth_for(model, original, patches):
    """The truth for the network that answers: the compact one leaves some out."""
    return truth_of(model, patches) if original else Truth(pruned(model, THRESHOLD), patches)


@numeric
def test_taggram_and_labels_are_the_packages(answer):
    model, original, (taggram, labels, _) = answer
    known = reference("disco", model)
    assert type(labels) is list and labels == list(known["labels"])
    assert taggram.dtype == np.float32
    for found, threshold in ((taggram, 0.0 if original else THRESHOLD), (known["taggram"], 0.0)):
        assert truth_of_clip(model, "disco", threshold).ratio("tags/sigmoid", found) <= 1


@numeric
def test_all_recordings_are_within_the_bounds_that_are_told():
    """A patch from the middle of each, both networks: README and the page *Use it*."""
    patches = np.concatenate([load_clip(name, offset=12, segments=1).patches()[:1]
                              for name in clip_names("recording")])
    layers = {"taggram": ("tags/sigmoid", slice(None))} | FEATURES
    wanted, largest = {layer for layer, _ in layers.values()}, dict.fromkeys(AGREEMENT, 0.0)
    for model in MODELS:
        original, compact = (MusiCNN(model, compact=compact).activations(patches, list(wanted))
                             for compact in (False, True))
        for key, (layer, columns) in layers.items():
            ours, theirs = (found[layer][..., columns] for found in (compact, original))
            assert np.abs(ours - theirs).max() <= AGREEMENT[key], (model, key)
            largest[key] = max(largest[key], np.abs(theirs).max())
    assert min(largest["cnn3"], largest["max_pool"]) > 100
    assert min(largest["timbral"], largest["temporal"]) > 50


def patches_heard(file, frames=FRAMES, hop=FRAMES):
    """The patches as the extractor reads them, block by block; another way may round otherwise."""
    return np.concatenate(list(open_recording(file).patch_batches(frames=frames, hop=hop)))


def shaped(name, truth):
    """A layer of the truth as the extractor gives it: some columns, series one under the other."""
    layer, columns = FEATURES[name]
    return truth[layer].map(
        lambda values: values[..., columns].reshape(-1, values[..., columns].shape[-1]))


@numeric
def test_features_of_the_first_patch_are_the_packages(answer):
    """Each from its own patch: another processor may have rounded a power to float16 otherwise."""
    model, original, (taggram, _, features) = answer
    known, ours = reference("disco", model), patches_heard("disco")[:1]
    truths = (truth_for(model, original, ours), truth_of(model, known["patches"][:1]))
    assert list(features) == [*SERIES, *POOLED]
    for name, columns in (SERIES | POOLED).items():
        rows = FRAMES if name in SERIES else 1
        assert features[name].shape == (rows * len(taggram), columns)
        assert features[name].dtype == np.float32
        parts = features[name][:rows], known[name].reshape(rows, columns)
        for found, truth in zip(parts, truths, strict=True):
            assert largest_ratio(found, shaped(name, truth)) <= 1, name


@numeric
def test_features_of_later_patches_are_their_own(answer):
    model, original, (_, _, features) = answer
    truth = truth_for(model, original, patches_heard("disco")[4:5])
    for name, values in features.items():
        rows = slice(4 * FRAMES, 5 * FRAMES) if name in SERIES else slice(4, 5)
        assert largest_ratio(values[rows], shaped(name, truth)) <= 1, name
    # The package repeats the first patch here.
    repeated = reference("disco", model)["cnn1_second"]
    assert largest_ratio(repeated, shaped("cnn1", truth)) > 1


@numeric
@pytest.mark.parametrize("length, overlap, frames, hop", [
    (3, 1, 187, 62 - 1), (1, False, 62, 62), (2.0, 0.5, 125, 30), (3.5, 4, 218, 249),
    (0.016, False, 1, 1)])
def test_other_lengths_and_overlaps(length, overlap, frames, hop):
    """Patches cut by hand, as `batch_data` of the package cuts them."""
    def to_frames(seconds):
        return librosa.time_to_frames(seconds, sr=16000, n_fft=512, hop_length=256)

    assert frames == to_frames(length) + 1 and hop == (to_frames(overlap) if overlap else frames)
    file = DATA / "piano.ogg"
    heard, spectrogram = patches_heard(str(file), frames, hop), load_clip("piano").db_mel
    starts = range(0, len(spectrogram) - frames + 1, hop)
    some = sorted({0, 1, len(starts) - 1})
    for number in some:  # cut where they should be
        cut = spectrogram[starts[number] : starts[number] + frames]
        assert np.corrcoef(heard[number].ravel(), cut.ravel())[0, 1] > 0.9999
    taggram, _, features = extractor(str(file), "MTT_musicnn", length, overlap)
    assert len(taggram) == len(starts)
    truth = truth_for("MTT_musicnn", False, heard[some])
    assert truth.ratio("tags/sigmoid", taggram[some]) <= 1
    assert truth.ratio("dense/norm", features["penultimate"][some]) <= 1
    series = features["cnn3"].reshape(len(starts), frames, 64)
    assert truth.ratio("cnn_4/sum", series[some]) <= 1


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
