"""The data set of the ten clips that comes with the book, and that chapter 16 reads."""

import numpy as np
import pytest

from inside_musicnn import MODELS, MusiCNN, clip_names, load_clip
from inside_musicnn.checksums import sha256
from inside_musicnn.corpus import read_corpus
from inside_musicnn.corpus.schema import LAYERS_KEPT
from inside_musicnn.sound.shipped import clip_file
from making.corpus_of_clips import CLIPS


@pytest.mark.parametrize("model", MODELS)
def test_it_is_of_these_clips_and_finds_them(model):
    data = read_corpus(CLIPS / model)
    assert data.model == model and data.metadata["complete"]
    assert sorted(data.files["file"]) == sorted(clip_file(name).name for name in clip_names())
    for row in data.files.itertuples():
        path = data.audio_path(row.id)
        assert path is not None and sha256(path) == row.sha256, row.file
    assert not list((CLIPS / model).glob(".*"))


@pytest.mark.parametrize("model", MODELS)
def test_its_numbers_are_those_of_today(model):
    # On another processor one value of the input may be rounded to the neighbouring float16
    # number, which moves what leaves the first stage by some hundredths.
    rows, stored = read_corpus(CLIPS / model).patches(tuple(LAYERS_KEPT))
    there = (rows["file"] == "piano.ogg").to_numpy()
    net = MusiCNN(model, compact=True)
    found = net.activations(load_clip("piano").patches(), list(LAYERS_KEPT.values()))
    for column, layer in LAYERS_KEPT.items():
        values = found[layer].reshape(there.sum(), -1)
        allowed = 1e-3 if column == "tags" else 1e-3 * np.abs(values).max()
        np.testing.assert_allclose(stored[column][there], values, atol=allowed, rtol=0)
