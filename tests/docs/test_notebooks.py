"""Notebooks are made from their sources, and those without training run from first to last cell."""

import json
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCES = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.mark.parametrize("stored", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_is_its_source(stored):
    made = runpy.run_path(str(EXAMPLES / "make_notebook.py"))["notebook"]
    text = stored.read_text(encoding="utf-8")
    source = stored.with_suffix(".py").read_text(encoding="utf-8")
    assert text == made(source), "run examples/make_notebook.py"
    assert not any(cell.get("outputs") for cell in json.loads(text)["cells"])


def test_all_notebooks_are_made():
    sources = runpy.run_path(str(EXAMPLES / "make_notebook.py"))["SOURCES"]
    assert {path.stem for path in sources} == {path.stem for path in SOURCES}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the cells of a notebook; return the names that it leaves and its number of figures."""
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("skimage")
    pytest.importorskip("scipy")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def from_first_to_last(name):
        held = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
        code = ["".join(c["source"]) for c in held["cells"] if c["cell_type"] == "code"]
        names = {"__name__": "__main__"}
        for number, cell in enumerate(code):
            exec(compile(cell, f"{name}, cell {number}", "exec"), names)
        return names, len(plt.get_fignums())

    yield from_first_to_last
    plt.close("all")


def test_a_first_fusion(run):
    names, figures = run("first_fusion")
    assert figures == 4
    assert names["agrees"].mean() > 0.9
    assert names["channels"].shape == (2, 240, 320)
    assert 0 <= names["depth"].min() < names["depth"].max() <= 10  # micrometres


def test_systems_are_compared(run, capsys):
    names, figures = run("compare_systems")
    assert figures == 1
    assert len(names["scores"]) == 4 * 8
    assert names["column"]("dualpath", "PSNR").mean() > names["column"]("guided", "PSNR").mean()
    assert "Q_W on bokeh" in capsys.readouterr().out
