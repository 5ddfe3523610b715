"""The house: which package imports which, how thin `helpers` is, and that pages are files."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

PACKAGES = ("inside_musicnn", "helpers", "making")
MAY_IMPORT = {"inside_musicnn": {"inside_musicnn"}, "helpers": {"helpers", "inside_musicnn"},
              "book": {"helpers", "inside_musicnn"}, "making": set(PACKAGES)}
HEAVY = {"tensorflow", "tf_keras", "pandas", "IPython", "ipykernel", "matplotlib", "librosa",
         "nbformat", "papermill", "sphinx"}
ROOMS = {"inside_musicnn", "helpers", "making", "book", "data", "tests", ".ci", ".binder"}
THIN = 2600  # lines of code in helpers
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
           tokenize.ENDMARKER}
TAGS = 2  # of HTML in a Python string


def modules():
    """Every module of the three packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported(nodes):
    """Dotted names that these nodes import; of `from a import b` both a and a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_once(body):
    """The nodes that run when a module is imported."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ("body", "orelse", "finalbody", "handlers"):
                yield from at_once(getattr(node, inner, []))


def wrong_ways(package, code):
    """The packages of ours that code imports although it lies in `package`."""
    ours = {name.split(".")[0] for name in imported(ast.walk(code))} & set(PACKAGES)
    return ours - MAY_IMPORT[package]


def test_imports_go_one_way():
    wrong = {name: ways for name, file in modules().items()
             if (ways := wrong_ways(name.split(".")[0], parsed(file)))}
    for file in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "code" and not cell.source.startswith("%%"):
                if ways := wrong_ways("book", ast.parse(cell.source)):
                    wrong[file.name] = ways
    assert wrong == {}
    assert wrong_ways("helpers", ast.parse("def f():\n    import making.running")) == {"making"}


def circle(known):
    """Modules that import one another in a circle when they are imported; None if none do."""
    graph = {}
    for name, tree in known.items():
        graph[name] = {each for each in imported(at_once(tree.body))
                       if each in known and each != name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_imports_hold_no_circle():
    assert circle({name: parsed(file) for name, file in modules().items()}) is None
    lines = {"a": "import b", "b": "try:\n    from c import x\nfinally:\n    pass",
             "c": "def late():\n    import a"}
    assert circle({name: ast.parse(code) for name, code in lines.items()}) is None
    lines["c"] = "class C:\n    from a import y"
    assert circle({name: ast.parse(code) for name, code in lines.items()}) is not None


def test_the_library_imports_what_is_heavy_only_where_a_function_needs_it():
    found = {name: heavy for name, file in modules().items() if name.startswith("inside_musicnn")
             if (heavy := {each.split(".")[0] for each in imported(at_once(parsed(file).body))}
                 & HEAVY)}
    assert found == {}


@pytest.mark.parametrize("code", [
    "import inside_musicnn", "from inside_musicnn import load_clip",
    "from inside_musicnn import load_clip; load_clip('disco', duration=4).patches()",
    "from inside_musicnn.commands.main import main"])
def test_the_library_begins_light(code):
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
                          cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_few_rooms_at_the_top():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout of git")
    rooms = {Path(line).parts[0] for line in listed.stdout.splitlines() if "/" in line}
    assert rooms <= ROOMS


def lines_of_code(file):
    """How many lines hold code: not blank, not a comment, not a docstring."""
    source = file.read_text(encoding="utf-8")
    documented = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
                node) is not None:
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            found |= set(range(token.start[0], token.end[0] + 1))
    return len(found - documented)


def test_helpers_are_thin():
    lines = {file: lines_of_code(file) for name, file in modules().items()
             if name.startswith("helpers")}
    largest = sorted(((count, file.name) for file, count in lines.items()), reverse=True)
    assert sum(lines.values()) <= THIN, largest


# Pages are files

def strings(tree):
    """The string constants of a module, docstrings aside; of an f-string its constant parts."""
    documented = {id(node.body[0].value) for node in ast.walk(tree)
                  if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                  and node.body and isinstance(node.body[0], ast.Expr)}
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            inside |= set(map(id, parts))
            yield node.lineno, "\0".join(part.value for part in parts)
    for node in ast.walk(tree):
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                and id(node) not in documented | inside):
            yield node.lineno, node.value


def page_in(text):
    """Whether a string is HTML of more than a tag or two, a style sheet or a script."""
    tags = re.findall(r"</?[a-zA-Z][^<>\0]*[>\0]", text)
    style = re.search(r"\{[^{}]*[a-z-]+\s*:[^{}]*;[^{}]*\}", text)
    script = re.search(r"document\.|addEventListener|=>\s*\{|\bfunction\b[^)]*\)\s*\{", text)
    return len(tags) > TAGS or style is not None or script is not None


def test_pages_styles_and_scripts_are_files():
    found = [f"{name}, line {line}" for name, file in modules().items()
             for line, text in strings(parsed(file)) if page_in(text)]
    assert found == []
    for text in ("<p><b>x</b></p>", "p {color: red; top: 0}", "document.title",
                 "f(x => {x})", "function f(x) {}"):
        assert page_in(text)
    for text in ("<script>", "a {x: 1} b", "<b>bold</b>", "a => b", "in a function (of x)"):
        assert not page_in(text), text
