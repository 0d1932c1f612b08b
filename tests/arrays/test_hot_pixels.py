"""Hot and dead pixels: what stands out in every frame, and nothing else."""

import cv2
import numpy as np
import pytest

from panfocus.arrays.hot_pixels import SpoiltPixels, find_spoilt, join
from tests.conftest import texture


def frames_of(scene, count=4):
    """The scene, in focus once."""
    blur = [cv2.GaussianBlur(scene, (0, 0), 2 + n) for n in range(count - 1)]
    return [scene, *blur]


def places(found):
    return set(
        zip(*(axis.tolist() for axis in np.unravel_index(found.at, found.shape)), strict=True)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_stands_out_in_every_frame_is_found(dtype):
    scale = dtype(1 if dtype is np.uint8 else 257)
    frames = [f.astype(dtype) * scale for f in frames_of(texture(80, 100) // 2 + 60)]
    for frame in frames:
        frame[20, 30, 1] = 250 * scale
        frame[50, 60, 0] = 0
        frame[0, 99, 2] = 255 * scale
    found = find_spoilt(frames)
    assert places(found) == {(20, 30, 1), (50, 60, 0), (0, 99, 2)}


def test_what_a_camera_has_spread_is_found_whole():
    frames = frames_of(np.full((40, 50, 3), 90, np.uint8) + texture(40, 50) // 16)
    for frame in frames:
        frame[10:13, 20:23, 0] = np.maximum(frame[10:13, 20:23, 0], 170)
        frame[11, 21, 0] = 240
    assert places(find_spoilt(frames)) == {(y, x, 0) for y in (10, 11, 12) for x in (20, 21, 22)}


def test_a_sharp_light_is_none():
    scene = texture(80, 100) // 2
    scene[40, 50] = 255  # in focus in one frame alone
    assert find_spoilt(frames_of(scene)).count == 0


def test_noise_is_none():
    rng = np.random.default_rng(0)
    frames = [rng.normal(120, 12, (90, 90)).clip(0, 255).astype(np.uint8) for _ in range(3)]
    assert find_spoilt(frames).count == 0


def test_mending_takes_the_median_around():
    picture = np.arange(7 * 9, dtype=np.uint8).reshape(7, 9, 1)
    at = [np.array(axis) for axis in ([3, 3, 0], [4, 5, 0], [0, 0, 0])]
    spoilt = SpoiltPixels.of(*at, picture.shape)
    broken = picture.copy()
    broken[3, 4] = broken[3, 5] = broken[0, 0] = 255
    spoilt.mend(broken)
    assert np.abs(broken.astype(int) - picture).max() <= 11
    assert broken[3, 4] == 30  # of the values around, without the one that is spoilt as well
    same = np.delete(broken, [3, 0], axis=0)
    assert np.array_equal(same, np.delete(picture, [3, 0], axis=0))
    light = broken.astype(np.float32) / 255
    spoilt.mend(light)
    assert light[3, 4] == pytest.approx(30 / 255, abs=1 / 255)


def test_both_are_joined():
    shape = (5, 5, 1)
    one, other = (
        SpoiltPixels.of(*(np.array(axis) for axis in at), shape)
        for at in (([1], [1], [0]), ([1, 3], [1, 2], [0, 0]))
    )
    assert places(join(one, other)) == {(1, 1, 0), (3, 2, 0)}
