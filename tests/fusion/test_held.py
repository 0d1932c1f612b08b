"""Frames that wait for a decision: whole, or by what decides and then once more."""

import numpy as np
import pytest

from panfocus.frame import Frame
from panfocus.fusion.held import Held


def frame(number=3, *, alpha=False, cover=False):
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (12, 20, 4 if alpha else 3)).astype(np.uint8)
    shown = None
    if cover:
        shown = np.full((12, 20), 255, np.uint8)
        shown[:4, 7:] = 0
    return Frame.of(number, pixels, has_alpha=alpha, cover=shown)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_one_that_is_read_again_decides_as_one_that_is_held(alpha, cover, native):
    one = frame(alpha=alpha, cover=cover)
    whole, light = (Held.of(one, 2, is_native=native, is_read_again=a) for a in (False, True))
    np.testing.assert_array_equal(whole.picture, light.picture)
    for a, b in ((whole.shown, light.shown), (whole.opacity, light.opacity)):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, b)


def test_a_frame_is_found_again_with_what_it_did_not_show():
    one = frame(cover=True)
    held = Held.of(one, 2, is_native=True, is_read_again=True)
    found = held.frame(frame)
    np.testing.assert_array_equal(found.pixels, one.pixels)
    np.testing.assert_array_equal(found.cover, one.cover)


def test_one_that_showed_everything_does_so_again():
    held = Held.of(frame(), 2, is_native=True, is_read_again=True)
    assert held.frame(lambda n: frame(n, cover=True)).cover is None


@pytest.mark.parametrize("alpha", [False, True])
def test_one_that_is_not_mixed_is_read_only_if_somebody_asks(alpha):
    one, asked = frame(alpha=alpha, cover=True), []

    def read(number):
        asked.append(number)
        return frame(number, alpha=alpha)

    held = Held.of(one, 2, is_native=True, is_read_again=True)
    found = held.frame(read, is_mixed=False)
    assert (found.number, found.shape, found.dtype) == (3, one.shape, one.dtype)
    assert found.has_alpha == alpha
    np.testing.assert_array_equal(found.cover, one.cover)
    assert asked == []
    np.testing.assert_array_equal(found.grey, one.grey)
    tile = slice(2, 9), slice(3, 4)
    np.testing.assert_array_equal(found.region(tile), one.region(tile))
    np.testing.assert_array_equal(found.pixels, one.pixels)
    assert asked == [3]
