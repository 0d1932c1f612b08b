"""The one frame: what belongs to it stays with it on every way."""

from dataclasses import replace

import numpy as np
import pytest

import panfocus
from panfocus.frame import Frame
from panfocus.systems import Card
from tests.conftest import texture


@pytest.fixture
def frame():
    pixels = texture(24, 32, 0)
    guide = np.full((24, 32), 9, np.uint8)
    cover = np.full((24, 32), 255, np.uint8)
    cover[:8] = 0
    return Frame("a", pixels, guide=guide, cover=cover, notes=("odd",), number=3)


def test_a_guide_alone_decides(frame):
    assert np.array_equal(frame.grey, frame.guide)
    assert frame.working(2).shape == (12, 16, 1)
    plain = replace(frame, guide=None)
    assert plain.working(2).shape == (12, 16, 3)
    assert plain.grey.shape == (24, 32)


def test_what_is_worked_out_once_is_not_carried_into_a_changed_frame(frame):
    assert frame.grey is frame.grey
    other = replace(frame, guide=None)
    assert not np.array_equal(other.grey, frame.grey)
    assert "grey" not in vars(frame.without_caches())
    assert frame.without_caches().pixels is frame.pixels


def test_a_smaller_frame_keeps_what_it_can(frame):
    small = frame.shrunk(2)
    assert small.guide.shape == small.pixels.shape[:2] == (12, 16)
    assert (small.name, small.notes, small.number) == ("a", ("odd",), 3)


def test_what_is_not_shown_is_transparent(frame):
    assert frame.opacity(4)[:2].max() == 0
    assert frame.opacity(4)[2:].min() == 1
    assert replace(frame, cover=None).opacity(4) is None


class Mean:
    """A system that makes a picture: the mean of all frames."""

    card = Card(name="mean", title="the mean", kind="picture")

    def begin(self):
        return self

    def __init__(self):
        self.seen = []

    def push(self, pixels):
        self.seen.append(pixels)

    def finish(self):
        return np.mean(self.seen, 0).astype(np.float32)


@pytest.mark.parametrize("keep_size", [True, False])
def test_borders_that_were_made_up_are_told_of_where_a_picture_is_made(tmp_path, keep_size):
    """A system that makes its own picture cannot be told what a frame does not show."""
    whole = texture(160, 200, 1)
    frames = [whole[:, n : n + 160].copy() for n in (0, 6)]
    made = panfocus.fuse(
        frames, system=Mean(), align="translation", keep_size=keep_size, exposure="none"
    )
    told = [w for w in made.report.warnings if "made up" in w or "make up" in w]
    assert len(told) == keep_size
