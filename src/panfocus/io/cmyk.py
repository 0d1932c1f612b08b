"""CMYK of prepress turned into RGB: by the file's own profile, or without one by a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: LittleCMS: relative colorimetric, with compensation of the black point.
_INTENT, _FLAGS = 1, 0x2000
_BAND = 256
_BY_PROFILE = "CMYK colours are turned into sRGB by the profile in the file"
_BY_RULE = "CMYK colours without a profile: they are turned into RGB by a rule, and are approximate"


def is_profile(icc: bytes | None) -> bool:
    """Whether a profile is one of CMYK inks."""
    return icc is not None and icc[16:20] == b"CMYK"


def note_of(icc: bytes | None) -> str:
    """Return what a user is told of colours that come with a profile, or without."""
    return _BY_PROFILE if is_profile(icc) else _BY_RULE


def to_rgb(inks: NDArray[Any], icc: bytes | None) -> NDArray[Any]:
    """Return red, green and blue of inks.

    Args:
        inks: (H, W, 4) uint8 or uint16: cyan, magenta, yellow and black, the dtype's largest value
            for full ink.
        icc: the file's profile; without one, c = (1 - C)(1 - K).

    Returns:
        (H, W, 3), of the same dtype; sRGB where there is a profile.

    Raises:
        RuntimeError: the profile is damaged.
    """
    out = np.empty((*inks.shape[:2], 3), inks.dtype)
    for top in range(0, inks.shape[0], _BAND):  # no wide copy of the whole
        rows = np.ascontiguousarray(inks[top : top + _BAND])
        if icc is not None and is_profile(icc):
            out[top : top + _BAND] = _managed(rows, icc)
        else:
            out[top : top + _BAND] = _plain(rows)
    return out


def _managed(rows: NDArray[Any], icc: bytes) -> NDArray[Any]:
    import imagecodecs  # noqa: PLC0415 - slow to import

    how: dict[str, Any] = {
        "colorspace": "cmyk",
        "outcolorspace": "rgb",
        "intent": _INTENT,
        "flags": _FLAGS,
    }
    return imagecodecs.cms_transform(rows, icc, imagecodecs.cms_profile("srgb"), **how)


def _plain(rows: NDArray[Any]) -> NDArray[Any]:
    full = int(np.iinfo(rows.dtype).max)
    left = full - rows.astype(np.int64)
    return ((left[..., :3] * left[..., 3:] + full // 2) // full).astype(rows.dtype)
