"""A system by ``module:object``: compared like any other, and scored anew when its code changes."""

import csv

import pytest

from panfocus.cli import main
from panfocus.errors import PanfocusError
from panfocus.evaluate.own import is_address, own_system
from tests.cli.test_cli_evaluate import make_pairs

CODE = """
import numpy as np
from panfocus import Card

def laplace_energy(frames):
    \"\"\"Weights by the square of a difference along rows.\"\"\"
    grey = frames.mean(axis=3)
    energy = np.square(np.diff(grey, axis=2, prepend=grey[..., :1])) + 1e-6
    return (energy / energy.sum(axis=0)).astype(np.float32)

class Mine:
    card = Card("mine", "The same as an object")
    def decide(self, frames):
        return laplace_energy(frames)

made = Mine()

def factory():
    return Mine()

class Needs:
    def __init__(self, weights):
        pass

number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    (tmp_path / "own_code.py").write_text(CODE)
    (tmp_path / "stops.py").write_text("1 / 0")
    yield tmp_path
    import sys

    for name in ("own_code", "stops"):
        sys.modules.pop(name, None)


def scores(out):
    with (out / "scores.csv").open() as file:
        return {(r["image"], r["system"]): r for r in csv.DictReader(file)}


def test_own_code_is_scored_beside_others(here, capsys):
    make_pairs(here / "data")
    systems = "guided,own_code:laplace_energy,own_code:Mine"
    words = ["evaluate", "--data", "data", "--systems", systems, "--metrics", "SSIM", "--no-plots"]
    assert main([*words, "--out", "out"]) == 0
    found = scores(here / "out")
    assert {system for _, system in found} == {"guided", "laplace-energy", "mine"}
    assert found["p0", "mine"]["SSIM"] == found["p0", "laplace-energy"]["SSIM"]
    assert float(found["p0", "mine"]["SSIM"]) > 0.5
    capsys.readouterr()
    assert main([*words, "--out", "out"]) == 0
    assert "0 pictures scored, 9 kept" in capsys.readouterr().err
    (here / "own_code.py").write_text(CODE + "# changed\n")
    assert main([*words, "--out", "out"]) == 1  # its scores are of other code
    assert "6 that differ" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["laplace_energy", "Mine", "made", "factory"])
def test_an_object_may_be_told_in_many_ways(here, name):
    system, file = own_system(f"own_code:{name}")
    assert system.card.name in ("mine", "laplace-energy")
    assert file == here / "own_code.py"


@pytest.mark.parametrize(
    "address",
    ["own_code:number", "own_code:none", "own_code:Needs", "no_such:thing", "stops:thing"],
)
def test_what_is_no_system_is_refused_in_words(here, address, capsys):
    with pytest.raises(PanfocusError):
        own_system(address)
    make_pairs(here / "data")
    words = ["evaluate", "--data", "data", "--out", "out", "--systems", address]
    assert main(words) in (1, 2)
    assert capsys.readouterr().err.startswith("panfocus: ")


def test_only_what_is_one_is_an_address(here):
    assert is_address("a.b:c") and is_address("a:B.c")
    assert not any(map(is_address, ("guided", "a:", ":b", "a/b:c", "C:\\systems", "a:b c")))
    (here / "x:y").mkdir()
    assert not is_address("x:y")


def test_a_project_cannot_run_code_by_such_a_name(here):
    import panfocus

    with pytest.raises(PanfocusError, match="no such system"):
        panfocus.load_system("own_code:made")
