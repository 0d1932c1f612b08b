"""Put a frame in place where it is shifted locally: one interpolation from its native pixels.

Where shifts are exactly 0, pixels that the frame's transform alone has put in place stay, bit for
bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.registration.local import LocalShifts
from panfocus.registration.transforms import Crop, Matrix

#: Rows and columns that are made at once.
_TILE = 256
#: Pixels around a place that its value depends on.
_REACH = 6
#: Added to encoded values in [0, 1] before they are squared: pixels gather light, see
#: docs/decisions/0015-resampling.md.
_LIFT = 0.1
#: By which share of the range around it a value may leave that range; below, where encoded.
_SLACK, _SLACK_BELOW = 0.5, 0.15
_MIRROR = cv2.BORDER_REFLECT_101

Mask = NDArray[np.bool_]


def place_locally(
    whole: Frame, frame: Frame, matrix: Matrix, field: Crop, shifts: LocalShifts, *, is_light: bool
) -> Frame:
    """Return a frame in place with its local shifts taken away: pixels, guide and cover.

    Args:
        whole: the frame as its transform alone puts it in place.
        frame: native, in the brightness of the reference.
        matrix: from the reference frame to it, pixels.
        field: of the reference frame, which `whole` shows.
        shifts: of the frame.
        is_light: whether colour, too, is stored in proportion to light.
    """
    guide = whole.guide
    if guide is not None and frame.guide is not None:
        guide = apply_shifts(guide, frame.guide, matrix, field, shifts)
    return replace(
        whole,
        pixels=apply_shifts(whole.pixels, frame.pixels, matrix, field, shifts, is_light=is_light),
        guide=guide,
        cover=shifted_cover(whole.cover, matrix, field, shifts, frame.pixels.shape[:2]),
    )


def apply_shifts(
    placed: Pixels,
    pixels: Pixels,
    matrix: Matrix,
    field: Crop,
    shifts: LocalShifts,
    *,
    is_light: bool = False,
) -> Pixels:
    """Return a frame in place with its local shifts taken away.

    Args:
        placed: ``(h, w[, C])``, the field as the frame's transform alone puts it in place.
        pixels: ``(H, W[, C])`` of the frame, native.
        matrix: from the reference frame to it, pixels.
        field: of the reference frame, which `placed` shows.
        shifts: of the frame.
        is_light: whether colour, too, is stored in proportion to light.

    Returns:
        As `placed`, which is not changed.
    """
    out = placed.copy()
    source, target = (p[..., None] if p.ndim == 2 else p for p in (pixels, out))
    for tile, x, y, moves in _moved_tiles(matrix, field, shifts):
        rows, cols = _span(y[moves], source.shape[0]), _span(x[moves], source.shape[1])
        part = np.ascontiguousarray(source[rows, cols])
        maps = (x - np.float32(cols.start), y - np.float32(rows.start))
        area = target[_slices(tile, field)]
        for channels, is_encoded in _planes(source.shape[-1], is_light=is_light):
            made = _between_pixels(part[..., channels], maps, is_encoded=is_encoded)
            np.copyto(area[..., channels], made, where=moves[..., None])
    return out


def shifted_cover(
    shown: NDArray[np.uint8] | None,
    matrix: Matrix,
    field: Crop,
    shifts: LocalShifts,
    size: tuple[int, int],
) -> NDArray[np.uint8] | None:
    """Return where a frame with local shifts has pixels of a field.

    Args:
        shown: ``(h, w)``, where its transform alone has; None for everywhere.
        matrix: from the reference frame to it, pixels.
        field: of the reference frame.
        shifts: of the frame.
        size: height and width of the frame.

    Returns:
        ``(h, w)`` uint8, 255 where it has and 0 where not; None when it has all.
    """
    out = shown
    for tile, x, y, moves in _moved_tiles(matrix, field, shifts):
        beyond = moves & ((x < -0.5) | (y < -0.5) | (x > size[1] - 0.5) | (y > size[0] - 0.5))
        if beyond.any():
            if out is None or out is shown:
                shape = (field.bottom - field.top, field.right - field.left)
                out = np.full(shape, 255, np.uint8) if out is None else out.copy()
            out[_slices(tile, field)][beyond] = 0
    return out


def _slices(tile: Crop, field: Crop) -> tuple[slice, slice]:
    top, left = field.top, field.left
    return slice(tile.top - top, tile.bottom - top), slice(tile.left - left, tile.right - left)


def _moved_tiles(
    matrix: Matrix, field: Crop, shifts: LocalShifts
) -> Iterator[tuple[Crop, Float, Float, Mask]]:
    """Yield parts of a field that hold shifts: where the frame has them, x and y, and which."""
    for top in range(field.top, field.bottom, _TILE):
        for left in range(field.left, field.right, _TILE):
            bottom, right = min(top + _TILE, field.bottom), min(left + _TILE, field.right)
            tile = Crop(top, bottom, left, right)
            shift = _shift_of(tile, shifts)
            if shift is None:
                continue
            moves = (shift[..., 0] != 0) | (shift[..., 1] != 0)
            if moves.any():
                x, y = _places(tile, shift, matrix)
                yield tile, x, y, np.asarray(moves)


def _shift_of(tile: Crop, shifts: LocalShifts) -> Float | None:
    """Return the shifts ``(h, w, 2)`` of a tile, full scale; None where there are none."""
    factor, values = shifts.factor, shifts.values
    rows = slice(max(tile.top // factor - 2, 0), tile.bottom // factor + 3)
    cols = slice(max(tile.left // factor - 2, 0), tile.right // factor + 3)
    part = values[rows, cols]
    if not part.any():
        return None
    y = (np.arange(tile.top, tile.bottom) - (factor - 1) / 2) / factor - rows.start
    x = (np.arange(tile.left, tile.right) - (factor - 1) / 2) / factor - cols.start
    maps = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    border = cv2.BORDER_REPLICATE
    out = cv2.remap(part.astype(np.float32), *maps, cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(out, np.float32)


def _places(tile: Crop, shift: Float, matrix: Matrix) -> tuple[Float, Float]:
    """Return where a frame has the pixels of a tile, (x, y), pixels."""
    x = np.arange(tile.left, tile.right) + shift[..., 0].astype(np.float64)
    y = np.arange(tile.top, tile.bottom)[:, None] + shift[..., 1].astype(np.float64)
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    across, down = (matrix[r, 0] * x + matrix[r, 1] * y + matrix[r, 2] for r in (0, 1))
    return (across / depth).astype(np.float32), (down / depth).astype(np.float32)


def _span(places: Float, length: int) -> slice:
    """Return which of `length` rows or columns places are made from; mirrored ones, too."""
    first, last = int(np.floor(places.min())) - _REACH, int(np.ceil(places.max())) + _REACH
    end = length - 1
    first, last = min(first, 2 * end - last), max(last, -first)
    return slice(min(max(first, 0), end), min(max(last, 0), end) + 1)


def _planes(channels: int, *, is_light: bool) -> Iterator[tuple[slice, bool]]:
    """Yield which channels are interpolated alike, and whether they are encoded for a display."""
    first = 3 if channels in (3, 4) else 0
    if first:
        yield slice(0, 3), not is_light
    for c in range(first, channels):
        yield slice(c, c + 1), False


def _between_pixels(pixels: Pixels, maps: tuple[Float, Float], *, is_encoded: bool) -> Pixels:
    """Return the values ``(h, w, C)`` of a part of a frame at other places, rounded once."""
    for axis in (0, 1):
        if pixels.shape[axis] == 1:
            pixels = np.repeat(pixels, 2, axis=axis)
    top = np.float32(white(pixels.dtype))
    lift = np.float32(_LIFT if is_encoded else 0)
    values = pixels.astype(np.float32) / top + lift
    values = np.square(values) if is_encoded else values
    made = cv2.remap(values, *maps, cv2.INTER_LANCZOS4, borderMode=_MIRROR)
    made = np.sqrt(np.maximum(made, 0)) if is_encoded else made
    made = (made.reshape(*maps[0].shape, -1) - lift) * top
    # what rings beyond the brightest or darkest around is no light
    box = np.ones((4, 4), np.uint8)
    ends = [f(pixels, box, borderType=_MIRROR) for f in (cv2.erode, cv2.dilate)]
    low, high = (
        np.float32(cv2.remap(e, *maps, cv2.INTER_NEAREST, borderMode=_MIRROR)).reshape(made.shape)
        for e in ends
    )
    below = _SLACK_BELOW if is_encoded else _SLACK
    made = np.clip(made, low - below * (high - low), high + _SLACK * (high - low))
    made = np.clip(made, pixels.min(), pixels.max())
    return (made if pixels.dtype == np.float32 else np.rint(made)).astype(pixels.dtype)
