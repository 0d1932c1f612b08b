"""Volumes on the page: places, micrometres, heights, slabs, and the line that repeats them."""

import shlex
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.cli import main
from tests.conftest import focal_stack
from tests.web.conftest import serving
from tests.web.test_mending import dot, draw
from tests.web.test_stacks import image_of
from tests.web.volumes import NAME, PIXEL, STEP, C, T, Z

pytest.importorskip("starlette")


@pytest.fixture
def served(cells):
    return cells


def go(page, stack, t, c):
    assert page.post(f"{stack}/place", {"p": 0, "t": t, "c": c}).status_code == 200
    page.idle()


def line_of(page, stack, **body):
    answer = page.post(f"{stack}/save/line", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def repeated(command, folder, other):
    """Run a command line with another folder in place of its own."""
    words = shlex.split(command.replace(str(folder), str(other)))
    assert main(words[1:]) == 0


def wish(result, folder, name="fused.ome.tif", **more):
    return {"result": result, "folder": folder, "name": name, **more}


def test_what_is_shown_is_saved_alone_with_its_stroke(page, stack, cells, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.mkdir()
    go(page, stack, 0, 0)
    first = page.fuse(stack)["id"]
    draw(page, stack, first, dot(20, 20, {"frame": 1}, radius=9))  # on what is not saved
    go(page, stack, 1, 1)
    result = page.fuse(stack)["id"]
    assert draw(page, stack, result, dot(40, 40, {"frame": 3}, radius=12)).status_code == 200
    body = wish(result, str(out), only_shown=True, project=True, maps=["depth"])
    told = line_of(page, stack, **body)
    assert "--only T=1,C=1" in told["command"]
    assert page.post(f"{stack}/save", body).status_code == 200
    page.idle()
    fused = tifffile.imread(out / "fused.ome.tif")
    assert fused.shape == (96, 128)
    source = tifffile.imread(cells / NAME)
    np.testing.assert_array_equal(fused[36:45, 36:45], source[1, 1, 3, 36:45, 36:45])
    depth = tifffile.imread(out / "fused_depth.ome.tif")
    np.testing.assert_allclose(depth[36:45, 36:45], 3 * STEP)
    repeated(told["command"], f"-o {out}", f"-o {other}")
    for name in ("fused.ome.tif", "fused_depth.ome.tif"):
        assert (other / name).read_bytes() == (out / name).read_bytes()


MORE = {"height_map": True, "mesh": "glb", "scale_bar": True, "slab": [3, 1], "report": True}


def test_heights_slabs_and_scale_bars_of_every_place(page, stack, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    for folder in (out, other):
        folder.mkdir()
    go(page, stack, 0, 1)
    result = page.fuse(stack)["id"]
    body = wish(result, str(out), **MORE)
    told = line_of(page, stack, **body)
    assert told["problem"] is None
    assert page.post(f"{stack}/save", body).status_code == 200
    page.idle()
    ends = [f"_t{t}_c{c}" for t in range(T) for c in range(C)]
    wanted = {"fused.ome.tif", "fused_slabs.ome.tif", "fused_report.json"}
    wanted |= {f"fused_height{end}.png" for end in ends} | {f"fused_mesh{end}.glb" for end in ends}
    wanted |= {f"fused_scalebar{end}.png" for end in ends}
    assert {path.name for path in out.iterdir()} == wanted
    assert tifffile.imread(out / "fused_slabs.ome.tif").shape == (T, 3, C, 96, 128)
    repeated(told["command"], out, other)
    for name in wanted - {"fused_report.json"}:
        assert (other / name).read_bytes() == (out / name).read_bytes(), name
    standing = line_of(page, stack, **body)["standing"]
    assert set(standing) == wanted


def test_a_picture_holds_what_is_shown(page, stack, tmp_path):
    result = page.fuse(stack)["id"]
    problem = line_of(page, stack, **wish(result, str(tmp_path), "fused.png"))["problem"]
    assert "plane" in problem["what"]
    body = wish(result, str(tmp_path), "fused.png", only_shown=True, slab=[3, 0])
    assert page.post(f"{stack}/save", body).status_code == 200
    page.idle()
    with Image.open(tmp_path / "fused.png") as picture:
        assert picture.size == (128, 96)
    assert (tmp_path / "fused_slab02.png").is_file()


@pytest.mark.parametrize("slab", [[1, 0], [3, 3], [3], ["x", 1]])
def test_slabs_that_are_none_are_refused(page, stack, tmp_path, slab):
    result = page.fuse(stack)["id"]
    body = wish(result, str(tmp_path), slab=slab)
    answer = page.post(f"{stack}/save/line", body)
    told = answer.json()
    assert answer.status_code == 400 or told["problem"] is not None
    assert page.post(f"{stack}/save", body).status_code == 400


def test_depth_is_in_micrometres_where_the_file_says_how_far_planes_are_apart(page, stack):
    facts = page.get(stack).json()
    assert facts["pixel_um"] == [PIXEL, PIXEL]
    assert facts["results"][0]["maps"]["depth"]["unit"] == "µm"  # the draft's
    result = page.fuse(stack)
    assert result["maps"]["depth"]["unit"] == "µm"
    value = page.get(f"{stack}/value/{result['id']}", x=64, y=48).json()
    assert value["unit"] == "µm"
    assert abs(value["depth"] - value["frame"] * STEP) <= STEP
    draw(page, stack, result["id"], dot(64, 48, {"frame": 5}, radius=9))
    mended = page.get(f"{stack}/value/{result['id']}", x=64, y=48).json()
    assert (mended["frame"], mended["depth"]) == (5, 5 * STEP)


def places_of(data):
    count, _ = struct.unpack("<II", data[:8])
    return np.frombuffer(data[8 : 8 + 12 * count], "<f4").reshape(-1, 3)


def test_the_surface_is_to_scale(page, stack):
    result = page.fuse(stack)["id"]
    surface = f"{stack}/surface/{result}"
    places = places_of(page.get(f"{surface}/mesh").content)
    wide, high = np.ptp(places[:, 0]), np.ptp(places[:, 2])
    assert high / wide < 1.05 * (Z - 1) * STEP / (127 * PIXEL)
    told = places_of(page.get(f"{surface}/mesh", pixel=10 * PIXEL).content)
    assert np.ptp(told[:, 2]) == pytest.approx(high / 10, rel=0.01)
    assert page.get(f"{surface}/mesh", pixel="-1").status_code == 400
    plain, coloured = (page.get(f"{surface}/texture", **q).content for q in ({}, {"of": "depth"}))
    assert plain != coloured


def test_places_keep_their_results(page, stack):
    draft = page.get(stack).json()
    result = page.fuse(stack)["id"]
    go(page, stack, 1, 0)
    there = page.get(stack).json()
    assert [r["id"] for r in there["results"]] == ["draft"]
    # a page may still ask for what it has shown: neither an error, nor another place's picture
    for gone in (f"{result}/0/0_0", f"frame-0/0/0_0?v={draft['key']}"):
        answer = page.http.get(f"{stack}/tiles/{gone}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert not image_of(answer).any()
    assert page.http.get(f"{stack}/tiles/r9/0/0_0").status_code == 400
    go(page, stack, 0, 0)
    back = page.get(stack).json()
    assert [r["id"] for r in back["results"]] == ["draft", result]
    assert back["version"] not in (draft["version"], there["version"])
    assert back["frames"] == draft["frames"]


def test_what_is_fused_is_put_where_it_was_asked_for(page, stack):
    """The page shows another place while a fusion goes on."""
    answer = page.post(f"{stack}/fuse", {"options": {"system": "guided"}})
    assert answer.status_code == 200
    go(page, stack, 1, 1)
    page.idle()
    assert [r["id"] for r in page.get(stack).json()["results"]] == ["draft"]
    go(page, stack, 0, 0)
    assert [r["id"] for r in page.get(stack).json()["results"]] == ["draft", "r1"]


def test_many_places_keep_few_drafts(page, stack, monkeypatch):
    found = page.desk.stack(stack.rpartition("/")[2])
    monkeypatch.setitem(type(found).go_to.__globals__, "_MOST_DRAFTS", 1)
    for t, c in [(0, 1), (1, 0), (1, 1)]:
        go(page, stack, t, c)
    assert sum("draft" in each.results for each in found._elsewhere.values()) == 1
    go(page, stack, 0, 0)
    assert [r["id"] for r in page.get(stack).json()["results"]] == ["draft"]


def test_a_part_of_a_volume_is_told_of_no_order_and_of_nothing_to_leave_out(tmp_path):
    planes = focal_stack(7, 96, 128)[0][..., 0].astype(np.uint16) * 16
    planes = planes[[0, 3, 1, 2, 4, 5, 6, 6]]  # Z says that they are where they are
    tifffile.imwrite(tmp_path / "z.ome.tif", planes, metadata={"axes": "ZYX"}, ome=True)
    with serving(tmp_path) as page:
        stack = page.open(tmp_path / "z.ome.tif")
        page.idle()
        body = {"options": {"system": "guided"}, "box": [0, 0, 128, 96]}
        assert page.post(f"{stack}/fuse", body).status_code == 200
        page.idle()
        notes = page.get(stack).json()["results"][-1]["warnings"]
    assert any("duplicate" in note for note in notes)
    assert not any("order" in note or "cull" in note for note in notes)
