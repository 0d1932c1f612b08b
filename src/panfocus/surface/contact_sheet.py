"""Results of several systems on one sheet: each whole, and below it where they differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import luminance, shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.io.write import to_depth

if TYPE_CHECKING:
    from PIL import ImageFont

Byte = NDArray[np.uint8]

#: Pixels of a column, and of the gaps around it.
_WIDE, _GAP = 480, 8
#: Places that are shown enlarged, and the side of each in pixels of the picture.
_PLACES, _SIDE = 3, 120
#: Differences are looked for in pictures of at most so many pixels along the longer side.
_LOOK = 1200
_FONT = 20


@dataclass(frozen=True)
class Square:
    """A square of the picture, pixels."""

    top: int
    left: int
    side: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where it is in an array."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)


def places_of_difference(pictures: Sequence[Pixels], count: int = _PLACES) -> list[Square]:
    """Return the squares in which pictures differ most, the most different first, none overlapping.

    Args:
        pictures: ``(H, W[, C])`` of one size and dtype, at least one.
        count: at most so many; fewer where the pictures are small, or alike.
    """
    height, width = pictures[0].shape[:2]
    factor = max(-(-max(height, width) // _LOOK), 1)
    side = min(_SIDE, height, width)
    small = [_grey(shrink(np.ascontiguousarray(picture), factor)) for picture in pictures]
    apart = np.asarray(np.ptp(np.stack(small), axis=0), np.float32)
    window = max(side // factor, 1)
    # the mean over every window that lies inside, by its top left corner
    blurred = np.asarray(cv2.boxFilter(apart, -1, (window, window), anchor=(0, 0)), np.float32)
    mean = blurred[: len(apart) - window + 1, : apart.shape[1] - window + 1]
    found: list[Square] = []
    for _ in range(count):
        y, x = (int(n) for n in np.unravel_index(int(mean.argmax()), mean.shape))
        if mean[y, x] <= 0:
            break
        top, left = min(y * factor, height - side), min(x * factor, width - side)
        found.append(Square(top, left, side))
        near = slice(max(y - window + 1, 0), y + window), slice(max(x - window + 1, 0), x + window)
        mean[near] = 0
    return found


def draw_contact_sheet(pictures: Mapping[str, Pixels]) -> Byte:
    """Draw a column for every picture: its label, all of it, and places enlarged.

    Args:
        pictures: ``(H, W[, C])`` uint8 or uint16 by their labels, of one size; opacity is left out.

    Returns:
        ``(h, w, 3)`` uint8 RGB.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  slow to import

    shown = {label: _colours(picture) for label, picture in pictures.items()}
    places = places_of_difference([*shown.values()])
    height, width = next(iter(shown.values())).shape[:2]
    share = _WIDE / width
    tall, head = max(round(height * share), 1), 2 * _FONT
    step = _WIDE + _GAP
    size = step * len(shown) + _GAP, head + tall + len(places) * step + _GAP
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = cast("ImageFont.ImageFont", ImageFont.load_default(_FONT))
    for n, (label, picture) in enumerate(shown.items()):
        left = _GAP + n * step
        draw.text((left, head / 2), label, fill="black", font=font, anchor="lm")
        sheet.paste(Image.fromarray(_sized(picture, (_WIDE, tall))), (left, head))
        for k, place in enumerate(places):
            box = [left + place.left * share, head + place.top * share]
            box += [at + place.side * share for at in box]
            _outline(draw, box)
            top = head + tall + _GAP + k * step
            part = np.ascontiguousarray(picture[place.slices])
            sheet.paste(Image.fromarray(_sized(part, (_WIDE, _WIDE))), (left, top))
            for at in ((box[0] + 4, box[1] + 2), (left + 4, top + 2)):
                draw.text(at, str(k + 1), fill="yellow", font=font, stroke_width=2, stroke_fill=0)
    return np.asarray(sheet, np.uint8)


def _outline(draw: object, box: Sequence[float]) -> None:
    """Draw a square that is seen on bright and dark."""
    from PIL import ImageDraw  # noqa: PLC0415  slow to import

    pen = cast("ImageDraw.ImageDraw", draw)
    pen.rectangle([*box], outline="black", width=3)
    pen.rectangle([at + (1 if n < 2 else -1) for n, at in enumerate(box)], outline="yellow")


def _sized(picture: Byte, size: tuple[int, int]) -> Byte:
    """Return a picture at a size; enlarged by repeating pixels, which invents nothing."""
    grows = size[0] > picture.shape[1]
    how = cv2.INTER_NEAREST if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _colours(picture: Pixels) -> Byte:
    """Return a picture as 8-bit RGB."""
    pixels = picture[..., None] if picture.ndim == 2 else picture
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    return np.ascontiguousarray(to_depth(pixels, "uint8"), np.uint8)


def _grey(pixels: Pixels) -> Float:
    return np.asarray(luminance(pixels), np.float32)
