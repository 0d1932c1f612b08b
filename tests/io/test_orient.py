"""Orientation as the EXIF standard draws it, by plain indexing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panfocus.io.orient import upright, upright_shape
from tests.support.files import pictures, quick

# where row 0 and column 0 of the stored picture lie in the scene (EXIF 2.3, table 6)
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@quick
@given(pixels=pictures(most=9), orientation=st.integers(1, 8))
def test_upright(pixels, orientation):
    got = upright(pixels, orientation)
    np.testing.assert_array_equal(got, TURNS[orientation](pixels))
    assert got.dtype == pixels.dtype
    assert got.flags.c_contiguous
    assert got.shape[:2] == upright_shape(*pixels.shape[:2], orientation)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_undone_by_its_inverse(orientation):
    pixels = np.arange(24, dtype=np.uint16).reshape(4, 6)
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    np.testing.assert_array_equal(upright(upright(pixels, orientation), inverse), pixels)
