"""Executed chapters of earlier runs, to be taken up again: each in a file called by its key.

An entry is one line of JSON, then the notebook. It is written aside and renamed, and its checksum
is compared when it is read, so half an entry is never taken. Two runs may write the same key.
"""

import json
import os
import shutil
import time
from collections.abc import Container, Iterable
from pathlib import Path

from inside_musicnn import replacing
from inside_musicnn.checksums import of_bytes
from making.running.chapters import read_notebook

MOST_BYTES = 2**30  # about thirty runs of the whole book; the least recently used go first
A_DAY = 24 * 3600


class Store:
    """A folder of executed chapters."""

    def __init__(self, folder: Path, most: int = MOST_BYTES):
        self.folder, self.most = folder, most

    def find(self, key: str, paths: Iterable[str] = ()) -> dict | None:
        """An entry's `seconds`, `memory` and `notebook` (bytes), or None if there is no sound one.

        A chapter that shows in which folder a file lies counts only for the same `paths`.
        """
        try:
            line, _, notebook = (self.folder / key).read_bytes().partition(b"\n")
            entry = json.loads(line)
            sound = entry["sha256"] == of_bytes(notebook) and entry["key"] == key
            if sound and set(entry["shows"]) <= {str(path) for path in paths}:
                return {"seconds": float(entry["seconds"]), "memory": int(entry["memory"]),
                        "notebook": notebook}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def take(self, key: str, target: Path, paths: Iterable[str] = ()) -> dict | None:
        """Write an executed chapter to `target`; return its entry, or None."""
        entry = self.find(key, paths)
        if entry is None:
            return None
        target.write_bytes(entry["notebook"])
        try:
            os.utime(self.folder / key)  # used just now
        except OSError:
            pass
        return entry

    def keep(self, key: str, file: Path, seconds: float, memory: int,
             paths: Iterable[str] = ()) -> bool:
        """Keep an executed chapter; return False if there is no place for it.

        One that wrote to stderr is not kept: it fails the site, and must run again.
        """
        if _is_noisy(file):
            return True
        notebook = file.read_bytes()
        text = notebook.decode("utf-8", "replace")
        entry = {"key": key, "sha256": of_bytes(notebook),
                 "seconds": seconds, "memory": memory,
                 "shows": [str(path) for path in paths if _shows(text, Path(path).parent)]}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replacing.write(self.folder / key, json.dumps(entry).encode() + b"\n" + notebook)
        except OSError:
            return False
        return True

    def prune(self, used: Container[str]) -> None:
        """Remove what was not used for longest until the rest fits; never the keys in `used`."""
        entries = []
        for file in self.folder.glob("*"):
            try:
                entries.append((file.stat().st_mtime, file.stat().st_size, file))
            except OSError:  # another run has just removed it
                continue
        left = sum(size for _, size, _ in entries)
        for age, size, file in sorted(entries):
            if file.name.startswith(replacing.ON_ITS_WAY):
                if time.time() - age > A_DAY:  # a kill left it
                    shutil.rmtree(file, ignore_errors=True)
            elif left > self.most and file.name not in used:
                file.unlink(missing_ok=True)
                left -= size


def _is_noisy(file: Path) -> bool:
    return any(output.get("name") == "stderr" for cell in read_notebook(file).cells
               for output in cell.get("outputs", []))


def _shows(text: str, folder: Path) -> bool:
    """Whether a notebook's text has the name of a folder in it."""
    return json.dumps(str(folder), ensure_ascii=False)[1:-1] in text
