"""Frames that add nothing cost nothing: the same picture twice, and a shaken one."""

import cv2
import numpy as np
import pytest

import panfocus
from tests.conftest import focal_stack, texture
from tests.registration.test_registration import photographed, similarity

COUNT = 6
SIZE = (288, 384)


def kernel(length):
    """Return what a camera does that moves along a slant while it exposes."""
    out = np.zeros((length + 2, length + 2), np.float32)
    cv2.line(out, (1, 1), (length, length // 2), 1, 1, cv2.LINE_AA)
    return out / out.sum()


def shaken(frame, length=14):
    return cv2.filter2D(frame, -1, kernel(length), borderType=cv2.BORDER_REFLECT)


def noisy(frame, level=2.0):
    rng = np.random.default_rng(2)
    return np.clip(np.rint(frame + rng.normal(0, level, frame.shape)), 0, 255).astype(np.uint8)


def ramp(moves=False):
    """Return frames focused from left to right, every column sharp in one of them."""
    scene = texture(*SIZE)
    across = np.linspace(0, COUNT - 1, SIZE[1])
    radii = (0, 1, 2, 3, 4, 5)
    blurred = [cv2.GaussianBlur(scene, (0, 0), r) if r else scene for r in radii]
    frames = []
    for n in range(COUNT):
        away = np.clip(np.abs(across - n), 0, COUNT - 1.001)
        low = away.astype(int)
        part = (away - low)[None, :, None]
        below, above = (
            np.stack([blurred[k][:, x] for x, k in enumerate(ks)], axis=1) for ks in (low, low + 1)
        )
        frames.append(np.rint(below * (1 - part) + above * part).astype(np.uint8))
    if moves:
        motion = [similarity(1 + 0.004 * (n - 3)) for n in range(COUNT)]
        frames = [photographed(f, m) for f, m in zip(frames, motion, strict=True)]
    return frames


KINDS = {"the same": lambda f: f.copy(), "with noise": noisy}
OPTIONS = {"system": "guided", "keep_size": True, "maps": False}


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("place", [0, 3, COUNT - 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_duplicate_costs_nothing(kind, place, moves):
    frames = ramp(moves)
    good = panfocus.fuse(frames, reference=2, **OPTIONS)
    twice = [*frames[: place + 1], KINDS[kind](frames[place]), *frames[place + 1 :]]
    result = panfocus.fuse(twice, reference=2 + (place < 2), **OPTIONS)
    difference = result.image.astype(float) - good.image
    assert np.sqrt(np.mean(np.square(difference))) < (0.6 if moves else 1e-9)
    told = [w for w in result.report.warnings if "left out" in w]
    assert told == [f"frame {place + 1} is a duplicate of the frame beside it and was left out"]


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_shaken_frame_costs_nothing(place, moves):
    frames = ramp(moves)
    good = panfocus.fuse(frames, reference=2, **OPTIONS)
    more = [*frames[: place + 1], shaken(frames[place]), *frames[place + 1 :]]
    result = panfocus.fuse(more, reference=2 + (place < 2), **OPTIONS)
    difference = result.image.astype(float) - good.image
    assert np.sqrt(np.mean(np.square(difference))) < (0.6 if moves else 1e-9)
    (told,) = [w for w in result.report.warnings if "left out" in w]
    assert told.startswith(f"frame {place + 1} is shaken or out of focus")
    assert result.transforms.frames[place + 1].left_out == "shaken"


def test_of_duplicates_the_one_that_is_worse_goes_even_if_it_comes_first():
    frames = ramp()
    twice = [*frames[:3], noisy(frames[3]), *frames[3:]]
    result = panfocus.fuse(twice, reference=0, **OPTIONS)
    assert any("frame 3 is a duplicate" in w for w in result.report.warnings)


def test_the_reference_stays_where_its_duplicate_is_as_good():
    frames = ramp()
    twice = [*frames[:4], frames[3].copy(), *frames[4:]]
    result = panfocus.fuse(twice, reference=4, **OPTIONS)
    assert any("frame 3 is a duplicate" in w for w in result.report.warnings)
    assert result.report.reference == "frame 4"


def test_a_thing_that_one_of_two_alone_shows_keeps_both():
    frames = ramp()
    other = frames[3].copy()
    cv2.circle(other, (200, 140), 5, (255, 255, 255), -1, cv2.LINE_AA)
    result = panfocus.fuse([*frames[:4], other, *frames[4:]], **OPTIONS)
    assert not any("left out" in w for w in result.report.warnings)


def test_a_shaken_frame_that_is_the_only_sharp_one_of_something_stays():
    frames = [cv2.GaussianBlur(f, (0, 0), 5) for f in ramp()]
    scene = texture(*SIZE)
    for n, frame in enumerate(frames):
        part = slice(60 * n, 60 * n + 60)
        frame[:, part] = shaken(scene, 3)[:, part] if n == 3 else scene[:, part]
    result = panfocus.fuse(frames, **OPTIONS)
    assert not any("left out" in w for w in result.report.warnings)


@pytest.mark.parametrize("guard", ["auto", "off"])
def test_all_that_a_sweep_has_is_taken(guard):
    for frames in (ramp(), ramp(moves=True), list(focal_stack(7, 192, 256)[0])):
        result = panfocus.fuse(frames, guard=guard, **OPTIONS)
        assert not any("left out" in w for w in result.report.warnings)


def test_without_a_guard_duplicates_are_taken_where_they_lie():
    frames = ramp(moves=True)
    twice = [*frames[:5], frames[4].copy(), frames[5]]
    result = panfocus.fuse(twice, guard="off", **OPTIONS)
    placed = result.transforms.frames
    assert placed[5].left_out is None
    np.testing.assert_allclose(placed[5].matrix, placed[4].matrix, atol=0.02)


def test_two_frames_that_are_alike_are_both_taken():
    frames = ramp()
    result = panfocus.fuse([frames[2], frames[2].copy()], **OPTIONS)
    assert not any("left out" in w for w in result.report.warnings)


def rms(one, other):
    return np.sqrt(np.mean(np.square(one.image.astype(float) - other.image)))


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("place", [1, 3])
@pytest.mark.parametrize("end", ["start", "end"])
def test_a_duplicate_elsewhere_costs_nothing(end, place, moves):
    frames = ramp(moves)
    good = panfocus.fuse(frames, reference=2, **OPTIONS)
    again = noisy(frames[place], 1.0)
    more = [again, *frames] if end == "start" else [*frames, again]
    result = panfocus.fuse(more, reference=2 + (end == "start"), **OPTIONS)
    assert rms(result, good) < (0.6 if moves else 1e-9)
    told = [w for w in result.report.warnings if "left out" in w]
    odd = 0 if end == "start" else COUNT
    assert told == [f"frame {odd} is a duplicate of another frame and was left out"]


def test_a_stack_gone_through_there_and_back_is_taken_once():
    frames = ramp()
    good = panfocus.fuse(frames, reference=2, **OPTIONS)
    result = panfocus.fuse([*frames, *frames[::-1]], reference=2, **OPTIONS)
    assert rms(result, good) == 0
    taken = [n for n, f in enumerate(result.report.frames) if "left_out" not in f["align"]]
    assert len(taken) == COUNT


def test_the_same_blur_on_either_side_of_focus_is_no_duplicate():
    scene = texture(*SIZE)
    frames = [cv2.GaussianBlur(scene, (0, 0), r) if r else scene for r in (3, 2, 1, 0, 1, 2, 3)]
    result = panfocus.fuse(frames, **OPTIONS)
    assert not [w for w in result.report.warnings if "duplicate" in w]


def test_of_duplicates_with_noise_of_their_own_both_are_taken():
    rng = np.random.default_rng(4)

    def grain(frame):
        return np.clip(np.rint(frame + rng.normal(0, 1, frame.shape)), 0, 255).astype(np.uint8)

    frames = [cv2.GaussianBlur(f, (0, 0), 1) for f in ramp()]
    once = [grain(f) for f in frames]
    thrice = [*once[:3], grain(frames[2]), grain(frames[2]), *once[3:]]
    result = panfocus.fuse(thrice, **OPTIONS)
    left = [n for n, f in enumerate(result.report.frames) if "left_out" in f["align"]]
    assert len(left) == 1 and left[0] in (2, 3, 4)


def test_neighbours_are_no_duplicates_beside_frames_that_something_spoils():
    """What spoils one frame differs far more than focus does: it is no measure of others."""
    frames = ramp()[:5]
    cv2.ellipse(frames[3], (SIZE[1], SIZE[0]), (150, 90), 20, 0, 360, (230, 40, 20), -1)
    rng = np.random.default_rng(3)
    frames[3][150:] = rng.integers(0, 256, (SIZE[0] - 150, SIZE[1], 3), np.uint8)
    told = panfocus.fuse(frames, system="guided").report.warnings
    assert not [line for line in told if "duplicate" in line]


def test_a_picture_exposed_anew_is_no_duplicate():
    frames = ramp()
    dark = np.rint(frames[2] * 0.8).astype(np.uint8)
    stack = [*frames[:3], dark, *frames[3:]]
    told = panfocus.fuse(stack, system="guided").report.warnings
    assert not [line for line in told if "duplicate" in line and "was left out" in line]
