"""Sentences with values: filters, what `%%say` escapes and refuses, how it gets into the page."""

import json

import nbformat
import numpy as np
import papermill
import pytest
from bs4 import BeautifulSoup
from conftest import PARAMETERS, ROOT, write_chapter
from jupyter_client.kernelspec import KernelSpecManager
from markdown_it import MarkdownIt
from nbclient import NotebookClient

from helpers.page.say import OURS, render
from helpers.page.values import FILTERS, Markdown, code, table
from inside_musicnn.errors import InputError, RunError
from making.running.chapters import tidy
from making.running.run import build

SPACE = "\N{NO-BREAK SPACE}"
EVIL = ("<script>alert(1)</script> *b* `c` [a](b) | $x$ {cite}`x` &amp; <<1>> \\ _u_ "
        "\u202e\x1b\udcff")


def as_page(text):
    """What a reader sees of Markdown, and the names of its HTML elements."""
    page = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(text), "html.parser")
    return page.get_text().strip(), {tag.name for tag in page.find_all()}


# Filters

@pytest.mark.parametrize(("text", "shown"), [
    ("<< 'a*' | plain >>", "a&#42;"),
    ("<< 796154 >>", "796154"),
    ("<< 796154 | grouped >>", "796,154"),
    ("<< 62.0 | grouped >>", "62"),
    ("<< 0.25 | percent >>", "25%"),
    ("<< -0.001 | percent >>", "0%"),
    ("<< 0.2555 | percent(1) >>", "25.6%"),
    ("<< 2 | digits(1) >>", "2.0"),
    ("<< -0.001 | digits(2) >>", "0.00"),
    ("<< -0.001 | signed(2) >>", "0.00"),
    ("<< 0.25 | signed(2) >>", "+0.25"),
    ("<< 0.01234 | significant >>", "0.012"),
    ("<< 99.96 | significant(2) >>", "100"),
    ("<< 123456.7 | significant(2) >>", "123457"),
    ("<< 0.0000123 | significant(2) >>", f"1.2{SPACE}·{SPACE}10⁻⁵"),
    ("<< -4000000 | significant(1) >>", f"-4{SPACE}·{SPACE}10⁶"),
    ("<< 0 | significant >>", "0"),
    ("<< none_at_all | significant >>", "nan"),
    ("<< 1e-5 | power_of_ten >>", f"1{SPACE}·{SPACE}10⁻⁵"),
    ("<< 0.0 | power_of_ten >>", "0"),
    ("<< none_at_all | power_of_ten >>", "nan"),
    ("<< 2.25 | unit('s', 1) >>", f"2.2{SPACE}s"),
    ("<< 1 | counted('patch', 'patches') >>", "1 patch"),
    ("<< 2 | counted('patch', 'patches') >>, << 0 | counted('unit') >>", "2 patches, 0 units"),
    ("<< 12 | of_atlas('cnn_4/norm', 'MTT_musicnn') >>",
     '<a data-unit="MTT_musicnn/cnn_4-norm/12">12</a>'),
    ("<< 7 | of_atlas('tags/logits', 'MSD_musicnn', '<i>') >>",
     '<a data-unit="MSD_musicnn/tags-logits/7">&#60;i&#62;</a>'),
    ("<< [5, 33] | each('of_atlas', 'cnn_4/sum', 'MSD_musicnn') | listing >>",
     '<a data-unit="MSD_musicnn/cnn_4-sum/5">5</a> and '
     '<a data-unit="MSD_musicnn/cnn_4-sum/33">33</a>'),
    ("<< 430 | named_row('MSD_musicnn') >>",
     '<a data-unit="MSD_musicnn/cnn_1-out/430">`temporal_128` unit 22</a>'),
    ("<< 'timbral_67' | named_unit(3, 'MTT_musicnn') >>",
     '<a data-unit="MTT_musicnn/cnn_1-out/207">`timbral_67` unit 3</a>'),
    ("<< [] | listing >>, << [] | listing(none='no tag') >>", "none, no tag"),
    ("<< ['a'] | listing >>; << ['a', 1, 'c|'] | listing(last='or') >>", "a; a, 1 or c&#124;"),
    ("<< [0.1, 0.25] | each('percent') | listing >>", "10% and 25%"),
    ("<< ['a*', 5] | beside([0.5, 0.25], 'percent') | listing >>", "a&#42; (50%) and 5 (25%)"),
    ("<< 'cnn_1/out' | code >>", "`cnn_1/out`"),
    ("<< 'a`|b' | code >>", "<code>a&#96;&#124;b</code>"),
    ("<< '$\\\\mu$' | markdown >>", "$\\mu$"),
    ("<< 'above' | capital >>", "Above"),
    ("<< '*' | capital >>", "&#42;"),
])
def test_filters(text, shown):
    assert render(text, {"none_at_all": np.float32("nan")}) == shown


def test_every_filter_is_tested():
    import test_say

    told = [mark.args[1] for mark in test_say.test_filters.pytestmark]
    assert all(f"| {name}" in str(told) or f"'{name}'" in str(told) for name in FILTERS)


def test_numbers_of_numpy_are_numbers():
    values = {"a": np.float32(0.5), "b": np.int64(3), "c": np.array(0.25)[()]}
    assert render("<< a | digits(1) >> << b >> << c | percent >>", values) == "0.5 3 25%"


@pytest.mark.parametrize("text", [
    "<< 0.5 >>", "<< [1] >>", "<< true >>", "<< none >>", "<< 'x' | digits >>",
    "<< 1.5 | grouped >>", "<< true | percent >>", "<< 2.5 | counted('patch') >>",
    "<< [0.5] | listing >>", "<< ['a'] | beside([1, 2], 'digits') >>",
    "<< [1] | each('no') >>", "<< 1 / 0 >>",
    *(f"<< 'a' | {name} >>" for name in OURS)])
def test_a_value_without_its_filter_is_refused(text):
    with pytest.raises(InputError) as caught:
        render(f"Line one.\n{text}", {}, "The text of cell [3]")
    assert str(caught.value).startswith("The text of cell [3]") and str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


# The language

TEXT = r"""
$a \ll b$, $$\hat{\mathbf{V}}_1 \in \mathbb{R}^{187}$$ {cite}`sturm` <!-- a comment --> 1 < 2 > 1

| a | b |
| --- | --- |
| {#id} | {{ x }} {% y %} |

:::{note}
`code`, a % sign, a # and a \ at the end\
:::"""


def test_tex_and_myst_are_left_alone():
    assert render(TEXT, {}) == TEXT.strip()
    for bare in ("{{ 7 * 7 }}", "${x}", "#}", "{# no comment #}", "%}", "a >> b", "%> >>"):
        assert render(bare, {"x": 1}) == bare


def test_choices_and_rows():
    text = ("<% for name, share in rows %>\n| << name >> | << share | percent >> |\n<% endfor %>\n"
            "<% if rows | length > 1 %>Two.<% else %>One.<% endif %>")
    assert render(text, {"rows": [("a", 0.5), ("b", 1)]}) == (
        "| a | 50% |\n| b | 100% |\nTwo.")
    assert render('It is << "one" if n == 1 else "more" >>.', {"n": 2}) == "It is more."


@pytest.mark.parametrize("text", ["<< name >>", "<< name | plain >>", "<< name | capital >>",
                                  "<< name | code >>", "<< [name] | listing >>",
                                  "a << name | code >> b", "<< name ~ '' >>"])
def test_strings_are_text_and_never_markup(text):
    shown, elements = as_page(render(text, {"name": EVIL}))
    seen = "<script>alert(1)</script> *b* `c` [a](b) | $x$ {cite}`x` &amp; <<1>> \\ _u_ " \
           "\\u202e\\x1b\\xff"
    assert seen in shown and elements <= {"p", "code"}
    render(text, {"name": EVIL}).encode("utf-8")


def test_strings_stay_in_their_cell_of_a_table(monkeypatch):
    pages = []
    monkeypatch.setattr("IPython.display.display", lambda shown: pages.append(shown.data))
    table({"name": [EVIL, code(EVIL), Markdown("**b**")], "share": [0.5, 2, "x"]})
    lines = pages[0].splitlines()
    assert len(lines) == 5 and {line.count("|") for line in lines} == {3}
    shown, elements = as_page(pages[0])
    assert shown.count("<script>alert(1)</script> *b* `c`") == 2
    assert elements == {"table", "thead", "tbody", "tr", "th", "td", "code", "strong"}


def test_a_table_by_columns_or_by_rows(monkeypatch):
    pages = []
    monkeypatch.setattr("IPython.display.display", lambda shown: pages.append(shown.data))
    table({"network": ["a*", code("b")], "share": [0.12345, 2]})
    table([{"network": "a*", "share": 0.12345}, {"network": code("b"), "share": 2}])
    assert pages[0] == pages[1] == "\n".join([
        "| network | share |", "| --- | --- |", "| a&#42; | 0.123 |", "| `b` | 2 |"])
    table({"network": ["a"], "x": [0.12345], "y": [0.12345]}, digits_of={"x": 1})
    assert pages[2].splitlines()[2] == "| a | 0.1 | 0.123 |"
    with pytest.raises(ValueError):
        table({"network": ["a"], "share": [1, 2]})


@pytest.mark.parametrize(("text", "named"), [
    ("<< nobody >>", "'nobody'"), ("<< clip.titel >>", "'titel'"),
    ("<% if nobody %>x<% endif %>", "'nobody'"), ("<< nobody | digits >>", "'nobody'"),
    ("<< len(clip) >>", "'len'"), ("<< range(3) >>", "'range'")])
def test_an_unknown_name_is_one_sentence_with_cell_and_word(text, named):
    with pytest.raises(InputError) as caught:
        render(text, {"clip": {"title": "x"}}, "The text of cell [7] (Some words...)")
    said = str(caught.value)
    assert "cell [7] (Some words...)" in said and named in said and said.count(".") <= 5
    assert "\n" not in said and said.endswith(".")


@pytest.mark.parametrize("text", ["<% if x %>", "<< x", "<% nonsense %>", "<< x | nonsense >>",
                                  "<% include 'a' %>"])
def test_wrong_templates_are_one_sentence(text):
    with pytest.raises(InputError) as caught:
        render(text, {"x": 1}, "The text of cell [7]")
    assert str(caught.value).startswith("The text of cell [7]") and "\n" not in str(caught.value)


# In notebooks

CELLS = ["import helpers; name, share = '<script>*', 0.25", "%%say\n**<< share | percent >>** of "
         "<< name >>: $a \\ll b$.", "%%alt\nA bar\nfor << name >>: << share | percent >>.",
         "import matplotlib.pyplot as plt\nplt.bar([1], [share]);"]
SAID = "**25%** of &#60;script&#62;&#42;: $a \\ll b$."


def outputs(notebook):
    """Of each cell of a notebook: the data that it shows."""
    return [[output.get("data") for output in cell.outputs]
            for cell in notebook.cells if cell.cell_type == "code"]


def notebook(*cells):
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (PARAMETERS, *cells)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


@pytest.fixture
def fresh_kernel(monkeypatch):
    """Notebooks run by nbclient with the kernel of this Python, as JupyterLab runs them."""
    monkeypatch.setattr(KernelSpecManager, "ensure_native_kernel", True)

    def run(*cells):
        return NotebookClient(notebook(*cells), timeout=120, resources={
            "metadata": {"path": str(ROOT / "book")}}).execute()

    return run


def test_text_is_alike_in_a_notebook_and_in_a_run(tiny_book, fresh_kernel):
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", *CELLS)
    run = nbformat.read(build(tiny_book) / "book" / "01_one.ipynb", as_version=4)
    lab = fresh_kernel(*CELLS)
    assert outputs(lab)[2] == outputs(run)[2] == [{
        "text/markdown": SAID, "text/plain": "<IPython.core.display.Markdown object>"}]
    assert outputs(lab)[3] == [{"text/plain": "A bar for <script>*: 25%."}]
    assert outputs(run)[3] == []  # the page has it as the figure's


def test_alternative_text_reaches_the_figure(tiny_book):
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", *CELLS)
    output = build(tiny_book, chapters="1")
    page = BeautifulSoup((output / "site/book/01_one.html").read_text(), "html.parser")
    assert [image["alt"] for image in page.select("article .cell_output img")] == [
        "A bar for <script>*: 25%."]
    assert "25% of <script>*: " in page.select_one("article").get_text()
    assert page.select("article script") == [] or all(
        "alert" not in str(script) for script in page.select("article script"))


def test_tidy_gives_each_alternative_text_to_the_next_figure(tmp_path):
    file = tmp_path / "a.ipynb"
    book = notebook("%%alt\none", "draw()", "%%say\nx", "%%alt\ntwo", "draw()")
    for cell, text in zip(book.cells[1::3], ("one", "two"), strict=True):
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/plain": text})]
    nbformat.write(book, file)
    tidy(file)
    cells = nbformat.read(file, as_version=4).cells
    assert [cell.metadata.get("mystnb", {}).get("image", {}).get("alt") for cell in cells] == [
        None, None, "one", None, None, "two"]
    assert not any(cell.outputs for cell in cells)


@pytest.mark.parametrize(("cell", "said"), [
    ("%%say\nThis is << nobody >>.", "uses a value that is not there: 'nobody' is undefined."),
    ("%%say a word\nThis.", "%%say stands alone in its line; the text begins in the next one.")])
def test_an_error_in_a_run_names_the_cell(tiny_book, cell, said):
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", "import helpers", cell)
    with pytest.raises(RunError) as caught:
        build(tiny_book, chapters="1")
    message = str(caught.value).splitlines()[0]
    assert message.startswith("01_one failed in cell 4 (%%say") and message.endswith(said)


def test_a_notebook_shows_the_sentence_alone(tmp_path):
    source = tmp_path / "a.ipynb"
    nbformat.write(notebook("import helpers", "%%say\nThis is << nobody >>."), source)
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(source, tmp_path / "b.ipynb", cwd=ROOT, progress_bar=False)
    cells = json.loads((tmp_path / "b.ipynb").read_text())["cells"]
    (error,) = [output for cell in cells for output in cell.get("outputs", [])
                if output["output_type"] == "error"]
    assert error["ename"] == "InputError" and len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("The text of cell [3] (This is << nobody >>....) uses")
