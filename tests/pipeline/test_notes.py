"""What holds for many frames is told once, with their number."""

import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.frame import Frame
from panfocus.pipeline.notes import finding_notes, gathered
from panfocus.pipeline.quality import Finding
from tests.conftest import focal_stack


def test_notes_of_one_kind_are_one_line_with_a_count():
    told = [("a", "x"), ("b", "y"), ("c", "x"), ("c", "x")]
    assert gathered(told) == ["2 frames: x: a, c", "b: y"]
    many = gathered([(str(n), "x") for n in range(9)])
    assert many == ["9 frames: x: 0, 1, 2, 3, 4, and 4 more"]
    assert gathered([]) == []


def test_findings_keep_their_words_where_there_is_one():
    blurred = Finding(1, "b", "blurred", "is wholly blurred: nowhere more than 3%")
    doubles = [Finding(n, str(n), "duplicate", "is a duplicate") for n in (2, 4)]
    order = Finding(5, "e", "order", "may be out of order: it resembles a and b more")
    assert finding_notes([blurred, *doubles, order], can_go=True) == [
        "b is wholly blurred: nowhere more than 3% (`cull=True` leaves it out)",
        "2 frames are duplicates of the frames before them: 2, 4 (`cull=True` leaves them out)",
        "e may be out of order: it resembles a and b more",
    ]
    assert finding_notes(doubles) == ["2 frames are duplicates of the frames before them: 2, 4"]


def test_a_stack_with_duplicates_is_told_of_in_one_line():
    good, _ = focal_stack(5, 120, 160)
    frames = [good[n] for n in (0, 0, 1, 2, 2, 3, 4)]
    told = panfocus.fuse(frames, system="guided", align="none").report.warnings
    assert [w for w in told if "duplicate" in w] == [
        "2 frames are duplicates of the frames before them: frame 1, frame 4 "
        "(`cull=True` leaves them out)"
    ]
    culled = panfocus.fuse(frames, system="guided", cull=True).report.warnings
    assert [w for w in culled if w.startswith("left out")] == [
        "left out: 2 frames are duplicates of the frames before them: frame 1, frame 4"
    ]


def test_what_is_found_while_reading_is_told_once():
    good, _ = focal_stack(4, 96, 128)
    frames = [Frame(str(n), good[n], False, notes=("profile is odd",)) for n in range(4)]
    told = panfocus.fuse(frames, system="guided").report.warnings
    assert [w for w in told if "odd" in w] == ["4 frames: profile is odd: 0, 1, 2, 3"]


@pytest.mark.parametrize("align", ["none", "auto"])
def test_of_frames_that_were_not_compared_no_place_is_told(tmp_path, capsys, align):
    shots = tmp_path / "shots"
    shots.mkdir()
    for n, frame in enumerate(focal_stack(3, 192, 256)[0]):
        Image.fromarray(np.asarray(frame)).save(shots / f"{n}.png")
    out = tmp_path / "f.png"
    report = tmp_path / "f.json"
    words = ["-s", "guided", "-v", "--align", align, "--json", str(report)]
    assert main(["fuse", str(shots), "-o", str(out), *words]) == 0
    told = capsys.readouterr().err
    assert ("in place" in told) == (align == "auto")
    assert ("not compared" in report.read_text()) == (align == "none")
