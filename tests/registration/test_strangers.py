"""Frames of another scene, or of none, among those of a stack that lies in place or moves."""

import numpy as np
import pytest

import panfocus
from panfocus.arrays.likeness import Thumbnail, strangers
from panfocus.registration.alignment import STRANGER
from tests.conftest import focal_stack, texture
from tests.registration.test_registration import SIZE, error, photographed, similarity

COUNT = 8
#: Of the frames from the one in the middle.
TRUE = [similarity(1 + 0.006 * (n - 4)) for n in range(COUNT)]


def noisy(frame, level):
    rng = np.random.default_rng(3)
    return np.clip(np.rint(level + rng.normal(0, 1.5, frame.shape)), 0, 255).astype(np.uint8)


ODD = {
    "another scene": lambda _: texture(*SIZE, seed=77),
    "upside down": lambda frame: np.ascontiguousarray(frame[::-1, ::-1]),
    "black": np.zeros_like,
    "black and noisy": lambda frame: noisy(frame, 4),
    "grey card": lambda frame: noisy(frame, 128),
    "white": lambda frame: noisy(frame, 254),
}
MOVING = [photographed(texture(*SIZE), m) for m in TRUE]
#: The same blurred by turns, so that each frame has a part in the result.
STILL = list(focal_stack(COUNT, *SIZE)[0])


def with_odd(frames, kind, places):
    return [ODD[kind](f) if n in places else f for n, f in enumerate(frames)]


def without(frames, places):
    return [f for n, f in enumerate(frames) if n not in places]


@pytest.mark.parametrize("places", [(0,), (5,), (COUNT - 1,), (2, 3)])
@pytest.mark.parametrize("kind", ODD)
def test_of_a_stack_in_place_they_are_named_and_change_nothing(kind, places):
    good = panfocus.fuse(without(STILL, places), system="guided", maps=False)
    result = panfocus.fuse(with_odd(STILL, kind, places), system="guided", maps=False)
    np.testing.assert_array_equal(result.image, good.image)
    (note,) = [w for w in result.report.warnings if "left out" in w]
    assert all(f"frame {n}" in note for n in places)


@pytest.mark.parametrize("places", [(0,), (5,), (4,), (3, 4)])
@pytest.mark.parametrize("kind", ODD)
def test_they_do_not_bend_what_lies_beyond_them(kind, places):
    options = {"system": "guided", "align": "auto", "keep_size": True, "maps": False}
    result = panfocus.fuse(with_odd(MOVING, kind, places), **options)
    found = result.transforms
    back = np.linalg.inv(TRUE[found.reference])
    assert found.reference not in places
    for n in range(COUNT):
        if n not in places:
            assert error(found.frames[n].matrix, TRUE[n] @ back) < 0.15, n
    (note,) = [w for w in result.report.warnings if "left out" in w]
    assert all(f"frame {n}" in note for n in places)


def test_their_status_says_so():
    result = panfocus.fuse(with_odd(MOVING, "another scene", (5,)), system="guided", align="auto")
    assert result.transforms.frames[5].status == STRANGER
    assert any("frame 5 left unaligned: it shows nothing of" in w for w in result.report.warnings)


def test_without_a_guard_they_are_told_of_and_taken():
    frames = with_odd(STILL, "another scene", (5,))
    result = panfocus.fuse(frames, system="guided", guard="off", maps=False)
    assert any("frame 5 shows another scene" in w for w in result.report.warnings)
    assert not any("left out" in w and "was" in w for w in result.report.warnings)


def test_they_are_culled():
    frames = with_odd(STILL, "another scene", (5,))
    result = panfocus.fuse(frames, system="guided", cull=True, maps=False)
    assert len(result.report.frames) < COUNT
    assert "left out: frame 5 shows another scene" in result.report.warnings


def test_frames_that_pass_once_are_told_of():
    frames = with_odd(STILL, "another scene", (5,))
    result = panfocus.fuse(iter(frames), system="guided", maps=False)
    assert any("frame 5 shows another scene" in w for w in result.report.warnings)


def thumbnails(*frames):
    return [Thumbnail.of(frame.astype(np.float32)) for frame in frames]


def test_of_two_halves_none_is_the_stranger():
    one, other = texture(*SIZE), texture(*SIZE, seed=77)
    assert strangers(thumbnails(one, one, other, other)) == []
    assert strangers(thumbnails(one, other)) == []
    assert strangers(thumbnails()) == []


def test_a_frame_like_an_unusual_one_beside_it_is_none():
    scene, other = texture(*SIZE), texture(*SIZE, seed=77)
    dark = np.where(other > np.percentile(other, 90), other, 0)
    assert strangers(thumbnails(other, scene, scene, scene, scene)) == [0]
    one, two = thumbnails(dark, other)
    assert not one.is_usual
    if one.likeness(two) >= 0.45:
        assert strangers([one, two, *thumbnails(scene, scene, scene, scene)]) == []
