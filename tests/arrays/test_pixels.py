"""What is below nothing is nothing."""

import numpy as np

from panfocus.arrays.pixels import without_negatives


def test_negatives_become_nothing_in_place_and_nans_stay():
    values = np.array([[-1.5, 0, 2.5], [np.nan, -np.inf, np.inf]], np.float32)
    expected = np.maximum(values, 0)
    assert without_negatives(values) is values
    np.testing.assert_array_equal(values, expected)
