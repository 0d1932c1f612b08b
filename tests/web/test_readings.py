"""Frames of one file that are left out, and volumes that are read as somebody says."""

import json
import shlex
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus import Options
from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.project import Project
from panfocus.pipeline.volumes.project import volume_project
from tests.conftest import focal_stack
from tests.web.conftest import serving
from tests.web.test_mending import dot, draw

SIZE = (96, 128)


def _pages(folder):
    path = folder / "pages.tif"
    tifffile.imwrite(path, focal_stack(5, *SIZE)[0], photometric="rgb")
    return path


def film_of(path, frames):
    """Write frames of RGB as a film."""
    size = frames[0].shape[1::-1]
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    for frame in frames:
        out.write(np.ascontiguousarray(frame[..., ::-1]))
    out.release()
    return path


def _film(folder):
    return film_of(folder / "sweep.mp4", focal_stack(5, *SIZE)[0])


def save(page, stack, result, **more):
    body = {"result": result["id"], "name": "out.tif", **more}
    answer = page.post(f"{stack}/save/line", body).json()
    assert page.post(f"{stack}/save", body).status_code == (400 if answer["problem"] else 200)
    page.idle()
    return answer


@pytest.mark.parametrize("make", [_pages, _film])
def test_frames_of_one_file_are_left_out(make, tmp_path):
    path = make(tmp_path)
    with serving(tmp_path) as page:
        stack = page.open(path)
        page.idle()
        facts = page.get(stack).json()
        assert facts["can_switch"]
        used = [True, False, True, True, False]
        assert page.post(f"{stack}/frames", {"used": used}).status_code == 200
        result = page.fuse(stack, align="none", exposure="none")
        assert result["used"] == [0, 2, 3]
        assert result["is_part"]
        assert "save the project" in save(page, stack, result)["problem"]["remedy"]
        told = save(page, stack, result, project=True)
        assert told["problem"] is None
        words = shlex.split(told["command"])
        again = page.open(tmp_path / "out.panfocus.json")
        page.idle()
        assert [f["used"] for f in page.get(again).json()["frames"]] == used
    assert words[:2] == ["panfocus", "fuse"]
    repeated = tmp_path / "again.tif"
    assert main([*words[1:-1], str(repeated)]) == 0
    np.testing.assert_array_equal(tifffile.imread(repeated), tifffile.imread(tmp_path / "out.tif"))


def test_the_first_page_alone_is_not_the_whole_file(tmp_path):
    """Of one file, only the first page is left; the others are files of one frame."""
    frames = focal_stack(5, *SIZE)[0]
    tifffile.imwrite(tmp_path / "a.tif", frames[:3], photometric="rgb")
    for n in (3, 4):
        Image.fromarray(frames[n]).save(tmp_path / f"b{n}.png")
    with serving(tmp_path) as page:
        stack = page.open(tmp_path)
        page.idle()
        page.post(f"{stack}/frames", {"used": [True, False, False, True, True]})
        result = page.fuse(stack, align="none", exposure="none")
        save(page, stack, result, project=True)
    project = Project.read(tmp_path / "out.panfocus.json")
    assert [each.pages for each in project.inputs] == [(0,), None, None]
    fused = project.fuse()
    np.testing.assert_array_equal(fused.image, tifffile.imread(tmp_path / "out.tif"))


@pytest.fixture
def grey():
    """Two channels of three planes."""
    return np.stack([focal_stack(3, *SIZE, c)[0][..., 0].astype(np.uint16) * 16 for c in range(2)])


def _plain_tiff(folder, grey):
    path = folder / "plain.tif"
    tifffile.imwrite(path, grey, photometric="minisblack")
    return path, {"axes": "CZYX"}, ["--axes", "CZYX"]


def _plain_zarr(folder, grey):
    zarr = pytest.importorskip("zarr")
    path = folder / "plain.zarr"
    zarr.create_array(str(path), shape=grey.shape, dtype=grey.dtype, zarr_format=2)[:] = grey
    return path, {"axes": "CZYX"}, ["--axes", "CZYX"]


def _names(folder, grey):
    path = folder / "odd"
    path.mkdir()
    for c, z in np.ndindex(2, 3):
        tifffile.imwrite(path / f"k{c}q{z}.tif", grey[c, z])
    return path, {"pattern": "k{c}q{z}.tif"}, ["--pattern", "k{c}q{z}.tif"]


@pytest.mark.parametrize("make", [_plain_tiff, _plain_zarr, _names])
def test_a_volume_is_read_as_somebody_says(make, tmp_path, grey):
    path, reading, words = make(tmp_path, grey)
    with serving(tmp_path) as page:
        listed = page.get("/api/folder", path=str(tmp_path)).json()
        (entry,) = [e for e in (*listed["files"], *listed["folders"]) if e["path"] == str(path)]
        assert entry["ways"] == list(reading)
        answer = page.post("/api/stacks", {"paths": [str(path)], "reading": reading})
        assert answer.status_code == 200, answer.text
        stack = f"/api/stacks/{answer.json()['id']}"
        page.idle()
        facts = page.get(stack).json()
        assert facts["kind"] == "volume"
        assert facts["reading"] == {"ways": list(reading), "told": reading}
        assert len(facts["volume"]["positions"][0]["channels"]) == 2
        result = page.fuse(stack)
        told = save(page, stack, result, name="out.ome.tif")
        said = shlex.split(told["command"])
        assert said[3:5] == words
        assert main([*said[1:-1], str(tmp_path / "again.ome.tif")]) == 0
        # strokes are repeated from the project, which knows how the volume is read
        answer = draw(page, stack, result["id"], dot(64, 48, {"frame": 2}))
        assert answer.status_code == 200, answer.text
        told = save(page, stack, result, name="mended.ome.tif", project=True)
        said = shlex.split(told["command"])
        assert words[0] not in said
        assert main([*said[1:-1], str(tmp_path / "mended2.ome.tif")]) == 0
        again = page.open(tmp_path / "mended.panfocus.json")
        page.idle()
        assert page.get(again).json()["reading"]["told"] == reading
    for one, other in (("out", "again"), ("mended", "mended2")):
        first, second = (tifffile.imread(tmp_path / f"{name}.ome.tif") for name in (one, other))
        assert first.shape[0] == 2
        np.testing.assert_array_equal(first, second)


def test_a_stack_is_read_anew_and_nothing_made_of_it_is_lost(tmp_path, grey):
    path, reading, _ = _plain_tiff(tmp_path, grey)
    with serving(tmp_path) as page:
        stack = page.open(path)
        page.idle()
        assert page.get(stack).json()["kind"] == "photos"
        answer = page.post(f"{stack}/reading", {"reading": {"axes": "QQ"}})
        assert answer.status_code == 400
        volume = page.post(f"{stack}/reading", {"reading": reading}).json()["id"]
        page.idle()
        assert page.get(stack).status_code == 410  # nothing was made of it
        page.fuse(f"/api/stacks/{volume}")
        page.post(f"/api/stacks/{volume}/reading", {"reading": {"axes": "TZYX"}})
        page.idle()
        assert page.get(f"/api/stacks/{volume}").json()["results"]
        assert len(page.get("/api/state").json()["stacks"]) == 2


@pytest.mark.parametrize(
    "reading",
    [
        [], "ZYX", 7, {"axis": "ZYX"}, {"axes": 3}, {"axes": "Z" * 5000}, {"pattern": ["{z}"]},
        {"mosaic": "both"}, {"mosaic": {}}, {"pattern": "{z}" * 9999}, {"axes": "Z\0YX"},
        {"pattern": "../{z}.tif"}, {"pattern": "{"}, {"pattern": "{z}{z}"}, {"mosaic": "tiles"},
    ],
)  # fmt: skip
def test_what_is_no_reading_is_refused(reading, tmp_path, grey):
    path, *_ = _plain_tiff(tmp_path, grey)
    with serving(tmp_path) as page:
        body = {"paths": [str(path)], "reading": reading}
        answer = page.post("/api/stacks", body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["what"]


def test_a_pattern_does_not_lead_out(tmp_path, grey):
    _, reading, _ = _names(tmp_path, grey)
    inner = tmp_path / "inner"
    inner.mkdir()
    with serving(inner) as page:
        for pattern in ("../odd/k{c}q{z}.tif", f"{tmp_path}/odd/{reading['pattern']}"):
            body = {"paths": [str(inner)], "reading": {"pattern": pattern}}
            assert page.post("/api/stacks", body).status_code in (400, 403)
        (inner / "k0q0.tif").symlink_to(tmp_path / "odd/k0q0.tif")
        body = {"paths": [str(inner)], "reading": reading}
        assert page.post("/api/stacks", body).status_code == 403


@pytest.mark.parametrize(
    "reading",
    [[], "ZYX", {"axis": "ZYX"}, {"axes": 3}, {"mosaic": "both"}, {"mosaic": []},
     {"pattern": "{z}" * 999}, {"axes": ["Z"]}, {"axes": "Z" * 101}],
)  # fmt: skip
def test_a_project_with_another_reading_is_refused(reading, tmp_path, grey):
    path, how, _ = _plain_tiff(tmp_path, grey)
    project = replace(volume_project(path, Options(), {}, tmp_path), reading=VolumeReading(**how))
    saved = Project(**vars(project)).save(tmp_path / "a.panfocus.json")
    assert Project.read(tmp_path / "a.panfocus.json") == saved
    record = json.loads((tmp_path / "a.panfocus.json").read_text())
    assert record["reading"] == how
    record["reading"] = reading
    (tmp_path / "a.panfocus.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"reading"):
        Project.read(tmp_path / "a.panfocus.json")
