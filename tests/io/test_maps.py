"""Maps: exact in TIFF, scaled with the scale told in PNG."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from panfocus.errors import UsageError
from panfocus.io import write_map
from tests.support.files import quick


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)


@quick
@given(array=arrays.arrays(np.float32, shapes, elements=st.floats(width=32)))
def test_tiff_keeps_every_float(folder, array):
    path = folder / "depth.tif"
    assert write_map(path, array, overwrite=True) == []
    got = tifffile.imread(path).reshape(array.shape)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, array)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), array)


@quick
@given(
    array=arrays.arrays(np.uint16, shapes, elements=st.integers(0, 65535)),
    suffix=st.sampled_from([".tif", ".png"]),
)
def test_index_maps_are_kept_as_they_are(folder, array, suffix):
    path = folder / f"index{suffix}"
    assert write_map(path, array, overwrite=True) == []
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), array)


@quick
@given(array=arrays.arrays(np.float32, shapes, elements=st.floats(-1e6, 1e6, width=32)))
def test_png_tells_its_scale(folder, array):
    path = folder / "depth.png"
    notes = write_map(path, array, overwrite=True)
    with Image.open(path) as image:
        text = image.info["Description"]
        samples = np.asarray(image).astype(np.float64)
    assert text in notes[0]
    low, step = map(float, re.fullmatch(r"value = (\S+) \+ (\S+) \* sample", text).groups())
    np.testing.assert_allclose(low + step * samples, array, rtol=0, atol=0.51 * step + 1e-9)
    if step > 0:
        assert samples.min() == 0 and samples.max() == 65535


def test_values_that_are_not_finite_become_zero(tmp_path):
    array = np.array([[1, np.nan, np.inf], [3, -np.inf, 2]], np.float64)
    write_map(tmp_path / "a.png", array)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), [[0, 0, 0], [65535, 0, 32768]])
    write_map(tmp_path / "b.png", np.full((3, 3), np.nan, np.float32))


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 1), np.float32), np.zeros((2, 2), np.int64), np.zeros((0, 3), "f4")]
)
def test_what_is_no_map_is_refused(tmp_path, array):
    with pytest.raises(UsageError):
        write_map(tmp_path / "a.tif", array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_imagej_can_read_maps(tmp_path, dtype):
    """It takes deflated differences for the pixels."""
    write_map(tmp_path / "m.tif", np.arange(600).reshape(20, 30).astype(dtype))
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        assert file.pages.first.predictor == 1
