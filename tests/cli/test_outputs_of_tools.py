"""`evaluate` and `synthesize` replace nothing that is read, or that somebody else made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from tests.conftest import focal_pair, texture


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def hard_link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(target, path)


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and ".panfocus" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


# --- evaluate


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for n in range(2):
        (a, b), truth = focal_pair(48, 64, seed=n)
        for side, pixels in (("A", a), ("B", b), ("GT", truth)):
            save(tmp_path / "data" / side / f"p{n}.png", pixels)
    return tmp_path / "data"


def evaluate(data: Path, out: Path, *words: object) -> int:
    few = ["--metrics", "SSIM", "--systems", "guided"]
    return main(["evaluate", "--data", str(data), "--out", str(out), *few, *map(str, words)])


@pytest.mark.parametrize("join", [link, hard_link])
@pytest.mark.parametrize("name", ["worst.png", "summary.md", "fused/guided/p0.png"])
def test_a_result_does_not_take_the_place_of_a_frame(
    data: Path, tmp_path: Path, name: str, join: Callable[[Path, Path], None], capsys
) -> None:
    join(tmp_path / "out" / name, data / "A" / "p0.png")
    before = contents(data)
    assert evaluate(data, tmp_path / "out", "--save-images", "--overwrite") == 1
    assert contents(data) == before
    assert "one of the inputs" in capsys.readouterr().err


def test_pictures_of_others_are_not_replaced_by_themselves(
    data: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    for n in range(2):
        save(out / "fused" / "theirs" / f"p{n}.png", focal_pair(48, 64, seed=n)[1])
    before = contents(out)
    words = ["--results", f"theirs={out / 'fused' / 'theirs'}", "--save-images", "--overwrite"]
    assert evaluate(data, out, *words) == 1
    assert contents(out) == before
    assert "one of the inputs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["summary.md", "summary.json"])
def test_a_summary_that_somebody_changed_is_kept(
    data: Path, tmp_path: Path, name: str, capsys
) -> None:
    out = tmp_path / "out"
    assert evaluate(data, out, "--no-plots") == 0
    assert evaluate(data, out, "--no-plots") == 0  # our own is kept up to date
    with (out / name).open("a") as file:
        file.write("my remarks")
    before = contents(out)
    assert evaluate(data, out, "--no-plots") == 1
    assert contents(out) == before
    assert str(out / name) in capsys.readouterr().err
    assert evaluate(data, out, "--no-plots", "--overwrite") == 0


@pytest.mark.parametrize("name", ["worst.png", "plots/SSIM.png"])
def test_a_plot_of_somebody_elses_is_kept(data: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    assert evaluate(data, out, "--no-plots") == 0
    save(out / name, texture(8, 8))
    theirs = (out / name).read_bytes()
    evaluate(data, out, "--plots")
    assert (out / name).read_bytes() == theirs


def test_plots_are_renewed(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    assert evaluate(data, out, "--plots") == 0
    before = (out / "worst.png").stat().st_ino
    assert evaluate(data, out, "--plots") == 0
    assert (out / "worst.png").stat().st_ino != before


def test_a_folder_of_a_version_without_a_ledger_is_gone_on_with(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert evaluate(data, out, "--no-plots") == 0
    (out / ".panfocus" / "written.json").unlink()
    (out / "summary.md").write_text("as an earlier version wrote it")
    assert evaluate(data, out, "--no-plots") == 0
    assert "earlier version" not in (out / "summary.md").read_text()


@pytest.mark.parametrize("text", ["", "a,b\n", "image,score\np0,1\n"])
def test_scores_of_somebody_elses_are_kept(data: Path, tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "scores.csv").write_text(text)
    assert evaluate(data, out, "--no-plots") == 1
    assert (out / "scores.csv").read_text() == text


# --- synthesize


@pytest.fixture
def sharp(tmp_path: Path) -> Path:
    save(tmp_path / "sharp" / "a.png", texture(72, 96, 1))
    save(tmp_path / "sharp" / "b.png", texture(60, 64, 2))
    return tmp_path / "sharp"


def synthesize(pictures: Path, out: Path, *words: object) -> int:
    usual = ["--kind", "depth", "--count", "1", "--frames", "2", "--overwrite"]
    return main(["synthesize", str(pictures), "--out", str(out), *usual, *map(str, words)])


@pytest.mark.parametrize("join", [link, hard_link])
@pytest.mark.parametrize("name", ["depth/00/f0.png", "depth-truth/00.png"])
def test_a_scene_does_not_take_the_place_of_a_picture(
    sharp: Path, tmp_path: Path, name: str, join: Callable[[Path, Path], None], capsys
) -> None:
    join(tmp_path / "out" / name, sharp / "a.png")
    before = contents(sharp)
    assert synthesize(sharp, tmp_path / "out") == 1
    assert contents(sharp) == before
    assert "one of the inputs" in capsys.readouterr().err


def test_a_set_is_not_made_from_its_own_frames(sharp: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert synthesize(sharp, out) == 0
    before = contents(out)
    assert synthesize(out / "depth" / "00", out) == 1
    assert contents(out) == before
    assert "one of the inputs" in capsys.readouterr().err


def test_of_an_earlier_set_only_its_frames_go(sharp: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert synthesize(sharp, out, "--frames", "4") == 0
    theirs = [out / "depth" / "00" / name for name in ("flower.png", "f.png", "f1-edited.png")]
    for path in theirs:
        path.write_bytes(b"mine")
    assert synthesize(sharp, out) == 0
    assert all(path.read_bytes() == b"mine" for path in theirs)
    frames = {p.name for p in (out / "depth" / "00").iterdir()} - {p.name for p in theirs}
    assert frames == {"f0.png", "f1.png"}


@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_file_called_like_a_frame_is_told_of_and_kept(
    sharp: Path, tmp_path: Path, has_manifest: bool, capsys
) -> None:
    out = tmp_path / "out"
    if has_manifest:
        assert synthesize(sharp, out) == 0
    stray = save(out / "depth" / "00" / "f7.png", texture(8, 8))
    theirs = stray.read_bytes()
    assert synthesize(sharp, out) == 1
    assert stray.read_bytes() == theirs
    assert str(stray) in capsys.readouterr().err
