"""A height map to look at: depth in colours, with the scale beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float

if TYPE_CHECKING:
    from PIL import ImageFont

Byte = NDArray[np.uint8]

#: Share of the depths at either end that may be speckle and does not stretch the scale.
_OUTLIERS = 0.005
_TICKS = 5


def draw_height_map(depth: Float, unit: str, *, near_first: bool = True) -> Byte:
    """Colour a depth map by turbo, near red and far blue, with a scale bar on the right.

    Args:
        depth: ``(H, W)``; values that are not finite are drawn black.
        unit: of depth, for the scale, such as "frames" or "µm".
        near_first: small depth is near.

    Returns:
        ``(H, W + bar, 3)`` uint8 RGB.
    """
    finite = np.isfinite(depth)
    known = depth[finite] if finite.any() else np.zeros(1, np.float32)
    low, high = (float(v) for v in np.quantile(known, [_OUTLIERS, 1 - _OUTLIERS]))
    share = np.clip((np.nan_to_num(depth, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    picture = _turbo(1 - share if near_first else share)
    picture[~finite] = 0
    bar = _scale_bar(depth.shape[0], low, high, unit, near_first=near_first)
    return np.hstack([picture, bar])


def _turbo(share: Float | NDArray[np.float64]) -> Byte:
    """Return RGB ``(H, W, 3)`` for values in [0, 1]."""
    levels = np.rint(share * 255).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def _scale_bar(height: int, low: float, high: float, unit: str, *, near_first: bool) -> Byte:
    """Draw the colours from near, above, to far, below, with numbers: ``(height, W, 3)``."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  slow to import

    size = int(np.clip(height // 24, 9, 48))
    font = cast("ImageFont.ImageFont", ImageFont.load_default(size))
    ends = (low, high) if near_first else (high, low)
    digits = int(np.clip(2 - np.floor(np.log10(max(high - low, 1e-6))), 0, 6))
    labels = [f"{value:.{digits}f}" for value in np.linspace(*ends, _TICKS)]
    labels[0] += " " + unit.replace("µ", "u")  # the font at hand has no Greek
    longest = max(font.getlength(label) for label in labels)
    width = round(size * 2.5 + longest)
    bar = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(bar)
    # half a line is left at both ends for the numbers
    top, length = size, max(height - 2 * size, 2)
    ramp = np.linspace(1, 0, length)[:, None].repeat(size, axis=1)
    bar.paste(Image.fromarray(_turbo(ramp)), (size // 2, top))
    for label, y in zip(labels, np.linspace(top, top + length - 1, _TICKS), strict=True):
        draw.line([(size * 1.5, y), (size * 1.8, y)], fill="black", width=max(size // 12, 1))
        draw.text((size * 2, y), label, fill="black", font=font, anchor="lm")
    return np.asarray(bar, np.uint8)
