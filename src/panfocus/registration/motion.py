"""What moves within the picture: neither shifts nor focus explain it, so one frame has to show it.

Neighbours, all that can be put in place put in place, are compared patch by patch on a copy half as
large, where blur has hardly an effect that brightness, contrast, blur and growth do not explain
together. What then remains is motion. Of each region in motion one frame is taken, the one that is
sharpest there; the others are hidden where something moved between them and it. Thresholds are
MEASURED, see docs/decisions/0021-local-registration.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.types import Float
from panfocus.frame import Frame
from panfocus.registration.flow import Grid, measured, smoothed
from panfocus.registration.patches import SIDE
from panfocus.registration.transforms import Crop

#: Share of a patch's variance that remains where something moved, and its root mean square as a
#: share of the frame's range: somewhere in a region, and around that.
SURELY = (0.3, 16 / 255)
AROUND = (0.1, 8 / 255)
#: Frames without which nothing tells what moves from what is blurred far in one of two.
FEWEST = 3
#: Share of the picture above which something else than motion is to blame, as contrast that turns
#: over in bright field.
MOST = 0.15
#: How much smaller the copies are on which motion is looked for.
_SMALLER = 2

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MovingParts:
    """Which frames are hidden where, because something else moves there.

    Attributes:
        side: pixels of full scale per value.
        top: row of the reference frame with which the first row of values begins.
        left: column with which the first column begins.
        hidden: for every frame ``(rows, cols)``.
    """

    side: int
    top: int
    left: int
    hidden: Sequence[Mask]

    @property
    def moves(self) -> Mask:
        """Where something moves, ``(rows, cols)``."""
        return np.asarray(np.logical_or.reduce(self.hidden))

    def part(self, numbers: range) -> MovingParts:
        """Return the same of some of the frames."""
        return replace(self, hidden=[self.hidden[n] for n in numbers])

    def share(self, field: Crop) -> float:
        """Return the share of a field in which something moves."""
        return float(self.in_field(self.moves, field).mean())

    def in_field(self, mask: Mask, field: Crop) -> Mask:
        """Return a mask ``(h, w)`` as a field of the reference frame has it, full scale."""
        rows = (np.arange(field.top, field.bottom) - self.top) // self.side
        cols = (np.arange(field.left, field.right) - self.left) // self.side
        rows, cols = (np.clip(r, 0, n - 1) for r, n in zip((rows, cols), mask.shape, strict=True))
        return mask[rows[:, None], cols]

    def hide(self, number: int, frame: Frame, field: Crop) -> Frame:
        """Return a frame in place that is not shown where another stands for it."""
        if not self.hidden[number].any():
            return frame
        shown = np.where(self.in_field(self.hidden[number], field), np.uint8(0), np.uint8(255))
        return replace(
            frame, cover=shown if frame.cover is None else np.minimum(frame.cover, shown)
        )


@dataclass(frozen=True)
class Traces:
    """What was seen of a frame, on the grid of patches.

    Attributes:
        moves: ``(rows, cols)``, where something may have moved between its neighbour and it.
        surely: where it did.
        energy: of fine detail of the frame.
    """

    moves: Mask
    surely: Mask
    energy: Float


def traced(fixed: Float, moving: Float, shown: Float) -> Traces:
    """Return where two frames, both put in place, show different things.

    Args:
        fixed: ``(h, w)`` luminance of a neighbour, its range about [0, 1].
        moving: of the frame.
        shown: ``(h, w)``, 1 where both show the scene.
    """
    grid = Grid.of(*fixed.shape)
    one, two, seen = (_halved(p) for p in (fixed, moving, shown))
    coarse = Grid.of(*one.shape)
    masks = [np.zeros((grid.rows, grid.cols), bool)] * 2
    if coarse.rows and coarse.cols:
        patches = measured(one, two, np.floor(seen))
        variance = np.maximum(*(_variance(p, coarse) for p in (one, two)))
        number = coarse.numbers(patches)
        remains = patches.remains
        for k, (share, level) in enumerate((AROUND, SURELY)):
            differs = (remains > share * variance[number]) & (remains > level**2)
            found = np.zeros(coarse.rows * coarse.cols, np.float32)
            found[number[differs]] = 1
            wide = coarse.dense(found.reshape(coarse.rows, coarse.cols), *one.shape)
            full = cv2.resize(wide, fixed.shape[::-1], interpolation=cv2.INTER_LINEAR)
            masks[k] = _cells(np.asarray(full, np.float32), grid).max(axis=(1, 3)) > 0.5
    fine = np.square(np.asarray(cv2.Laplacian(smoothed(moving), cv2.CV_32F), np.float32))
    return Traces(masks[0], masks[1], np.asarray(_cells(fine, grid).mean(axis=(1, 3)), np.float32))


def _halved(plane: Float) -> Float:
    size = (plane.shape[1] // _SMALLER, plane.shape[0] // _SMALLER)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _cells(plane: Float, grid: Grid) -> Float:
    """Return a plane by patches, ``(rows, SIDE, cols, SIDE)``."""
    part = plane[grid.top :, grid.left :][: grid.rows * SIDE, : grid.cols * SIDE]
    return part.reshape(grid.rows, SIDE, grid.cols, SIDE)


def _variance(plane: Float, grid: Grid) -> Float:
    return _cells(smoothed(plane), grid).var(axis=(1, 3)).reshape(-1)


def hide_all_but_one(
    traces: Sequence[Traces], reference: int, size: tuple[int, int], factor: int
) -> MovingParts | None:
    """Choose the frame that shows each region in motion, and hide the others where they differ.

    Args:
        traces: for every frame, against its neighbour towards the reference.
        reference: number of the reference frame.
        size: height and width of a reduced frame.
        factor: by which it is reduced.

    Returns:
        Which frames are hidden where; None where nothing moves, all seems to, or frames are two.
    """
    union: Mask = np.asarray(np.logical_or.reduce([t.moves for t in traces]), bool)
    surely: Mask = np.asarray(np.logical_or.reduce([t.surely for t in traces]), bool)
    if len(traces) < FEWEST or not surely.any():
        return None
    found = cast("Any", cv2).connectedComponents(union.astype(np.uint8), connectivity=8)
    labels = np.asarray(found[1], np.intp)
    numbers = distinct(labels[surely & union])
    if np.isin(labels, numbers).mean() > MOST:
        return None
    hidden = np.zeros((len(traces), *union.shape), bool)
    for region in (labels == k for k in numbers):
        energies = [float(t.energy[region].mean()) for t in traces]
        chosen = int(np.argmax(energies))
        for n in range(len(traces)):
            between = _steps_between(n, chosen, reference)
            if between:
                hidden[n] |= region & np.logical_or.reduce([traces[k].moves for k in between])
    grid = Grid.of(*size)
    return MovingParts(factor * SIDE, factor * grid.top, factor * grid.left, list(hidden))


def _steps_between(one: int, two: int, reference: int) -> list[int]:
    """Return the frames whose steps towards the reference lead from one frame to another."""

    def way(n: int) -> set[int]:
        return set(range(reference + 1, n + 1)) | set(range(n, reference))

    return sorted(way(one) ^ way(two))
