"""The chapters as files: which there are, their parameters, and whether they have outputs."""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

from inside_musicnn.errors import InputError, RunError
from inside_musicnn.file_names import as_text

NOT_RUN = (
    ":::{note}\nThis chapter was not run when this site was made, so its figures and numbers "
    "are missing here.\n:::"
)
PARAMETERS = ("parameters", "chapter-parameters")  # tags: the same in all; of one chapter alone
ALT = "%%alt"  # begins a cell that computes the alternative text of the next figure
INJECTED = "# Given when this site was made, in place of the values above:"


@dataclass(frozen=True)
class Page:
    """One page of the book: its file, relative to the project's root."""

    file: Path

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def number(self) -> str | None:
        """The chapter's number, taken from its file name: "2" for 02_architecture."""
        match = re.match(r"0*(\d+)_", self.name)
        return match.group(1) if match else None

    @property
    def is_chapter(self) -> bool:
        """Whether it is a notebook, and so executed."""
        return self.file.suffix == ".ipynb"


def read_pages(root: Path) -> list[Page]:
    """All pages of the book in the order of `_toc.yml`, notebooks and Markdown.

    Raises:
        InputError: no or a malformed `_toc.yml`, or a page without a file.
    """
    toc = root / "_toc.yml"
    try:
        documents = list(parse_toc_yaml(toc))
    except FileNotFoundError:
        raise InputError(f"There is no _toc.yml in {root}, so it is not a book.") from None
    except MalformedError as error:
        raise InputError(f"{toc} cannot be read: {error}") from None
    return [Page(_source(root, document)) for document in documents]


def _source(root: Path, document: str) -> Path:
    for suffix in (".ipynb", ".md"):
        file = Path(document).with_name(Path(document).name + suffix)
        if (root / file).is_file():
            return file
    raise InputError(f"_toc.yml names {document}, but there is no {document}.ipynb or .md.")


def choose(pages: list[Page], wanted: str | None) -> list[Page]:
    """The chapters to execute: all, or those that `wanted` lists by number or name ("1,layers").

    Raises:
        InputError: an unknown chapter, with the valid ones; or an empty list.
    """
    chapters = [page for page in pages if page.is_chapter]
    if wanted is None:
        return chapters
    known = {page.name: page for page in chapters}
    known |= {page.number: page for page in chapters if page.number}
    asked = [re.sub(r"^0+(?=\d+$)", "", word.strip()) for word in wanted.split(",")]
    unknown = [word for word in asked if word not in known]
    if unknown:
        names = ", ".join(page.name for page in chapters)
        raise InputError(f"There is no chapter '{unknown[0]}'; choose from {names}, by name or "
                         "number, with commas between.")
    picked = {known[word] for word in asked}
    return [page for page in chapters if page in picked]


def read_notebook(file: Path) -> nbformat.NotebookNode:
    """A notebook; raises InputError if it is not one."""
    try:
        return nbformat.read(file, as_version=4)
    except Exception as error:  # nbformat raises its own errors and those of json
        raise InputError(f"{file} is not a notebook: {error}") from None


def tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def defaults(notebook: nbformat.NotebookNode) -> dict:
    """Names and values that the notebook's parameters cells assign.

    Cells tagged `parameters` have what all chapters share; `chapter-parameters`, before it, what
    one chapter has for itself. Given values are injected after `parameters`, so they win.
    """
    values = {}
    for cell in notebook.cells:
        if not any(tagged(cell, tag) for tag in PARAMETERS):
            continue
        for line in ast.parse(cell.source).body:
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                values[line.targets[0].id] = ast.literal_eval(line.value)
            elif (isinstance(line, ast.AnnAssign) and line.value is not None
                  and isinstance(line.target, ast.Name)):
                values[line.target.id] = ast.literal_eval(line.value)
    return values


def shared_defaults(root: Path, pages: list[Page]) -> tuple[dict, dict]:
    """Defaults per chapter, and all of them together.

    Raises:
        InputError: a parameters cell that is not plain assignments, or two chapters that differ.
    """
    each: dict[str, dict] = {}
    together: dict[str, Any] = {}
    first: dict[str, str] = {}  # who gave a default
    for page in pages:
        try:
            each[page.name] = defaults(read_notebook(root / page.file))
        except (SyntaxError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The parameters cell of {page.file} must assign plain values: "
                             f"{error}.") from None
        for name, value in each[page.name].items():
            if together.setdefault(name, value) != value:
                raise InputError(f"The chapters disagree on the default of {name}: {page.name} has "
                                 f"{value!r}, {first[name]} has {together[name]!r}.")
            first.setdefault(name, page.name)
    return each, together


def tidy(file: Path, paths: Iterable[str] = ()) -> None:
    """Take out of an executed chapter what tells only of the machine that ran it.

    Where the parameters name a file or folder by its full path, one of `paths`, the page shows its
    name alone.
    """
    notebook = read_notebook(file)
    notebook.metadata.pop("papermill", None)
    _set_alternative_texts(notebook)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if tagged(cell, "injected-parameters"):
            cell.source = cell.source.replace("# Parameters", INJECTED, 1)
            for path in paths:
                cell.source = cell.source.replace(_written(path), json.dumps(
                    as_text(Path(path).name), ensure_ascii=False))
    nbformat.write(notebook, file)


def _set_alternative_texts(notebook: nbformat.NotebookNode) -> None:
    """Give the figure after each cell of alternative text what that cell has computed."""
    text = None
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if cell.source.startswith(ALT):
            text = " ".join(output.data["text/plain"] for output in cell.outputs
                            if "data" in output)
            cell.outputs = []
        elif text is not None:
            cell.metadata.setdefault("mystnb", {}).setdefault("image", {})["alt"] = text
            text = None


def _written(text: str) -> str:
    """`text` as papermill writes it into a cell."""
    from papermill.translators import PythonTranslator

    return PythonTranslator.translate(text)


def mark_as_not_run(file: Path) -> None:
    """Give a chapter that is left out a note that says so, and no outputs."""
    notebook = read_notebook(file)
    notebook.metadata.setdefault("language_info", {"name": "python"})["pygments_lexer"] = "ipython3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    has_title = notebook.cells and notebook.cells[0].cell_type == "markdown"
    notebook.cells.insert(1 if has_title else 0, nbformat.v4.new_markdown_cell(NOT_RUN))
    nbformat.write(notebook, file)


def check_outputs(file: Path) -> None:
    """Raise RunError if an executed chapter shows nothing, or shows an error."""
    shown = 0
    for number, cell in enumerate(read_notebook(file).cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise RunError(f"{file.stem} shows an error in cell {number}: "
                                 f"{output.ename}: {output.evalue}")
            data = output.get("data", {})
            shown += bool(output.get("text") or any(
                kind.startswith(("image/", "text/")) and content for kind, content in data.items()
            ))
    if not shown:
        raise RunError(f"{file.stem} has no output at all: none of its cells shows an image, "
                         "text or HTML.")
