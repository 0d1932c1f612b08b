"""Patches: compared alike wherever their numbers lie in memory."""

import cv2
import numpy as np

from panfocus.registration.links import Links
from panfocus.registration.options import FREEDOMS
from panfocus.registration.pairs import patches_at
from panfocus.registration.patches import compare
from panfocus.registration.pyramid import make_detail
from tests.conftest import focal_pair, texture


def placed(array, offset):
    """Return a copy of an array that begins so many numbers into a block of memory."""
    block = np.empty(array.size + offset, array.dtype)
    view = block[offset:].reshape(array.shape)
    view[...] = array
    return view


def test_where_arrays_lie_in_memory_changes_no_bit():
    """Else the same command gives other bytes from run to run."""
    frames, _ = focal_pair(200, 260)
    one, two = (np.float32(frame[..., 1]) / 255 for frame in frames)
    found = {
        compare(placed(one, n), placed(two, 3 * n), np.eye(3), 1).shift.tobytes() for n in range(17)
    }
    assert len(found) == 1


def test_thinned_patches_say_the_same():
    sharp = np.float32(texture(260, 320)[..., 1]) / 255
    smooth = cv2.GaussianBlur(sharp, (0, 0), 1.5)
    way = np.array([[1, 0, 0.3], [0, 1, -0.2], [0, 0, 1]])
    whole, thin = (compare(smooth, smooth, way, 1, is_thin=thin) for thin in (False, True))
    np.testing.assert_array_equal(whole.number, thin.number)
    assert np.abs(thin.shift - whole.shift).max() < 0.02
    assert np.abs(np.log(thin.remains / whole.remains)).max() < 0.5


def test_patches_of_noise_alone_say_nothing():
    rng = np.random.default_rng(7)
    frames = [np.clip(rng.normal(40, 6, (400, 520)), 0, 255) for _ in "ab"]
    ground = [make_detail(frame.astype(np.uint8), 1, 400, 520) for frame in frames]
    for frame, x in zip(frames, (200, 203), strict=True):
        cv2.circle(frame, (x, 180), 6, 240, -1, cv2.LINE_AA)
    light = [make_detail(frame.astype(np.uint8), 1, 400, 520) for frame in frames]
    told = []
    for fixed, moving in (ground, light):
        patches = patches_at(fixed, moving, np.eye(3), [0])
        told.append(np.einsum("kii->k", patches.information))
    # but for that of the light, of which one patch or four tell
    assert told[0].max() < 0.25 * told[1].max()
    assert np.median(told[0]) == np.median(told[1]) == 0
    assert (told[1] > 0.5 * told[1].max()).sum() <= 4


def test_few_lights_before_a_noisy_ground_are_put_in_place():
    rng = np.random.default_rng(3)
    height, width, step = 420, 560, (5.0, -3.0)
    at = rng.uniform((80, 80), (width - 80, height - 80), (9, 2))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    links = Links("auto", FREEDOMS)
    for n in range(3):
        light = np.full((height, width), 12.0)
        for k, place in enumerate(at):
            column, row = place + n * np.array(step)
            wide = 1.5 + 0.8 * abs(n - k % 3)
            light += 300 / wide**2 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 2 / wide**2)
        counts = np.clip(rng.poisson(light), 0, 255).astype(np.uint8)
        links.add(make_detail(counts, 1, height, width))
    found = links.place(1)
    assert [one.status for one in found] == ["aligned", "in place", "aligned"]
    np.testing.assert_allclose(found[2].matrix[:2, 2], step, atol=0.2)
