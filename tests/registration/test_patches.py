"""Patches: compared alike wherever their numbers lie in memory."""

import cv2
import numpy as np

from panfocus.registration.patches import compare
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
