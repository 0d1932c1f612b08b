"""Maps of a reduced scale brought to a larger one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float


def enlarged(values: Float, factor: int, area: tuple[slice, slice]) -> Float:
    """Return a part of a map enlarged by a whole factor, bilinear.

    A picture rarely has a whole multiple of the pixels of its map: past the map, on any side, the
    pixels at its border are repeated.

    Args:
        values: the map ``(h, w)``.
        factor: pixels of the large scale for one of the map.
        area: rows and columns of the large scale that are wanted.

    Example:
        >>> import numpy as np
        >>> enlarged(np.array([[0, 4]], np.float32), 2, (slice(0, 1), slice(0, 5)))
        array([[0., 1., 3., 4., 4.]], dtype=float32)
    """
    down, across = (_around(*pair, factor) for pair in zip(area, values.shape, strict=True))
    near = values[down][:, across]
    size = near.shape[1] * factor, near.shape[0] * factor
    large = cv2.resize(near, size, interpolation=cv2.INTER_LINEAR)
    rows, columns = (
        slice(factor + span.start % factor, factor + span.start % factor + span.stop - span.start)
        for span in area
    )
    return np.asarray(large[rows, columns], np.float32)


def scaled(area: tuple[slice, slice], factor: int) -> tuple[slice, slice]:
    """Return the rows and columns of the large scale that a part of a map becomes."""
    rows, columns = (slice(span.start * factor, span.stop * factor) for span in area)
    return rows, columns


def _around(span: slice, length: int, factor: int) -> NDArray[np.intp]:
    """Return which of `length` pixels a span of the large scale lies in, and one on each side."""
    first: int = span.start // factor - 1
    last: int = -(-span.stop // factor) + 1
    return np.clip(np.arange(first, last), 0, length - 1)
