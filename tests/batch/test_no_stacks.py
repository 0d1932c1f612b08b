"""What lies in the folder of a batch and is no stack: results, machines' folders, the output."""

import json
import os

import numpy as np
import pytest

from panfocus import io
from panfocus.batch.job import Job
from panfocus.batch.jobs import find_jobs
from panfocus.cli import main
from panfocus.errors import InputError
from tests.conftest import focal_pair, texture

PAIR = focal_pair(48, 64)[0]


def write(folder, frames=PAIR):
    for n, frame in enumerate(frames):
        io.write_image(folder / f"IMG_{n}.png", frame, io.Metadata())
    return folder


@pytest.fixture
def night(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / "night" / name)
    return tmp_path / "night"


def jobs(source, out):
    notes = []
    found = find_jobs(source, out, ending=".tif", template=Job("", (), out), notes=notes)
    return [job.name for job in found], "\n".join(notes)


def batch(source, out, *words):
    return main(["batch", str(source), str(out), "-s", "guided", "--workers", "0", *words])


def report(out):
    return json.loads((out / "report.json").read_text())


@pytest.mark.parametrize("inside", ["fused", "results/today", "ant/fused", "."])
def test_the_output_inside_the_input_is_no_stack(night, inside):
    out = night / inside
    for _ in range(2):
        assert batch(night, out, "-q", "--resume") == 0
        assert [s["name"] for s in report(out)["stacks"]] == ["ant", "bee"]


@pytest.mark.parametrize("inside", ["fused", "results/yesterday"])
def test_an_earlier_output_is_no_stack_of_a_later_batch(night, tmp_path, inside):
    assert batch(night, night / inside, "-q") == 0
    names, notes = jobs(night, tmp_path / "out")
    assert names == ["ant", "bee"] or inside != "fused"
    if inside == "fused":
        assert "fused" in notes


def test_an_earlier_result_in_a_stack_is_no_frame_and_is_told(night, tmp_path, capsys):
    ant = night / "ant"
    assert main(["fuse", str(ant), "-o", str(ant / "IMG_9.png"), "-q", "-s", "guided"]) == 0
    out = tmp_path / "out"
    assert batch(night, out) == 0
    done = {s["name"]: s for s in report(out)["stacks"]}
    assert done["ant"]["frames"] == 2
    assert any("IMG_9.png" in w for w in done["ant"]["warnings"])
    assert "IMG_9.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", "Night Previews.lrdata"]
)
def test_folders_of_machines_are_no_stacks_and_it_is_said(night, tmp_path, name, capsys):
    write(night / name)
    names, notes = jobs(night, tmp_path / "out")
    assert names == ["ant", "bee"]
    assert name in notes
    assert batch(night, tmp_path / "out") == 0
    assert name in capsys.readouterr().err
    assert any(name in note for note in report(tmp_path / "out")["notes"])


def test_aligned_frames_are_a_stack(night, tmp_path):
    assert main(["fuse", str(night / "ant"), "--align-only", str(night / "cow"), "-q"]) == 0
    assert jobs(night, tmp_path / "out") == (["ant", "bee", "cow"], "")


@pytest.mark.parametrize("kind", ["pipe.tif", "gone.tif", "gone", "pipe"])
def test_pipes_and_broken_links_are_left_out_with_a_note(night, tmp_path, kind):
    if kind.startswith("pipe"):
        os.mkfifo(night / kind)
    else:
        (night / kind).symlink_to(tmp_path / "nowhere")
    names, notes = jobs(night, tmp_path / "out")
    assert names == ["ant", "bee"]
    assert kind in notes


def test_results_of_several_pages_and_with_axes_are_no_stacks(night, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    planes = np.stack([frame[..., 0] for frame in PAIR])
    tifffile.imwrite(night / "cells.ome.tif", planes, metadata={"axes": "ZYX"})
    assert main(["fuse", str(night / "cells.ome.tif"), "-o", str(night / "done.ome.tif"), "-q",
                 "-s", "guided"]) == 0  # fmt: skip
    tifffile.imwrite(night / "axes.tif", np.stack([planes, planes]).astype(np.uint16), imagej=True,
                     metadata={"axes": "ZCYX"})  # fmt: skip
    for out in ("as_imagej.tif", "one.ome.zarr"):
        assert main(["fuse", str(night / "axes.tif"), "-o", str(night / out), "-q",
                     "-s", "guided", "--axes", "ZCYX"]) == 0  # fmt: skip
    names, notes = jobs(night, tmp_path / "out")
    assert sorted(names) == ["ant", "axes", "bee", "cells"]
    assert all(name in notes for name in ("done.ome.tif", "as_imagej.tif", "one.ome.zarr"))


def test_nothing_but_results_says_so(night, tmp_path, capsys):
    assert batch(night, tmp_path / "up" / "fused", "-q") == 0
    assert batch(tmp_path / "up", tmp_path / "out") == 1
    assert "results" in capsys.readouterr().err


def test_folders_of_many_scenes_are_told_of(tmp_path, capsys):
    write(tmp_path / "set/left", [texture(96, 128, n) for n in range(4)])
    write(tmp_path / "set/right", [texture(96, 128, n) for n in range(4)])
    write(tmp_path / "set/stack")
    assert batch(tmp_path / "set", tmp_path / "out") == 0
    done = {s["name"]: s["warnings"] for s in report(tmp_path / "out")["stacks"]}
    torn = {name for name, warnings in done.items() if any("one scene" in w for w in warnings)}
    assert torn == {"left", "right"}
    assert capsys.readouterr().err.count("one scene") == 2


def test_a_batch_of_nothing(tmp_path):
    with pytest.raises(InputError):
        jobs(tmp_path / "no such folder", tmp_path / "out")
