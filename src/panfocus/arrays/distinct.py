"""The numbers that an array holds, each once."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

IntegerT = TypeVar("IntegerT", bound=np.integer)


def distinct(values: NDArray[IntegerT]) -> NDArray[IntegerT]:
    """Return the numbers of an array of whole numbers in rising order, each once, ``(K,)``.

    As `numpy.unique`, which imports masked arrays on its first call: 14 ms of a small fusion.

    Examples:
        >>> distinct(np.array([[3, 1], [3, 2]])).tolist()
        [1, 2, 3]
    """
    ordered = np.sort(values, axis=None)
    is_new = np.ones(ordered.shape, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]
