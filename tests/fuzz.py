"""Mutated audio files through the real command: an answer or one sentence, and nothing else.

    python -m tests.fuzz                     2,000 files of each format
    python -m tests.fuzz --count 20 mp3 flac
    python -m tests.fuzz --first 500 --count 500 mp3     a part of them
    python -m tests.fuzz --only 417 mp3      one file again, kept, with what was said of it

Each file is read in a process of its own, with a limit on time and on memory. The same seed makes
the same files.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before NumPy: we fork
sys.path.insert(0, str(Path(__file__).parent))

import awkward_audio as awkward
import numpy as np

from inside_musicnn.commands.main import main as command
from inside_musicnn.commands.tags import open_network
from inside_musicnn.sound.clips import load_clip

SECONDS = 20  # of computing that one file may take: some hundred times what it does
WAITING = 180  # seconds until it must have ended, also on a machine with much other work
MEGABYTES = 1024  # of memory, more than this process has
SEED = 15


def samples(seconds=4, rate=44100, channels=1):
    mono = awkward.music(seconds, rate)
    return mono if channels == 1 else np.stack([mono, np.roll(mono, 999)], 1)


def formats(folder):
    """Name -> bytes of a whole file of each format."""
    def by_pyav(name, codec, container, rate=44100, **options):
        return awkward.by_pyav(folder / name, codec, container, samples(), rate, **options)

    ogg = awkward.encoded("OGG", samples(2))
    return {
        "wav": awkward.encoded("WAV", samples(4, 16000, 2), 16000),
        "float.wav": awkward.encoded("WAV", samples(4, 16000), 16000, subtype="FLOAT"),
        "aiff": awkward.encoded("AIFF", samples(4, 16000), 16000),
        "flac": awkward.encoded("FLAC", samples(4, channels=2)),
        "mp3": awkward.encoded("MP3", samples(4, channels=2)),
        "tableless.mp3": awkward.without_table(awkward.encoded("MP3", samples())),
        "ogg": awkward.encoded("OGG", samples(4, channels=2)),
        "chained.ogg": ogg + ogg,
        "opus": awkward.encoded("OGG", samples(4, 48000), 48000, subtype="OPUS"),
        "m4a": by_pyav("x.m4a", "aac", "mp4"),
        "faststart.mp4": by_pyav("x.mp4", "aac", "mp4", movflags="faststart"),
        "alac.m4a": by_pyav("y.m4a", "alac", "mp4"),
        "webm": by_pyav("x.webm", "libopus", "webm", 48000),
        "mka": by_pyav("x.mka", "flac", "matroska"),
        "wma": by_pyav("x.wma", "wmav2", "asf"),
        "aac": by_pyav("x.aac", "aac", "adts"),
    }


def mutated(data, draw, others):
    """Changed in one to three ways."""
    data = bytearray(data)
    for _ in range(draw.integers(1, 4)):
        way = draw.integers(8)
        # Half of all changes are made near the beginning, where headers are.
        reach = min(len(data), 400) if draw.integers(2) else len(data)
        place = int(draw.integers(max(1, reach)))
        count = int(draw.integers(1, 3000))
        if way <= 1:
            for _ in range(draw.integers(1, 20)):
                data[int(draw.integers(max(1, reach)))] ^= 1 << int(draw.integers(8))
        elif way == 2:
            data[place : place + count] = draw.bytes(count)
        elif way == 3:
            data[place : place + count] = bytes(count)
        elif way == 4:
            del data[int(draw.integers(len(data))) :]
        elif way == 5:
            del data[place : place + count]
        elif way == 6:
            data[place:place] = data[place : place + count]
        else:
            other = others[int(draw.integers(len(others)))]
            begin = int(draw.integers(len(other)))
            data[place : place + count] = other[begin : begin + 2 * count]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


@dataclass
class Result:
    """What became of the files of one format."""

    answered: int = 0
    refused: int = 0
    failed: list = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0  # megabytes


def run(file, arguments, folder):
    """What the command did in a process of its own.

    Returns:
        exit code, output, errors, seconds of computing, megabytes.
    """
    said = [folder / "out", folder / "err"]
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            for number, path in enumerate(said, start=1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + MEGABYTES * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            code = command(["tags", *arguments, "--", str(file)])
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - begin > WAITING:
            os.kill(child, 9)
            _, status, used = os.wait4(child, 0)
            break
        time.sleep(0.002)
    out, err = (path.read_text(errors="replace") for path in said)
    return (os.waitstatus_to_exitcode(status), out, err, used.ru_utime + used.ru_stime,
            used.ru_maxrss / 1024)


def wrong(code, out, err):
    """What is wrong with an answer, or nothing."""
    lines = err.splitlines()
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return "it took too long"
    if code not in (0, 2):
        return f"exit code {code}"
    if "Traceback" in err or not all(line.endswith(".") and len(line) < 900 for line in lines):
        return "not a sentence"
    if code == 2 and (len(lines) != 1 or out):
        return "refused in more or less than one sentence"
    if code == 0 and (not out.count("patch") or len(lines) > 3):
        return "no answer"
    return ""


def fuzz(name, whole, others, numbers, folder, keep=False, seed=SEED):
    """Read the mutated files with these numbers; return a Result."""
    result = Result()
    for number in numbers:
        draw = np.random.default_rng([seed, *name.encode(), number])
        file = folder / f"{number}.{name}"
        file.write_bytes(mutated(whole, draw, others))
        arguments = [["--top=1"], ["--top=1", "--damaged"], ["--json", "--damaged"],
                     ["--csv", "--start=1", "--duration=3"]][number % 4]
        code, out, err, seconds, megabytes = run(file, arguments, folder)
        if "--json" in arguments or "--csv" in arguments:
            out = out and "patch"
        result.slowest = max(result.slowest, seconds)
        result.largest = max(result.largest, megabytes)
        what = wrong(code, out, err)
        if what:
            result.failed.append((number, what))
            print(f"{name} {number}: {what}: {err.strip()[-300:]}", flush=True)
        elif code == 0:
            result.answered += 1
        else:
            result.refused += 1
        if not keep:
            file.unlink()
        else:
            print(file, arguments, code, out[:300], err, sep="\n")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("formats", nargs="*", help="such as mp3 (default: all)")
    parser.add_argument("--count", type=int, default=2000, help="files of each format")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--only", type=int, help="the number of one file")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    open_network("MSD_musicnn").tags(load_clip("disco", duration=4))  # before the forks
    failed = 0
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    every = formats(folder)
    if unknown := set(options.formats) - set(every):
        parser.error(f"no format {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    numbers = range(options.first, options.first + options.count)
    keep = options.only is not None
    for name in options.formats or every:
        result = fuzz(name, every[name], list(every.values()), [options.only] if keep else numbers,
                      folder, keep, options.seed)
        failed += len(result.failed)
        print(f"{name}: {result.answered} answered, {result.refused} refused, "
              f"{len(result.failed)} wrong; slowest {result.slowest:.1f} s, largest "
              f"{result.largest:.0f} MB", flush=True)
    if not keep:
        for rest in folder.iterdir():
            rest.unlink()
        folder.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
