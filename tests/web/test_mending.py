"""Strokes on the page: put on, taken back, kept, saved, and repeated by the command line."""

import json
import shlex

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from panfocus.pipeline.project import Project
from tests.conftest import psnr
from tests.web.conftest import SPOT, serving
from tests.web.test_stacks import image_of


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
        wanted = {"project": True, "maps": ["depth", "index"], "report": True, "layers": "tif",
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
    for name in ("out.png", "out_depth.tif", "out_index.tif", "out_layers.tif", "out_stereo.png"):
        assert (other.parent / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize(
    "more",
    [
        {"animation_size": 63},
        {"animation_size": 1e400},
        {"animation_size": "large"},
        {"rocking": "gif", "parallax": 0},
        {"rocking": "gif", "parallax": float("nan")},
        {"quality": float("nan")},
        {"quality": 0},
    ],
)
def test_numbers_that_cannot_be_are_refused(page, shots, more):
    stack, result = opened(page, shots)
    body = json.dumps({"result": result, "folder": str(shots), "name": "a.jpg", **more})
    answer = page.http.post(f"{stack}/save/line", content=body)
    assert answer.status_code == 400 or answer.json()["problem"] is not None


def test_all_that_can_lie_beside_the_picture_is_written_and_repeated(spoilt, tmp_path):
    """Slabs and a scale bar, too, and moving pictures in both formats, with a stroke."""
    folder, _ = spoilt
    out, other = tmp_path / "out", tmp_path / "other"
    wanted = {
        "project": True,
        "slab": [3, 1],
        "scale_bar": True,
        "pixel_um": 2.5,
        "height_map": True,
        "mesh": "ply",
        "layers": "psd",
        "animation": "gif",
        "rocking": "webp",
        "animation_size": 64,
        "parallax": 6,
        "transforms": True,
    }
    for place in (out, other):
        place.mkdir()
    with serving(folder, out) as page:
        stack, result = opened(page, folder)
        draw(page, stack, result, dot(115, 85, {"frame": 2}))
        body = {"result": result, "folder": str(out), "name": "out.ome.tif", **wanted}
        told = page.post(f"{stack}/save/line", body).json()
        assert told["problem"] is None
        assert page.post(f"{stack}/save", body).status_code == 200
        page.idle()
        standing = page.post(f"{stack}/save/line", body).json()["standing"]
    made = {path.name for path in out.iterdir()}
    assert made >= {"out.ome.tif", "out_layers.psd", "out_stack.gif", "out_rocking.webp"}
    assert "--animation-size=64 --parallax=6" in told["command"]
    for name in ("out_stack.gif", "out_rocking.webp"):
        with Image.open(out / name) as moving:
            assert 56 <= max(moving.size) <= 64  # seen from aside, a little is cut off
    assert set(standing) == made - {"out.panfocus.json"}  # of which revisions are counted
    words = shlex.split(told["command"].replace(f"{out}/out", f"{other}/out"))
    words[words.index("--project") + 1] = str(out / "out.panfocus.json")
    assert main(words[1:]) == 0
    for name in made - {"out.panfocus.json"}:
        assert (other / name).read_bytes() == (out / name).read_bytes(), name


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
