"""What a chapter's outputs depend on, as one key: by content, never by date.

A key covers the chapter's source, the parameters, the recording (its content and its name, which
pages show), the corpus, data/, the released weights, the helpers that the chapter imports, files
of book/ that it may read, Python, and the version of every installed package.
"""

import ast
import platform
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inside_musicnn import HOMES
from inside_musicnn.checksums import content, digest, files_of, sha256
from inside_musicnn.errors import InputError
from inside_musicnn.sound.clips import DATA
from making.running.chapters import Page, read_notebook

FORMAT = 1  # counts up when the way in which chapters are executed or kept changes
CODE = Path(__file__).resolve().parents[2]
PACKAGES = ("helpers", "inside_musicnn")  # of what chapters import
MACHINERY = "making.running.starting"  # executes chapters, makes them tidy; with what it imports
NOT_READ = ("_generated", "_static", "__pycache__")
PROSE = ("%%say", "%%alt")  # cells of text, which import nothing
PAGES = (".ipynb", ".md", ".bib")


class Fingerprints:
    """Keys of one book's chapters; what they share is read once."""

    def __init__(self, root: Path):
        self.root = root
        self._paths: dict[Path, str] = {}

    def key(self, page: Page, parameters: dict, file: Path | None = None) -> str:
        """The key of one chapter.

        Args:
            page: the chapter.
            parameters: those that it has, with their values in this run.
            file: the audio file.

        Raises:
            InputError: a file that counts cannot be read.
        """
        code = [cell.source for cell in read_notebook(self.root / page.file).cells
                if cell.cell_type == "code"]
        imported = imported_code(code)
        try:
            parts = self._shared | {
                "chapter": [page.file.as_posix(), sha256(self.root / page.file)],
                "parameters": {name: self._content(name, value, file)
                               for name, value in parameters.items()},
                "imported": _checksums(imported),
                "files": self._book_files(code, imported),
            }
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from None
        return digest(parts)

    @cached_property
    def software(self) -> list[str]:
        """Python, the system, and every installed package, with versions."""
        packages = sorted({f"{each.name}=={each.version}" for each in distributions()})
        return [platform.python_version(), platform.system(), platform.machine(), *packages]

    @cached_property
    def _shared(self) -> dict:
        package = package_folder("musicnn")
        return {
            "format": FORMAT,
            "software": self.software,
            "musicnn": content(package) if package else "",
            "data": content(DATA, without=(".py", ".md")),
            "machinery": _checksums(imported_code([f"import {MACHINERY}"], ("making",))),
            "other files": [content(CODE / name, without=(".py",)) for name in PACKAGES],
        }

    def _content(self, name: str, value: Any, file: Path | None) -> Any:
        """A parameter's value; of a path, what stands there and its name, not where it is."""
        if name == "audio" and file is not None:
            return self._path([Path(str(value)).name, file.name], file)
        if name == "corpus" and value is not None:
            return self._path([Path(value).name], Path(value))
        return value

    def _path(self, names: list[str], path: Path) -> list:
        if path not in self._paths:
            self._paths[path] = content(path) if path.is_dir() else sha256(path)
        return [*names, self._paths[path]]

    def _book_files(self, code: list[str], imported: set[Path]) -> dict:
        """Files of book/ beside the pages, and those pages that the code names."""
        text = "\n".join([*code, *(each.read_text(encoding="utf-8") for each in imported)])
        book = self.root / "book"
        return {
            each.relative_to(book).as_posix(): sha256(each) for each in files_of(book)
            if each.name in text or not (
                each.suffix in PAGES or each.relative_to(book).parts[0] in NOT_READ)
        }


def package_folder(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _checksums(files: set[Path]) -> dict:
    return {each.relative_to(CODE).as_posix(): sha256(each) for each in sorted(files)}


def imported_code(code: list[str], packages: Sequence[str] = PACKAGES) -> set[Path]:
    """Files of our packages that code imports, directly or through each other; all if in doubt."""
    found, waiting = set(), [source for source in code if not source.startswith(PROSE)]
    while waiting:
        source = waiting.pop()
        try:
            names = _imported(source)
        except SyntaxError:  # a magic command of IPython, for instance
            return _all_of(packages)
        if "import_module(HOMES" in source:  # the library's own lazy imports: see _imported
            continue
        if "import_module(" in source or "__import__(" in source or "%run" in source:
            return _all_of(packages)
        new = {file for name in names if (file := _file(name, packages)) and file not in found}
        found |= new
        waiting += [file.read_text(encoding="utf-8") for file in new]
    return found


def _all_of(packages: Sequence[str]) -> set[Path]:
    return {file for name in packages for file in (CODE / name).rglob("*.py")}


def _imported(source: str) -> set[str]:
    """Dotted names that the source imports; what a package's import runs is among them."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    names |= {f"inside_musicnn{HOMES[name]}" for whole in names
              if (name := whole.removeprefix("inside_musicnn.").removeprefix("helpers.")) in HOMES}
    return names | {package for name in names for package in _packages(name)}


def _packages(name: str) -> list[str]:
    """The packages around a module: of a.b.c, a and a.b."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _file(name: str, packages: Sequence[str]) -> Path | None:
    """The file of one of the packages with this dotted name."""
    package, *path = name.split(".")
    if package not in packages:
        return None
    place = CODE.joinpath(package, *path)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file if file.is_file() else None
