"""Cover a picture with windows: a core that is kept, and a halo of context that is cropped.

Tiles of a *decision* are cropped and never feathered: with a halo at least as large as the
receptive radius the tiled decision equals the whole one, and no seam can appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from panfocus.arrays.types import Float, Pixels


@dataclass(frozen=True)
class Window:
    """A core and the larger region read for it; all are slices into the whole picture.

    Attributes:
        core: rows and columns that this window decides.
        read: core plus halo, clipped to the picture.
        inner: the core's rows and columns within `read`.
    """

    core: tuple[slice, slice]
    read: tuple[slice, slice]
    inner: tuple[slice, slice]


def _spans(length: int, core: int, halo: int, multiple: int) -> Iterator[tuple[slice, ...]]:
    for start in range(0, length, core):
        stop = min(start + core, length)
        # a network that halves its input sees other pixels if a tile starts between its strides
        low = max((start - halo) // multiple * multiple, 0)
        high = min(stop + halo, length)
        yield slice(start, stop), slice(low, high), slice(start - low, stop - low)


def windows(
    height: int, width: int, core: int | tuple[int, int], halo: int = 0, multiple: int = 1
) -> Iterator[Window]:
    """Yield windows whose cores partition a ``(height, width)`` picture exactly.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        core: side of a core, or height and width, pixels; rounded up to `multiple`.
        halo: context on each side, pixels.
        multiple: cores and reads start at multiples of this.
    """
    down, across = (core, core) if isinstance(core, int) else core
    down, across = (-(-side // multiple) * multiple for side in (down, across))
    for rows, read_rows, inner_rows in _spans(height, down, halo, multiple):
        for cols, read_cols, inner_cols in _spans(width, across, halo, multiple):
            yield Window((rows, cols), (read_rows, read_cols), (inner_rows, inner_cols))


def cheapest_core(
    height: int, width: int, halo: int, allowed: int, multiple: int = 1
) -> tuple[int, int]:
    """Return the core, height and width, that covers a picture reading the fewest pixels.

    A halo costs nothing at the picture's border, so a few long tiles read less than square ones.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        halo: context on each side, pixels.
        allowed: pixels that a window may read; where even the smallest halo is too much, cores
            of one halo's side are read.
        multiple: cores are multiples of this.
    """
    least = max(halo, multiple, 1)
    best: tuple[int, tuple[int, int]] | None = None
    for down in _sides(height, least, multiple):
        for across in _sides(width, least, multiple):
            rows, cols = (
                [min(s + core + halo, side) - max(s - halo, 0) for s in range(0, side, core)]
                for side, core in ((height, down), (width, across))
            )
            read = sum(rows) * sum(cols)
            if max(rows) * max(cols) <= allowed and (best is None or read < best[0]):
                best = (read, (down, across))
    return best[1] if best else (min(least, height), min(least, width))


def _sides(length: int, least: int, multiple: int) -> list[int]:
    """Return the sides of cores that divide a length into 1, 2, 3 ... nearly equal parts."""
    parts = range(1, max(length // least, 1) + 1)
    return [-(-length // (n * multiple)) * multiple for n in parts]


def tiled_decision(
    decide: Callable[[Pixels], Float],
    frames: Pixels,
    core: int | tuple[int, int],
    halo: int,
    multiple: int = 1,
) -> Float:
    """Run a decision window by window.

    Args:
        decide: ``(N, h, w, C)`` frames to ``(N, h, w)`` weights.
        frames: ``(N, H, W, C)``.
        core: side of a core, or height and width, pixels.
        halo: context on each side, at least the receptive radius of `decide`.
        multiple: alignment of the windows.

    Returns:
        Weights ``(N, H, W)`` float32.
    """
    out = np.empty(frames.shape[:3], np.float32)
    for window in windows(frames.shape[1], frames.shape[2], core, halo, multiple):
        weights = decide(frames[:, window.read[0], window.read[1]])
        out[:, window.core[0], window.core[1]] = weights[:, window.inner[0], window.inner[1]]
    return out
