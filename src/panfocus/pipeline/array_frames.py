"""Arrays that somebody hands over as frames: what is taken, what is converted, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Pixels
from panfocus.errors import InputError
from panfocus.resources.memory import available_memory

#: By how much float pictures may leave [0, 1] and be cut off there, as rings of resampling do.
FLOAT_SLACK = 0.05
#: Bytes of a frame that is looked at before it is copied.
_LARGE = 2**28
_EXPECTED = "uint8, uint16, or float in [0, 1]"


def as_pixels(array: object, name: str, note: Callable[[str], None]) -> Pixels:
    """Return a frame as uint8, uint16 or float32 in [0, 1], shape kept.

    Args:
        array: anything that numpy makes an array of.
        name: of the frame, for messages.
        note: told what was converted.

    Raises:
        InputError: no picture, no such numbers, or floats that are NaN or outside of [0, 1].
    """
    pixels = _numbers(array, name)
    if pixels.dtype.kind == "f":
        return _floats(pixels, name, note)
    return np.ascontiguousarray(pixels)


def _numbers(array: object, name: str) -> NDArray[Any]:
    try:
        pixels: NDArray[Any] = np.asarray(array)
    except (ValueError, TypeError) as error:
        raise no_picture(name, f"{type(array).__name__}: {error}") from error
    _check_room(pixels, name)
    if pixels.dtype.kind in "uf":  # byte order is no other kind of number
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    check_picture(pixels, name)
    mask = cast("Any", getattr(array, "mask", False))
    masked = 0 if callable(mask) else int(np.sum(mask))
    if masked:
        raise InputError(
            "a frame has masked pixels",
            where=name,
            expected="all pixels valid",
            got=f"{masked} masked",
            remedy="fill them first: frame.filled(0)",
        )
    return pixels


def _check_room(pixels: NDArray[Any], name: str) -> None:
    """Refuse what shows a few numbers as very many, which a copy would really hold."""
    if pixels.nbytes < _LARGE or pixels.flags.c_contiguous:
        return
    room = available_memory()
    if pixels.nbytes > room:
        raise InputError(
            "a frame takes more memory than there is",
            where=name,
            expected=f"at most {room // 2**20} MiB",
            got=f"{pixels.nbytes // 2**20} MiB, shape {pixels.shape}",
            remedy="fuse smaller frames, or free some memory",
        )


def check_picture(pixels: NDArray[Any], name: str) -> None:
    """Refuse numbers and shapes that no picture has.

    Raises:
        InputError: it is so.
    """
    if pixels.dtype.kind != "f" and pixels.dtype.name not in ("uint8", "uint16"):
        raise InputError(
            "this kind of number is not taken",
            where=name,
            expected=_EXPECTED,
            got=str(pixels.dtype),
            remedy=_remedy(pixels.dtype),
        )
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise no_picture(name, f"shape {pixels.shape}")


def no_picture(name: str, got: str) -> InputError:
    """Return the error for what is no picture."""
    return InputError(
        "a frame must be a picture",
        where=name,
        expected="(H, W) or (H, W, C), with at least one pixel",
        got=got,
        remedy="give an array (N, H, W[, C]) or a list of arrays (H, W[, C]) of one size",
    )


def _remedy(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "b":
        return "convert the frames before fusing: frame.astype('uint8') * 255"
    if dtype.kind in "iu":
        return "convert the frames before fusing: scale them to the range of uint16"
    return "convert the frames before fusing"


def _floats(pixels: NDArray[Any], name: str, note: Callable[[str], None]) -> Pixels:
    low, high = float(pixels.min()), float(pixels.max())  # NaN passes through both
    if not (low >= -FLOAT_SLACK and high <= 1 + FLOAT_SLACK):
        finite = np.isfinite(pixels)
        bad = int(pixels.size - finite.sum())
        raise InputError(
            "a frame of floats holds values that are no light",
            where=name,
            expected="values in [0, 1]: 0 is black, 1 is white",
            got=f"{bad} of {pixels.size} values are NaN or infinite"
            if bad
            else f"values from {low:.4g} to {high:.4g}",
            remedy="replace them before fusing"
            if bad
            else "scale all frames alike, such as by frames / 255",
        )
    if pixels.dtype != np.float32:
        note(f"frames of {pixels.dtype} are fused as float32")
        pixels = pixels.astype(np.float32)
    if low < 0 or high > 1:
        note("values of float frames a little outside of [0, 1] are cut off there")
        pixels = np.clip(pixels, 0, 1)
    return np.ascontiguousarray(pixels, np.float32)
