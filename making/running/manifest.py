"""What a run writes down about itself: parameters, versions, checksums, seconds."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from inside_musicnn.checksums import content, digest, files_of, sha256
from inside_musicnn.network.weights import checksums_of_weights
from inside_musicnn.progress import span
from inside_musicnn.versions import everything
from making.running.templates import FOLDER as TEMPLATES
from making.running.templates import text

if TYPE_CHECKING:
    from making.running.plan import Recording
    from making.running.work import Work

PATHS = ("audio", "corpus")  # parameters of which pages show the last part alone
SLOWEST = 3  # chapters that are named


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers and the pages depend on."""
    return everything(("jupyter-book", "papermill"))


def read(folder: Path) -> dict:
    """The manifest of an earlier run; empty if there is none."""
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def known_seconds(output: Path) -> dict[str, float]:
    """Seconds per chapter of the last run in this folder, else of the latest run beside it."""
    known: dict[str, float] = {}
    for record in _records(output):
        known = record.get("seconds", {}).get("chapters", {}) | known
    return known


def known_site_seconds(output: Path) -> float | None:
    """Seconds that the last site took."""
    return next((seconds for record in _records(output)
                 if (seconds := record.get("seconds", {}).get("site"))), None)


def _records(output: Path) -> list[dict]:
    """What is written down of each recording, in this folder first, then the latest beside it."""
    beside = sorted(output.parent.glob("[!.]*/manifest.json"), reverse=True,
                    key=lambda file: file.stat().st_mtime)
    found = []
    for folder in [output, *(file.parent for file in beside)]:
        manifest = read(folder)
        found += [manifest, *manifest.get("recordings", {}).values()]
    return found


def checksums(root: Path, recording: "Recording", work: "Iterable[Work]") -> dict[str, str]:
    """SHA-256 of the audio, the weights, and the chapters' sources."""
    sums = {}
    if recording.file is not None:
        sums[recording.file.name] = sha256(recording.file)
    if recording.parameters.get("model"):
        sums |= checksums_of_weights(recording.parameters["model"])
    return sums | {each.page.file.as_posix(): sha256(root / each.page.file) for each in work}


def made_of(folder: Path, software: list[str]) -> str:
    """One checksum of all that a site is made of, but for the page on how it was made."""
    files = [file for file in files_of(folder)
             if file.name != "made.md" and "logs" not in file.relative_to(folder).parts]
    builders = [sha256(Path(__file__).with_name(name)) for name in (
        "site.py", "sphinx_offline.py", "lighter_site.py")]
    return digest([content(folder, every=files), software, builders, content(TEMPLATES)])


def holds(folder: Path) -> str:
    """One checksum of the files of a finished run."""
    return content(folder, without=("logs", "manifest.json")) if folder.is_dir() else ""


def together(records: dict, seconds: dict, made: str, folder: Path) -> dict:
    """The manifest: of one recording its record, of several a record each."""
    whole = {"made_of": made, "holds": holds(folder)}
    if len(records) == 1:
        (record,) = records.values()
        record["seconds"]["all"] = round(seconds["all"], 2)
        return record | whole
    return {"recordings": records, "seconds": {"all": round(seconds["all"], 2)}} | whole


def write(manifest: dict, folder: Path) -> None:
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def as_markdown(manifest: dict, seconds: float) -> str:
    """The manifest as sentences and tables, for the page "How this site was made".

    Args:
        seconds: how long it was until all chapters were there.
    """
    each, taken = manifest["seconds"]["chapters"], manifest["taken"]
    new = sorted((name for name in each if name not in taken), key=lambda name: -each[name])
    return text(
        "made.md", date=manifest["started"][:10], jobs=manifest["jobs"], new=new,
        until_all=span(seconds), one_by_one=span(sum(each[name] for name in new)),
        slowest=[f"{name} ({span(each[name])})" for name in new[:SLOWEST]], taken=len(taken),
        parameters=[(name, Path(str(value)).name if name in PATHS else value)
                    for name, value in manifest["parameters"].items()],
        chapters=[{"name": name, "seconds": took, "taken": name in taken,
                   "megabytes": manifest["memory"][name] / 1e6} for name, took in each.items()],
        versions=list(manifest["versions"].items()),
        checksums=list(manifest["sha256"].items()),
    )
