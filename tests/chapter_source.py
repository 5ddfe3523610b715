"""What a chapter defines, taken from its source, so that tests test what a reader runs."""

import ast
from pathlib import Path

import nbformat
import numpy as np

BOOK = Path(__file__).resolve().parent.parent / "book"


def from_chapter(chapter, name, **known):
    """A function or constant that a chapter defines at top level, run with numpy and `known`."""
    for cell in nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4).cells:
        if cell.cell_type != "code" or cell.source.startswith("%%"):  # text
            continue
        for node in ast.parse(cell.source).body:
            targets = [target.id for target in getattr(node, "targets", [])
                       if isinstance(target, ast.Name)]
            if getattr(node, "name", None) == name or name in targets:
                space = {"np": np, **known}
                exec(compile(ast.Module([node], []), f"{chapter}.ipynb", "exec"), space)
                return space[name]
    raise AssertionError(f"chapter {chapter} does not define {name}")
