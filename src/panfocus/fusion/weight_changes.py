"""By how much the weights of a decision change in parts of a picture, at full scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from panfocus.arrays.types import Float
from panfocus.frame import Tile
from panfocus.frozen import frozen
from panfocus.fusion.refinement import within


@frozen
class WeightChange:
    """By how much a weight changes in a part of the picture.

    Attributes:
        part: rows and columns of full scale.
        by: ``(h, w)`` in [-1, 1].
    """

    part: Tile
    by: Float


class WeightChanges:
    """By how much the weights of one decision change."""

    def __init__(self, changes: Iterable[WeightChange], cell: int) -> None:
        """Take changes; where several meet they are added."""
        self._cell = cell
        self._of: dict[tuple[int, int], list[WeightChange]] = {}
        for change in changes:
            rows, columns = change.part
            for top in range(rows.start // cell, -(-rows.stop // cell)):
                for left in range(columns.start // cell, -(-columns.stop // cell)):
                    self._of.setdefault((top, left), []).append(change)

    def within(self, tile: Tile) -> list[WeightChange]:
        """Return those that touch a tile, each once."""
        rows, columns = (
            range(span.start // self._cell, -(-span.stop // self._cell)) for span in tile
        )
        found = (one for top in rows for left in columns for one in self._of.get((top, left), ()))
        return list({id(one): one for one in found}.values())


def changed(weights: Float, tile: Tile, changes: Iterable[WeightChange]) -> Float:
    """Return the weights ``(h, w)`` of a tile, changed."""
    out = weights.copy()
    for change in changes:
        shared = [
            slice(max(one.start, other.start), min(one.stop, other.stop))
            for one, other in zip(tile, change.part, strict=True)
        ]
        part = (shared[0], shared[1])
        if min(span.stop - span.start for span in part) <= 0:  # the same cell, and yet apart
            continue
        out[within(tile, part)] += change.by[within(change.part, part)]
    return np.clip(out, 0, 1, out=out)
