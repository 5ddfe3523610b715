"""Where the groups of a corpus are computed: in this process, on the cores of this machine, or on
a Dask cluster. The same function does the work in all three.

Explained in chapter 16.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inside_musicnn.cores import workers_that_fit
from inside_musicnn.corpus.files import Audio
from inside_musicnn.corpus.schema import versions
from inside_musicnn.corpus.worker import Part, Task, describe
from inside_musicnn.errors import InputError, RunError
from inside_musicnn.extras import needs
from inside_musicnn.file_names import as_text

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 5
PATIENCE = 60  # seconds without a single worker after which a run gives up
BYTES_PER_WORKER = 2**30
# Workers of Dask look 100 times a second what they are doing, and remember it for an hour.
LEAN = {"distributed.worker.profile.enabled": False}
NOT_WRITTEN = ("The data set could not be written: {}. Running the same command again goes on.")
LOST = "The connection to the scheduler was lost. Running the same command again goes on."
DEADLY = ("Reading '{}' ended its worker process several times; the file may be damaged, or the "
          "memory too small.")
Group = list[Audio]


@contextmanager
def open_client(scheduler: str | None = None, jobs: int | None = None
                ) -> Iterator["Client | None"]:
    """A `distributed.Client`: of the cluster at `scheduler`, or of worker processes of our own;
    None for zero jobs, which stands for this very process.

    Raises:
        InputError: there is no scheduler at that address, or it has no workers.
    """
    if jobs == 0:
        yield None
        return
    with needs("corpus", "A data set made by several processes"):
        import dask
        import distributed

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters, we say ourselves
    if scheduler is None:
        with _deaf_to_ctrl_c(), dask.config.set(LEAN):
            cluster = distributed.LocalCluster(
                n_workers=jobs or workers_that_fit(BYTES_PER_WORKER), threads_per_worker=1,
                processes=True, memory_limit=0, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL)
        with cluster, distributed.Client(cluster) as client:
            yield client
        return
    with _connected(scheduler) as client:
        yield client


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile leave Ctrl-C to the command, which then stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _connected(scheduler: str) -> "Client":
    import distributed

    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError, ImportError):
        raise InputError(f"There is no Dask scheduler at '{scheduler}'; start one with 'dask "
                         "scheduler', and give its address, such as tcp://host:8786.") from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        client.close()
        raise InputError(f"The scheduler at '{scheduler}' has no workers; start some with 'dask "
                         f"worker {scheduler} --nthreads 1'.") from None
    return client


def check_workers(client: "Client", task: Task) -> None:
    """Raise InputError where a worker lacks what it needs: this package, the folders, versions."""
    try:
        client.run_on_scheduler(versions)
        answers = client.run(_look, task.folder, task.work)
    except Exception as error:  # whatever a strange environment raises
        raise InputError("The scheduler or its workers cannot run this book's code: install the "
                         f"same environment there ({type(error).__name__}: {error}).") from None
    for address, (missing, found) in answers.items():
        if missing:
            raise InputError(f"The worker at {address} cannot use the folder {missing}; workers "
                             "need the audio and the output under the same paths as here.")
        if found != versions():
            names = [name for name in versions() if versions()[name] != found.get(name)]
            raise InputError(f"The worker at {address} has other versions of {', '.join(names)}; "
                             "install the same environment there.")


def _look(folder: str, work: str) -> tuple[str | None, dict[str, str]]:
    """On a worker: the folder that it cannot use, if there is one, and its versions."""
    usable = {folder: os.R_OK | os.X_OK, work: os.R_OK | os.W_OK | os.X_OK}
    missing = [f"'{path}'" for path, mode in usable.items()
               if not (Path(path).is_dir() and os.access(path, mode))]
    return (missing[0] if missing else None), versions()


def run(client: "Client | None", task: Task, groups: Sequence[Group],
        tick: Callable[[], None] = lambda: None) -> Iterator[tuple[Group, Part]]:
    """Compute all groups; yields each with its `Part` as it ends, in any order.

    A group whose worker dies is computed again elsewhere. If that happens again and again, its
    files are tried one by one, alone: so one deadly file fails, and no other.

    Raises:
        RunError: all workers are gone, or the scheduler is.
        OSError: a part cannot be written.
    """
    if client is None:
        for group in groups:
            tick()
            yield group, describe(task, group)
        return
    suspects: Group = []
    for group, part in _finished(client, task, groups, tick):
        if part is None:
            suspects += group
        else:
            yield group, part
    for audio in suspects:
        for _, part in _finished(client, task, [[audio]], tick):
            reason = {audio.name: DEADLY.format(as_text(audio.name))}
            yield [audio], part or Part(None, {}, reason, 0, 0.0)


def _finished(client: "Client", task: Task, groups: Sequence[Group], tick: Callable[[], None]
              ) -> Iterator[tuple[Group, Part | None]]:
    """Pairs of group and Part as they end; the Part is None if its workers died."""
    from distributed import CancelledError, KilledWorker, wait
    from distributed.comm import CommClosedError

    futures = {client.submit(describe, task, group, pure=False): group for group in groups}
    since = time.monotonic()
    try:
        while futures:
            try:
                ended = wait(list(futures), timeout=1, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                ended, since = (), _still_workers(client, since)
            tick()
            for future in ended:
                group = futures.pop(future)
                try:
                    yield group, future.result()
                except KilledWorker:
                    yield group, None
                since = time.monotonic()
    except (CancelledError, CommClosedError):
        raise RunError(LOST) from None
    finally:
        client.cancel(list(futures))


def _still_workers(client: "Client", since: float) -> float:
    """When a worker was last there; raises RunError if that is too long ago."""
    if client.status == "running" and client.nthreads():
        return time.monotonic()
    if time.monotonic() - since > PATIENCE:
        raise RunError("All workers are gone. Start new ones; running the same command again "
                         "goes on.")
    return since
