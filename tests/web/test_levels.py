"""ScreenLevels on the screen: dim frames are seen; nothing that is fused or saved knows of them."""

import numpy as np
import pytest
import tifffile

from panfocus.errors import UsageError
from panfocus.web.levels import PLAIN, LevelMeter, ScreenLevels
from tests.conftest import focal_stack
from tests.web.conftest import serving
from tests.web.test_stacks import image_of


@pytest.fixture
def dim(tmp_path):
    """Twelve bits in files of sixteen, of which a quarter is used."""
    folder = tmp_path / "cells"
    folder.mkdir()
    frames = focal_stack(4, 96, 128)[0]
    for n, frame in enumerate(frames):
        tifffile.imwrite(folder / f"{n}.tif", frame[..., 0].astype(np.uint16) * 4 + 40)
    return folder


def test_numbers_between_black_and_white_get_all_levels():
    levels = ScreenLevels(0.25, 0.75)
    seen = levels.shown(np.array([0, 64, 128, 191, 255], np.uint8)).tolist()
    assert seen == [0, 1, 129, 254, 255]
    assert levels.shown(np.float32([0.25, 0.5, 0.75, np.nan])).tolist() == [0, 128, 255, 0]
    dark, bright = (ScreenLevels(0, 1, g).shown(np.float32([0.5]))[0] for g in (0.5, 2))
    assert (dark, bright) == (64, 180)
    assert PLAIN.shown(np.arange(256, dtype=np.uint8)).tolist() == list(range(256))


@pytest.mark.parametrize(
    "wrong",
    [(0.5, 0.5), (0.6, 0.5), (-0.1, 1), (0, 1.1), (0, 1, 0), (0, 1, float("nan")), (float("nan"),)],
)
def test_levels_that_are_none_are_refused(wrong):
    with pytest.raises(UsageError):
        ScreenLevels(*wrong)


def test_only_what_is_dim_in_more_than_8_bit_is_brightened_unasked():
    for dtype, top, is_dim in ((np.uint16, 1000, True), (np.uint16, 60000, False)):
        meter = LevelMeter()
        meter.add((np.linspace(0, top, 10_000).reshape(100, 100)).astype(dtype))
        assert meter.wanted().is_plain != is_dim
    meter = LevelMeter()
    meter.add(np.full((10, 10), 9, np.uint8))
    assert meter.wanted().is_plain
    assert LevelMeter().levels().white > 0  # nothing was seen: levels all the same


def test_dim_frames_are_seen_and_compare(dim):
    with serving(dim) as page:
        stack = page.open(dim)
        page.idle()
        facts = page.get(stack).json()
        assert facts["levels"] == facts["found_levels"]
        assert facts["levels"]["white"] < 0.02
        result = page.fuse(stack, align="none", exposure="none")["id"]
        frame = image_of(page.get(f"{stack}/tiles/frame-0/0/0_0", v=1))
        fused = image_of(page.get(f"{stack}/tiles/{result}/0/0_0", v=1))
        thumb = image_of(page.get(f"{stack}/thumbs/0", v=1))
        for seen in (frame, fused, thumb):
            assert seen.max() > 240
            assert seen.min() < 15
        # the same numbers look the same
        fusion = page.desk.stack(stack.split("/")[-1]).result(result).fusion
        levels = ScreenLevels(**facts["levels"])
        assert np.abs(fused.astype(int) - levels.shown(fusion.image)).mean() < 3
        told = page.get(f"{stack}/value/{result}", x=9, y=9).json()
        assert told["rgb"] == [int(fusion.image[9, 9])]
        # as the files are
        assert page.post(f"{stack}/levels", {}).status_code == 200
        assert image_of(page.get(f"{stack}/tiles/frame-0/0/0_0", v=2)).max() < 8
        assert image_of(page.get(f"{stack}/thumbs/0", v=2)).max() < 8
        histogram = page.get(f"{stack}/histogram/{result}").json()["channels"][0]
        assert sum(histogram[8:]) == 0
        saved = {"result": result, "folder": str(dim), "name": "out.tif"}
        assert page.post(f"{stack}/levels", {"white": 0.01}).status_code == 200
        page.post(f"{stack}/save", saved)
        page.idle()
        assert np.array_equal(tifffile.imread(dim / "out.tif"), fusion.image)


@pytest.mark.parametrize(
    "body",
    [{"white": 0}, {"black": 2}, {"gamma": "x"}, {"white": None}, {"white": True}, {"gamma": 99}],
)
def test_levels_of_a_page_are_checked(page, shots, body):
    stack = page.open(shots)
    page.idle()
    assert page.post(f"{stack}/levels", body).status_code == 400
    assert page.get(stack).json()["levels"] == PLAIN.facts()


def test_strokes_are_shown_by_the_same_levels(dim):
    with serving(dim) as page:
        stack = page.open(dim)
        page.idle()
        result = page.fuse(stack, align="none", exposure="none")["id"]
        stroke = {
            "kind": "rectangle",
            "points": [[0, 0], [128, 96]],
            "radius": 0,
            "source": {"frame": 1},
        }
        page.post(f"{stack}/strokes", {"result": result, "stroke": stroke})
        seen = image_of(page.get(f"{stack}/tiles/{result}/0/0_0", v=1)).astype(int)
        frame = image_of(page.get(f"{stack}/tiles/frame-1/0/0_0", v=1))
        assert np.abs(seen[2:-2, 2:-2] - frame[2:-2, 2:-2]).mean() < 3
