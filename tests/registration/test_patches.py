"""Patches: compared alike wherever their numbers lie in memory."""

import numpy as np

from panfocus.registration.patches import compare
from tests.conftest import focal_pair


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
