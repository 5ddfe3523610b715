"""The weights as they are read without TensorFlow, against TensorFlow's own reader."""

import shutil

import numpy as np
import pytest

from inside_musicnn import InputError
from inside_musicnn.network.checkpoint import FILE, read_checkpoint
from inside_musicnn.network.original import tensorflow
from inside_musicnn.network.weights import MODELS, Weights


@pytest.mark.parametrize("model", MODELS)
def test_every_variable_is_what_tensorflow_reads(model):
    folder = Weights(model).folder
    reader = tensorflow().compat.v1.train.NewCheckpointReader(f"{folder}/")
    names = reader.get_variable_to_shape_map()
    variables = read_checkpoint(folder, model)
    assert set(variables) == set(names)
    for name, values in variables.items():
        expected = reader.get_tensor(name)
        # Our kernels have no axes of length 1: neither one channel in, nor one row high.
        assert [size for size in values.shape if size > 1] == [
            size for size in expected.shape if size > 1], name
        assert np.array_equal(values.ravel(), expected.ravel()), name
    numbers = sum(values.nbytes for values in variables.values())
    assert numbers == (folder / FILE).stat().st_size


@pytest.mark.parametrize("damage", ["one bit", "cut", "longer", "none", "the other network's"])
def test_damaged_weights_are_told(tmp_path, damage):
    content = bytearray((Weights("MSD_musicnn").folder / FILE).read_bytes())
    if damage == "one bit":
        content[100] ^= 1
    elif damage == "cut":
        del content[1000:]
    elif damage == "longer":
        content += b"\0"
    if damage == "the other network's":
        shutil.copyfile(Weights("MTT_musicnn").folder / FILE, tmp_path / FILE)
    elif damage != "none":
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError, match="install the package musicnn again"):
        read_checkpoint(tmp_path, "MSD_musicnn")
