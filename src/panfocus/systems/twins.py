"""Frames that show the very same in a tile, as a clipped ground or a repeated frame does.

A network cannot tell them apart, shares the weight among them, and is run on all of them. One of
them, the first, takes the place of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels
from panfocus.systems.candidates import REDUCTION, SIDE, blocks_of


def leave_one(
    frames: Sequence[Pixels] | Pixels,
    tiles: NDArray[np.bool_],
    weights: Float,
    details: Float,
    halo: int,
) -> None:
    """Leave one of those that are the same in a tile and around it, and give it their weight.

    Args:
        frames: each ``(H, W, C)``.
        tiles: who is looked at in which tile, ``(N, rows, columns)``; changed.
        weights: at a reduced scale, ``(N, h, w)``; changed.
        details: of the frames' blocks, ``(N, a, b)``: where these differ frames do.
        halo: pixels around a tile that are read with it.
    """
    for row, column in np.ndindex(tiles.shape[1:]):
        numbers = tiles[:, row, column].nonzero()[0].tolist()
        blocks = blocks_of(row), blocks_of(column)
        known: dict[bytes, list[int]] = {}
        for n in numbers:
            alike = known.setdefault(details[n][blocks].tobytes(), [])
            here = _around(row, halo), _around(column, halo)
            first = next((k for k in alike if np.array_equal(frames[k][here], frames[n][here])), n)
            if first == n:
                alike.append(n)
                continue
            tiles[n, row, column] = False
            small = _of(row), _of(column)
            weights[first][small] += weights[n][small]
            weights[n][small] = 0


def _of(tile: int) -> slice:
    """Return a tile's pixels of the reduced scale, along one axis."""
    side = SIDE // REDUCTION
    return slice(tile * side, (tile + 1) * side)


def _around(tile: int, halo: int) -> slice:
    """Return the pixels of a tile and those around it, along one axis."""
    return slice(max(tile * SIDE - halo, 0), (tile + 1) * SIDE + halo)
