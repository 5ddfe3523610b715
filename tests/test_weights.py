"""The weights as they are read without TensorFlow, against TensorFlow's own reader."""

import shutil

import numpy as np
import pytest

from inside_musicnn import InputError
from inside_musicnn.network.checkpoint import read_checkpoint
from inside_musicnn.network.original import tensorflow
from inside_musicnn.network.weights import MODELS, Weights


@pytest.mark.parametrize("model", MODELS)
def test_every_variable_is_what_tensorflow_reads(model):
    folder = Weights(model).folder
    reader = tensorflow().compat.v1.train.NewCheckpointReader(f"{folder}/")
    names = reader.get_variable_to_shape_map()
    variables = read_checkpoint(f"{folder}/")
    assert set(variables) == set(names)
    for name, values in variables.items():
        assert np.array_equal(values, reader.get_tensor(name))


@pytest.mark.parametrize("damage", ["index", "data", "cut", "none"])
def test_damaged_weights_are_told(tmp_path, damage):
    for file in Weights("MSD_musicnn").folder.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    index, data = tmp_path / ".index", tmp_path / ".data-00000-of-00001"
    if damage == "none":
        index.unlink()
    elif damage == "cut":
        data.write_bytes(data.read_bytes()[:1000])
    else:
        file = index if damage == "index" else data
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(content)
    with pytest.raises(InputError, match="install the package musicnn again"):
        read_checkpoint(f"{tmp_path}/")
