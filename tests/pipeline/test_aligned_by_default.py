"""Nothing has to be asked for: what moved is put in place, what did not is left, bit for bit."""

import csv
import json

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.cli import main
from panfocus.io import Metadata, find_frames, read_frame, write_image
from panfocus.registration.options import KINDS
from tests.conftest import focal_stack, psnr
from tests.io.volumes.test_science import write_ome
from tests.registration.test_registration import breathing_stack, cut

SIZE = (320, 400)


@pytest.fixture(scope="module")
def moved():
    return breathing_stack(5, *SIZE)


@pytest.fixture
def shots(moved, tmp_path):
    folder = tmp_path / "shots"
    for n, frame in enumerate(moved[0]):
        write_image(folder / f"{n}.tif", frame, Metadata())
    return folder


def test_moved_frames_are_aligned(moved):
    frames, sharp, _ = moved
    fusion = panfocus.fuse(frames, system="guided", keep_size=True)
    facts = fusion.report.registration
    assert facts["aligned"] == facts["frames"] == 5
    assert facts["moved"] >= 3
    assert facts["told"].startswith("aligned 5 of 5 frames (up to")
    as_they_are = panfocus.fuse(frames, system="guided", align="none")
    assert as_they_are.report.registration is None
    assert psnr(cut(fusion.image), cut(sharp)) > psnr(cut(as_they_are.image), cut(sharp)) + 5


def test_frames_in_place_are_untouched():
    frames = focal_stack(5, *SIZE)[0]
    fusion = panfocus.fuse(frames, system="guided")
    assert fusion.report.registration["moved"] == 0
    assert fusion.report.registration["told"] is None
    alone = panfocus.fuse(frames, system="guided", align="none")
    assert np.array_equal(fusion.image, alone.image)


def test_frames_that_pass_once_are_told_of_too(moved):
    fusion = panfocus.fuse(iter(moved[0]), system="guided")
    assert fusion.report.registration["frames"] == 5
    assert fusion.report.registration["moved"] >= 3


def test_saved_transforms_tell_how_sure_they_are(moved, tmp_path):
    fusion = panfocus.fuse(moved[0], system="guided")
    fusion.transforms.save(tmp_path / "t.json")
    told = json.loads((tmp_path / "t.json").read_text())["frames"]
    errors = [frame["corner_error_px"] for frame in told if frame["status"] == "aligned"]
    assert errors
    assert all(0 < error < 0.5 for error in errors)
    loaded = panfocus.fuse(moved[0], system="guided", load_transforms=tmp_path / "t.json")
    assert np.array_equal(loaded.image, fusion.image)
    again = loaded.report.frames[0]["align"]["corner_error_px"]
    # rounded to a thousandth twice
    assert again == pytest.approx(fusion.report.frames[0]["align"]["corner_error_px"], abs=1.5e-3)


def test_the_command_line_tells_it_in_one_line(shots, tmp_path, capsys):
    assert main(["fuse", str(shots), "-o", str(tmp_path / "o.tif"), "-s", "guided"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "aligned" in line]
    assert len(lines) == 1
    assert "cropped to" in lines[0]


def test_slabs_are_layers_of_one_size(shots, tmp_path):
    out = tmp_path / "o.tif"
    words = ["fuse", str(shots), "-o", str(out), "-s", "guided", "--slab", "3", "1"]
    assert main(words) == 0
    made = [read(path) for path in (out, *sorted(tmp_path.glob("o_slab*.tif")))]
    assert len(made) == 3
    assert {picture.shape for picture in made} == {made[0].shape}
    assert made[0].shape[0] < SIZE[0]
    # layers lie on each other: blurred, they are the same picture
    small = [cv2.blur(picture, (41, 41)) for picture in made]
    assert min(psnr(slab, small[0]) for slab in small[1:]) > 30


def read(path):
    return read_frame(find_frames([path])[0][0]).pixels


def test_a_batch_tells_what_was_aligned(shots, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["batch", str(shots.parent), str(out), "-s", "guided", "--workers", "1"]) == 0
    with (out / "report.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["aligned"] == "5"
    assert row["left_unaligned"] == ""
    assert "warnings" in row


def test_planes_of_a_volume_are_taken_as_they_are_unless_asked(moved, tmp_path):
    planes = moved[0][..., 1]
    source = write_ome(tmp_path / "s.ome.tif", planes[None, None])
    for words, align in (([], "none"), (["--align", "auto"], "auto")):
        report = tmp_path / f"{align}.json"
        out = ["-o", str(tmp_path / f"{align}.ome.tif"), "--json", str(report)]
        assert main(["fuse", str(source), *out, "-s", "guided", *words]) == 0
        assert json.loads(report.read_text())["settings"]["align"] == align
    assert {"none", "auto"} <= set(KINDS)
