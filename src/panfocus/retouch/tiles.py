"""Which tiles of a picture strokes touch, and a retouched picture that is made anew only there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from panfocus.retouch.apply import Layers, StrokeSources, apply
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import Stroke

#: Side of a tile, pixels.
TILE = 256


def touched(strokes: Sequence[Stroke], whole: Region, tile: int = TILE) -> list[Region]:
    """Return the tiles of a picture that strokes may cover, each once, by rows.

    Args:
        strokes: of any kind.
        whole: the picture, from (0, 0), at a scale.
        tile: side in pixels of that scale; those at the right and lower border are smaller.
    """
    places: set[tuple[int, int]] = set()
    for stroke in strokes:
        part = stroke.touched(whole)
        if part is not None:
            rows = range(part.top // tile, (part.bottom - 1) // tile + 1)
            columns = range(part.left // tile, (part.right - 1) // tile + 1)
            places |= {(row, column) for row in rows for column in columns}
    return [_tile(whole, row * tile, column * tile, tile) for row, column in sorted(places)]


def _tile(whole: Region, top: int, left: int, side: int) -> Region:
    height, width = min(side, whole.height - top), min(side, whole.width - left)
    return Region(left, top, width, height, whole.scale)


def differing(before: Sequence[Stroke], after: Sequence[Stroke]) -> list[Stroke]:
    """Return the strokes of both from the first on in which they differ."""
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return [*before[same:], *after[same:]]


class Retouching:
    """A picture with strokes on it; what changes is made anew tile by tile.

    Examples:
        >>> fused = Layers(np.zeros((64, 64), np.uint8))
        >>> Retouching(fused, sources=None).put([])
        []
    """

    def __init__(self, fused: Layers, sources: StrokeSources, scale: float = 1.0) -> None:
        """Set up.

        Args:
            fused: the whole picture at a scale; left as it is.
            sources: what strokes are painted from.
            scale: pixels of full scale that one of it is wide.
        """
        height, width = fused.pixels.shape[:2]
        self.whole = Region(0, 0, width, height, scale)
        self.result = fused.copied()
        self._fused = fused
        self._sources = sources
        self._strokes: tuple[Stroke, ...] = ()

    def put(self, strokes: Sequence[Stroke]) -> list[Region]:
        """Let these be the strokes; undo is leaving out the last.

        Args:
            strokes: all, in their order, resolved and measured.

        Returns:
            The tiles of `result` that were made anew.
        """
        tiles = touched(differing(self._strokes, strokes), self.whole)
        for tile in tiles:
            self._write(apply(strokes, tile, self._fused.part(*tile.slices), self._sources), tile)
        self._strokes = tuple(strokes)
        return tiles

    def _write(self, made: Layers, tile: Region) -> None:
        there = self.result.part(*tile.slices)
        there.pixels[...] = made.pixels
        for name in ("index", "depth", "confidence"):
            old, new = getattr(there, name), getattr(made, name)
            if old is not None and new is not None:
                np.copyto(old, new)
