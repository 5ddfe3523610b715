"""Which recordings there are: each with its author, licence, files and checksums.

`find_works` looks into the unpacked packages, `read_works` reads what it once found and what is
kept in `data/corpus/recordings.json`. A recording may lie in several files that are heard at
once: guitar and band of a game in which one plays the guitar.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from inside_musicnn.checksums import sha256
from inside_musicnn.errors import InputError
from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.shipped import clip_names
from making.recordings.packages import AUDIO, PLACE, ROOT, Package, folder_of, licences, packages

MANIFEST = ROOT / "data" / "corpus" / "recordings.json"
SHORTEST = 40.0  # seconds: shorter files are signals and jingles
MOST_OF_A_SOURCE = 5  # recordings, so that nobody's music is half of the corpus ...
MOST_OF_PLAYERS = 12  # ... and where people are heard to play, who are rare here
SEED = 13
JUNK = re.compile(r"^$|^\d+ - Track \d+$|^<Unknown>$|^http|^\(None\)$")


@dataclass(frozen=True)
class Work:
    """One recording.

    Attributes:
        id: a short name of its own.
        title, author, album: as the package or the file tells; "" where neither does.
        source: whose it is, for counting: the author, else the package.
        package, version: the Debian package.
        files: its files inside the package; more than one are heard at once.
        sha256: of each file.
        licence: name of the licence of the music.
        ship: whether excerpts may stand in this repository.
        why: why not, where the licence alone would allow it.
        people: who is heard to play or sing, as far as the package tells.
        voice: whether somebody sings, as far as the package tells.
        style: one of the styles that excerpts are chosen by, or "".
        seconds, rate, channels: of the sound as it is stored.
    """

    id: str
    title: str
    author: str
    album: str
    source: str
    package: str
    version: str
    files: tuple[str, ...]
    sha256: tuple[str, ...]
    licence: str
    ship: bool
    why: str
    people: str
    voice: bool
    style: str
    seconds: float
    rate: int
    channels: int

    def paths(self, place: Path = PLACE) -> list[Path]:
        return [folder_of(packages()[self.package], place) / file for file in self.files]


def find_works(place: Path = PLACE) -> list[Work]:
    """All recordings in the unpacked packages that last long enough, sorted by package and file.

    Raises:
        InputError: a package is not there.
    """
    found: list[Work] = []
    for package in packages().values():
        if not folder_of(package, place).is_dir():
            raise InputError(f"The package {package.name} is not in {place.name}; run 'make "
                             "recordings' first, which fetches it.")
        found += _works_of(package, folder_of(package, place))
    return _named(found)


def _works_of(package: Package, root: Path) -> Iterator[Work]:
    taken: set[Path] = set()
    for group in package.works:
        matched = sorted(path for pattern in group["files"] for path in root.glob(pattern))
        for path in matched:
            if path in taken or path.name in group.get("not", ()) or not _is_audio(path, group):
                continue
            taken.add(path)
            files = [path / part for part in group["mix"]] if "mix" in group else [path]
            work = _work(package, group, root, path, files)
            if work.seconds >= SHORTEST:
                yield work


def _is_audio(path: Path, group: dict[str, Any]) -> bool:
    return path.is_dir() if "mix" in group else path.suffix in AUDIO and not path.is_symlink()


def _work(package: Package, group: dict[str, Any], root: Path, path: Path,
          files: list[Path]) -> Work:
    with quiet_stderr(), soundfile.SoundFile(files[0]) as sound:
        tags = {} if "mix" in group else sound.copy_metadata()
        seconds, rate, channels = sound.frames / sound.samplerate, sound.samplerate, sound.channels
    licence = licences()[group["licence"]]
    author = group.get("author", "")
    if author == "tag":
        author = " ".join(tags.get("artist", "").split())
        author = _clean(group.get("authors", {}).get(author, author))
    return Work(
        id=group.get("ids", {}).get(path.stem, ""), title=_title(group, path, tags), author=author,
        album=group.get("album", "") or _clean(tags.get("album", "")),
        source=group.get("source", author) or f"unnamed authors of {package.name}",
        package=package.name, version=package.version,
        files=tuple(file.relative_to(root).as_posix() for file in files),
        sha256=tuple(sha256(file) for file in files), licence=licence.name,
        ship=licence.ship and group.get("ship", True),
        why=group.get("why", "") if licence.ship else "", people=group.get("people", ""),
        voice=group.get("voice", False), style=group.get("style", ""),
        seconds=round(seconds, 3), rate=rate, channels=channels)


def _clean(text: str) -> str:
    text = " ".join(text.split())
    return "" if JUNK.match(text) else text


def _title(group: dict[str, Any], path: Path, tags: dict[str, str]) -> str:
    told = group.get("titles", {}).get(path.stem) or _clean(tags.get("title", ""))
    if told:
        return told
    name = path.stem.removeprefix(group.get("strip", ""))
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|[_\s-]+", " ", name).split()
    return " ".join(word[:1].upper() + word[1:] for word in words)


def slug(text: str) -> str:
    """Text as a name of lower-case letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain.replace("'", "")).strip("_")


def _named(works: list[Work]) -> list[Work]:
    """The same works, each with an id: its title, and its author where that is not enough."""
    short = [work.id or slug(re.sub(r"\(.*?\)|,.*", "", work.title)) for work in works]
    ids = dict.fromkeys(clip_names(), 1)
    named = []
    for work, name in zip(works, short, strict=True):
        if short.count(name) > 1 or len(name) < 4 or name in clip_names():
            name = f"{name}_{slug(work.author.split(' (')[0] or work.package)}"
        ids[name] = ids.get(name, 0) + 1
        named.append(replace(work, id=name if ids[name] == 1 else f"{name}_{ids[name]}"))
    return named


def choose_corpus(works: Iterable[Work]) -> list[Work]:
    """At most so many recordings of one source, drawn by lot; in the order in which they came."""
    works = list(works)
    random = np.random.default_rng(SEED)
    kept: set[str] = set()
    for source in dict.fromkeys(work.source for work in works):
        theirs = [work.id for work in works if work.source == source]
        most = MOST_OF_PLAYERS if any(work.people for work in works
                                      if work.source == source) else MOST_OF_A_SOURCE
        kept.update(random.permutation(theirs)[:most].tolist())
    return [work for work in works if work.id in kept]


def write_works(works: Iterable[Work], file: Path = MANIFEST) -> None:
    """Write the manifest, one recording in a line."""
    lines = [json.dumps(asdict(work), ensure_ascii=False) for work in works]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


@cache
def read_works(file: Path = MANIFEST) -> tuple[Work, ...]:
    """The recordings of the corpus, as the manifest has them."""
    entries = json.loads(file.read_text(encoding="utf-8"))
    return tuple(Work(**entry | {"files": tuple(entry["files"]),
                                 "sha256": tuple(entry["sha256"])}) for entry in entries)


def check_works(works: Iterable[Work], place: Path = PLACE) -> None:
    """Raise InputError if a file is not what it was when the manifest was written."""
    for work in works:
        for path, digest in zip(work.paths(place), work.sha256, strict=True):
            if not path.is_file() or sha256(path) != digest:
                raise InputError(f"The file {path.name} of {work.package} is not there or not "
                                 "what it was: fetch the packages again.")
