"""Strokes on volumes: drawn at a place, saved with the whole file, repeated by the command line."""

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.pipeline.project import Project
from tests.conftest import focal_stack
from tests.web.conftest import serving
from tests.web.test_mending import dot, draw

pytest.importorskip("starlette")

NAME = "cells.ome.tif"
T, C, Z = 2, 2, 4


@pytest.fixture
def cells(tmp_path):
    """A volume of 12 bits in 16, TCZYX, whose channels are other scenes."""
    stacks = [
        [focal_stack(Z, 96, 128, 2 * t + c)[0][..., 0].astype(np.uint16) * 16 for c in range(C)]
        for t in range(T)
    ]
    facts = {"axes": "TCZYX", "PhysicalSizeZ": 0.5, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(tmp_path / NAME, np.array(stacks), metadata=facts, ome=True)
    return tmp_path


def go(page, stack, t, c):
    assert page.post(f"{stack}/place", {"p": 0, "t": t, "c": c}).status_code == 200
    page.idle()


def save(page, stack, result, folder, **more):
    body = {"result": result, "folder": str(folder), "name": "fused.ome.tif", "project": True}
    line = page.post(f"{stack}/save/line", {**body, **more}).json()
    answer = page.post(f"{stack}/save", {**body, **more})
    assert answer.status_code == 200, answer.text
    page.idle()
    return line["command"]


def painted_at(page, stack, t, c, *, frame):
    """Fuse a place and paint a frame onto it."""
    go(page, stack, t, c)
    result = page.fuse(stack, system="guided")
    assert (
        draw(page, stack, result["id"], dot(40, 40, {"frame": frame}, radius=12)).status_code == 200
    )
    return result["id"]


def spot(picture):
    return picture[36:45, 36:45]


def test_strokes_of_every_place_are_saved_and_repeated(cells, tmp_path, capsys):
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        painted_at(page, stack, 0, 0, frame=3)
        result = painted_at(page, stack, 1, 1, frame=2)
        facts = page.get(f"{stack}/strokes", result=result).json()
        assert (len(facts["strokes"]), facts["elsewhere"], facts["is_saved"]) == (1, 1, False)
        command = save(page, stack, result, tmp_path, maps=["index", "depth"])
        assert page.get(f"{stack}/strokes", result=result).json()["is_saved"]
    source, fused = tifffile.imread(cells / NAME), tifffile.imread(tmp_path / "fused.ome.tif")
    index, depth = (tifffile.imread(tmp_path / f"fused_{m}.ome.tif") for m in ("index", "depth"))
    for t, c, z in [(0, 0, 3), (1, 1, 2)]:
        np.testing.assert_array_equal(spot(fused[t, c]), spot(source[t, c, z]))
        assert (spot(index[t, c]) == z).all()
        np.testing.assert_allclose(spot(depth[t, c]), z * 0.5)
    assert not np.array_equal(spot(fused[0, 1]), spot(source[0, 1, 3]))
    project = tmp_path / "fused.panfocus.json"
    assert str(project) in command
    again = tmp_path / "again.ome.tif"
    assert main(["fuse", "--project", str(project), "-o", str(again), "--index-map"]) == 0
    np.testing.assert_array_equal(tifffile.imread(again), fused)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "again_index.ome.tif"), index)
    assert main(["fuse", str(cells / NAME), "-s", "guided", "-o", str(tmp_path / "p.ome.tif")]) == 0
    plain = tifffile.imread(tmp_path / "p.ome.tif")
    differ = plain != fused
    assert differ[0, 0].any() and differ[1, 1].any()
    assert not differ[0, 1].any() and not differ[1, 0].any()


def test_a_volumes_project_is_opened_again_at_the_place_of_its_strokes(cells):
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        result = painted_at(page, stack, 1, 0, frame=1)
        save(page, stack, result, cells)
    with serving(cells) as page:
        stack = page.open(cells / "fused.panfocus.json")
        page.idle()
        facts = page.get(stack).json()
        assert facts["volume"]["place"] == [0, 1, 0]
        assert facts["strokes"] == 1
        newest = facts["results"][-1]["id"]
        told = page.get(f"{stack}/strokes", result=newest).json()
        assert (told["missing"], told["is_saved"]) == (0, True)
        assert told["strokes"][0]["source"]["frame"] == 1


def test_strokes_on_a_volume_survive_a_crash(cells):
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        painted_at(page, stack, 0, 1, frame=1)
        page.idle()
        kept = Project.read(cells / f".{NAME}.unsaved.panfocus.json")
        assert [each.place for each in kept.planes] == [(0, 0, 1)]
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        assert page.get(f"{stack}/strokes").json()["unsaved"] == {"strokes": 1}
        assert page.post(f"{stack}/restore", {"take": True}).status_code == 200
        page.idle()
        facts = page.get(stack).json()
        assert (facts["volume"]["place"], facts["strokes"]) == ([0, 0, 1], 1)


def test_strokes_ask_for_the_projects_file(cells, tmp_path):
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        painted_at(page, stack, 0, 0, frame=3)
        go(page, stack, 0, 1)
        result = page.fuse(stack, system="guided")["id"]
        body = {"result": result, "folder": str(tmp_path), "name": "fused.ome.tif"}
        answer = page.post(f"{stack}/save", body)
        assert answer.status_code == 400
        assert "project" in answer.text
        assert not (tmp_path / "fused.ome.tif").exists()


def test_another_systems_result_is_painted_from(cells, tmp_path):
    with serving(cells) as page:
        stack = page.open(cells / NAME)
        page.idle()
        page.fuse(stack, system="guided-tenengrad")
        first = page.fuse(stack, system="guided")["id"]
        stroke = dot(60, 50, {"system": "guided-tenengrad"}, radius=20)
        assert draw(page, stack, first, stroke).status_code == 200
        save(page, stack, first, tmp_path)
    fused = tifffile.imread(tmp_path / "fused.ome.tif")[0, 0]
    out = tmp_path / "t.ome.tif"
    assert main(["fuse", str(cells / NAME), "-s", "guided-tenengrad", "-o", str(out)]) == 0
    np.testing.assert_array_equal(fused[45:56, 55:66], tifffile.imread(out)[0, 0][45:56, 55:66])
