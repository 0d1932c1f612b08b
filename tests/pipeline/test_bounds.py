"""How many frames, of which sides, can be fused; and that time grows with their number alone."""

import numpy as np
import pytest

import panfocus
from panfocus.errors import InputError, UsageError
from panfocus.guard import Blanks
from panfocus.guard.blank import Brightness
from panfocus.pipeline import bounds, misplaced
from panfocus.pipeline.quality import Surveyor
from panfocus.resources.later import Later
from tests.conftest import focal_stack


class Many:
    """More frames than an index map counts, none of which is ever made."""

    def __len__(self):
        return 70_000

    def __iter__(self):
        yield from ()


def test_more_frames_than_can_be_counted_are_refused_at_once():
    with pytest.raises(InputError, match="more frames than can be told apart"):
        panfocus.fuse(Many(), system="guided")


def test_an_iterable_of_too_many_frames_ends_in_words(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_FRAMES", 4)
    frames, _ = focal_stack(5)
    with pytest.raises(InputError, match="at most 4 frames"):
        panfocus.fuse(iter(frames), system="guided", align="none")
    assert panfocus.fuse(iter(frames[:4]), system="guided", align="none").image is not None


@pytest.mark.parametrize("shape", [(16, 9000), (9000, 16), (20, 40_000)])
def test_narrow_strips_are_fused(shape):
    frames = np.random.default_rng(0).integers(0, 255, (2, *shape), np.uint8)
    assert panfocus.fuse(frames, system="guided", align="none").image.shape == shape


@pytest.mark.parametrize("wrap", [list, iter])
def test_sides_that_cannot_be_moved_are_refused_before_any_work(wrap):
    frames = np.zeros((2, 16, 32_767), np.uint8)
    with pytest.raises(UsageError, match="cannot be aligned"):
        panfocus.fuse(wrap(frames), system="guided", align="auto")


def test_a_frame_is_compared_with_few_others(monkeypatch):
    """With all before it, time would grow with the square of their number."""
    asked = []
    real = Brightness.fault
    monkeypatch.setattr(Brightness, "fault", lambda *a: asked.append(1) or real(*a))
    blanks = Blanks()
    frame = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    for n in range(50):
        assert blanks.judge(f"{n}", np.roll(frame, n)) == "take"
    assert len(asked) <= 2 * 50


def test_order_in_long_stacks_is_judged_in_parts(monkeypatch):
    """And a frame out of place is found there as well."""
    monkeypatch.setattr(misplaced, "_MOST", 16)
    count, strip = 41, 6
    rng = np.random.default_rng(3)
    sharp = rng.integers(0, 255, (64, count * strip), np.uint8)
    frames = []
    for n in range(count):
        frame = np.full_like(sharp, 128)
        part = slice(max((n - 2) * strip, 0), (n + 3) * strip)
        frame[:, part] = sharp[:, part]
        frames.append(frame)
    frames.insert(30, frames.pop(24))
    surveyor = Surveyor()
    for n, frame in enumerate(frames):
        surveyor.add(f"f{n}", frame)
    assert "f30" in [f.name for f in surveyor.findings() if f.kind == "order"]
    monkeypatch.setattr(misplaced, "_MOST", 400)
    whole = [f.name for f in surveyor.findings() if f.kind == "order"]
    monkeypatch.setattr(misplaced, "_MOST", 16)
    assert [f.name for f in surveyor.findings() if f.kind == "order"] == whole


def test_without_threads_frames_are_read_one_after_the_other(monkeypatch, tmp_path):
    import cv2

    frames, _ = focal_stack(3)
    paths = []
    for n, frame in enumerate(frames):
        paths.append(tmp_path / f"{n}.png")
        cv2.imwrite(str(paths[-1]), frame)

    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Later, "start", refuse)
    done = panfocus.fuse(paths, system="guided", align="none")
    assert done.image.shape == frames.shape[1:]
