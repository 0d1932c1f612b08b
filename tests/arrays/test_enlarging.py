import cv2
import numpy as np
import pytest

from panfocus.arrays.enlarging import enlarged, scaled


def whole(shape):
    return tuple(slice(0, side) for side in shape)


def drawn(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


@pytest.mark.parametrize("factor", [2, 4, 16])
@pytest.mark.parametrize("shape", [(100, 130), (64, 101), (7, 5)])
def test_a_part_is_enlarged_as_in_the_whole(shape, factor):
    values = drawn(shape)
    height, width = (side * factor + factor - 1 for side in shape)
    large = enlarged(values, factor, whole((height, width)))
    assert large.shape == (height, width)
    for top, left in ((0, 0), (5, 13), (height - 9, width - 1)):
        part = slice(top, min(top + 44, height)), slice(left, min(left + 39, width))
        np.testing.assert_array_equal(enlarged(values, factor, part), large[part])


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_inside_it_is_what_opencv_makes_of_the_whole(factor):
    values = drawn((9, 12), factor)
    size = 12 * factor, 9 * factor
    expected = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(enlarged(values, factor, whole(size[::-1])), expected, atol=2e-7)


def test_past_the_map_its_last_pixels_are_repeated():
    values = drawn((3, 4))
    large = enlarged(values, 4, whole((15, 19)))
    np.testing.assert_array_equal(large[11:], np.broadcast_to(large[11], (4, 19)))
    np.testing.assert_array_equal(large[:, 15:], np.broadcast_to(large[:, 15:16], (15, 4)))
    np.testing.assert_array_equal(large[0, 0], values[0, 0])


def test_what_a_part_becomes_is_where_its_pixels_lie():
    part = slice(2, 5), slice(0, 3)
    values = np.zeros((8, 6), np.float32)
    values[part] = 1
    large = enlarged(values, 3, whole((24, 18)))
    where = np.zeros((24, 18), bool)
    where[scaled(part, 3)] = True
    np.testing.assert_array_equal(large > 0.4, where)
