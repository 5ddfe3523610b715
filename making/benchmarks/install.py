"""What it costs to meet each way to MusiCNN's tags: installing it, and what it takes on the disk.

    python -m making.benchmarks.install             measure, keep results, write the README's table
    python -m making.benchmarks.install --table     only write the README's table anew

Each is installed into a new environment of its own, from the same index, packages downloaded
before; seconds are of the machine named in the results, processor seconds beside them.
"""

import argparse
import datetime
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from inside_musicnn import replacing
from making.benchmarks import machine
from making.benchmarks.environment import ROOT, sections
from making.benchmarks.told import INSTALLED, write_table  # where results are kept

LIBROSA = "librosa==0.11.*"  # what reads audio for those that do not
MINUTES = 3.0  # of the recording that is tagged


def ways(wheel: Path) -> dict[str, dict]:
    """What is installed for each: commands' arguments, and whether a new process is timed."""
    bench = sections()
    runtime = [line for line in bench["onnx"] if line.startswith("onnxruntime")]
    return {
        "wheel": {"title": "inside-musicnn", "install": [[str(wheel)]]},
        "package": {"title": "musicnn 0.1.0", "install": [
            ["tensorflow==2.21.*", "tf_keras==2.21.*", LIBROSA],
            ["--no-deps", "musicnn==0.1.0"]]},
        "essentia": {"title": "Essentia", "install": [bench["essentia"]]},
        "onnx": {"title": "ONNX Runtime", "install": [[*runtime, LIBROSA]]},
    }


def build(folder: Path) -> Path:
    """The wheel, built from the sources."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
                    "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def timed(command: list[str]) -> dict[str, float]:
    """Seconds and processor seconds of a process; RuntimeError if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(seconds, 3), "cpu": round(cpu, 3)}


def installed(way: dict, folder: Path) -> dict:
    """Install one way and say what it took."""
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    tries = []
    for number in range(2):  # the first downloads what is not there yet
        if number:
            venv.create(folder, with_pip=False, clear=True)
        parts = [timed([*pip, *arguments]) for arguments in way["install"]]
        tries.append({name: round(sum(part[name] for part in parts), 3)
                      for name in ("seconds", "cpu")})
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {"title": way["title"], "install": tries[-1], "size": size}


def met(python: str, song: Path) -> dict:
    """Import and tags in new processes, of the wheel: medians of five."""
    def median(code: str) -> dict[str, float]:
        found = sorted((timed([python, "-I", "-c", code]) for _ in range(5)),
                       key=lambda each: each["seconds"])
        return found[2]

    def peak(code: str) -> int:
        # Not ru_maxrss, in which the process that started it counts, too.
        code += "\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True,
                              check=True)
        return int(done.stdout.split()[-1]) * 1024

    tags = f"from inside_musicnn import Tagger\nTagger().tags({str(song)!r})"
    return {"numpy": median("import numpy"),
            "import": median("import numpy\nfrom inside_musicnn import Tagger"),
            "tags": median(tags), "peak": peak(tags), "minutes": MINUTES}


def measure(say) -> dict:
    """All of it."""
    load = machine.Load()
    start, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    load.start()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        say("Building the wheel")
        wheel = build(folder / "dist")
        song = write_song(folder / "song.mp3")
        results = {"format": 1, "date": datetime.date.today().isoformat(),
                   "machine": machine.describe(), "wheel": wheel.stat().st_size, "ways": {}}
        for name, way in ways(wheel).items():
            say(f"Installing {way['title']}")
            try:
                results["ways"][name] = installed(way, folder / name)
            except RuntimeError as error:
                results["ways"][name] = {"title": way["title"], "why": str(error)}
        say("Meeting the wheel")
        results["met"] = met(str(folder / "wheel" / "bin" / "python"), song)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        load.stop(time.monotonic() - start, after.ru_utime + after.ru_stime
                  - spent.ru_utime - spent.ru_stime + time.process_time())
        return results | {"others": round(load.others(), 2)}


def write_song(file: Path) -> Path:
    """Three minutes of the synthesised clips in data/, stereo at 44.1 kHz, as MP3."""
    import soundfile

    from making.benchmarks.sound import write_song as write_ogg

    write_ogg(file.with_suffix(".ogg"), 60 * MINUTES)
    samples, rate = soundfile.read(file.with_suffix(".ogg"), dtype="float32")
    soundfile.write(file, samples, rate)
    return file


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m making.benchmarks.install",
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="only write the README's table")
    if not parser.parse_args().table:
        results = measure(lambda sentence: print(sentence, file=sys.stderr, flush=True))
        slug = machine.slug(results["machine"]["processor"])
        INSTALLED.mkdir(exist_ok=True)
        replacing.write(INSTALLED / f"{results['date']}-{slug}.json",
                        json.dumps(results, indent=1) + "\n")
        print(json.dumps(results, indent=1))
    write_table()
    return 0


if __name__ == "__main__":
    sys.exit(main())
