"""What goes into a paper: corrected p, a table in LaTeX, boxes and mean ranks."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from panfocus.evaluate.latex import escaped
from panfocus.evaluate.rank_plots import alike
from panfocus.evaluate.statistics import Test as Difference
from panfocus.evaluate.statistics import holm, wilcoxon
from tests.cli.test_cli_evaluate import make_pairs


def test_holm_is_as_in_his_paper():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    # against scipy's: the same idea by another hand, as adjusted p values of all steps
    rng = np.random.default_rng(0)
    p = rng.random(12) ** 3
    order = np.argsort(p)
    stepwise = np.maximum.accumulate(np.minimum((12 - np.arange(12)) * p[order], 1))
    assert np.array(holm(list(p)))[order] == pytest.approx(stepwise)


def test_every_pair_gets_its_corrected_p():
    rng = np.random.default_rng(1)
    shifts = {"a": 0, "b": 0, "c": 2}
    values = {(s, str(n)): rng.random() + shifts[s] for s in shifts for n in range(9)}
    tests = wilcoxon(values, list("abc"))
    assert [t.holm for t in tests] == pytest.approx(holm([t.p for t in tests]))
    assert all(t.holm >= t.p for t in tests)


def test_bars_join_what_does_not_differ():
    def tests(*apart):
        pairs = [(a, b) for n, a in enumerate("abcd") for b in "abcd"[n + 1 :]]
        return [Difference(a, b, 9, 0.0, 0.0, 0.001 if (a + b) in apart else 0.5) for a, b in pairs]

    assert alike("abcd", tests()) == [(0, 3)]
    assert alike("abcd", tests("ac", "ad", "bd")) == [(0, 1), (1, 2), (2, 3)]
    assert alike("abcd", tests("ab", "ac", "ad", "bc", "bd", "cd")) == []
    assert alike("abcd", tests("ad")) == [(0, 2), (1, 3)]


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_paper_gets_its_table_and_plots(tmp_path, kind, capsys):
    make_pairs(tmp_path / "data")
    words = ["--systems", "guided,guided-sf,pyramid", "--metrics", "SSIM", "--plot-format", kind]
    command = ["evaluate", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), *words]
    assert main(command) == 0
    plots = tmp_path / "out" / "plots"
    for name in ("SSIM", "SSIM-boxes", "SSIM-ranks", "PSNR_RGB-ranks"):
        data = (plots / f"{name}.{kind}").read_bytes()
        if kind == "svg":
            said = "".join(ElementTree.fromstring(data).itertext())
            assert "guided-sf" in said  # letters, to be found and set in the paper's type
        elif kind == "pdf":
            assert data.startswith(b"%PDF-") and b"CreationDate" not in data
        else:
            assert data.startswith(b"\x89PNG")
    table = (tmp_path / "out" / "summary.tex").read_text()
    assert table.count("\\begin{tabular}{lrrr}") == table.count("\\end{tabular}") == 1
    assert "\\toprule" in table and "\\bottomrule" in table
    rows = [line for line in table.splitlines() if line.endswith("\\\\")]
    assert {row.count("&") for row in rows} == {3}
    assert any(row.startswith("SSIM $\\uparrow$ & ") for row in rows)
    assert all(row.count("\\textbf") == 1 for row in rows[1:-1])
    before = {path.name: path.read_bytes() for path in plots.iterdir()}
    assert main(command) == 0  # drawn again, the same
    assert {path.name: path.read_bytes() for path in plots.iterdir()} == before
    capsys.readouterr()


def test_names_are_as_latex_prints_them():
    assert escaped("a_b 50% & {x} #1 $2 ~^") == (
        "a\\_b 50\\% \\& \\{x\\} \\#1 \\$2 \\textasciitilde{}\\textasciicircum{}"
    )
    assert not re.search(r"(?<!\\)[%&#$_]", escaped("\\_%"))


def test_results_are_scored_by_their_numbers_and_it_is_told(tmp_path, capsys):
    make_pairs(tmp_path / "data")
    (tmp_path / "theirs").mkdir()
    for n in range(3):
        with Image.open(tmp_path / "data" / "GT" / f"p{n}.png") as truth:
            truth.save(tmp_path / "theirs" / f"{n:02d}.png")
    words = ["--results", f"truth={tmp_path / 'theirs'}", "--metrics", "SSIM", "--no-plots"]
    out = tmp_path / "out"
    assert main(["evaluate", "--data", str(tmp_path / "data"), "--out", str(out), *words]) == 0
    told = capsys.readouterr()
    assert "truth: results in" in told.err and "by their numbers: 00.png for p0" in told.err
    assert "1.0000" in told.out
