"""The Debian packages that hold the music: fetched, checked, unpacked aside.

`packages.yml` says which ones, and what their papers say about the music. Nothing is installed:
a package is an archive that is opened into a folder of its own.
"""

import gzip
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from inside_musicnn.checksums import sha256
from inside_musicnn.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "_runs" / "packages"  # where packages are kept, unless another folder is named
LIST = Path(__file__).with_name("packages.yml")
AUDIO = (".ogg", ".opus", ".mp3", ".wav", ".flac")


@dataclass(frozen=True)
class Licence:
    """Under which terms music may be used.

    Attributes:
        name: SPDX's, where it has one.
        link: to its text; "" where the text is in the package alone.
        ship: whether excerpts may stand in this repository and on its site.
    """

    name: str
    link: str
    ship: bool


@dataclass(frozen=True)
class Package:
    """One Debian package, as `packages.yml` has it.

    Attributes:
        name, version: what apt-get is asked for.
        architecture: "all", or the processor that the checksum is for: for others the package is
            another file, with the same music in it.
        sha256: of the package's file.
        papers: the file inside that says under which licence the music is.
        unzip: an archive inside that is unpacked, too, or "".
        works: groups of works, each a dict with the fields of `packages.yml`, the package's
            own fields filled in.
    """

    name: str
    version: str
    architecture: str
    sha256: str
    papers: str
    unzip: str
    works: tuple[dict[str, Any], ...]

    @property
    def file_name(self) -> str:
        """What apt-get calls the file that it downloads."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


@cache
def _listed() -> dict[str, Any]:
    return yaml.safe_load(LIST.read_text(encoding="utf-8"))


@cache
def licences() -> dict[str, Licence]:
    """Every licence by its name."""
    return {name: Licence(name, **entry) for name, entry in _listed()["licences"].items()}


@cache
def packages() -> dict[str, Package]:
    """Every package by its name."""
    found = {}
    for name, entry in _listed()["packages"].items():
        own = {key: value for key, value in entry.items() if key not in (
            "version", "architecture", "sha256", "papers", "unzip", "works")}
        works = tuple(own | group for group in entry["works"])
        found[name] = Package(name, str(entry["version"]), entry.get("architecture", "all"),
                              entry["sha256"], entry["papers"], entry.get("unzip", ""), works)
    return found


def folder_of(package: Package, place: Path = PLACE) -> Path:
    """Where a package lies unpacked."""
    return place / "files" / package.name


def have(place: Path = PLACE, names: Iterable[str] | None = None) -> bool:
    """Whether all packages, or the named ones, lie unpacked at `place`."""
    return all(folder_of(package, place).is_dir() for package in packages().values()
               if names is None or package.name in names)


def fetch(place: Path = PLACE, say=print) -> None:
    """Download, check and unpack every package that is not at `place` yet.

    Raises:
        InputError: this is not Debian, a package cannot be had, or one is not what it was.
    """
    archives = place / "debs"
    archives.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages().values()
               if not folder_of(package, place).is_dir()]
    for number, package in enumerate(missing, 1):
        say(f"[{number}/{len(missing)}] {package.name} {package.version}")
        if not _archives(package, archives):
            _download(package, archives)
        archive = _archives(package, archives)[0]
        _check_archive(package, archive)
        _unpack(package, archive, folder_of(package, place))
    for package in packages().values():
        check_papers(package, place)


def _download(package: Package, archives: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise InputError("The packages are Debian's: fetch them where apt-get and dpkg-deb are "
                         "installed, and name the folder with --packages.")
    done = subprocess.run(["apt-get", "download", f"{package.name}={package.version}"],
                          cwd=archives, capture_output=True, text=True)
    if done.returncode or not _archives(package, archives):
        reason = " ".join(done.stderr.split()[-40:]) or "no file came"
        raise InputError(f"apt-get could not download {package.name} {package.version} (after "
                         f"'apt-get update' it should): {reason}")


def _archives(package: Package, archives: Path) -> list[Path]:
    """The package's file, for whichever processor."""
    any_processor = package.file_name.removesuffix(f"{package.architecture}.deb") + "*.deb"
    return sorted(archives.glob(any_processor))


def _check_archive(package: Package, archive: Path) -> None:
    if archive.name == package.file_name and sha256(archive) != package.sha256:
        raise InputError(f"The file {archive.name} is not the package that the book was made "
                         "with: its checksum differs. Remove it and fetch again.")


def _unpack(package: Package, archive: Path, folder: Path) -> None:
    """Open the package into `folder`; it is there when it is complete."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    subprocess.run(["dpkg-deb", "-x", archive, aside], check=True, stdout=sys.stderr)
    if package.unzip:
        with zipfile.ZipFile(aside / package.unzip) as inner:
            wanted = [name for name in inner.namelist() if Path(name).suffix.lower() in AUDIO]
            inner.extractall(aside / f"{package.unzip}.d", wanted)
    aside.rename(folder)


def check_papers(package: Package, place: Path = PLACE) -> None:
    """Raise InputError if the package's papers no longer say what `packages.yml` has of them."""
    text = _words(read_papers(package, place))
    for group in package.works:
        if _words(group["says"]) not in text:
            raise InputError(f"The papers of {package.name} do not say '{group['says']}'; read "
                             f"{package.papers} again.")


def read_papers(package: Package, place: Path = PLACE) -> str:
    """The text in which the package says under which licence the music is."""
    raw = (folder_of(package, place) / package.papers).read_bytes()
    if package.papers.endswith(".gz"):
        raw = gzip.decompress(raw)
    return raw.decode("utf-8", "replace")


def _words(text: str) -> str:
    return " ".join(text.split())
