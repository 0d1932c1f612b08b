"""Detail of parts of a picture."""

import cv2
import numpy as np
import pytest

from panfocus.arrays.fine_detail import area_means, tile_detail


@pytest.mark.parametrize("size", [(96, 128), (61, 47), (200, 333)])
@pytest.mark.parametrize("count", [1, 7, 24])
def test_means_of_parts_are_those_of_an_area(size, count):
    values = np.random.default_rng(0).random(size).astype(np.float32)
    expected = cv2.resize(values, (size[1], count), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(area_means(values, count), expected, rtol=1e-4, atol=1e-5)


def test_detail_is_told_tile_by_tile():
    grey = np.zeros((96, 96), np.float32)
    grey[70:84:2, 8:24] = 1
    detail = tile_detail(grey, 3).reshape(3, 3)
    assert detail[2, 0] > 0.2
    assert np.count_nonzero(detail) == 1
