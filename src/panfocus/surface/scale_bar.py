"""A scale bar with its length in words, painted into a picture."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.io.units import micrometres

if TYPE_CHECKING:
    from PIL import ImageFont

#: What chooses a round length by itself.
AUTO = "auto"
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([^\W\d_]+)\s*")
_SHORTEST, _LONGEST = 1e-6, 1e9
#: Of the picture's width: what "auto" aims at, and what no bar may be longer than.
_AIM, _MOST = 0.25, 0.9
_FEWEST_PIXELS = 2


def length_of(text: str) -> float | None:
    """Return the micrometres that a user wants a bar to have; None for "auto".

    Raises:
        UsageError: it is no length.

    Examples:
        >>> length_of("100um"), length_of("0.5 mm"), length_of("auto")
        (100.0, 500.0, None)
    """
    if text.strip().lower() == AUTO:
        return None
    found = _LENGTH.fullmatch(text)
    length = None if found is None else micrometres(found[1], found[2])
    if length is None or not _SHORTEST <= length <= _LONGEST:
        raise UsageError(
            "this is no length of a scale bar",
            where="scale_bar",
            expected="a number with its unit, like 100um, 5µm or 0.5mm; or auto",
            got=text.strip() or "nothing",
        )
    return length


def fitting(length_um: float | None, width: int, pixel_um: float) -> float:
    """Return the length of a bar in micrometres, a round one where none is wanted.

    Args:
        length_um: that is wanted; None for 1, 2 or 5 times a power of ten.
        width: of the picture, pixels.
        pixel_um: of a pixel along x.

    Raises:
        UsageError: the bar would be longer than the picture, or too short to be seen.

    Examples:
        >>> fitting(None, 1000, 0.325)
        50.0
    """
    shown = width * pixel_um
    if length_um is None:
        power = 10.0 ** math.floor(math.log10(shown * _AIM))
        return float(f"{max(n * power for n in (1, 2, 5) if n * power <= shown * _AIM):.12g}")
    if not _FEWEST_PIXELS * pixel_um <= length_um <= _MOST * shown:
        raise UsageError(
            "a scale bar of this length does not fit into the picture",
            where="scale_bar",
            expected=f"{_FEWEST_PIXELS * pixel_um:.3g} to {_MOST * shown:.3g} µm, of a picture "
            f"{shown:.3g} µm wide",
            got=f"{length_um:g} µm",
            remedy="another length, or auto",
        )
    return length_um


def in_words(length_um: float) -> str:
    """Return a length as it is written beside a bar.

    Examples:
        >>> in_words(50.0), in_words(2000.0), in_words(0.25)
        ('50 µm', '2 mm', '250 nm')
    """
    for unit, size in (("m", 1e6), ("mm", 1e3), ("µm", 1.0), ("nm", 1e-3)):
        if length_um >= size:
            return f"{length_um / size:.6g} {unit}"
    return f"{length_um * 1e3:.6g} nm"


def with_scale_bar(pixels: Pixels, length_um: float, pixel_um: float) -> Pixels:
    """Return a copy with a bar in the lower right corner, and its length above it.

    Both are white with a black rim, or black with a white one where the corner is bright.

    Args:
        pixels: ``(H, W[, C])``, of any dtype of a picture; opacity, which is last, becomes full.
        length_um: of the bar.
        pixel_um: of a pixel along x.
    """
    height, width = pixels.shape[:2]
    long = max(round(length_um / pixel_um), 1)
    text = _label(in_words(length_um), _size(height, width))
    thick = max(round(_size(height, width) / 5), 2)
    edge, gap = max(_size(height, width) // 2, 2), max(thick, 2)
    mask = np.zeros((height, width), np.uint8)
    bottom, right = height - edge, width - edge
    box = max(long, text.shape[1])
    middle = right - box / 2
    left = round(middle - long / 2)
    mask[max(bottom - thick, 0) : bottom, max(left, 0) : left + long] = 255
    _put(mask, text, bottom - thick - gap - text.shape[0], round(middle - text.shape[1] / 2))
    corner = pixels[max(bottom - thick - gap - text.shape[0], 0) :, max(round(right - box), 0) :]
    top = _top(pixels)
    is_bright = _mean(corner) > 0.5 * top
    return _painted(pixels, mask, top, rim=max(thick // 3, 1), is_bright=is_bright)


def _size(height: int, width: int) -> int:
    """Return the height of letters in pixels."""
    return int(np.clip(min(height, width) // 18, 10, 160))


def _put(mask: NDArray[np.uint8], text: NDArray[np.uint8], top: int, left: int) -> None:
    """Put letters into a mask, as far as they are inside of it."""
    height, width = mask.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + text.shape[0], height), min(left + text.shape[1], width)
    if y1 > y0 and x1 > x0:
        mask[y0:y1, x0:x1] = text[y0 - top : y1 - top, x0 - left : x1 - left]


def _top(pixels: Pixels) -> float:
    """Return the number that is shown as white: cameras fill few of 16 bits, and viewers know."""
    colour = pixels[..., :-1] if pixels.ndim == 3 and pixels.shape[2] in (2, 4) else pixels
    most, full = float(colour.max()), white(pixels.dtype)
    return most if pixels.dtype == np.uint16 and 0 < most < 0.5 * full else float(full)


def _mean(corner: Pixels) -> float:
    colour = corner[..., :3] if corner.ndim == 3 and corner.shape[2] > 2 else corner
    return float(np.mean(colour)) if corner.size else 0.0


def _painted(
    pixels: Pixels, mask: NDArray[np.uint8], top: float, *, rim: int, is_bright: bool
) -> Pixels:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    around = np.asarray(cv2.dilate(mask, kernel), np.float32) / 255
    inside = mask.astype(np.float32) / 255
    ink, other = (0.0, 1.0) if is_bright else (1.0, 0.0)
    out = pixels.copy()
    rows, columns = np.flatnonzero(around.any(axis=1)), np.flatnonzero(around.any(axis=0))
    at = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share, core = around[at], inside[at]
    paint = (core * ink + (share - core) * other) * top
    part: NDArray[Any] = pixels[at].astype(np.float32)
    if part.ndim == 3:
        share, paint = share[..., None], np.repeat(paint[..., None], part.shape[2], axis=2)
        if part.shape[2] in (2, 4):
            paint[..., -1] = share[..., 0] * white(pixels.dtype)
    mixed = part * (1 - share) + paint
    out[at] = mixed if pixels.dtype.kind == "f" else np.rint(mixed)
    return out


def _label(text: str, size: int) -> NDArray[np.uint8]:
    """Return letters as a mask ``(h, w)``, cut to what is drawn."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  slow to import

    font = cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))
    image = Image.new("L", (round(font.getlength(text)) + 4 * size, 3 * size))
    draw = ImageDraw.Draw(image)
    base = 2 * size
    draw.text((size, base), text.replace("µ", "u"), fill=255, font=font, anchor="ls")
    drawn = np.array(image)
    if "µ" in text:  # which the font at hand has not: a u whose first stem goes down
        before = size + font.getlength(text[: text.index("µ")])
        _add_stem(drawn, round(before), base, font)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _add_stem(drawn: NDArray[np.uint8], left: int, base: int, font: ImageFont.FreeTypeFont) -> None:
    """Lengthen the first stem of a u as far down as a p goes."""
    x0, top, x1, _ = font.getbbox("u", anchor="ls")
    below = int(font.getbbox("p", anchor="ls")[3])
    row = drawn[base + int(top * 0.6), left + int(x0) : left + int(x1) + 1]
    dark = np.flatnonzero(row < 128)
    first = int(np.argmax(row >= 128))
    after = dark[dark > first]
    width = int(after[0]) - first if after.size else 1
    start = left + int(x0)
    stem = slice(start, start + first + width)
    drawn[base - max(width, 1) : base + below, stem] = np.maximum(
        drawn[base - max(width, 1) : base + below, stem], row[: first + width]
    )
