"""From shares of blocks to the frames that are looked at in a tile."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.systems.candidates import BLOCK, SIDE, add_overlooked, blocks_of

_BLOCKS = SIDE // BLOCK
#: Share of a block's largest from which another frame does as well. MEASURED, docs/decisions/0038:
#: with less, voids gain a little, depths lose, and less is read.
NEAR = np.float32(0.8)
#: How much more useful than one that a tile beside has a frame must be to be named in its place.
LOYALTY = 1.3


def named(shares: Float, details: Float) -> NDArray[np.bool_]:
    """Return which frames are looked at in each tile, ``(N, rows, columns)``: one at least.

    As few as serve all blocks of a tile and those beside it, the most useful first: where several
    frames are as sharp, one of them will do. Then those that have far more detail than all of
    these somewhere (`panfocus.systems.candidates.add_overlooked`).

    Args:
        shares: of the scout, ``(N, a, b)``.
        details: energy of the finest detail of every block, ``(N, a, b)``.
    """
    around = np.stack([_largest_nearby(share) for share in shares])
    serves = around >= NEAR * around.max(axis=0)
    rows, columns = (-(-length // _BLOCKS) for length in shares.shape[1:])
    tiles = np.zeros((len(shares), rows, columns), np.bool_)
    for row, column in np.ndindex(rows, columns):
        here = slice(None), blocks_of(row), blocks_of(column)
        beside = tiles[:, max(row - 1, 0), column] | tiles[:, row, max(column - 1, 0)]
        tiles[_fewest(serves[here], around[here], beside), row, column] = True
    add_overlooked(tiles, details)
    return tiles


def only_named(shares: Float, tiles: NDArray[np.bool_]) -> Float:
    """Return shares ``(N, a, b)`` of those who are looked at in a tile, summing to 1 again.

    Many frames that are nearly as sharp have a little each. Left to them it would be blended in
    where others have been decided for.
    """
    height, width = shares.shape[1:]
    kept = tiles.repeat(_BLOCKS, axis=1).repeat(_BLOCKS, axis=2)[:, :height, :width]
    own = np.where(kept, np.maximum(shares, np.float32(1e-6)), np.float32(0))
    own /= own.sum(axis=0)
    return own


def _largest_nearby(share: Float) -> Float:
    """Return a block's share, or what it has with its neighbours in part, whichever is larger.

    Blocks stand for four pixels of the reduced scale each, of which means over three by three are
    taken, as of weights of a decision at that scale.
    """
    height, width = share.shape
    four = cv2.resize(share, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    soft = np.asarray(cv2.blur(four, (3, 3)), np.float32)
    return soft.reshape(height, 2, width, 2).max(axis=(1, 3))


def _fewest(serves: NDArray[np.bool_], shares: Float, beside: NDArray[np.bool_]) -> list[int]:
    """Return as few frames as serve all blocks, the most useful first.

    Args:
        serves: which frame serves which block, ``(N, a, b)``.
        shares: of frames, ``(N, a, b)``.
        beside: who was named in tiles beside this one, ``(N,)``; of frames that are nearly as
            useful they are taken, or an index of equals would change from tile to tile.
    """
    total = shares.sum(axis=(1, 2))
    first = total / (1 + total.sum())  # of frames of equal use; below 1
    serves = serves.reshape(len(serves), -1)
    lacking = np.ones(serves.shape[1], np.bool_)
    chosen: list[int] = []
    while lacking.any():
        useful = serves[:, lacking].sum(axis=1)
        best = int((useful * np.where(beside, LOYALTY, 1) + first).argmax())
        chosen.append(best)
        lacking &= ~serves[best]
    return chosen
