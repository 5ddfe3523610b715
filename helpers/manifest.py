"""What a run writes down about itself: parameters, versions, checksums, seconds."""

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from helpers.chapters import printable

PACKAGES = ("musicnn", "tensorflow", "numpy", "librosa", "jupyter-book", "papermill")
WEIGHTS = (".data-00000-of-00001", ".index")


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers and the pages depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def weights(model: str) -> dict[str, str]:
    """Checksums of the released weights of `model`, inside the package musicnn."""
    package = find_spec("musicnn")
    if package is None:
        return {}
    folder = Path(package.origin).parent / model
    files = [folder / name for name in WEIGHTS]
    return {f"{model}/{file.name}": sha256(file) for file in files if file.exists()}


def read(folder: Path) -> dict:
    """The manifest of an earlier run; empty if there is none."""
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def known_seconds(output: Path) -> dict[str, float]:
    """Seconds per chapter of the last run in this folder, or of the latest run beside it."""
    beside = sorted(output.parent.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime)
    for folder in [output, *(file.parent for file in reversed(beside))]:
        seconds = read(folder).get("seconds", {}).get("chapters")
        if seconds:
            return seconds
    return {}


def write(manifest: dict, folder: Path) -> None:
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def as_markdown(manifest: dict) -> str:
    """The manifest as tables, for the page "How this site was made"."""
    parameters = manifest["parameters"] | {"audio": Path(str(manifest["parameters"]["audio"])).name}
    seconds = manifest["seconds"]["chapters"]
    parts = [
        f"This site was made on {manifest['started'][:10]}.",
        _table("Parameter", "Value", {k: _code(v) for k, v in parameters.items()}),
        _table("Chapter", "Seconds", {k: f"{v:.1f}" for k, v in seconds.items()}),
        _table("Software", "Version", manifest["versions"]),
        _table("File", "SHA-256", {
            _code(name): _code(digest) for name, digest in manifest["sha256"].items()
        }),
    ]
    return printable("\n\n".join(parts) + "\n")


def _code(value) -> str:
    """A value as inline code that no character of it can break out of."""
    text = " ".join(str(value).replace("|", "\\|").split())
    fence = "`" * (1 + max((len(run) for run in _backticks(text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _backticks(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split()]


def _table(left: str, right: str, rows: dict) -> str:
    lines = [f"| {left} | {right} |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows.items()])
