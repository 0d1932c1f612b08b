"""`panfocus fuse -s a,b`: every system's picture, and all of them on one sheet."""

import json

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from panfocus.errors import UsageError
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.pipeline import several
from panfocus.pipeline.several import systems_named
from panfocus.systems import label_of
from tests.pipeline.test_project import write_stack


@pytest.fixture
def shots(tmp_path):
    write_stack(tmp_path / "shots")
    return tmp_path / "shots"


def read(path):
    return np.asarray(Image.open(path))


def fuse(shots, *words):
    return main(["fuse", str(shots), *map(str, words)])


def test_each_system_makes_what_it_makes_alone(shots, tmp_path, capsys):
    out = tmp_path / "out" / "f.png"
    words = ["-o", out, "--depth-map", "--index-map", tmp_path / "out" / "where.png"]
    assert fuse(shots, "-s", "guided,guided-sf", *words, "--json", tmp_path / "r.json") == 0
    told = capsys.readouterr().err
    assert str(out.with_name("f_sheet.png")) in told
    for system in ("guided", "guided-sf"):
        alone = tmp_path / f"{system}.png"
        assert fuse(shots, "-s", system, "-o", alone, "--depth-map") == 0
        assert np.array_equal(read(alone), read(out.with_name(f"f_{system}.png")))
        depth = alone.with_name(f"{system}_depth.tif").read_bytes()
        assert depth == out.with_name(f"f_{system}_depth.tif").read_bytes()
        assert out.with_name(f"where_{system}.png").exists()
        report = json.loads((tmp_path / f"r_{system}.json").read_text())
        assert report["system"]["name"] == system
        assert report["registration"]["moved"] == 3
        assert report["cropped_to"] is not None
    sheet = out.with_name("f_sheet.png")
    assert is_made_by_panfocus(sheet)
    assert read(sheet).shape[1] > 2 * 480


def test_frames_are_looked_at_once_to_be_registered(shots, tmp_path, monkeypatch):
    looks = []
    real = several.run_fusion

    def fused(plan_, **_):
        looks.append(plan_.registration)
        return real(plan_)

    monkeypatch.setattr(several, "run_fusion", fused)
    assert fuse(shots, "-s", "guided,guided-sf,pyramid", "-o", tmp_path / "f.tif") == 0
    assert looks[0] is None
    assert looks[1] is looks[2] is not None


def test_reports_and_plans_are_one_list_of_json(shots, tmp_path, capsys):
    words = ["-s", "guided,pyramid", "-o", tmp_path / "f.jpg", "--json"]
    assert fuse(shots, *words, "--dry-run") == 0
    plans = json.loads(capsys.readouterr().out)
    assert [p["system"] for p in plans] == ["guided", "pyramid"]
    assert plans[1]["outputs"] == [str(tmp_path / "f_pyramid.jpg"), str(tmp_path / "f_sheet.png")]
    assert list(tmp_path.iterdir()) == [shots]
    assert fuse(shots, *words) == 0
    reports = json.loads(capsys.readouterr().out)
    assert [r["system"]["name"] for r in reports] == ["guided", "pyramid"]


def test_bad_frames_are_left_out_of_all(shots, tmp_path, capsys):
    frame = read(shots / "1.png")
    Image.fromarray(frame).save(shots / "1b.png")
    words = ["-s", "guided,guided-sf", "-o", tmp_path / "f.png", "--cull"]
    assert fuse(shots, *words) == 0
    assert capsys.readouterr().err.count("4 frames fused") == 2


def test_what_exists_is_refused_before_any_work(shots, tmp_path, capsys):
    for name in ("f_sheet.png", "f_pyramid.png"):
        (tmp_path / name).write_bytes(b"mine")
        assert fuse(shots, "-s", "guided,pyramid", "-o", tmp_path / "f.png") == 1
        assert name in capsys.readouterr().err
        assert not (tmp_path / "f_guided.png").exists()
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "words",
    [
        ["-s", "guided,guided", "-o", "f.png"],
        ["-s", "guided,", "-o", "f.png"],
        ["-s", "guided,pyramid"],
        ["-s", "guided,pyramid", "-o", "f.png", "--save-project", "p.panfocus.json"],
        ["-s", "guided,pyramid", "--align-only", "d"],
    ],
)
def test_what_cannot_be_is_refused(shots, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert fuse(shots, *words) == 2
    assert "several" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["shots"]


def test_a_folder_with_a_comma_is_one_system(tmp_path):
    folder = tmp_path / "mine, trained"
    folder.mkdir()
    (folder / "card.json").write_text("{}")
    assert systems_named(str(folder)) == [str(folder)]
    assert systems_named("guided, pyramid") == ["guided", "pyramid"]
    with pytest.raises(UsageError):
        systems_named("a/guided,guided")


@pytest.mark.parametrize(
    ("system", "label"),
    [
        ("guided", "guided"),
        ("models/mine", "mine"),
        ("models/mine/", "mine"),
        ("runs/second/system", "second"),
        ("./runs/second/system/", "second"),
    ],
)
def test_a_system_is_called_as_its_folder_or_its_run(system, label):
    assert label_of(system) == label


def test_within_a_run_its_system_is_called_as_the_run(tmp_path, monkeypatch):
    (tmp_path / "third").mkdir()
    monkeypatch.chdir(tmp_path / "third")
    assert label_of("system") == "third"
