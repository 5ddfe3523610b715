"""The README's table of what each way to MusiCNN's tags costs, from the newest results.

The table says which results it was written from.
"""

import json
import re
from pathlib import Path

from helpers.evidence.speed import FOLDER, cost, one
from inside_musicnn import replacing
from making.benchmarks.environment import ROOT
from making.benchmarks.measure import SHORT

INSTALLED = FOLDER / "install"
README = ROOT / "README.md"
PLACE = re.compile(r"<!-- costs, of (\S*) and (\S*): written by making\.benchmarks\.told -->\n"
                   r"(.*?)<!-- end of costs -->\n", re.S)
PEERS = {"wheel": "compact", "package": "extractor", "essentia": "essentia", "onnx": "onnx"}


def newest(folder: Path) -> Path:
    """The newest results in a folder; those of a quick run mean nothing."""
    return [file for file in sorted(folder.glob("*.json")) if not read(file).get("quick")][-1]


def read(file: Path) -> dict:
    """What a file of results holds."""
    return json.loads(file.read_text(encoding="utf-8"))


def table(install: dict, speed: dict) -> str:
    """The table, as Markdown."""
    columns = [name for name, way in install["ways"].items() if "size" in way]
    titles = [install["ways"][name]["title"] for name in columns]
    lines = [["", *(f"**{title}**" if name == "wheel" else title
                    for name, title in zip(columns, titles, strict=True))]]
    lines.append(["---"] * len(lines[0]))
    lines.append(["on the disk, with all it needs", *(
        f"{install['ways'][name]['size'] / 1e6:.0f} MB" for name in columns)])
    lines.append(["installed in, of processor time", *(
        f"{install['ways'][name]['install']['cpu']:.0f} s" for name in columns)])
    model = speed["models"][0]
    for kind, words in (("cold", "in a new process"), ("warm", "in an open one")):
        found = [one(speed, kind, peer=PEERS[name], model=model) for name in columns]
        lines.append([f"{speed['song'] / 60:g} minutes of OGG to tags, {words}", *(
            "" if record is None else f"{cost(record):.1f} s" for record in found)])
    found = [one(speed, "cold", peer=PEERS[name], model=model) for name in columns]
    lines.append(["memory for that, in a new process", *(
        "" if record is None else f"{record['peak'] / 1e6:.0f} MB" for record in found)])
    lines.append(["furthest from the original's scores", *(
        _difference(speed, PEERS[name], model) for name in columns)])
    machine, met = install["machine"], install["met"]
    more = met["import"]["cpu"] - met["numpy"]["cpu"]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return (f"{text}\n\nMeasured on {machine['cores']} cores of {machine['processor']} "
            f"(speed {speed['date']}, medians of {speed['rounds']} rounds, while other programs "
            f"kept {speed['others']:.2f} cores busy; installing {install['date']}, once, with "
            f"{install['others']:.2f} busy; `make bench` does both), with {model}, on synthesised "
            f"clips of `data/`; scores are compared on the first {SHORT:g} s. "
            "ONNX Runtime brings a network's arithmetic alone: files are read for it by this "
            "library, its size is with librosa. Essentia reads them in its own way. "
            "The package's input overflows under "
            f"NumPy 2. Of this library alone: its import takes {max(0.0, more):.2f} s of processor "
            f"time more than NumPy's; {met['minutes']:.0f} minutes of MP3 to tags in a new process "
            f"take {met['tags']['cpu']:.1f} s of it, and {met['peak'] / 1e6:.0f} MB of memory.\n")


def _difference(speed: dict, peer: str, model: str) -> str:
    """The largest difference of a score, from the file on."""
    for check in speed["checks"]:
        if (check["peer"], check["model"], check["what"]) == (peer, model, "taggram"):
            if check["difference"] is None:
                return "no number"
            return f"{check['difference']:.0e}" + ", of tags' means" * check["of_means"]
    return ""


def write_table() -> None:
    """Write the table into the README."""
    files = newest(INSTALLED), newest(FOLDER)
    told = (f"<!-- costs, of {files[0].name} and {files[1].name}: "
            f"written by making.benchmarks.told -->\n{table(*map(read, files))}"
            "<!-- end of costs -->\n")
    text = README.read_text(encoding="utf-8")
    replacing.write(README, PLACE.sub(lambda _: told, text))


def written() -> tuple[str, str]:
    """The README's table as it is, and as it follows from the results that it names."""
    found = PLACE.search(README.read_text(encoding="utf-8"))
    assert found is not None, "the README has lost its table of costs"
    return found[3], table(read(INSTALLED / found[1]), read(FOLDER / found[2]))
