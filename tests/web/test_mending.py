"""Strokes on the page: put on, taken back, kept, saved, and repeated by the command line."""

import shlex

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from panfocus.pipeline.project import Project
from panfocus.web.mendings import carried
from tests.conftest import focal_stack, psnr
from tests.web.conftest import serving, write_frames
from tests.web.test_stacks import image_of

SPOT = (slice(60, 110), slice(90, 140))


def planted(count=5, height=160, width=240):
    """Frames of which the last shows a pattern where another is right; and the truth."""
    frames, sharp = focal_stack(count, height, width)
    frames = frames.copy()
    yy, xx = np.mgrid[0:height, 0:width]
    checks = (((yy // 2 + xx // 2) % 2) * 255).astype(np.uint8)
    inner = (slice(70, 100), slice(100, 130))
    frames[-1][inner] = checks[inner][..., None]
    return frames, sharp


@pytest.fixture
def spoilt(tmp_path):
    frames, sharp = planted()
    return write_frames(tmp_path / "wasp", frames), sharp


def dot(x, y, source, radius=34.0, **more):
    return {
        "kind": "brush",
        "points": [[x, y]],
        "source": source,
        "radius": radius,
        "hardness": 0.9,
        **more,
    }


def opened(page, folder):
    stack = page.open(folder)
    page.idle()
    return stack, page.fuse(stack, align="none", exposure="none")["id"]


def draw(page, stack, result, stroke):
    return page.post(f"{stack}/strokes", {"result": result, "stroke": stroke})


def shown(page, stack, result, version=0):
    return image_of(page.get(f"{stack}/tiles/{result}/0/0_0", v=version))


def test_a_planted_spot_is_mended_and_undone(spoilt):
    folder, sharp = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        before = shown(page, stack, result)
        assert psnr(before[SPOT], sharp[SPOT]) < 25
        # frame 2 is the one that is sharp there
        answer = draw(page, stack, result, dot(115, 85, {"frame": 2}))
        assert answer.status_code == 200, answer.text
        after = shown(page, stack, result, 1)
        assert psnr(after[SPOT], sharp[SPOT]) > psnr(before[SPOT], sharp[SPOT]) + 8
        told = page.get(f"{stack}/value/{result}", x=115, y=85).json()
        assert (told["frame"], told["mended"]) == (2, True)
        id_ = answer.json()["stroke"]["id"]
        assert page.http.delete(f"{stack}/strokes/{id_}").status_code == 200
        assert np.array_equal(shown(page, stack, result, 2), before)
        assert page.http.delete(f"{stack}/strokes/{id_}").status_code == 400


def test_the_sharpest_frame_is_fixed_where_a_stroke_begins(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        source = page.get(f"{stack}/source/{result}", x=10, y=80).json()["frame"]
        record = draw(page, stack, result, dot(10, 80, {"frame": "sharpest"})).json()["stroke"]
        assert record["source"] == {"frame": source, "chosen": "sharpest"}


def test_two_pages_keep_each_others_strokes(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        ids = [
            draw(page, stack, result, dot(20 + 30 * n, 40, {"frame": n})).json()["stroke"]["id"]
            for n in range(3)
        ]
        assert page.http.delete(f"{stack}/strokes/{ids[1]}").status_code == 200  # one page's own
        left = [s["id"] for s in page.get(f"{stack}/strokes").json()["strokes"]]
        assert left == [ids[0], ids[2]]


@pytest.mark.parametrize(
    "stroke",
    [
        None,
        {},
        {"kind": "brush"},
        dot(1, 1, {"frame": 99}),
        dot(1, 1, {"frame": -1}),
        dot(1, 1, {"system": "dualpath"}),
        dot(1, 1, {"system": "../x"}),
        dot(1, 1, {"frame": 0}, radius=-1),
        dot(1, 1, {"frame": 0}, radius=1e9),
        dot(float("1e300"), 1, {"frame": 0}),
        {**dot(1, 1, {"frame": 0}), "unknown": 1},
        {**dot(1, 1, {"frame": 0}), "points": [[1, 1]] * 100_001},
    ],
    ids=lambda stroke: str(stroke)[-60:],
)
def test_strokes_that_are_none_are_refused(spoilt, stroke):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        answer = draw(page, stack, result, stroke)
        assert answer.status_code == 400
        assert page.get(f"{stack}/strokes").json()["strokes"] == []


def test_a_draft_is_not_mended(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, _ = opened(page, folder)
        assert draw(page, stack, "draft", dot(1, 1, {"frame": 0})).status_code == 400


def test_another_systems_result_is_painted_from(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, first = opened(page, folder)
        second = page.fuse(stack, system="guided-variance", align="none", exposure="none")["id"]
        wanted = shown(page, stack, second)
        stroke = {"kind": "rectangle", "points": [[0, 0], [240, 160]], "radius": 0,
                  "source": {"system": "guided-variance"}}  # fmt: skip
        assert draw(page, stack, first, stroke).status_code == 200
        assert psnr(shown(page, stack, first, 1), wanted) > 35


def test_the_eraser_brings_the_fused_picture_back(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        before = shown(page, stack, result)
        draw(page, stack, result, dot(115, 85, {"frame": 0}))
        draw(page, stack, result, dot(115, 85, {"fused": True}, radius=60.0))
        assert np.array_equal(shown(page, stack, result, 2), before)


def test_tiles_with_many_strokes_equal_those_made_at_once(spoilt):
    """Strokes are put onto kept tiles one by one; the same comes of putting all of them on anew."""
    folder, _ = spoilt
    rng = np.random.default_rng(1)
    with serving(folder) as page:
        stack, result = opened(page, folder)
        for n in range(12):
            x, y = (float(v) for v in rng.uniform(0, 150, 2))
            kind = {"fused": True} if n == 7 else {"frame": n % 5}
            draw(page, stack, result, dot(x, y, kind, radius=20.0, opacity=0.6))
            shown(page, stack, result, n)
        grown = shown(page, stack, result, 99)
        page.desk.stack(stack.split("/")[-1]).mending._tiles.clear()
        assert np.array_equal(grown, shown(page, stack, result, 100))


def save(page, stack, result, folder, name="out.png", **more):
    body = {"result": result, "folder": str(folder), "name": name, **more}
    answer = page.post(f"{stack}/save", body)
    page.idle()
    return answer


def test_the_command_line_makes_the_same_bytes(spoilt, tmp_path):
    folder, sharp = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}, match_brightness=True))
        draw(page, stack, result, dot(30, 30, {"frame": "sharpest"}, opacity=0.5))
        refused = save(page, stack, result, folder)
        assert refused.status_code == 400  # strokes need the project
        wanted = {"project": True, "maps": ["depth", "index"], "report": True, "layers": True,
                  "stereo": True}  # fmt: skip
        assert save(page, stack, result, folder, **wanted).status_code == 200
        body = {"result": result, "folder": str(folder), "name": "out.png", **wanted}
        line = page.post(f"{stack}/save/line", body).json()["command"]
    assert psnr(read(folder / "out.png")[SPOT], sharp[SPOT]) > 30
    words = shlex.split(line)
    assert words[:2] == ["panfocus", "fuse"]
    other = tmp_path / "again" / "out.png"
    words[words.index("-o") + 1] = str(other)
    words = [w.replace(f"{folder}/out_", f"{other.parent}/out_") for w in words]
    assert main(words[1:]) == 0
    for name in ("out.png", "out_depth.tif", "out_index.tif", "out_layers.psd", "out_stereo.png"):
        assert (other.parent / name).read_bytes() == (folder / name).read_bytes(), name


def test_without_strokes_too(shots, tmp_path):
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        result = page.fuse(stack, mode="select", keep_size=True, bit_depth="16")["id"]
        assert save(page, stack, result, shots, "out.tif", maps=["confidence"]).status_code == 200
        body = {"result": result, "folder": str(shots), "name": "out.tif", "maps": ["confidence"]}
        line = page.post(f"{stack}/save/line", body).json()["command"]
    words = shlex.split(line)
    words[words.index("-o") + 1] = str(tmp_path / "again.tif")
    assert main(words[1:]) == 0
    assert (tmp_path / "again.tif").read_bytes() == (shots / "out.tif").read_bytes()
    assert (tmp_path / "again_confidence.tif").read_bytes() == (
        shots / "out_confidence.tif"
    ).read_bytes()


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_nothing_is_replaced_unasked(shots):
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        result = page.fuse(stack)["id"]
        (shots / "out_depth.tif").write_bytes(b"mine")
        answer = save(page, stack, result, shots, maps=["depth"])
        assert answer.status_code == 200
        assert answer.json()["standing"] == ["out_depth.tif"]
        assert not (shots / "out.png").exists()
        assert (shots / "out_depth.tif").read_bytes() == b"mine"
        assert save(page, stack, result, shots, maps=["depth"], overwrite=True).status_code == 200
        assert (shots / "out_depth.tif").read_bytes() != b"mine"


@pytest.mark.parametrize("name", ["f0.png", "F0.PNG"])
def test_a_frame_is_never_replaced(shots, name):
    before = (shots / "f0.png").read_bytes()
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        result = page.fuse(stack)["id"]
        answer = save(page, stack, result, shots, name, overwrite=True)
        assert answer.status_code == 400
    assert (shots / "f0.png").read_bytes() == before


def test_a_project_is_opened_again_with_its_strokes(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        save(page, stack, result, folder, project=True)
        mended = shown(page, stack, result, 1)
        assert page.get(f"{stack}/strokes").json()["is_saved"]
    with serving(folder) as page:
        stack = page.open(folder / "out.panfocus.json")
        page.idle()
        facts = page.get(stack).json()
        assert (facts["title"], facts["strokes"]) == ("out", 1)
        assert facts["options"] == {"system": "guided", "align": "none", "exposure": "none"}
        assert np.array_equal(shown(page, stack, facts["results"][-1]["id"], 1), mended)
        draw(page, stack, facts["results"][-1]["id"], dot(20, 20, {"frame": 0}))
        name = {"result": facts["results"][-1]["id"], "folder": str(folder), "name": "two.png"}
        assert page.post(f"{stack}/save", {**name, "project": True}).status_code == 200
        page.idle()
    assert len(Project.read(folder / "out.panfocus.json").strokes) == 2


def test_strokes_survive_a_crash(spoilt):
    """What was not saved is offered when the folder is opened again."""
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        mended = shown(page, stack, result, 1)
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        assert page.get(f"{stack}/strokes").json()["unsaved"] == {"strokes": 1}
        assert page.post(f"{stack}/restore", {"take": True}).status_code == 200
        page.idle()
        result = page.get(stack).json()["results"][-1]["id"]
        assert np.array_equal(shown(page, stack, result, 2), mended)
        assert not page.get(f"{stack}/strokes").json()["is_saved"]
        save(page, stack, result, folder, project=True)
    assert list(folder.glob(".*")) == []
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        assert page.get(f"{stack}/strokes").json()["unsaved"] is None


def test_what_was_left_can_be_forgotten(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
    with serving(folder) as page:
        stack = page.open(folder)
        page.idle()
        assert page.post(f"{stack}/restore", {"take": False}).status_code == 200
        assert page.post(f"{stack}/restore", {"take": False}).status_code == 400
    assert list(folder.glob(".*")) == []


def test_a_project_that_others_have_saved_is_not_destroyed(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        save(page, stack, result, folder, project=True)
        path = folder / "out.panfocus.json"
        theirs = Project.read(path)
        theirs.save(path)  # by somebody else, meanwhile
        before = path.read_bytes()
        draw(page, stack, result, dot(20, 20, {"frame": 1}))
        save(page, stack, result, folder, "out.png", project=True, overwrite=True)
        assert path.read_bytes() == before
        assert not page.get(f"{stack}/strokes").json()["is_saved"]


def test_a_project_names_no_files_elsewhere(spoilt, tmp_path):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        save(page, stack, result, folder, project=True)
    path = folder / "out.panfocus.json"
    outside = tmp_path / "outside.png"
    outside.write_bytes((folder / "f0.png").read_bytes())
    for told in ("../outside.png", str(outside)):
        path.write_text(path.read_text().replace('"f0.png"', f'"{told}"'))
        with serving(folder) as page:
            answer = page.post("/api/stacks", {"paths": [str(path)]})
            assert answer.status_code in (400, 403)
        path.write_text(path.read_text().replace(f'"{told}"', '"f0.png"'))


def test_ten_thousand_strokes_are_taken_and_no_more(spoilt):
    folder, _ = spoilt
    with serving(folder) as page:
        stack, result = opened(page, folder)
        mending = page.desk.stack(stack.split("/")[-1]).mending
        draw(page, stack, result, dot(1, 1, {"frame": 0}, radius=2.0))
        one = mending.drawn[0]
        mending.put([one.stroke] * 10_000, one.base)
        assert draw(page, stack, result, dot(1, 1, {"frame": 0})).status_code == 400
        assert len(page.get(f"{stack}/strokes").json()["strokes"]) == 10_000
        assert shown(page, stack, result, 3).shape == (160, 240, 3)


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
             "--save-index", str(other / "two_index.tif")]  # fmt: skip
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
        from panfocus.web.mended import mended_map

        for kind in wanted:
            saved = read(folder / f"out_{kind}.tif")
            made = mended_map(opened_, opened_.result(result), kind)
            if kind == "index":
                assert np.array_equal(made, saved)
        # smaller levels show the same colours
        assert image_of(page.get(f"{stack}/tiles/{result}-depth/1/0_0", v=4)).shape == (80, 120, 3)


def test_a_projects_strokes_that_name_no_frame_are_shown(spoilt):
    """A program leaves it to the fusion which frame is sharpest, and how bright it is."""
    from dataclasses import replace

    from panfocus.retouch import Sharpest, Stroke

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
