"""`panfocus fuse FOLDER --watch-frames S`: frames are fused as they arrive."""

import json
import shutil
import threading
import time

import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main, watching
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.pipeline import arriving
from tests.pipeline.test_project import write_stack


@pytest.fixture
def shots(tmp_path, monkeypatch):
    monkeypatch.setattr(arriving, "SETTLE_S", 0.05)
    monkeypatch.setattr(arriving, "LOOK_S", 0.02)
    monkeypatch.setattr(arriving, "TROUBLE_S", 0.3)
    write_stack(tmp_path / "shots")
    (tmp_path / "in").mkdir()
    return tmp_path / "shots"


def copied(shots, place, *, halves=True):
    """Copy frames one after the other in a thread, each in two halves."""

    def work():
        for path in sorted(shots.iterdir()):
            data = path.read_bytes()
            with (place / path.name).open("wb") as file:
                file.write(data[: len(data) // 2])
                file.flush()
                time.sleep(0.15 if halves else 0)
                file.write(data[len(data) // 2 :])
            time.sleep(0.1)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_result_is_that_of_the_frames_one_by_one(shots, tmp_path, capsys):
    thread = copied(shots, tmp_path / "in")
    out = tmp_path / "in" / "o.png"  # beside the frames, where its preview is none
    report = tmp_path / "r.json"
    words = ["--watch-frames", "4", "-s", "guided", "--index-map", "--json", str(report)]
    assert main(["fuse", str(tmp_path / "in"), "-o", str(out), *words]) == 0
    thread.join()
    told = capsys.readouterr().err
    assert "[4] 3.png" in told
    frames = [read(path) for path in sorted(shots.iterdir())]
    wanted = panfocus.fuse(iter(frames), system="guided").image
    # previews have frames mixed in other parts, and resampled parts are rounded each for itself
    apart = np.abs(read(out).astype(int) - wanted)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 1e-3
    preview = tmp_path / "in" / "o_preview.jpg"
    assert is_made_by_panfocus(preview)
    assert np.abs(read(preview).astype(int) - read(out)).mean() < 8
    assert (tmp_path / "in" / "o_index.tif").exists()
    assert [f["name"] for f in json.loads(report.read_text())["frames"]] == [
        f"{n}.png" for n in range(4)
    ]


def test_what_keeps_frames_from_coming_is_told(shots, tmp_path, capsys, monkeypatch):
    for n in (0, 1):
        shutil.copy(shots / f"{n}.png", tmp_path / "in")
    broken = tmp_path / "in" / "broken.png"
    broken.write_bytes((shots / "2.png").read_bytes()[:20])
    plain = watching.say

    def say(request, lines):
        plain(request, lines)
        if any(line.startswith("waiting: ") for line in lines):
            broken.unlink()  # somebody has read it

    monkeypatch.setattr(watching, "say", say)
    words = ["-o", str(tmp_path / "o.png"), "-s", "guided", "--watch-frames", "0.3"]
    assert main(["fuse", str(tmp_path / "in"), *words]) == 0
    told = capsys.readouterr().err
    assert told.count("waiting: ") == 1 and "\n  where: " in told and "\\n" not in told
    assert "broken.png" in told
    assert "2 frames fused" in told


@pytest.mark.parametrize(
    "words",
    [
        ["in", "shots", "-o", "o.png"],
        ["shots/0.png", "-o", "o.png"],
        ["in"],
        ["in", "-o", "o.png", "--layers", "l.psd"],
        ["in", "-o", "o.png", "--slab", "2", "1"],
        ["in", "-o", "o.png", "--dry-run"],
        ["in", "-o", "o.png", "--cull"],
        ["in", "-o", "o.png", "-s", "guided,pyramid"],
        ["in", "-o", "o.png", "-s", "pyramid", "--depth-map"],
        ["in", "-o", "o.png", "--reference", "last"],
    ],
)
def test_what_cannot_be_is_refused_before_waiting(shots, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert main(["fuse", *words, "--watch-frames", "60"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("panfocus: ") and told.count("panfocus: ") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "shots"]


def test_what_is_there_is_not_replaced(shots, tmp_path, capsys):
    (tmp_path / "o_preview.jpg").write_bytes(b"mine")
    words = ["-o", str(tmp_path / "o.png"), "--watch-frames", "60", "-s", "guided"]
    assert main(["fuse", str(shots), *words]) == 1
    assert "o_preview.jpg" in capsys.readouterr().err
    frame = (shots / "1.png").read_bytes()
    words = ["-o", str(shots / "1.png"), "--watch-frames", "0.2", "-s", "guided", "--overwrite"]
    assert main(["fuse", str(shots), *words]) == 1
    assert "one of the inputs" in capsys.readouterr().err
    assert (shots / "1.png").read_bytes() == frame
