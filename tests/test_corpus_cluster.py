"""A corpus on a Dask cluster: a scheduler and several worker processes, as a reader starts them."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import distributed
import numpy as np
import pytest
import soundfile
from slow_corpus import DEADLY, deadly, full, slowly
from test_corpus import parts, rows

from inside_musicnn import InputError, load_clip
from inside_musicnn.commands.main import main
from inside_musicnn.corpus import make_corpus, read_corpus
from inside_musicnn.corpus.cluster import check_workers, open_client
from inside_musicnn.corpus.worker import Task
from inside_musicnn.errors import RunError

WORKERS = 3
FILES = 12


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A folder of files of two patches, one of which is not audio."""
    folder = tmp_path_factory.mktemp("music")
    samples = load_clip("rock", offset=8).samples[:97600]
    for number in range(FILES):
        soundfile.write(folder / f"{number:02}.wav", np.roll(samples, 999 * number), 16000)
    (folder / "text.wav").write_text("not audio")
    return folder


@pytest.fixture(scope="module")
def alone(music, tmp_path_factory):
    """The data set as worker processes of this machine make it."""
    output = tmp_path_factory.mktemp("alone") / "out"
    make_corpus(music, output, jobs=2, stream=io.StringIO())
    return output


def start(folder, workers):
    """A scheduler and workers as the commands `dask scheduler` and `dask worker` start them."""
    file = folder / "scheduler.json"
    environment = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
                                "PYTHONPATH": str(Path(__file__).parent)}  # slow_corpus
    command = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0",
               "--no-dashboard", "--scheduler-file", str(file)]
    options = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
               "cwd": folder}
    processes = [subprocess.Popen(command, **options)]
    while not file.exists() or not file.read_text().strip():
        assert processes[0].poll() is None
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    if workers:
        command = [sys.executable, "-m", "dask", "worker", address, "--nworkers", str(workers),
                   "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
                   "--local-directory", str(folder)]
        processes.append(subprocess.Popen(command, **options))
        with distributed.Client(address) as client:
            client.wait_for_workers(workers, timeout=120)
    return address, processes


def stop(processes):
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait(30)


@pytest.fixture(autouse=True)
def nothing_hangs():
    """A cluster that waits for ever fails its test, and does not hold up all the others."""
    def give_up(*_):
        raise TimeoutError("the cluster has been waiting for five minutes")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of a scheduler with three workers."""
    address, processes = start(tmp_path_factory.mktemp("cluster"), WORKERS)
    yield address
    stop(processes)


@pytest.fixture
def small_groups(monkeypatch):
    """Groups of single files."""
    monkeypatch.setattr("inside_musicnn.corpus.files.SHORTEST_BATCH", 1)


def kill_one_worker(address, output, killed):
    """Once a part is there, kill a worker that is at work."""
    while len(parts(output)) < 2:
        time.sleep(0.02)
    with distributed.Client(address) as client:
        pids = client.run(os.getpid)
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        os.kill(pids[busy[0]], signal.SIGKILL)
        killed.append(pids[busy[0]])


def test_a_worker_is_killed_on_the_way(cluster, music, alone, tmp_path, monkeypatch,
                                       small_groups):
    monkeypatch.setattr("inside_musicnn.corpus.cluster.describe", slowly)
    output, killed = tmp_path / "out", []
    thread = threading.Thread(target=kill_one_worker, daemon=True,
                              args=(cluster, output, killed))
    thread.start()
    report = make_corpus(music, output, scheduler=cluster, stream=io.StringIO())
    thread.join(10)
    assert killed and not Path(f"/proc/{killed[0]}").exists()
    assert (report.done, list(report.failed)) == (FILES, ["text.wav"])
    assert rows(output) == rows(alone)  # each once, and to the last bit
    assert read_corpus(output).matrix("tags").tobytes() == read_corpus(alone).matrix(
        "tags").tobytes()
    assert list(read_corpus(output).failed["file"]) == ["text.wav"]


def test_a_file_that_kills_workers_fails_alone(cluster, music, alone, tmp_path, monkeypatch):
    monkeypatch.setattr("inside_musicnn.corpus.cluster.describe", deadly)
    report = make_corpus(music, tmp_path / "out", scheduler=cluster, stream=io.StringIO())
    assert report.done == FILES - 1 and set(report.failed) == {DEADLY, "text.wav"}
    assert "ended its worker process" in report.failed[DEADLY]
    expected, found = rows(alone), rows(tmp_path / "out")
    assert found == {key: expected[key] for key in found} and len(found) == len(expected) - 2


def test_a_full_disk_on_a_worker(cluster, music, alone, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr("inside_musicnn.corpus.cluster.describe", full)
        with pytest.raises(InputError, match="No space left on device"):
            make_corpus(music, tmp_path / "out", scheduler=cluster, stream=io.StringIO())
    command = ["corpus", str(music), "--output", str(tmp_path / "out"), "--scheduler", cluster]
    assert main(command) == 0
    assert f"{FILES} files are new" in capsys.readouterr().out
    assert rows(tmp_path / "out") == rows(alone)


def test_workers_that_lack_something_are_told(cluster, music, tmp_path, monkeypatch):
    task = Task(str(music), str(tmp_path), "MSD_musicnn", False, True, {})
    with distributed.Client(cluster) as client:
        check_workers(client, task)
        with pytest.raises(InputError, match="same paths"):
            check_workers(client, replace(task, folder=str(tmp_path / "elsewhere")))
        monkeypatch.setattr("inside_musicnn.corpus.cluster.versions", lambda: {"numpy": "0"})
        with pytest.raises(InputError, match="other versions of numpy"):
            check_workers(client, task)


def test_the_scheduler_is_lost(music, tmp_path, monkeypatch, small_groups):
    monkeypatch.setattr("inside_musicnn.corpus.cluster.describe", slowly)
    address, processes = start(tmp_path, 1)
    output = tmp_path / "out"

    def lose():
        while len(parts(output)) < 2:
            time.sleep(0.02)
        processes[0].kill()

    thread = threading.Thread(target=lose, daemon=True)
    thread.start()
    with pytest.raises(RunError, match="lost. Running the same command again goes on"):
        make_corpus(music, output, scheduler=address, stream=io.StringIO())
    thread.join(10)
    stop(processes)
    report = make_corpus(music, output, jobs=0, stream=io.StringIO())
    assert report.before > 0 and report.before + report.done == FILES
    assert len(rows(output)) == 2 * FILES


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "foo://x:1", ""])
def test_no_scheduler_is_one_sentence_and_leaves_nothing(music, tmp_path, address):
    """In a process of its own: what clusters of other tests say late does not count."""
    done = subprocess.run([sys.executable, "-m", "inside_musicnn", "corpus", str(music), "--output",
                           str(tmp_path / "out"), "--scheduler", address],
                          capture_output=True, text=True)
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert len(done.stderr.splitlines()) == 1 and "no Dask scheduler" in done.stderr, done.stderr


def test_no_workers_is_one_sentence(music, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("inside_musicnn.corpus.cluster.CONNECT_SECONDS", 1)
    address, processes = start(tmp_path, 0)
    code = main(["corpus", str(music), "--output", str(tmp_path / "out"), "--scheduler", address])
    stop(processes)
    said = capsys.readouterr()
    assert code == 2 and not (tmp_path / "out").exists()
    assert len(said.err.splitlines()) == 1 and "has no workers" in said.err
    shutil.rmtree(tmp_path)


def test_workers_do_not_keep_a_profile_of_themselves():
    """Dask's remembers for an hour what it saw: some 4 MB a minute for each worker."""
    with open_client(jobs=1) as client:
        assert list(client.run(_keeps_profile).values()) == [False]


def _keeps_profile():
    import dask

    return dask.config.get("distributed.worker.profile.enabled")
