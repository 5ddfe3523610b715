"""The command `tensors`: the network's own layers in .npz and .zarr, whole or not at all."""

import errno
import json
import os
import resource
import zipfile

import numpy as np
import pytest
import zarr
from arithmetic.sound import truth_of_samples

from inside_musicnn import LAYERS, MusiCNN, load_clip
from inside_musicnn.commands.main import main
from inside_musicnn.commands.tensor_files import NpzWriter, check_space, writer

ASKED = ["cnn_4/norm", "stage_2/out", "tags/sigmoid", "cnn_1/timbral_38/max"]
PART = ["--start", "2", "--duration", "16"]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def expected():
    """Patches of a clip's part, all in one go: five."""
    net = MusiCNN("MTT_musicnn")
    return net.labels, net.activations(load_clip("rock", 2, 16), ASKED)


@pytest.fixture(scope="module")
def truth():
    """What the layers of these patches are, with bounds that begin at the samples."""
    return truth_of_samples("MTT_musicnn", load_clip("rock", 2, 16).samples)


@pytest.fixture(autouse=True)
def several_batches(monkeypatch):
    """Two patches at once, so that five need three batches."""
    monkeypatch.setattr("inside_musicnn.sound.recordings.PATCHES_AT_ONCE", 2)


def ask(output, *layers, code=0):
    return main(["tensors", "rock", "--model", "MTT_musicnn", *PART, "--output", str(output),
                 "--layers", ",".join(layers or ASKED)]) == code


def check_metadata(metadata):
    assert metadata["model"] == "MTT_musicnn" and metadata["audio"] == "rock.ogg"
    assert metadata["start"] == 2 and metadata["sample_rate"] == 16000
    assert {"python", "tensorflow", "musicnn", "numpy"} <= set(metadata["versions"])
    assert list(metadata["layers"]) == ASKED
    for name, described in metadata["layers"].items():
        assert described["description"] == LAYERS[name].description
        assert described["shape_per_patch"] == list(LAYERS[name].shape)
        assert described["axes"] == ["patch", *LAYERS[name].axes]


def test_npz(tmp_path, expected, truth, capsys):
    labels, tensors = expected
    assert ask(tmp_path / "out.npz")
    assert capsys.readouterr().out.startswith("5 patches of 4 layers in ")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        assert set(found.files) == {*ASKED, "times", "labels", "metadata"}
        for name, values in tensors.items():
            assert found[name].dtype == np.float32 and found[name].shape == values.shape
            assert truth.ratio(name, found[name]) <= 1, name
        assert found["labels"].tolist() == labels
        assert np.allclose(found["times"], [2, 4.992, 7.984, 10.976, 13.968])
        check_metadata(json.loads(str(found["metadata"])))
    assert files(tmp_path) == ["out.npz"]


def test_zarr(tmp_path, expected, truth):
    labels, tensors = expected
    assert ask(tmp_path / "out.zarr")
    group = zarr.open_group(tmp_path / "out.zarr", mode="r")
    for name, values in tensors.items():
        assert group[name].dtype == np.float32 and group[name].shape == values.shape
        assert truth.ratio(name, group[name][:]) <= 1, name
        assert group[name].metadata.dimension_names == ("patch", *LAYERS[name].axes)
    assert group["stage_2/out"].chunks == (1, 187, 753)
    assert np.allclose(group["times"][:], [2, 4.992, 7.984, 10.976, 13.968])
    assert group.attrs["labels"] == labels
    check_metadata(group.attrs)
    assert files(tmp_path) == ["out.zarr"]


def test_same_input_same_bytes(tmp_path):
    for name in ("one.npz", "two.npz"):
        assert ask(tmp_path / name, "tags/logits")
    one, two = (zipfile.ZipFile(tmp_path / name) for name in ("one.npz", "two.npz"))
    assert [(m.filename, m.CRC, m.date_time) for m in one.infolist()] == [
        (m.filename, m.CRC, m.date_time) for m in two.infolist()]


def test_every_layer_by_one_word(tmp_path):
    assert main(["tensors", "disco", "--duration", "3", "--layers", "all", "--output",
                 str(tmp_path / "all.npz")]) == 0
    with np.load(tmp_path / "all.npz") as found:
        headers = {name: found[name].shape for name in LAYERS}
    assert headers == {name: (1, *layer.shape) for name, layer in LAYERS.items()}


@pytest.mark.parametrize("kind", ["npz", "zarr"])
def test_an_older_output_is_replaced(tmp_path, kind):
    for layer in ("tags/logits", "tags/sigmoid"):
        assert ask(tmp_path / f"out.{kind}", layer)
    names = (np.load(tmp_path / "out.npz").files if kind == "npz" else
             list(dict(zarr.open_group(tmp_path / "out.zarr")["tags"].members())))
    assert [name.split("/")[-1] for name in names][:1] == ["sigmoid"]
    assert files(tmp_path) == [f"out.{kind}"]


@pytest.mark.parametrize("kind", ["npz", "zarr"])
@pytest.mark.parametrize("fault", [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_a_full_disk_leaves_the_older_output(tmp_path, monkeypatch, capsys, kind, fault):
    output = tmp_path / f"out.{kind}"
    assert ask(output, "tags/logits")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    add, calls = writer(output).add, []

    def failing(self, tensors):
        calls.append(1)
        if len(calls) == 2:
            raise fault
        add(self, tensors)

    monkeypatch.setattr(writer(output), "add", failing)
    capsys.readouterr()
    full = isinstance(fault, OSError)
    assert ask(output, "tags/sigmoid", code=2 if full else 130)
    said = capsys.readouterr()
    if full:
        assert said.err.endswith(f"out.{kind} cannot be written: No space left on device.\n")
    assert len(calls) == 2 and said.out == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["npz", "zarr"])
def test_a_real_limit_on_disk(tmp_path, capsys, kind):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        assert ask(tmp_path / f"out.{kind}", "stage_2/out", code=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and "File too large" in said.err and said.out == ""
    assert files(tmp_path) == []


def test_too_little_space_is_said_beforehand(tmp_path, monkeypatch, capsys):
    free = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: free)
    monkeypatch.setattr("inside_musicnn.commands.tensors.open_network", None)  # not reached
    assert ask(tmp_path / "out.zarr", "stage_2/out", code=2)
    assert "1 layers of 5 patches take up to 2.8 MB, and 1.0 MB are free" in capsys.readouterr().err
    check_space(tmp_path / "out.zarr", ["tags/logits"], 5)
    assert files(tmp_path) == []


def test_npz_needs_no_more_memory_than_a_batch(tmp_path):
    import tracemalloc

    batch = {"stage_2/out": np.ones((4, 187, 753), np.float32)}
    with NpzWriter(tmp_path / "x.npz", ["stage_2/out"], 4) as file:
        tracemalloc.start()
        for _ in range(10):
            file.add(batch)
        file.finish(np.arange(40.0), ["a"], {"layers": {}})
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 8e6  # all of it is 22 MB
    assert np.load(tmp_path / "x.npz")["stage_2/out"].shape == (40, 187, 753)


@pytest.mark.parametrize("options, words", [
    (["--layers", "cnn_9/norm"], "no layer 'cnn_9/norm'; choose one of input/db_mel"),
    (["--layers", ""], "no layer ''"),
    (["--layers", "tags/logits,,"], "no layer ''"),
    (["--output", "out.h5"], "does not end in .npz or .zarr"),
    (["--output", "out"], "does not end in .npz or .zarr"),
    (["--output", "folder.npz"], "something else than an earlier .npz"),
    (["--output", "precious.zarr"], "something else than an earlier .zarr"),
    (["--output", "missing/out.npz"], "missing/out.npz cannot be written: No such file"),
    (["--output", "file.txt/out.zarr"], "cannot be written: Not a directory"),
    (["--model", "MTT_vgg"], "MSD_musicnn, MTT_musicnn"),
    (["--start", "99"], "beyond the end"),
])
def test_wrong_options(tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "precious.zarr").mkdir()
    (tmp_path / "precious.zarr" / "letter.txt").write_text("keep me")
    (tmp_path / "file.txt").write_text("a file")
    before = sorted(tmp_path.rglob("*"))
    defaults = ["--layers", "tags/logits", "--output", "out.npz"]
    assert main(["tensors", "disco", *defaults, *options]) == 2
    said = capsys.readouterr()
    assert words in said.err and len(said.err.splitlines()) == 1 and said.out == ""
    assert sorted(tmp_path.rglob("*")) == before
