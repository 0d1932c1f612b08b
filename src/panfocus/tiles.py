"""Cover a picture with windows: a core that is kept, and a halo of context that is cropped.

Tiles of a *decision* are cropped and never feathered: with a halo at least as large as the
receptive radius the tiled decision equals the whole one, and no seam can appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


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
    height: int, width: int, core: int, halo: int = 0, multiple: int = 1
) -> Iterator[Window]:
    """Yield windows whose cores partition a ``(height, width)`` picture exactly.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        core: side of a core, pixels; rounded up to `multiple`.
        halo: context on each side, pixels.
        multiple: cores and reads start at multiples of this.
    """
    step = -(-core // multiple) * multiple
    for rows, read_rows, inner_rows in _spans(height, step, halo, multiple):
        for cols, read_cols, inner_cols in _spans(width, step, halo, multiple):
            yield Window((rows, cols), (read_rows, read_cols), (inner_rows, inner_cols))


def tiled_decision(
    decide: Callable[[Float], Float], frames: Float, core: int, halo: int, multiple: int = 1
) -> Float:
    """Run a decision window by window.

    Args:
        decide: ``(N, h, w, C)`` frames to ``(N, h, w)`` weights.
        frames: ``(N, H, W, C)`` float32.
        core: side of a core, pixels.
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
