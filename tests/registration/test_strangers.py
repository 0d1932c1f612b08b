"""Frames of another scene, or of none, among those of a stack that lies in place or moves."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.likeness import Thumbnail
from panfocus.arrays.strangers import strangers
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


def exposed(frame, stops):
    light = (frame / 255.0) ** 2.2 * 2.0**stops
    light = light + np.random.default_rng(5).normal(0, 0.0006, frame.shape)
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def with_hand(frame):
    height, width = frame.shape[:2]
    y, x = np.mgrid[:height, :width]
    out = frame.copy()
    out[(x / width) ** 2 + (y / height - 0.5) ** 2 < 0.12] = 200
    return out


def cut(frame):
    height, width = frame.shape[:2]
    return cv2.resize(frame[: int(height * 0.7), int(width * 0.3) :], (width, height))


#: What is of the scene, and like it by chance or for the most part, but spoils a stack.
SPOILT = {
    "three stops darker": lambda frame: exposed(frame, -3),
    "three stops brighter": lambda frame: exposed(frame, 3),
    "in a mirror": lambda frame: np.ascontiguousarray(frame[:, ::-1]),
    "a part of it": cut,
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


@pytest.mark.parametrize("stack", ["still", "moving"])
@pytest.mark.parametrize("place", [0, 4, COUNT])
@pytest.mark.parametrize("kind", SPOILT)
def test_frames_that_spoil_a_stack_change_nothing(kind, place, stack):
    frames = STILL if stack == "still" else MOVING
    odd = SPOILT[kind](frames[min(place, COUNT - 1)])
    options = {"system": "guided", "keep_size": True, "maps": False}
    good = panfocus.fuse(frames, reference=3, **options)
    spoilt = [*frames[:place], odd, *frames[place:]]
    result = panfocus.fuse(spoilt, reference=3 + (place <= 3), **options)
    difference = result.image.astype(float) - good.image
    # frames beside one that is left out are compared with each other anew
    assert np.sqrt(np.mean(np.square(difference))) < 1
    (note,) = [w for w in result.report.warnings if "left out" in w and "was" in w]
    assert f"frame {place}" in note


@pytest.mark.parametrize(
    ("spoils", "said"),
    [
        (lambda frame: exposed(frame, -3), "is much darker than the others"),
        (lambda frame: exposed(frame, 3), "is much brighter than the others"),
        (with_hand, "is obstructed by something before the scene"),
        (lambda _: texture(*SIZE, seed=77), "shows another scene"),
        (lambda frame: np.ascontiguousarray(frame[:, ::-1]), "shows another scene"),
    ],
)
def test_what_is_true_of_a_frame_is_said_of_it(spoils, said):
    scene = np.repeat(coarse()[..., None], 3, axis=2)
    frames = [
        np.rint(cv2.GaussianBlur(scene, (0, 0), 1 + abs(n - 3))).astype(np.uint8) for n in range(7)
    ]
    frames[2] = spoils(frames[2])
    result = panfocus.fuse(frames, system="guided", maps=False)
    assert f"frame 2 {said} and was left out" in result.report.warnings


def test_a_hand_that_leaves_few_shades_is_one_before_the_scene():
    frames = [cv2.GaussianBlur(coarse(), (0, 0), 1 + abs(n - 3)) for n in range(7)]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    frames[4] = np.where(x + 0.1 * y < 0.55 * SIZE[1], 5, frames[4]).astype(np.float32)
    found = thumbnails(*frames)
    assert not found[4].is_usual
    assert strangers(found) == {4: "hidden"}


def test_transforms_that_are_loaded_leave_the_same_frames_out(tmp_path):
    frames = with_odd(MOVING, "another scene", (5,))
    first = panfocus.fuse(frames, system="guided", maps=False)
    first.transforms.save(tmp_path / "t.json")
    again = panfocus.fuse(frames, system="guided", maps=False, load_transforms=tmp_path / "t.json")
    np.testing.assert_array_equal(again.image, first.image)
    assert "frame 5 shows another scene and was left out" in again.report.warnings


@pytest.mark.parametrize("stops", [-1, 1])
def test_frames_of_other_brightness_are_of_the_scene(stops):
    frames = [exposed(f, stops) if n == 3 else f for n, f in enumerate(STILL)]
    result = panfocus.fuse(frames, system="guided", maps=False)
    assert not any("was left out" in w for w in result.report.warnings)


def test_their_status_says_so():
    result = panfocus.fuse(with_odd(MOVING, "another scene", (5,)), system="guided", align="auto")
    assert result.transforms.frames[5].left_out == "scene"
    assert result.report.frames[5]["align"]["left_out"] == "scene"
    assert any("frame 5 left unaligned: it shows another" in w for w in result.report.warnings)


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
    greys = [frame if frame.ndim == 2 else frame.mean(axis=2) for frame in frames]
    return [Thumbnail.of(grey.astype(np.float32)) for grey in greys]


def coarse(seed=4):
    """Return a scene of a few large shades, as photographs are."""
    cells = np.random.default_rng(seed).uniform(20, 150, (6, 8)).astype(np.float32)
    return cv2.resize(cells, SIZE[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("places", [(0,), (3,), (6,), (2, 3)])
def test_what_hides_a_part_of_the_scene_is_no_frame_of_it(places):
    frames = [cv2.GaussianBlur(coarse(), (0, 0), 1 + abs(n - 3)) for n in range(7)]
    assert strangers(thumbnails(*frames)) == {}
    hidden = [with_hand(f) if n in places else f for n, f in enumerate(frames)]
    assert strangers(thumbnails(*hidden)) == dict.fromkeys(places, "hidden")


def test_of_scenes_the_larger_counts_or_the_one_of_the_reference():
    one, other, third = (texture(*SIZE, seed=seed) for seed in (5, 77, 78))
    halves = thumbnails(one, one, other, other)
    assert strangers(halves) == dict.fromkeys((2, 3), "scene")
    assert strangers(halves, 3) == dict.fromkeys((0, 1), "scene")
    assert strangers(thumbnails(one, one, other, other, other), 0) == dict.fromkeys((0, 1), "scene")
    in_turn = thumbnails(one, other, one, other)
    assert strangers(in_turn, 1) == dict.fromkeys((0, 2), "scene")
    three = thumbnails(one, one, other, other, third, third)
    assert strangers(three, 3) == dict.fromkeys((0, 1, 4, 5), "scene")
    # frames alone tell nothing
    assert strangers(thumbnails(one, other)) == {}
    assert strangers(thumbnails(one, one, other, third)) == {}
    assert strangers(thumbnails()) == {}


def test_two_stacks_in_a_folder_make_the_picture_of_one():
    other = list(focal_stack(4, *SIZE, seed=9)[0])
    good = panfocus.fuse(STILL[:4], system="guided", maps=False, reference="first")
    both = [*STILL[:4], *other]
    result = panfocus.fuse(both, system="guided", maps=False, reference="first")
    np.testing.assert_array_equal(result.image, good.image)
    (note,) = [w for w in result.report.warnings if "show another scene" in w]
    assert all(f"frame {n}" in note for n in range(4, 8))


def test_a_frame_like_an_unusual_one_beside_it_is_none():
    scene, other = (texture(*SIZE, seed=seed).mean(axis=2) for seed in (5, 77))
    dark = np.where(other > np.percentile(other, 97), other, 0)
    assert strangers(thumbnails(other, scene, scene, scene, scene)) == {0: "scene"}
    one, two = thumbnails(dark, other)
    assert not one.is_usual
    if one.likeness(two) >= 0.45:
        assert strangers([one, two, *thumbnails(scene, scene, scene, scene)]) == {}


def test_brightness_is_compared_past_them():
    """Beyond a frame of another scene nothing is known through it."""
    frames = [np.rint(frame * 0.8).astype(np.uint8) for frame in focal_stack(7, 288, 384)[0]]
    frames[4:] = [np.rint(frame * 1.2).astype(np.uint8) for frame in frames[4:]]
    rng = np.random.default_rng(8)
    frames[4] = np.rint(texture(288, 384, 99)[::-1] * rng.uniform(0.4, 0.5)).astype(np.uint8)
    fused = panfocus.fuse(frames, system="guided", reference="2")
    assert any("frame 4" in line and "left out" in line for line in fused.report.warnings)
    gains = fused.registration.curves
    assert gains[3] is None
    for curve in gains[5:]:
        assert curve.gain == pytest.approx(1 / 1.2, abs=0.02)
