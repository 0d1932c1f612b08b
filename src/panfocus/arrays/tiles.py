"""Cover a picture with windows: a core that is kept, and a halo of context that is cropped.

With a halo as large as the receptive radius of a *decision* at least, the tiled one equals the
whole one, cropped and not feathered. With less, tiles give way to each other over a part of the
halo: what they say differs where nothing is clear, and would meet in straight steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen


@frozen
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


def grown(span: slice, length: int, fade: int) -> slice:
    """Return what of `length` pixels a span has a share in that gives way over its borders."""
    return slice(max(span.start - fade, 0), min(span.stop + fade, length))


def shares(span: slice, length: int, fade: int) -> Float:
    """Return the shares in [0, 1] of a span in what it is `grown` to, ``(n,)``.

    They fall in straight lines from `fade` pixels within to as many beyond its ends, but not at the
    ends of all. Shares of spans that follow each other sum to 1, however short they are.

    Args:
        span: pixels.
        length: of all.
        fade: pixels; 0 for none.
    """
    wide = grown(span, length, fade)
    at = np.arange(wide.start, wide.stop, dtype=np.float32) + np.float32(0.5)
    out = np.ones_like(at)
    if fade and span.start > 0:
        out = _rise((at - span.start) / (2 * fade))
    if fade and span.stop < length:
        out -= _rise((at - span.stop) / (2 * fade))
    return np.asarray(out, np.float32)


def _rise(at: Float) -> Float:
    """Return how far a share has risen, of places in the width of the rise beside its middle."""
    t = np.clip(at + np.float32(0.5), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def faded(window: Window, height: int, width: int, fade: int) -> tuple[Window, Float]:
    """Return a window with a core that reaches over its neighbours', and its shares ``(h, w)``.

    Args:
        window: of a ``(height, width)`` picture; it reads `fade` more pixels on each side at least.
        height: of the picture, pixels.
        width: of the picture, pixels.
        fade: pixels, on both sides of a border.
    """
    rows, columns = (
        grown(span, length, fade) for span, length in zip(window.core, (height, width), strict=True)
    )
    down, across = (
        slice(span.start - read.start, span.stop - read.start)
        for span, read in zip((rows, columns), window.read, strict=True)
    )
    share = shares(window.core[0], height, fade)[:, None] * shares(window.core[1], width, fade)
    return Window((rows, columns), window.read, (down, across)), share


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
    *,
    fade: int = 0,
) -> Float:
    """Run a decision window by window.

    Args:
        decide: ``(N, h, w, C)`` frames to ``(N, h, w)`` weights.
        frames: ``(N, H, W, C)``.
        core: side of a core, or height and width, pixels.
        halo: context on each side; where it is less than the receptive radius of `decide`, windows
            are to fade.
        multiple: alignment of the windows.
        fade: pixels on both sides of a border, of the halo, over which windows give way.

    Returns:
        Weights ``(N, H, W)`` float32.
    """
    out = np.zeros(frames.shape[:3], np.float32)
    height, width = frames.shape[1:3]
    for window in windows(height, width, core, halo, multiple):
        weights = decide(frames[:, window.read[0], window.read[1]])
        kept, share = faded(window, height, width, fade)
        out[:, kept.core[0], kept.core[1]] += weights[:, kept.inner[0], kept.inner[1]] * share
    return out
