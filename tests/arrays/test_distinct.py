"""The numbers of an array, each once."""

import numpy as np
import pytest

from panfocus.arrays.distinct import distinct


@pytest.mark.parametrize("dtype", [np.intp, np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize("shape", [(0,), (1,), (40,), (7, 5)])
def test_each_number_comes_once_and_in_order_as_numpy_has_it(dtype, shape):
    values = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    got = distinct(values)
    assert got.dtype == dtype
    assert np.array_equal(got, np.unique(values))
