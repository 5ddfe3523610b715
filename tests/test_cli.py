"""The command line: exit codes, and messages of one line."""

import pytest
from conftest import write_chapter

from inside_musicnn.commands.main import main


def test_done(tiny_book, capsys):
    code = main(["build", "--root", str(tiny_book), "--chapters", "2", "--segments", "2"])
    said = capsys.readouterr()
    assert code == 0, said.err
    site = tiny_book / "_runs" / "disco-MSD_musicnn" / "site" / "index.html"
    assert site.exists() and str(site) in said.out


@pytest.mark.parametrize("wrong", [
    ["--model", "vgg"], ["--chapters", "9"], ["--audio", "/no/such.wav"], ["--segments", "0"],
])
def test_wrong_input_is_one_sentence(tiny_book, capsys, wrong):
    assert main(["build", "--root", str(tiny_book), *wrong]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and said.err.strip().endswith(".")
    assert said.out == ""


@pytest.mark.parametrize("wrong", [
    ["build", "--segments", "many"], ["build", "--start", "soon"], ["unknown"], [],
])
def test_wrong_use_is_one_line(capsys, wrong):
    with pytest.raises(SystemExit) as caught:
        main(wrong)
    assert caught.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_failure_is_short(tiny_book, capsys):
    write_chapter(tiny_book / "book" / "02_two.ipynb", "Two", "int('x')")
    assert main(["build", "--root", str(tiny_book), "--chapters", "2"]) == 1
    said = capsys.readouterr()
    assert "02_two failed in cell 3 (int('x')): ValueError" in said.err
    assert "Traceback" not in said.err and len(said.err.strip().splitlines()) <= 3
