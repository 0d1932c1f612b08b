"""Numbers that fill neither 8 nor 16 bits, made into 16 bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frozen import frozen
from panfocus.io.frames import KindError, Pixels, Span

TOP = 65_535


def to_sixteen(values: NDArray[Any], top: int) -> NDArray[np.uint16]:
    """Return whole numbers of 0 to `top` as 0 to 65535, rounded; none fall together.

    Example:
        >>> to_sixteen(np.array([0, 1, 1023], np.uint16), 1023).tolist()
        [0, 64, 65535]
    """
    if top == TOP:
        return values.astype(np.uint16, copy=False)
    wide = values.astype(np.uint32)
    wide *= TOP
    wide += top // 2
    wide //= top
    return wide.astype(np.uint16)


def filled(values: NDArray[Any], top: int) -> Pixels:
    """Return whole numbers of 0 to `top` over the full range of 8 bits, or of 16 where 8 are few.

    Example:
        >>> filled(np.array([0, 1, 15], np.uint8), 15).tolist()
        [0, 17, 255]
    """
    if top > 255:
        return to_sixteen(values, top)
    if top == 255:
        return values.astype(np.uint8, copy=False)
    return ((values.astype(np.uint16) * 255 + top // 2) // top).astype(np.uint8)


@frozen
class Extent:
    """The least and the largest number of a frame, and whether all are whole."""

    low: float
    high: float
    is_whole: bool


def seen(values: NDArray[Any]) -> Extent:
    """Look through the numbers of a frame.

    Raises:
        KindError: some are no numbers, or endless.
    """
    low, high = _ends(values)
    is_whole = values.dtype.kind in "iu" or all(bool((row == np.rint(row)).all()) for row in values)
    return Extent(low, high, is_whole)


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = values.size - int(np.count_nonzero(np.isfinite(values)))
        raise KindError(
            f"{bad} of {values.size} that are no numbers (NaN) or infinite",
            "fill them, and save anew",
            "finite numbers",
        )
    return low, high


def span_of(frames: Sequence[Extent]) -> Span:
    """Return the range by which frames of one stack are read as 16 bits.

    Whole numbers that 16 bits can hold stay what they are, or are moved where some are negative;
    0 to 1 is taken for black to white; other ranges are spread. Where all lie above 0 they are so
    from 0, unless that costs more than one of the 16 bits: what is proportional to light stays so.

    Example:
        >>> span_of([Extent(0.5, 9.5, False)]), span_of([Extent(90.0, 99.5, False)])
        (Span(low=0.0, high=9.5), Span(low=90.0, high=99.5))
    """
    low, high = min(s.low for s in frames), max(s.high for s in frames)
    if all(s.is_whole for s in frames) and high - min(low, 0) <= TOP and high > 1:
        return Span(min(low, 0.0), min(low, 0.0) + TOP)
    if low >= 0 and high <= 1:
        return Span(0.0, 1.0)
    if 0 < low <= high - low:
        low = 0.0
    return Span(low, high if high > low else low + 1)


def spread(values: NDArray[Any], span: Span) -> NDArray[np.uint16]:
    """Return numbers of a range as 0 to 65535, rounded; others are cut to it.

    Raises:
        KindError: some are no numbers.

    Example:
        >>> spread(np.array([[0.0, 0.5, 1.0]]), Span(0.0, 1.0)).tolist()
        [[0, 32768, 65535]]
    """
    _ends(values)
    out = np.empty(values.shape, np.uint16)
    scale = TOP / (span.high - span.low)
    for row, into in zip(values, out, strict=True):  # a wide copy of all of it is not needed
        into[...] = np.clip(np.rint((row.astype(np.float64) - span.low) * scale), 0, TOP)
    return out


def in_words(span: Span) -> str:
    """Return how numbers are read, for a note."""
    if span == Span(0.0, TOP):
        return "whole, and read as 16 bits as they are"
    if span.high - span.low == TOP:
        return f"whole, and read as 16 bits with {-span.low:.0f} added"
    step = (span.high - span.low) / TOP
    read_as = f"{span.low:g} to {span.high:g} are read as 0 to 65535"
    return f"{read_as} (number = {span.low:g} + {step:.6g} x value)"
