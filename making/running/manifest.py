"""What a run writes down about itself: parameters, versions, checksums, seconds."""

import json
from pathlib import Path

from inside_musicnn.checksums import content, digest, files_of, sha256
from inside_musicnn.file_names import as_text
from inside_musicnn.network.weights import checksums_of_weights
from inside_musicnn.progress import span
from inside_musicnn.versions import everything

PATHS = ("audio", "corpus")  # parameters of which pages show the last part alone


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
    known = {}
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


def checksums(root: Path, recording, work) -> dict[str, str]:
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
    builders = [sha256(Path(__file__).with_name(name)) for name in ("site.py", "sphinx_offline.py")]
    return digest([content(folder, every=files), software, builders])


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
    parameters = {name: Path(str(value)).name if name in PATHS else value
                  for name, value in manifest["parameters"].items()}
    each, taken = manifest["seconds"]["chapters"], set(manifest["taken"])
    parts = [
        f"This site was made on {manifest['started'][:10]}. {_times(manifest, seconds)}",
        _table("Parameter", "Value", {k: code(v) for k, v in parameters.items()}),
        _table("Chapter", "Seconds, and most memory", {
            name: f"{took:.1f} s{', in an earlier run' if name in taken else ''}, "
                  f"{manifest['memory'][name] / 1e6:.0f} MB" for name, took in each.items()
        }),
        _table("Software", "Version", manifest["versions"]),
        _table("File", "SHA-256", {
            code(name): code(digest) for name, digest in manifest["sha256"].items()
        }),
    ]
    return as_text("\n\n".join(parts) + "\n")


def _times(manifest: dict, seconds: float) -> str:
    """Sentences on where the time went."""
    each, taken = manifest["seconds"]["chapters"], manifest["taken"]
    new = sorted((name for name in each if name not in taken), key=lambda name: -each[name])
    said = []
    if new:
        said += [
            f"After {span(seconds)} all chapters of the run were executed, up to "
            f"{manifest['jobs']} at once; those of this site, one after the other, take "
            f"{span(sum(each[name] for name in new))}.",
            f"The slowest: {', '.join(f'{name} ({span(each[name])})' for name in new[:3])}.",
        ]
    if taken:
        said.append(f"Taken from earlier runs, which had executed the same source with the same "
                    f"recording, parameters and software: {len(taken)} of {len(each)} chapters.")
    return " ".join(said)


def code(value) -> str:
    """A value as inline code that no character of it can break out of."""
    text = " ".join(str(value).replace("|", "\\|").split())
    fence = "`" * (1 + max((len(run) for run in _backticks(text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _backticks(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split()]


def _table(left: str, right: str, rows: dict) -> str:
    lines = [f"| {left} | {right} |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows.items()])
