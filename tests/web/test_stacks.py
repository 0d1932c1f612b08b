"""A stack on the page: opened, looked at, fused, as a page asks for it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.pipeline.options import FIELDS
from panfocus.web.serve import open_inputs, places_of
from tests.conftest import focal_stack, psnr, texture
from tests.web.conftest import serving, write_frames


def image_of(answer):
    import io

    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        return np.asarray(picture)


def test_a_draft_is_there_after_opening(page, shots):
    stack = page.open(shots)
    page.idle()
    facts = page.get(stack).json()
    assert facts["count"] == 5
    assert facts["title"] == shots.parent.name  # "shots" says nothing
    (draft,) = facts["results"]
    assert draft["id"] == "draft"
    assert set(draft["maps"]) == {"index", "depth", "confidence"}
    assert all(f["thumb"] and f["sharpness"] > 0 for f in facts["frames"])
    thumb = image_of(page.get(f"{stack}/thumbs/0"))
    assert max(thumb.shape[:2]) == 240


def test_drafts_in_turn_are_pictures_of_their_own(page, shots):
    """Pages keep what they have seen by its key: the aligned draft is another picture."""
    stack = page.desk.stack(page.open(shots).rpartition("/")[2])
    page.idle()
    first = stack.results["draft"]
    second = replace(first, folder=first.folder.with_name("draft-other"))
    keys = {one.picture(stack.key, stack.levels).key for one in (first, second)}
    maps = {one.map_picture(stack.key, "depth").key for one in (first, second)}
    assert len(keys) == len(maps) == 2


def test_opening_twice_is_opening_once(page, shots):
    assert page.open(shots) == page.open(shots)
    assert len(page.get("/api/state").json()["stacks"]) == 1


def test_frames_that_spoil_the_stack_are_marked_and_left_out(tmp_path):
    frames, _ = focal_stack(6, 160, 240)
    dark = (frames[3] * 0.5).astype(np.uint8)
    spoilt = [*frames[:3], frames[2], dark, *frames[4:]]
    shots = write_frames(tmp_path / "beetle", spoilt)
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        marks = [f["mark"] and f["mark"]["kind"] for f in page.get(stack).json()["frames"]]
        assert marks[3] == "duplicate"
        assert marks[4] == "exposure"
        used = [mark is None for mark in marks]
        assert page.post(f"{stack}/frames", {"used": used}).status_code == 200
        result = page.fuse(stack)
        assert result["used"] == [n for n, one in enumerate(used) if one]
        assert page.post(f"{stack}/frames", {"used": [True] + [False] * 6}).status_code == 400
        assert page.post(f"{stack}/frames", {"used": [True]}).status_code == 400


def test_the_fused_picture_is_that_of_the_library(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack, mode="select")
    same = panfocus.fuse(str(shots), system="guided", mode="select")
    found = page.desk.stack(stack.split("/")[-1]).result(result["id"]).fusion
    assert np.array_equal(found.image, same.image)
    assert np.array_equal(found.index, same.index)
    assert np.array_equal(found.confidence, same.confidence)


def test_tiles_show_the_frame(page, shots):
    stack = page.open(shots)
    tile = image_of(page.get(f"{stack}/tiles/frame-1/0/0_0"))
    with Image.open(shots / "f1.png") as picture:
        frame = np.asarray(picture)
    assert tile.shape == frame.shape
    assert psnr(tile, frame) > 30  # JPEG
    assert image_of(page.get(f"{stack}/tiles/frame-1/1/0_0")).shape == (80, 120, 3)
    assert image_of(page.get(f"{stack}/tiles/frame-1/9/0_0")).shape == (1, 1, 3)


def test_large_frames_come_in_tiles(tmp_path):
    shots = write_frames(tmp_path / "large", [texture(700, 900, n) for n in range(2)], "jpg")
    with serving(shots) as page:
        stack = page.open(shots)
        sizes = {
            (c, r): image_of(page.get(f"{stack}/tiles/frame-0/0/{c}_{r}")).shape[:2]
            for c in range(2)
            for r in range(2)
        }
        assert sizes == {
            (0, 0): (512, 512),
            (1, 0): (512, 388),
            (0, 1): (188, 512),
            (1, 1): (188, 388),
        }
        assert page.get(f"{stack}/tiles/frame-0/0/2_0").status_code == 404
        assert image_of(page.get(f"{stack}/tiles/frame-0/1/0_0")).shape == (350, 450, 3)


def test_maps_are_exact_and_values_are_told(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack, z_step_um=2.5)
    tile = page.get(f"{stack}/tiles/{result['id']}-index/0/0_0")
    assert tile.headers["content-type"] == "image/png"
    fusion = page.desk.stack(stack.split("/")[-1]).result(result["id"]).fusion
    colours = {}
    for colour, number in zip(image_of(tile).reshape(-1, 3), fusion.index.ravel(), strict=True):
        assert colours.setdefault(int(number), tuple(colour)) == tuple(colour)
    assert len(set(colours.values())) == len(colours) > 2
    told = page.get(f"{stack}/value/{result['id']}", x=200, y=90).json()
    assert told["frame"] == fusion.index[90, 200]
    assert told["unit"] == "µm"
    assert told["depth"] == pytest.approx(float(fusion.depth[90, 200]), abs=1e-3)
    assert told["rgb"] == fusion.image[90, 200].tolist()
    assert page.get(f"{stack}/value/{result['id']}", x=10**6, y=0).json() == {}
    assert page.get(f"{stack}/value/{result['id']}", x=-1, y=0).status_code == 400


def test_a_histogram_counts_all_pixels(page, shots):
    stack = page.open(shots)
    channels = page.get(f"{stack}/histogram/frame-0").json()["channels"]
    assert [sum(c) for c in channels] == [160 * 240] * 3


def test_frames_are_shown_where_the_result_has_them(tmp_path):
    frames, _ = focal_stack(4, 240, 320)
    moved = [np.roll(f, (0, 4 * n), axis=(0, 1)) for n, f in enumerate(frames)]
    shots = write_frames(tmp_path / "handheld", moved)
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        result = page.fuse(stack)
        assert result["field"]["left"] + result["width"] <= 320
        assert result["width"] < 320
        here = image_of(page.get(f"{stack}/tiles/frame-0@{result['id']}/0/0_0"))
        there = image_of(page.get(f"{stack}/tiles/frame-3@{result['id']}/0/0_0"))
        assert here.shape == there.shape == (result["height"], result["width"], 3)
        assert psnr(here, there) > psnr(moved[0][:, :300], moved[3][:, :300]) + 3


def test_maps_fade_where_they_are_not_sure(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]

    def tile(picture, **query):
        data = page.get(f"{stack}/tiles/{picture}/0/0_0", **query).content
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    plain, faded = tile(f"{result}-depth"), tile(f"{result}-depth", fade=1)
    np.testing.assert_array_equal(faded[..., :3], plain)
    sure = np.asarray(page.desk.stack(stack.rpartition("/")[2]).result(result).fusion.confidence)
    assert (faded[..., 3][sure >= 0.25] == 255).all()
    assert (faded[..., 3][sure < 0.2] < 255).all()
    assert tile(result, fade=1).shape == tile(result).shape == (160, 240, 3)


def test_a_part_that_was_tried_goes_once_the_whole_is_fused(page, shots):
    stack = page.open(shots)
    page.idle()
    body = {"options": {"system": "guided"}, "box": [20, 30, 100, 80]}
    assert page.post(f"{stack}/fuse", body).status_code == 200
    page.idle()
    assert [r["name"] for r in page.get(stack).json()["results"]] == ["draft", "region"]
    page.fuse(stack)
    assert [r["name"] for r in page.get(stack).json()["results"]] == ["draft", "guided"]


def test_a_region_is_fused_alone(page, shots):
    stack = page.open(shots)
    page.idle()
    body = {"options": {"system": "guided", "align": "none"}, "box": [40, 30, 100, 90]}
    assert page.post(f"{stack}/fuse", body).status_code == 200
    page.idle()
    part = page.get(stack).json()["results"][-1]
    assert part["name"] == "region"
    assert (part["width"], part["height"], part["field"]) == (100, 90, {"left": 40, "top": 30})
    for box in (
        [0, 0, 10, 10],
        [200, 0, 100, 100],
        [0, 0, 1e9, 80],
        [0, 0],
        "all",
        [-1, 0, 80, 80],
    ):
        assert page.post(f"{stack}/fuse", {**body, "box": box}).status_code == 400


def test_a_second_system_takes_the_registration_of_the_first(page, shots):
    stack = page.open(shots)
    page.idle()
    page.fuse(stack)
    page.fuse(stack, system="guided-sf")
    found = page.desk.stack(stack.split("/")[-1]).results
    first, second = found["r1"].fusion, found["r2"].fusion
    assert second.registration is first.registration
    assert "align" not in second.report.timings_s or second.report.timings_s["align"] < 0.5
    same = panfocus.fuse(str(shots), system="guided-sf")
    assert np.array_equal(second.image, same.image)


def test_work_is_stopped_when_asked(page, shots):
    stack = page.open(shots)
    page.idle()
    job = page.post(f"{stack}/fuse", {"options": {"system": "dualpath"}}).json()["id"]
    assert page.http.delete(f"/api/jobs/{job}").json()["stopped"]
    page.idle()
    assert not page.http.delete(f"/api/jobs/{job}").json()["stopped"]
    assert len(page.get(stack).json()["results"]) <= 1


def test_results_and_stacks_can_be_dropped(page, shots):
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]
    work = page.desk.stack(stack.split("/")[-1]).work
    assert page.http.delete(f"{stack}/results/{result}").status_code == 200
    assert [r["id"] for r in page.get(stack).json()["results"]] == ["draft"]
    assert page.http.delete(stack).status_code == 200
    assert page.get(stack).status_code == 410
    assert not work.exists()


def test_planes_are_fused_together(tmp_path):
    import tifffile

    grey = focal_stack(3, 80, 120)[0][..., 0]
    folder = tmp_path / "planes"
    folder.mkdir()
    tifffile.imwrite(folder / "stack.ome.tif", grey, metadata={"axes": "ZYX"})
    with serving(folder) as page:
        stack = page.open(folder / "stack.ome.tif")
        page.idle()
        facts = page.get(stack).json()
        assert facts["count"] == 3
        assert not facts["can_switch"]
        assert page.post(f"{stack}/frames", {"used": [True, True, False]}).status_code == 400


def test_a_volume_goes_to_another_place(tmp_path):
    import tifffile

    grey = np.stack([focal_stack(4, 96, 128, seed)[0][..., 0] for seed in range(2)])
    tifffile.imwrite(
        tmp_path / "cells.ome.tif", grey.astype(np.uint16) * 16, metadata={"axes": "CZYX"}
    )
    with serving(tmp_path) as page:
        stack = page.open(tmp_path / "cells.ome.tif")
        page.idle()
        facts = page.get(stack).json()
        assert facts["kind"] == "volume"
        assert len(facts["volume"]["positions"][0]["channels"]) == 2
        first = image_of(page.get(f"{stack}/tiles/frame-0/0/0_0"))
        assert page.post(f"{stack}/place", {"p": 0, "t": 0, "c": 1}).status_code == 200
        page.idle()
        assert page.get(stack).json()["volume"]["place"] == [0, 0, 1]
        assert not np.array_equal(first, image_of(page.get(f"{stack}/tiles/frame-0/0/0_0")))
        assert page.fuse(stack)["maps"]
        assert page.post(f"{stack}/place", {"p": 0, "t": 3, "c": 0}).status_code == 400
        saved = {"result": "r1", "folder": str(tmp_path), "name": "fused.ome.tif"}
        assert page.post(f"{stack}/save", saved).status_code == 200
        page.idle()
        assert tifffile.imread(tmp_path / "fused.ome.tif").shape == (2, 96, 128)


def test_dropped_files_become_a_stack(page, shots):
    id_ = page.post("/api/uploads").json()["id"]
    for n in range(3):
        content = (shots / f"f{n}.png").read_bytes()
        assert page.http.put(f"/api/uploads/{id_}/f{n}.png", content=content).status_code == 200
    answer = page.post("/api/stacks", {"upload": id_})
    assert answer.status_code == 200
    page.idle()
    stack = f"/api/stacks/{answer.json()['id']}"
    facts = page.get(stack).json()
    assert (facts["count"], facts["dropped"]) == (3, True)
    result = page.fuse(stack)["id"]
    body = {"result": result, "folder": facts["folder"], "name": "out.png"}
    assert page.post(f"{stack}/save", body).status_code == 200
    page.idle()
    got = page.get("/api/fetch", path=f"{facts['folder']}/out.png")
    assert got.status_code == 200
    assert "attachment" in got.headers["content-disposition"]


def test_the_form_has_every_option_and_its_help(page):
    form = page.get("/api/state").json()["form"]
    shown = {o["name"]: o for g in form["groups"] for o in g["options"]}
    assert set(shown) == set(FIELDS) - {"maps"}
    assert all(o["help"].endswith(".") for o in shown.values())
    from panfocus.web.form import read_options
    from panfocus.web.places import Places

    for preset in form["presets"].values():
        read_options(preset, Places([]))


def test_what_cannot_be_opened_is_said(page, shots):
    (shots / "odd").mkdir()
    Image.fromarray(texture(50, 60)).save(shots / "odd" / "a.png")
    answer = page.post("/api/stacks", {"paths": [str(shots / "odd")]})
    assert answer.status_code == 400
    assert answer.json()["error"]["what"] == "fusing needs at least two frames"


def test_the_cache_of_pictures_is_bounded(page, shots):
    stack = page.open(shots)
    page.idle()
    page.desk.pyramids.budget = 300_000
    for n in range(5):
        image_of(page.get(f"{stack}/tiles/frame-{n}/0/0_0"))
    assert page.desk.pyramids.held <= 300_000


def test_a_result_opens_with_the_project_that_lies_beside_it(shots):
    out = shots / "fly.png"
    words = ["fuse", str(shots), "-s", "guided", "-o", str(out), "--align", "none"]
    assert main([*words, "--save-project", str(shots / "fly.panfocus.json")]) == 0
    (shots / "f1.panfocus.json").write_text("not of a result")
    with serving(places=places_of([out])) as page:
        open_inputs(page.desk, [out])
        page.idle()
        (told,) = page.get("/api/state").json()["stacks"]
        assert told["title"] == "fly"
        facts = page.get(f"/api/stacks/{told['id']}").json()
        assert facts["count"] == 5
        assert [r["name"] for r in facts["results"]] == ["draft", "guided"]
    with serving(places=places_of([shots])) as page:
        open_inputs(page.desk, [shots / "f0.png", shots / "f1.png"])
        (told,) = page.get("/api/state").json()["stacks"]
        assert page.get(f"/api/stacks/{told['id']}").json()["count"] == 2


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_numbers_that_no_float_holds_are_refused(page, shots, number):
    """JSON has whole numbers of any length."""
    stack = page.open(shots)
    page.idle()
    result = page.fuse(stack)["id"]
    asked = {"result": result, "name": "a.tif"}
    for address, body in (
        ("levels", {"black": 0, "white": number}),
        ("fuse", {"options": {"system": "guided", "z_step_um": number}}),
        ("save", {**asked, "pixel_um": number}),
        ("save/line", {**asked, "parallax": number}),
    ):
        assert page.post(f"{stack}/{address}", body).status_code == 400, address
