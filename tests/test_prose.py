"""The chapters as sources: prose is text, computation is visible, cells are in their order."""

import ast
import builtins
import re
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from jinja2 import Environment, meta

from helpers.page.say import ALT, DELIMITERS, SAY
from helpers.page.values import FILTERS
from making.running.chapters import read_pages

CHAPTERS = [ROOT / page.file for page in read_pages(ROOT) if page.is_chapter]
MOST = 0.03  # share of the book's words that may stand in Python strings
SPEAKING = ["helpers/page", "helpers/evidence", "making/running/manifest.py",
            "making/running/title_page.py", "making/running/several.py"]
SHORT = 3  # a string of more words is no name
LABELLED = {"label", "title", "xlabel", "ylabel"}  # arguments
LABELLING = {"set", "set_title", "set_xlabel", "set_ylabel", "set_label", "suptitle", "text",
             "annotate", "legend", "colorbar", "players", "player", "table"}  # functions
HIDDEN = {"remove-input", "hide-input", "remove-cell", "hide-cell"}  # a reader does not see them
SOLUTION = "hide-cell"  # for itself, it may define things
TEXT = (SAY, ALT)
STORY = 30  # words before the first import

every_chapter = pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.stem)


def read(file):
    """The cells of a chapter but for its set-up cell, which a program writes."""
    cells = nbformat.read(file, as_version=4).cells
    return [cell for cell in cells if "set-up" not in tags(cell)]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def is_text(cell):
    return cell.cell_type == "markdown" or cell.source.startswith(TEXT)


def is_code(cell):
    return cell.cell_type == "code" and not is_text(cell)


def parsed(cell):
    """The tree of a code cell, lines of magics and shells left out."""
    lines = ["pass" if line.lstrip().startswith(("%", "!")) else line
             for line in cell.source.splitlines()]
    return ast.parse("\n".join(lines))


def imports(cell):
    return (node for node in ast.walk(parsed(cell))
            if isinstance(node, ast.Import | ast.ImportFrom))


def words(text):
    """How many words a text has: names of code, formulas and numbers are none."""
    text = re.sub(r"\$[^$]*\$|`[^`]*`|<<.*?>>|<%.*?%>|\]\([^)]*\)|\{[a-z-]+\}", " ", text,
                  flags=re.S)
    return sum(re.fullmatch(r"[(\[*\"'“‘]*[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’-]*[)\]*\"'”’.,;:!?]*", each)
               is not None for each in text.split())


def labels(tree):
    """What names a column, an axis, a curve, a player: keys, and arguments of what draws."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from filter(None, node.keys)
        if isinstance(node, ast.keyword) and node.arg in LABELLED:
            yield node.value
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in LABELLING:
                yield from [*node.args, *(each.value for each in node.keywords)]


def strings(tree, left_out=()):
    """The string constants of code; an f-string is one. Docstrings and errors' are left out."""
    left_out = {id(each) for node in left_out for each in ast.walk(node)}
    for node in ast.walk(tree):
        if (isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
                and isinstance(node.body[0], ast.Expr)):
            left_out.add(id(node.body[0].value))
        if isinstance(node, ast.Raise):
            left_out |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside = [each for each in node.values if isinstance(each, ast.Constant)]
            if id(node) not in left_out:
                yield " 0 ".join(each.value for each in inside)
            left_out |= set(map(id, inside))
    for node in ast.walk(tree):
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                and id(node) not in left_out):
            yield node.value


def words_in_strings(tree, left_out=()):
    """Words in the strings of code that are longer than a short name."""
    return sum(count for text in strings(tree, left_out) if (count := words(text)) > SHORT)


def test_words_and_strings_are_counted():
    text = "The *input* of `cnn_1/out` has $n$ rows, << count >> of 96: (see [a link](a.md))."
    assert words(text) == 9
    code = """
'''Not this.'''
def f(x):
    '''Nor this.'''
    raise InputError(f'nor {x} this')
say(f'but this {1} here', 'cnn_1/norm')
"""
    assert list(strings(ast.parse(code))) == ["but this  0  here", "cnn_1/norm"]
    tree = ast.parse("ax.set_title('mean of it')\ntable({'a title': ['a cell']})\nplot(label='x y')"
                     "\nkeep = {'a key': 'a value'}")
    assert list(strings(tree, labels(tree))) == ["a value"]


def test_prose_is_text():
    """Strings of code hold names, labels of figures and cells of tables, and few other words."""
    chapters = [read(file) for file in CHAPTERS]
    text = sum(words(cell.source) for cells in chapters for cell in cells if is_text(cell))
    text += sum(words(file.read_text(encoding="utf-8")) for file in (ROOT / "book").glob("*.md"))
    coded = {}
    for file, cells in zip(CHAPTERS, chapters, strict=True):
        trees = [parsed(cell) for cell in cells if is_code(cell)]
        coded[file.stem] = sum(words_in_strings(tree, labels(tree)) for tree in trees)
    for place in SPEAKING:
        files = [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py")
        for file in files:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            coded[file.relative_to(ROOT).as_posix()] = words_in_strings(tree)
    most = sorted(coded.items(), key=lambda item: -item[1])[:8]
    assert sum(coded.values()) < MOST * text, f"{sum(coded.values())} of {text} words; most: {most}"


# Hidden cells

class Names(ast.NodeVisitor):
    """Which names code reads before it has bound them itself, and which it binds, in its order."""

    def __init__(self):
        self.read, self.bound = set(), set()

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.read |= {node.id} - self.bound
        else:
            self.bound.add(node.id)

    def visit_Assign(self, node):
        self._visit(node.value, *node.targets)

    def visit_AnnAssign(self, node):
        self._visit(node.value, node.target)

    def visit_AugAssign(self, node):
        if isinstance(node.target, ast.Name):
            self.read |= {node.target.id} - self.bound
        self._visit(node.value, node.target)

    def visit_NamedExpr(self, node):
        self._visit(node.value, node.target)

    def visit_For(self, node):
        self._visit(node.iter, node.target, *node.body, *node.orelse)

    def visit_alias(self, node):
        self.bound.add((node.asname or node.name).split(".")[0])

    def _function(self, node):
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)
        inner = Names()
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs,
                 node.args.vararg, node.args.kwarg]
        inner.bound = {each.arg for each in every if each}
        inner._visit(*(node.body if isinstance(node.body, list) else [node.body]))
        self.read |= inner.read - self.bound

    def visit_FunctionDef(self, node):
        self._visit(*node.decorator_list)
        self.bound.add(node.name)
        self._function(node)

    def visit_ClassDef(self, node):
        self._visit(*node.decorator_list, *node.bases)
        inner = Names()
        inner._visit(*node.body)
        self.read |= inner.read - self.bound
        self.bound.add(node.name)

    def visit_Lambda(self, node):
        self._function(node)

    def _comprehension(self, node):
        inner = Names()
        for part in node.generators:
            inner._visit(part.iter, part.target, *part.ifs)
        inner._visit(*(getattr(node, name) for name in ("key", "value", "elt")
                       if hasattr(node, name)))
        self.read |= inner.read - self.bound

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _visit(self, *nodes):
        for node in filter(None, nodes):
            self.visit(node)


def names(cell):
    """Names that a cell reads from those before it, and names that it binds."""
    if cell.source.startswith(TEXT):
        template = cell.source.split("\n", 1)[-1]
        environment = Environment(**DELIMITERS)
        environment.filters |= FILTERS
        return meta.find_undeclared_variables(environment.parse(template)), set()
    found = Names()
    found.visit(parsed(cell))
    return found.read - set(dir(builtins)), found.bound


def read_from_hidden(cells):
    """What later cells read although a hidden cell has assigned it: (number of the cell, name).

    A solution may go on from another solution, and its folded sentence tells what it found.
    """
    hidden, found = {}, []
    for number, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        read, bound = names(cell)
        found += [(number, name) for name in sorted(read & hidden.keys())
                  if not (tags(cell) & {SOLUTION, "hide-output"} and hidden[name] == SOLUTION)]
        for name in bound:
            hidden.pop(name, None)
            if how := tags(cell) & HIDDEN:
                hidden[name] = min(how)
    return found


def test_names_are_followed_in_their_order():
    def found(code):
        read, bound = names(nbformat.v4.new_code_cell(code))
        return sorted(read), sorted(bound)

    assert found("fig, ax = plt.subplots()\nfor a in x:\n    ax.plot(a)") == (
        ["plt", "x"], ["a", "ax", "fig"])
    assert found("def f(a, b=c):\n    d = a + e\n    return d") == (["c", "e"], ["f"])
    assert found("y = [a * k for a in z if a]\nn += 1\n(lambda q: q + w)(y)") == (
        ["k", "n", "w", "z"], ["n", "y"])
    assert found("import a.b as c, d.e\nwith open(c) as g:\n    print(g, d)") == (
        [], ["c", "d", "g"])
    assert found("%%say\n<< x | digits(2) >><% for y in z %><< y >><% endfor %>")[0] == ["x", "z"]
    cells = [nbformat.v4.new_code_cell(code, metadata={"tags": tagged}) for code, tagged in [
        ("a = 1", []), ("b, fig = 2, 3", ["hide-input"]), ("fig = a; fig", []), ("a + b", []),
        ("c = 1", ["hide-cell"]), ("c", ["hide-cell"]), ("%%say\n<< c >>", ["remove-input"])]]
    assert read_from_hidden(cells) == [(3, "b"), (6, "c")]


@every_chapter
def test_hidden_cells_assign_nothing_that_is_read_later(file):
    assert read_from_hidden(read(file)) == []


@every_chapter
def test_hidden_cells_define_no_function(file):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [cell.source for cell in read(file) if is_code(cell)
             and tags(cell) & (HIDDEN - {SOLUTION})
             and any(isinstance(node, functions) for node in ast.walk(parsed(cell)))]
    assert found == []


# Cells of text

@every_chapter
def test_text_is_hidden_as_input_and_alternative_text_stands_before_its_figure(file):
    cells = read(file)
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if cell.source.startswith(SAY):
            # A solution's sentence is folded with "hide-output".
            assert tags(cell) - {"hide-output"} == {"remove-input"}, cell.source
        if cell.source.startswith(ALT):
            assert tags(cell) == {"remove-cell"}, cell.source
            assert following is not None and is_code(following), cell.source
            assert "alt" not in following.metadata.get("mystnb", {}).get("image", {}), cell.source


@every_chapter
def test_no_value_stands_inside_backticks(file):
    found = [span.group() for cell in read(file) if cell.source.startswith(TEXT)
             for span in re.finditer(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", cell.source)
             if "<<" in span.group(2)]
    assert found == []


@every_chapter
def test_the_story_begins_before_the_imports(file):
    cells, story = read(file), 0
    for cell in cells:
        if is_text(cell):
            story += words(cell.source)
        elif not tags(cell) & HIDDEN and list(imports(cell)):
            break
    assert story >= STORY


def test_the_parameters_are_the_same_in_all_chapters():
    trees = []
    for file in CHAPTERS:
        (cell,) = [cell for cell in read(file) if "parameters" in tags(cell)]
        trees.append(ast.dump(parsed(cell)))  # but for its comments
    assert len(set(trees)) == 1


def test_lines_of_chapters_are_as_wide_as_the_page(tmp_path):
    """`test_style.py` runs the linter on all; this is that it sees notebooks, and their width."""
    code = "x = 1  # " + "x" * 79
    assert len(code) == 88
    cells = [code, code + "x", "%%say\n" + "long " * 40]
    file = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), file)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise",
         "--config", str(ROOT / "book" / "ruff.toml"), str(file)], capture_output=True, text=True)
    assert re.findall(r"cell (\d+).*E501", done.stdout) == ["2"], done.stdout
