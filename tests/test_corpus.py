"""A corpus: its rows, what a second run does, what a stop or a bad file leaves."""

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import papermill
import pyarrow.parquet as pq
import pytest
import soundfile
from arithmetic.rounding import U
from arithmetic.sound import truth_of_samples

from inside_musicnn import InputError, MusiCNN, load_clip
from inside_musicnn.commands.main import main
from inside_musicnn.corpus import make_corpus, read_corpus
from inside_musicnn.corpus.files import BATCHES, Audio, batches, find_audio
from inside_musicnn.corpus.progress import CorpusProgress
from inside_musicnn.corpus.schema import LATER, LAYERS_KEPT, MEANINGS
from inside_musicnn.corpus.worker import Part
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound.clips import SHORTEST
from inside_musicnn.sound.spectrogram import PATCH_SECONDS, SAMPLE_RATE

CLIPS = ("disco", "piano", "choir")
TWO_PATCHES = int(6.1 * SAMPLE_RATE)


@pytest.fixture(scope="session")
def excerpts():
    """Six seconds, two patches, of some clips of data/: name -> samples."""
    return {name: load_clip(name, offset=8).samples[:TWO_PATCHES] for name in CLIPS}


@pytest.fixture
def folder(tmp_path, excerpts):
    """A folder of three files, two of them in folders below."""
    for name, below in zip(CLIPS, ("", "a b/", "a b/é <script>/"), strict=True):
        write(tmp_path / "music" / below / f"{name}.wav", excerpts[name])
    return tmp_path / "music"


def write(path, samples, rate=SAMPLE_RATE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def make(folder, output, **options):
    return make_corpus(folder, output, **{"jobs": 0, "stream": io.StringIO(), **options})


def rows(output):
    """All rows of patches as {(id, patch): bytes of everything}, each once."""
    table = pq.read_table(output / "patches")
    found = {(row["id"], row["patch"]): json.dumps(row) for row in table.to_pylist()}
    assert len(found) == len(table), "a patch is there twice"
    files = pq.read_table(output / "files").to_pylist()
    assert len({row["id"] for row in files}) == len(files), "a file is there twice"
    assert {row["id"]: row["patches"] for row in files} == {
        each: sum(one == each for one, _ in found) for each in {one for one, _ in found}}
    return found


def parts(output):
    """Part files with the time of their last change."""
    return {file: file.stat().st_mtime_ns for file in output.glob("*/part-*.parquet")}


@pytest.mark.parametrize("model, original", [("MSD_musicnn", False), ("MTT_musicnn", True)])
def test_rows_are_the_networks(folder, tmp_path, model, original):
    report = make(folder, tmp_path / "out", model=model, original=original)
    assert (report.done, report.before, report.failed, report.complete) == (3, 0, {}, True)
    corpus = read_corpus(tmp_path / "out")
    net = MusiCNN(model, compact=not original)
    assert corpus.model == model and corpus.labels == net.labels
    index, vectors = corpus.patches(LAYERS_KEPT)
    for row, name in enumerate(sorted(index["file"].unique())):
        clip = load_clip(folder / name)
        truth = truth_of_samples(model, clip.samples, 0.0 if original else THRESHOLD)
        here = (index["file"] == name).to_numpy()
        assert list(index["patch"][here]) == [0, 1]
        assert np.allclose(index["start"][here], [0, PATCH_SECONDS])
        for column, layer in LAYERS_KEPT.items():
            assert truth.ratio(layer, vectors[column][here]) <= 1, column
        means, embedding = corpus.matrix("embedding")[row], vectors["embedding"][here]
        assert np.abs(means - embedding.mean(axis=0)).max() <= 2 * U * np.abs(embedding).max()
        assert corpus.files["duration"][row] == pytest.approx(clip.duration)
        assert corpus.audio_path(corpus.files["id"][row]) == folder / name


def test_duckdb_and_pandas_read_it(folder, tmp_path):
    make(folder, tmp_path / "out")
    query = f"FROM '{tmp_path}/out/patches/*.parquet'"
    counted = duckdb.sql(f"SELECT count(*), list(DISTINCT len(pool_max)) {query}").fetchall()
    assert counted == [(6, [753])]
    best = duckdb.sql(f"SELECT file, max(tags[1]) {query} GROUP BY file ORDER BY file").fetchall()
    frame = pd.read_parquet(tmp_path / "out" / "patches")
    by_file = frame.groupby("file")["tags"].apply(lambda each: max(row[0] for row in each))
    assert dict(best) == pytest.approx(by_file.to_dict())
    joined = duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/out/files/*.parquet' "
                        f"JOIN (SELECT DISTINCT id {query}) USING (id)").fetchall()
    assert joined == [(3,)]
    # Spark reads the Parquet types: a list of floats, not a type of Arrow's own
    kinds = str(pq.ParquetFile(next((tmp_path / "out" / "patches").iterdir())).schema)
    assert "tags (List)" in kinds and "FixedSize" not in kinds
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    for table, columns in MEANINGS.items():
        place = tmp_path / "out" / (table if table in ("patches", "files") else f"{table}.parquet")
        assert pq.read_table(place).schema.names == list(columns)
        assert metadata["tables"][table] == columns


def test_what_is_found(tmp_path, excerpts):
    for name in ("b.WAV", "a/c.flac", ".hidden.wav", ".git/d.wav", "a/notes.txt"):
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_bytes(b"1")
    (tmp_path / "x" / "a" / "loop").symlink_to(tmp_path / "x", target_is_directory=True)
    (tmp_path / "x" / "zz").symlink_to(tmp_path / "x" / "a", target_is_directory=True)
    (tmp_path / "x" / "link.wav").symlink_to(tmp_path / "x" / "b.WAV")
    (tmp_path / "x" / "broken.wav").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "x" / "pipe.wav")
    found, failed = find_audio(tmp_path / "x")
    assert [audio.name for audio in found] == ["a/c.flac", "b.WAV", "link.wav"]
    assert list(failed) == ["broken.wav"] and failed["broken.wav"].endswith(".")


def test_names_that_are_not_text(tmp_path, excerpts, capsys):
    names = [b"\xff.wav", b"\xfe.wav", b"new\nline.wav", b"-dash.wav"]
    (tmp_path / "m").mkdir()
    good = write(tmp_path / "good.wav", excerpts["disco"]).read_bytes()
    for name in names:
        Path(tmp_path / "m" / os.fsdecode(name)).write_bytes(good)
    Path(tmp_path / "m" / os.fsdecode(b"bad\x1b[31m\xff.wav")).write_bytes(b"no")
    command = ["corpus", str(tmp_path / "m"), "--output", str(tmp_path / "o"), "--jobs", "0"]
    assert main(command) == 0
    assert "\x1b" not in capsys.readouterr().out
    corpus = read_corpus(tmp_path / "o")
    assert set(corpus.files["file"]) == {"\\xff.wav", "\\xfe.wav", "new\nline.wav", "-dash.wav"}
    assert corpus.files["id"].nunique() == 4 and len(corpus.failed) == 1
    paths = [corpus.audio_path(each) for each in corpus.files["id"]]
    assert sum(path is not None for path in paths) == 2  # those whose name is text
    assert make(tmp_path / "m", tmp_path / "o").before == 4


def test_a_second_run_does_what_has_changed(folder, tmp_path, excerpts):
    output = tmp_path / "out"
    make(folder, output)
    first, before = rows(output), parts(output)
    assert make(folder, output).before == 3 and parts(output) == before

    os.utime(folder / "disco.wav", (1, 1))  # another date, the same content
    assert make(folder, output).done == 0 and parts(output) == before

    write(folder / "disco.wav", excerpts["choir"])
    report = make(folder, output)
    changed = rows(output)
    assert (report.done, report.before) == (1, 2)
    disco = Audio("disco.wav", 0, 0, 0).id
    assert {key for key in first if first[key] != changed[key]} == {(disco, 0), (disco, 1)}

    write(folder / "new.wav", excerpts["piano"])
    (folder / "disco.wav").unlink()
    report = make(folder, output)
    assert (report.done, report.removed) == (1, ["disco.wav"])
    assert len(rows(output)) == 8 and list(read_corpus(output).removed["file"]) == ["disco.wav"]
    make(folder, output, prune=True)
    assert disco not in {each for each, _ in rows(output)} and len(rows(output)) == 6
    assert read_corpus(output).removed.empty

    write(folder / "new.wav", np.zeros(100))  # now unreadable: its old rows go
    assert list(make(folder, output).failed) == ["new.wav"] and len(rows(output)) == 4


def test_bad_files_are_listed_and_the_rest_is_done(folder, tmp_path, excerpts):
    long = np.tile(excerpts["disco"], 40)
    spoiled = long.copy()
    spoiled[-5] = np.nan  # found only after many good patches
    bad = {"zero.wav": b"", "text.mp3": b"not a sound" * 99}
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    write(folder / "nan.wav", spoiled, subtype="FLOAT")
    write(folder / "short.wav", np.zeros(SHORTEST // 2))
    data = write(folder / "cut.flac", long).read_bytes()
    (folder / "cut.flac").write_bytes(data[: len(data) // 2])
    report = make(folder, tmp_path / "out")
    assert (report.done, len(rows(tmp_path / "out"))) == (3, 6)
    failed = read_corpus(tmp_path / "out").failed.set_index("file")["reason"]
    assert sorted(failed.index) == ["cut.flac", "nan.wav", "short.wav", "text.mp3", "zero.wav"]
    for name, reason in failed.items():
        with pytest.raises(InputError) as caught:
            load_clip(folder / name)
        whole = str(caught.value).replace(str(folder / name), name)
        assert reason.split(":")[0] == whole.split(":")[0]
    make(folder, tmp_path / "out")  # they are tried again, and listed again
    assert len(read_corpus(tmp_path / "out").failed) == 5


class Killed(BaseException):
    """As a kill: nobody catches it."""


def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(folder, tmp_path, excerpts,
                                                             monkeypatch):
    make(folder, tmp_path / "start")
    write(folder / "disco.wav", excerpts["choir"])
    write(folder / "new.wav", excerpts["piano"])
    (folder / "a b" / "piano.wav").unlink()
    make(folder, tmp_path / "clean", prune=True)
    expected, steps = rows(tmp_path / "clean"), 0
    for number in range(100):
        output = tmp_path / f"out{number}"
        subprocess.run(["cp", "-r", tmp_path / "start", output], check=True)
        if completes(folder, output, number, monkeypatch):
            break
        steps += 1
        make(folder, output, prune=True)
        assert rows(output) == expected, number
        assert not list(output.glob(".dropping*")) and not list(output.rglob(".new-*"))
    assert steps > 10


def completes(folder, output, number, monkeypatch):
    """Run, and be killed at the change of a file with this number; whether it came to the end."""
    left = [number]

    def until_killed(function):
        def changed(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return function(*arguments, **options)
        return changed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", until_killed(os.replace))
        patch.setattr(Path, "unlink", until_killed(Path.unlink))
        patch.setattr(shutil, "rmtree", until_killed(shutil.rmtree))
        try:
            make(folder, output, prune=True)
        except Killed:
            return False
    return True


# The command, with half a second more for each group, and groups that are small
SLOW = """
import sys, time
import inside_musicnn.corpus.cluster as cluster
import inside_musicnn.corpus.files as files
from inside_musicnn.commands.main import main
def slow(task, group, describe=cluster.describe):
    time.sleep(0.4)
    return describe(task, group)
cluster.describe = slow
files.SHORTEST_BATCH = 1
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def many(tmp_path, excerpts):
    """A folder of 8 files."""
    for number in range(8):
        write(tmp_path / "many" / f"{number:02}.wav", np.roll(excerpts["piano"], 99 * number))
    return tmp_path / "many"


@pytest.mark.parametrize("how, code", [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_in_the_middle_and_run_again(many, tmp_path, how, code):
    (tmp_path / "slow.py").write_text(SLOW)
    output = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "slow.py"), "corpus", str(many), "--output", str(output),
         "--jobs", "2"], start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # A shell's background jobs ignore Ctrl-C, and their children would, too.
        text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and len(parts(output)) < 2:
        time.sleep(0.05)
    # Ctrl-C reaches the whole group, a kill the command alone
    os.killpg(process.pid, how) if how == signal.SIGINT else process.kill()
    said = process.communicate()
    assert process.returncode == code, said
    some = rows(output)
    if how == signal.SIGINT:
        assert said[1].strip().startswith("Stopped: ") and len(said[1].strip().splitlines()) == 1
        assert read_corpus(output).metadata["complete"] is False
    report = make(many, output)
    assert report.before >= 1 and report.before + report.done == 8
    make(many, tmp_path / "clean")
    clean = rows(tmp_path / "clean")
    assert {key: clean[key] for key in some} == some and rows(output) == clean


@pytest.mark.parametrize("what", ["missing", "file", "no audio", "inside", "same", "occupied",
                                  "output is a file", "model", "jobs", "locked"])
def test_wrong_input_is_one_sentence_and_leaves_nothing(folder, tmp_path, capsys, what):
    output = tmp_path / "new" / "out"
    arguments = {"missing": ["/no/such"], "file": [folder / "disco.wav"], "model":
                 [folder, "--model", "vgg"], "jobs": [folder, "--jobs", "-1"]}.get(what, [folder])
    if what == "no audio":
        (tmp_path / "none").mkdir()
        arguments = [tmp_path / "none"]
    if what in ("inside", "same"):
        output = folder / "out" if what == "inside" else folder
    if what in ("occupied", "output is a file"):
        output = write(tmp_path / "new" / "out" / "song.wav", np.zeros(9))
        output = output.parent if what == "occupied" else output
    if what == "locked":
        output.mkdir(parents=True)
        import fcntl
        lock = (output / ".lock").open("a")
        fcntl.flock(lock, fcntl.LOCK_EX)
    before = sorted(tmp_path.rglob("*"))
    code = main(["corpus", *map(str, arguments), "--output", str(output),
                 *([] if what == "jobs" else ["--jobs", "0"])])
    said = capsys.readouterr()
    assert code == 2 and sorted(tmp_path.rglob("*")) == before
    assert len(said.err.splitlines()) == 1 and said.err.strip().endswith(".")


def test_where_no_file_can_be_read_all_reasons_are_kept(tmp_path, excerpts, capsys):
    write(tmp_path / "bad" / "short.wav", np.zeros(SHORTEST // 2))
    (tmp_path / "bad" / "text.wav").write_text("no")
    (tmp_path / "bad" / "zero.mp3").write_bytes(b"")
    command = ["corpus", str(tmp_path / "bad"), "--output", str(tmp_path / "out"), "--jobs", "0"]
    for _ in range(2):  # running it again tries again
        assert main(command) == 2
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1 and "None of the 3 audio files" in said.err
        assert "failed.parquet" in said.err
        corpus = read_corpus(tmp_path / "out")
        reasons = dict(zip(corpus.failed["file"], corpus.failed["reason"], strict=True))
        assert sorted(reasons) == ["short.wav", "text.wav", "zero.mp3"] and corpus.files.empty
        assert "too short" in reasons["short.wav"] and "0 bytes" in reasons["zero.mp3"]
    write(tmp_path / "bad" / "short.wav", excerpts["disco"])
    assert main(command) == 0 and len(rows(tmp_path / "out")) == 2
    assert len(read_corpus(tmp_path / "out").failed) == 2


def test_data_sets_of_earlier_versions_are_read(folder, tmp_path):
    make(folder, tmp_path / "out")
    expected = read_corpus(tmp_path / "out").patches(["tags"])
    for part in (tmp_path / "out").glob("*/part-*.parquet"):
        table = pq.read_table(part)
        pq.write_table(table.drop_columns([name for name in LATER if name in table.schema.names]),
                       part)
    corpus = read_corpus(tmp_path / "out")
    assert list(corpus.files["notes"]) == [""] * 3 and corpus.files["damaged_patches"].sum() == 0
    for limit in (None, 3):
        index, vectors = corpus.patches(["tags"], limit=limit)
        assert index["damaged"].dtype == bool and not index["damaged"].any()
    assert np.array_equal(corpus.patches(["tags"])[1]["tags"], expected[1]["tags"])


def test_another_model_or_folder_needs_another_output(folder, tmp_path, excerpts):
    make(folder, tmp_path / "out")
    before = parts(tmp_path / "out")
    with pytest.raises(InputError, match="another model, 'MSD_musicnn'"):
        make(folder, tmp_path / "out", model="MTT_musicnn")
    with pytest.raises(InputError, match="another network, 'compact'"):
        make(folder, tmp_path / "out", original=True)
    write(tmp_path / "other" / "else.wav", excerpts["piano"])
    with pytest.raises(InputError, match="another folder"):
        make(tmp_path / "other", tmp_path / "out")
    assert parts(tmp_path / "out") == before
    folder.rename(tmp_path / "moved")
    assert make(tmp_path / "moved", tmp_path / "out").before == 3


@pytest.mark.parametrize("where", ["pyarrow.parquet.ParquetWriter.write_table", "os.replace"])
def test_a_full_disk_is_one_sentence_and_running_again_goes_on(folder, tmp_path, monkeypatch,
                                                              where):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(where, full)
        with pytest.raises(InputError, match="No space left on device. Running the same") as caught:
            make(folder, tmp_path / "out")
    assert "\n" not in str(caught.value)
    make(folder, tmp_path / "out")
    assert len(rows(tmp_path / "out")) == 6


MEMORY = """
import resource, sys
from inside_musicnn.corpus import make_corpus
make_corpus(sys.argv[1], sys.argv[2], jobs=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length(tmp_path):
    peaks = {}
    for name, minutes in (("short", 1), ("long", 30)):
        file = tmp_path / name / "noise.flac"
        file.parent.mkdir()
        with soundfile.SoundFile(file, "w", 8000, 1) as sound:
            for minute in range(minutes):
                sound.write(np.random.default_rng(minute).uniform(-0.3, 0.3, 60 * 8000))
        command = [sys.executable, "-c", MEMORY, tmp_path / name, tmp_path / f"{name}-o"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[name] = int(done.stdout.split()[-1]) / 1024
    assert len(rows(tmp_path / "long-o")) == 601
    # half an hour is 115 MB of samples at 16 kHz
    assert peaks["long"] - peaks["short"] < 50, peaks


def test_batches_hold_each_file_once_and_are_not_too_many():
    draw = np.random.default_rng(0)
    for count in (1, 7, 300, 30000):
        files = [Audio(f"{i}.mp3", int(size), 0, 0) for i, size in
                 enumerate(draw.lognormal(14, 2, count))]
        groups = batches(files, workers=2)
        assert sorted(audio.name for group in groups for audio in group) == sorted(
            audio.name for audio in files)
        assert len(groups) <= min(count, BATCHES + 1) and all(groups)


def test_each_part_looks_at_its_own_files_alone(folder, tmp_path, excerpts, monkeypatch):
    monkeypatch.setattr("inside_musicnn.corpus.files.SHORTEST_BATCH", 1)
    (folder / "text.wav").write_text("not a sound")
    looked_at, finished = [], CorpusProgress.finished
    monkeypatch.setattr(CorpusProgress, "finished", lambda self, group, part: (
        looked_at.append((group, part)), finished(self, group, part)))
    make(folder, tmp_path / "out")
    assert len(looked_at) > 1 and sum(len(group) for group, _ in looked_at) == 4
    for group, part in looked_at:
        assert {audio.name for audio in group} == {
            *(audio.name for audio in part.done.values()), *part.failed}


def test_reading_a_sample_and_reading_wrongly(folder, tmp_path, monkeypatch, excerpts):
    monkeypatch.setattr("inside_musicnn.corpus.worker.ROWS_TOGETHER", 20)
    write(folder / "long.wav", np.tile(excerpts["disco"], 100))
    make(folder, tmp_path / "out")
    monkeypatch.setattr("inside_musicnn.corpus.reading.ROWS_OF_A_GROUP", 5)
    corpus = read_corpus(tmp_path / "out")
    total = corpus.files["patches"].sum()
    index, vectors = corpus.patches(["tags"], limit=50)
    assert 40 <= len(index) <= 60 < total and len(vectors["tags"]) == len(index)
    everything, all_vectors = corpus.patches(["tags"])
    assert len(everything) == total == len(corpus.matrix("tags", "patches"))
    place = {(id, patch): i for i, (id, patch) in
             enumerate(zip(everything["id"], everything["patch"], strict=True))}
    for i in range(len(index)):
        there = place[index["id"][i], index["patch"][i]]
        assert np.array_equal(vectors["tags"][i], all_vectors["tags"][there])
    one = corpus.files["id"][0]
    assert set(corpus.patches(ids=[one])[0]["id"]) == {one}
    with pytest.raises(InputError, match="tags, pool_max, pool_mean, embedding"):
        corpus.patches(["mood"])
    with pytest.raises(InputError, match="no data set"):
        read_corpus(folder)


def test_progress_tells_the_time_left(monkeypatch):
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    files = [Audio(f"{i}.ogg", 10**6, 0, 0) for i in range(4)]
    progress = CorpusProgress(4, sum(audio.seconds for audio in files), stream)
    for audio, failed in zip(files, (False, True, False, False), strict=True):
        now[0] += 20
        done, reasons = ({}, {audio.name: "why"}) if failed else ({audio.id: audio}, {})
        progress.finished([audio], Part("key", done, reasons, 10, 30.0))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "[1/4 files] 30 s of audio, about 60 s left"
    assert lines[1].startswith("[2/4 files] 1 could not be read,") and "40 s left" in lines[1]
    assert lines[-1].startswith("[4/4 files]") and "left" not in lines[-1]


def test_the_chapter_reads_a_given_data_set(folder, tmp_path, excerpts):
    write(folder / "$x_<b>`.wav", excerpts["disco"])
    make(folder, tmp_path / "out", model="MTT_musicnn")
    (folder / "disco.wav").unlink()  # no excerpt of it can be played
    chapter = Path(__file__).resolve().parent.parent / "book" / "16_your_corpus.ipynb"
    executed = papermill.execute_notebook(
        chapter, tmp_path / "chapter.ipynb", {"corpus": str(tmp_path / "out"), "segments": 1},
        progress_bar=False, cwd=tmp_path)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    said = " ".join(str(output.get("data", {}).get("text/markdown", "")) for output in outputs)
    assert "4 files and 8 patches" in said and "follows the data set" in said
    shown = " ".join(str(content) for output in outputs  # plain text is escaped by the page
                     for kind, content in output.get("data", {}).items() if kind != "text/plain")
    assert "<script>" not in shown and "<b>`" not in shown
    assert not [output for output in outputs if output.output_type == "execute_result"]
