"""The chapters on other music, with the other network, from another folder."""

import json
from pathlib import Path

import nbformat
import papermill
import pytest
from conftest import OTHER

from inside_musicnn import LAYERS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "book").glob("*.ipynb"))


def test_a_run_with_other_parameters_says_so(other_run):
    manifest = json.loads((other_run / "manifest.json").read_text())
    assert manifest["parameters"] == OTHER
    assert len(manifest["chapters"]) == len(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_chapter_runs_on_other_music(other_run, source):
    executed = nbformat.read(other_run / "book" / source.name, 4)
    outputs = [output for cell in executed.cells if cell.cell_type == "code"
               for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "image/png" in kinds or "text/html" in kinds
    # A forgotten semicolon shows an object where a figure should stand alone.
    assert not [output for output in outputs if output.output_type == "execute_result"]


def test_the_text_speaks_of_the_other_music(other_run):
    page = (other_run / "site" / "book" / "01_system.html").read_text()
    assert "Night Shift at the Substation" in page
    assert "Ducks Under the Mirror Ball" not in page


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_sources_are_clean_and_alike(source):
    notebook = nbformat.read(source, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert "papermill" not in notebook.metadata
    parameters = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    scope = {}
    exec(parameters[0].source, scope)
    assert {key: scope[key] for key in OTHER} == {
        "audio": "internal_degeneration", "model": "MSD_musicnn", "start": 0.0, "segments": 4}
    assert max(len(cell.source.splitlines()) for cell in code) <= 40


def test_a_chapter_runs_as_a_notebook_from_any_folder(tmp_path):
    papermill.execute_notebook(ROOT / "book" / "layers.ipynb", tmp_path / "out.ipynb",
                               cwd=tmp_path, progress_bar=False)
    text = (tmp_path / "out.ipynb").read_text()
    assert all(name in text for name in LAYERS)
