import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import UsageError
from panfocus.pipeline.slabs import slab_ranges
from tests.conftest import blurred, focal_pair, focal_stack, texture
from tests.fusion.test_subframe_depth import tilted_plane


def see_through(count=10, near=2, far=7):
    """A translucent foreground, in focus in frame `near`, over a background, in frame `far`."""
    front, back = (texture(96, 128, seed).astype(np.float32) for seed in (1, 2))
    frames = [
        (blurred(front, 0.1 + 1.2 * abs(n - near)) + blurred(back, 0.1 + 1.2 * abs(n - far))) / 2
        for n in range(count)
    ]
    return np.rint(np.stack(frames)).astype(np.uint8)


@pytest.mark.parametrize(
    ("prefer", "order", "expected"),
    [
        ("near", "near-first", 2),
        ("far", "near-first", 7),
        ("near", "far-first", 7),
        ("far", "far-first", 2),
    ],
)
def test_of_two_depths_in_focus_the_asked_one_is_taken(prefer, order, expected):
    frames = see_through()
    result = panfocus.fuse(frames, system="guided", prefer=prefer, order=order)
    assert (result.index == expected).mean() > 0.95
    undecided = panfocus.fuse(frames, system="guided").index
    assert 0.2 < (undecided == expected).mean() < 0.8


@pytest.mark.parametrize(("prefer", "expected"), [("near", 0), ("far", 1)])
def test_two_frames_that_are_both_sharp(prefer, expected):
    frames = see_through()[[2, 7]]
    result = panfocus.fuse(frames, system="guided", prefer=prefer)
    assert (result.index == expected).mean() > 0.95


@pytest.mark.parametrize("prefer", ["near", "far"])
def test_what_is_not_see_through_stays_as_it_is(prefer):
    for frames in (tilted_plane(8)[0], focal_pair()[0], focal_stack(5)[0]):
        asked = panfocus.fuse(frames, system="guided", prefer=prefer)
        usual = panfocus.fuse(frames, system="guided")
        assert (asked.index == usual.index).mean() > 0.97


def test_systems_that_measure_no_depth_cannot_prefer():
    frames, _ = focal_pair()
    with pytest.raises(UsageError, match="cannot prefer"):
        panfocus.fuse(frames, system="pyramid", prefer="near")


@pytest.mark.parametrize(
    ("count", "size", "overlap", "slabs"),
    [
        (10, 4, 1, [(0, 4), (3, 7), (6, 10)]),
        (9, 4, 0, [(0, 4), (4, 8), (7, 9)]),
        (5, 10, 3, [(0, 5)]),
        (6, 3, 2, [(0, 3), (1, 4), (2, 5), (3, 6)]),
    ],
)
def test_slabs_cover_the_stack(count, size, overlap, slabs):
    found = slab_ranges(count, size, overlap)
    assert [(r.start, r.stop) for r in found] == slabs
    assert {n for r in found for n in r} == set(range(count))


@pytest.mark.parametrize(("size", "overlap"), [(1, 0), (4, 4), (4, -1)])
def test_slabs_that_cannot_be_are_refused(size, overlap):
    with pytest.raises(UsageError, match="slabs"):
        slab_ranges(10, size, overlap)


@pytest.fixture
def shots(tmp_path):
    frames, _ = focal_stack(6)
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"f{n}.png")
    return folder, frames


def fuse(*words):
    return main(["fuse", *map(str, words), "-s", "guided"])


def test_slabs_are_written_beside_the_picture(shots, tmp_path, capsys):
    folder, frames = shots
    out = tmp_path / "out.png"
    assert fuse(folder, "-o", out, "--slab", 3, 1) == 0
    for name, part in (("slab01", frames[0:3]), ("slab02", frames[2:5]), ("slab03", frames[4:6])):
        expected = panfocus.fuse(part, system="guided").image
        with Image.open(tmp_path / f"out_{name}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), expected)
    assert "out_slab03.png" in capsys.readouterr().err
    with Image.open(out) as picture:
        whole = panfocus.fuse(frames, system="guided").image
        np.testing.assert_array_equal(np.asarray(picture), whole)


def test_a_slab_that_exists_is_refused_before_any_work(shots, tmp_path, capsys):
    folder, _ = shots
    (tmp_path / "out_slab02.png").write_bytes(b"mine")
    assert fuse(folder, "-o", tmp_path / "out.png", "--slab", 3, 1) == 1
    assert "out_slab02.png" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
    assert (tmp_path / "out_slab02.png").read_bytes() == b"mine"


def test_slabs_of_an_earlier_run_are_no_frames(shots, capsys):
    folder, _ = shots
    out = folder / "out.png"
    words = (folder, "-o", out, "--slab", 3, 1, "--height-map", folder / "h.png")
    assert fuse(*words) == 0
    assert fuse(*words, "--overwrite") == 0
    assert capsys.readouterr().err.count("6 frames fused") == 2


def test_scientific_stacks_have_slabs(tmp_path):
    planes = np.random.default_rng(0).integers(0, 256, (7, 48, 64), np.uint8)
    tifffile.imwrite(tmp_path / "z.tif", planes)
    words = ("-o", tmp_path / "o.ome.tif", "--axes", "ZYX")
    assert fuse(tmp_path / "z.tif", *words, "--slab", 3, 1) == 0
    assert tifffile.imread(tmp_path / "o_slabs.ome.tif").shape == (3, 48, 64)
