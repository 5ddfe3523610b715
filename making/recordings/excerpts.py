"""The excerpts that come with the book: cut, encoded, described, and held to what they were.

`choosing` says which ones. Each becomes an Ogg Vorbis file in `data/recordings/`, at its own rate,
with author, title and licence among its tags, and an entry in `data/recordings.json`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from inside_musicnn.checksums import of_bytes, sha256
from making.recordings.catalogue import Work, read_works
from making.recordings.choosing import SECONDS, Scores, choose_start, choose_works
from making.recordings.packages import PLACE, ROOT, licences
from making.recordings.sound import read_whole

FOLDER = ROOT / "data" / "recordings"
LIST = ROOT / "data" / "recordings.json"
QUALITIES = (0.3, 0.2, 0.1, 0.0)  # of Vorbis, from 0 to 1: the first whose file is small enough
LARGEST = 400_000  # bytes
CUT = "cut to 30 seconds and encoded anew"
MIXED = "guitar and band, which the game plays at once, mixed to one"


def make_excerpts(works: Sequence[Work], scores: Mapping[str, Scores], place: Path = PLACE,
                  say: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """Choose, cut and write all excerpts, and their list; returns its entries."""
    by_id = {work.id: work for work in works}
    chosen = choose_works(works, scores)
    FOLDER.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (name, rule) in enumerate(chosen.items(), 1):
        work = by_id[name]
        sound = read_whole(work, place)
        start = choose_start(work, scores[name], sound)
        file, new = FOLDER / f"{name}.ogg", FOLDER / f".{name}.ogg"
        _encode(work, cut(sound, work.rate, start), new)
        if file.is_file() and _alike(file, new):
            new.unlink()  # another serial number is no other file
        else:
            new.rename(file)
        entries.append(entry(work, rule, start, file))
        say(f"[{number}/{len(chosen)}] {name} from {start} s: {file.stat().st_size // 1000} kB")
    for old in FOLDER.glob("*.ogg"):
        if old.stem not in chosen:
            old.unlink()
    LIST.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return entries


def make_again(listed: Mapping[str, Any], file: Path, place: Path = PLACE) -> None:
    """Make one listed excerpt once more, into `file`."""
    work = next(work for work in read_works() if work.id == listed["name"])
    _encode(work, cut(read_whole(work, place), work.rate, listed["start"]), file)


def cut(sound: np.ndarray, rate: int, start: int) -> np.ndarray:
    """The 30 seconds from a second on."""
    return sound[start * rate : (start + SECONDS) * rate]


def _encode(work: Work, sound: np.ndarray, file: Path) -> None:
    for quality in QUALITIES:
        with soundfile.SoundFile(file, "w", work.rate, sound.shape[1], "VORBIS", format="OGG",
                                 compression_level=1 - quality) as out:
            out.title, out.artist = work.title, work.author
            if work.album:  # an empty text is refused
                out.album = work.album
            out.license = f"{work.licence} {licences()[work.licence].link}"
            out.copyright = f"(O) {work.author}" if work.licence == "EFF-OAL-1" else work.author
            out.comment = f"Excerpt: {changes(work)}."
            for first in range(0, len(sound), work.rate):  # long writes overflow its stack
                out.write(sound[first : first + work.rate])
        if file.stat().st_size <= LARGEST:
            return
    raise ValueError(f"{file.name} is larger than {LARGEST} bytes at the lowest quality")


def changes(work: Work) -> str:
    """What was done to the recording, in words."""
    return f"{MIXED}; {CUT}" if len(work.files) > 1 else CUT


def entry(work: Work, rule: str, start: int, file: Path) -> dict[str, Any]:
    """What `data/recordings.json` tells of an excerpt."""
    return {"name": work.id, "title": work.title, "author": work.author, "album": work.album,
            "source": work.source, "people": work.people, "voice": work.voice,
            "style": work.style, "licence": work.licence, "link": licences()[work.licence].link,
            "package": work.package, "version": work.version, "files": list(work.files),
            "start": start, "seconds": SECONDS, "changes": changes(work), "chosen": rule,
            "file": f"recordings/{file.name}", "rate": work.rate, "channels": work.channels,
            "sha256": sha256(file), "samples_sha256": decoded_checksum(file)}


def decoded_checksum(file: Path) -> str:
    """Checksum of the decoded samples as 16-bit numbers: no serial number of a file enters."""
    samples, _ = soundfile.read(file, dtype="int16", always_2d=True)
    return of_bytes(np.ascontiguousarray(samples, "<i2").tobytes())


def _alike(file: Path, other: Path) -> bool:
    """Whether two files have equal samples and equal tags."""
    tags = []
    for each in (file, other):
        with soundfile.SoundFile(each) as sound:
            tags.append(sound.copy_metadata())
    return tags[0] == tags[1] and decoded_checksum(file) == decoded_checksum(other)


def listed() -> list[dict[str, Any]]:
    """The entries of `data/recordings.json`."""
    return json.loads(LIST.read_text(encoding="utf-8"))
