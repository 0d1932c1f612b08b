"""Strokes and maps on every result of a stack, whichever the strokes were drawn on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from panfocus.cli import main
from panfocus.pipeline.project import Project
from panfocus.retouch import Sharpest, Stroke
from panfocus.web.mended import Mended
from panfocus.web.mendings import carried
from tests.conftest import focal_stack, psnr
from tests.web.conftest import serving, write_frames
from tests.web.test_mending import dot, draw, opened, read, save, shown
from tests.web.test_stacks import image_of


def moving(folder, count=4):
    """Frames of a hand-held camera, so that registration crops and moves them."""
    frames, sharp = focal_stack(count, 240, 320)
    return write_frames(
        folder, [np.roll(f, (2 * n, 5 * n), axis=(0, 1)) for n, f in enumerate(frames)]
    ), sharp


def test_strokes_follow_another_registration_as_the_command_line_does(tmp_path):
    folder, _ = moving(tmp_path / "handheld")
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        first = page.fuse(stack, exposure="none")
        answer = draw(page, stack, first["id"], dot(100, 90, {"frame": 3}))
        assert answer.status_code == 200
        save(page, stack, first["id"], folder, project=True)
        # fused again: not moved, and not cropped
        second = page.fuse(stack, align="none", exposure="none")
        assert second["width"] > first["width"]
        # frame 3 lies where its file has it, and its stroke with it: 5 and 2 pixels off frame 2
        opened_ = page.desk.stack(stack.split("/")[-1])
        (there,) = carried(opened_, opened_.result(second["id"])).strokes
        field = first["field"]
        x, y = 100 + field["left"] + 5, 90 + field["top"] + 2
        assert there.points[0] == pytest.approx((x, y), abs=1)
        told = page.get(f"{stack}/value/{second['id']}", x=x, y=y).json()
        assert (told["frame"], told["mended"]) == (3, True)
        # drawn on the second, it lies on the first, too
        draw(page, stack, second["id"], dot(60, 60, {"frame": 0}, radius=10.0))
        assert page.get(f"{stack}/strokes", result=first["id"]).json()["missing"] == 0
        x, y = 60 + 10 - field["left"], 60 + 4 - field["top"]
        told = page.get(f"{stack}/value/{first['id']}", x=x, y=y).json()
        assert (told["frame"], told["mended"]) == (0, True)
        save(page, stack, second["id"], folder, "two.png", maps=["index"], project=True)
    other = tmp_path / "again"
    words = ["fuse", "--project", str(folder / "out.panfocus.json"), "-o", str(other / "two.png"),
             "--index-map", str(other / "two_index.tif")]  # fmt: skip
    assert main(words) == 0
    assert (other / "two.png").read_bytes() == (folder / "two.png").read_bytes()
    assert (other / "two_index.tif").read_bytes() == (folder / "two_index.tif").read_bytes()


def test_strokes_of_one_fusion_are_replayed_on_another_with_the_same_bytes(tmp_path):
    """The page's second fusion and `fuse --project` with its options agree."""
    folder, _ = moving(tmp_path / "handheld")
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        first = page.fuse(stack, exposure="none")
        draw(page, stack, first["id"], dot(100, 90, {"frame": 3}, match_brightness=True))
        save(page, stack, first["id"], folder, "one.png", project=True)
        second = page.fuse(stack, align="none", exposure="none")
        save(page, stack, second["id"], folder, "two.png", project=True, overwrite=True)
    with serving(folder) as page:
        stack = page.open(folder / "one.panfocus.json")
        page.idle()
        assert page.get(stack).json()["strokes"] == 1
    headless = tmp_path / "two.png"
    project = folder / "one.panfocus.json"
    assert main(["fuse", "--project", str(project), "--align", "none", "-o", str(headless)]) == 0
    assert headless.read_bytes() == (folder / "two.png").read_bytes()


def test_strokes_of_frames_that_a_result_leaves_out_are_told_and_kept(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, first = opened(page, folder)
        draw(page, stack, first, dot(115, 85, {"frame": 2}))
        draw(page, stack, first, dot(30, 30, {"frame": 1}))
        used = [n != 2 for n in range(5)]
        assert page.post(f"{stack}/frames", {"used": used}).status_code == 200
        second = page.fuse(stack, align="none", exposure="none")["id"]
        assert page.get(f"{stack}/strokes", result=first).json()["missing"] == 0
        assert page.get(f"{stack}/strokes", result=second).json()["missing"] == 1
        told = page.get(f"{stack}/value/{second}", x=30, y=30).json()
        assert (told["frame"], told["mended"]) == (1, True)
        refused = save(page, stack, second, folder, project=True)
        assert refused.status_code == 400
        assert "leaves out" in refused.json()["error"]["what"]
        assert save(page, stack, first, folder, project=True).status_code == 200
    assert len(Project.read(folder / "out.panfocus.json").strokes) == 2


def test_strokes_on_fewer_frames_survive_a_crash(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        page.post(f"{stack}/frames", {"used": [n != 0 for n in range(5)]})
        result = page.fuse(stack, exposure="none")["id"]
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        mended = shown(page, stack, result, 1)
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        assert page.post(f"{stack}/restore", {"take": True}).status_code == 200
        page.idle()
        facts = page.get(stack).json()
        assert [f["used"] for f in facts["frames"]] == [False, True, True, True, True]
        (stroke,) = page.get(f"{stack}/strokes").json()["strokes"]
        assert stroke["source"]["frame"] == 2
        assert np.array_equal(shown(page, stack, facts["results"][-1]["id"], 2), mended)


def test_what_was_taken_back_is_brought_back_where_it_was(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        id_ = draw(page, stack, result, dot(30, 30, {"frame": 1})).json()["stroke"]["id"]
        before = shown(page, stack, result, 1)
        assert page.http.delete(f"{stack}/strokes/{id_}").status_code == 200
        page.fuse(stack, keep_size=True)  # another registration meanwhile
        back = page.post(f"{stack}/strokes/{id_}")
        assert back.json()["stroke"]["id"] == id_
        assert np.array_equal(shown(page, stack, result, 2), before)
        assert page.post(f"{stack}/strokes/{id_}").status_code == 400


def test_maps_are_shown_with_strokes_as_they_are_saved(spoilt):
    """Overlays follow strokes: frames, another system's result, the eraser."""
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        other = page.fuse(stack, system="guided-variance", align="none", exposure="none")["id"]
        fusion = page.desk.stack(stack.split("/")[-1]).result(result).fusion
        index = np.array(fusion.index)
        y, x = (int(v[0]) for v in np.nonzero(index != 1))
        tile = f"{stack}/tiles/{result}-index/0/0_0"
        before = image_of(page.get(tile, v=0))
        draw(page, stack, result, dot(x, y, {"frame": 1}, radius=9.0))
        draw(page, stack, result, dot(30, 120, {"system": "guided-variance"}, radius=25.0))
        draw(page, stack, result, dot(115, 85, {"frame": 4}))
        draw(page, stack, result, dot(115, 85, {"fused": True}, radius=15.0))
        after = image_of(page.get(tile, v=4))
        assert not np.array_equal(after[y, x], before[y, x])
        assert np.array_equal(after[85, 115], before[85, 115])
        assert page.get(f"{stack}/value/{result}", x=x, y=y).json()["frame"] == 1
        there = page.desk.stack(stack.split("/")[-1]).result(other).fusion.index
        assert page.get(f"{stack}/value/{result}", x=30, y=120).json()["frame"] == there[120, 30]
        wanted = ["index", "depth", "confidence"]
        save(page, stack, result, folder, maps=wanted, project=True)
        opened_ = page.desk.stack(stack.split("/")[-1])
        for kind in wanted:
            saved = read(folder / f"out_{kind}.tif")
            made = Mended(opened_, opened_.result(result), page.desk.pyramids).map(kind)
            if kind == "index":
                assert np.array_equal(made, saved)
        # smaller levels show the same colours
        assert image_of(page.get(f"{stack}/tiles/{result}-depth/1/0_0", v=4)).shape == (80, 120, 3)


def test_a_projects_strokes_that_name_no_frame_are_shown(spoilt):
    """A program leaves it to the fusion which frame is sharpest, and how bright it is."""
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        save(page, stack, result, folder, project=True)
    path = folder / "out.panfocus.json"
    stroke = Stroke("brush", ((30.0, 30.0),), Sharpest(), radius=9, match_brightness=True)
    replace(Project.read(path), strokes=(stroke,)).save(path)
    with serving(folder) as page:
        stack = page.open(path)
        page.idle()
        result = page.get(stack).json()["results"][-1]["id"]
        assert shown(page, stack, result, 1).shape == (160, 240, 3)


def test_a_report_knows_of_the_strokes_of_its_picture_alone(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        id_ = draw(page, stack, result, dot(115, 85, {"frame": 2})).json()["stroke"]["id"]
        save(page, stack, result, folder, "with.png", report=True, project=True)
        page.http.delete(f"{stack}/strokes/{id_}")
        save(page, stack, result, folder, "without.png", report=True)
    first, second = (
        json.loads((folder / f"{name}_report.json").read_text()) for name in ("with", "without")
    )
    assert first["retouch"]["strokes"] == 1
    assert second.get("retouch") is None
    assert first["frames"][2]["share"] > second["frames"][2]["share"]


def test_beside_the_border_of_a_frame_nothing_is_painted(tmp_path):
    """Neither on the page nor in what is saved."""
    folder, _ = moving(tmp_path / "handheld")
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        result = page.fuse(stack, keep_size=True, exposure="none")["id"]
        before = shown(page, stack, result)
        everything = {"kind": "rectangle", "points": [[-9, -9], [330, 250]], "radius": 0}
        draw(page, stack, result, {**everything, "source": {"frame": 3}})
        after = shown(page, stack, result, 1)
        save(page, stack, result, folder, maps=["index"], project=True)
        opened_ = page.desk.stack(stack.split("/")[-1])
        index = Mended(opened_, opened_.result(result), page.desk.pyramids).map("index")
        assert np.array_equal(index, read(folder / "out_index.tif"))
        saved = read(folder / "out.png")
        assert psnr(after, saved) > 31  # JPEG
        # frame 3 lies 5 pixels aside of the reference, and so shows nothing of 5 columns
        bare = (index != 3).all(axis=0)
        assert 3 <= bare.sum() <= 8
        assert psnr(after[:, bare], before[:, bare]) > 30
