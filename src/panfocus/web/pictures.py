"""What can be looked at: frames, results, maps in colours, differences; as 8-bit sRGB."""

from __future__ import annotations

import io as memory
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.registration.stack import Registration
from panfocus.retouch import Region
from panfocus.web.frames import StackFrames
from panfocus.web.levels import PLAIN, ScreenLevels
from panfocus.web.pyramids import Byte
from panfocus.web.scales import ColourScale

#: Levels at which a JPEG can be decoded: a half, a quarter, an eighth.
_REDUCED = 3


def _srgb() -> Any:  # noqa: ANN401  of Pillow
    from PIL import ImageCms  # noqa: PLC0415

    return cast("Any", ImageCms).createProfile("sRGB")


@lru_cache(maxsize=8)
def _to_srgb(profile: bytes, mode: str) -> Any:  # noqa: ANN401  of Pillow
    from PIL import ImageCms  # noqa: PLC0415  few files carry another profile than sRGB

    try:
        own = ImageCms.ImageCmsProfile(memory.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(own):
            return None
        return cast("Any", ImageCms).buildTransform(own, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):  # a profile that says nothing
        return None


def to_screen(pixels: Pixels, icc: bytes | None = None, levels: ScreenLevels | None = None) -> Byte:
    """Return a picture as a screen shows it: 8-bit sRGB, without opacity.

    Args:
        pixels: ``(H, W)`` or ``(H, W, C)``, any dtype of a frame.
        icc: its colour profile.
        levels: which numbers are black and white; None for all that the dtype holds.

    Returns:
        ``(H, W)`` or ``(H, W, 3)`` uint8.
    """
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1]
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3):
        pixels = pixels.mean(axis=-1).astype(pixels.dtype)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if levels is not None and not levels.is_plain:
        shown = levels.shown(pixels)
    elif pixels.dtype == np.float32:
        shown = np.rint(np.clip(pixels, 0, 1) * np.float32(255)).astype(np.uint8)
    else:
        shown = np.asarray(io.to_depth(pixels, "uint8"), np.uint8)
    shown = np.ascontiguousarray(shown)
    change = _to_srgb(icc, "RGB" if shown.ndim == 3 else "L") if icc else None
    if change is None:
        return shown
    from PIL import Image, ImageCms  # noqa: PLC0415

    converted = ImageCms.applyTransform(Image.fromarray(shown), change)
    return np.asarray(converted, np.uint8)


@dataclass(frozen=True)
class FramePicture:
    """A frame as its file has it, or where the reference frame has it.

    Attributes:
        stack: key of the stack.
        frames: of the stack.
        number: of the frame.
        registration: that puts it in place; None for the frame as it is.
        place: its number in the registration, where some frames are left out.
        version: of the registration.
        levels: by which it is shown.
    """

    stack: str
    frames: StackFrames
    number: int
    registration: Registration | None = None
    place: int = 0
    version: str = ""
    exact: bool = False
    levels: ScreenLevels = PLAIN

    @property
    def _moved(self) -> Registration | None:
        """The registration, if it changes anything of this frame."""
        found = self.registration
        if found is None:
            return None
        is_whole = found.field == found.alignment.whole()
        if is_whole and found.curves[self.place] is None and not found.alignment.moves(self.place):
            return None
        return found

    @property
    def key(self) -> str:
        """Its name."""
        tail = "" if self._moved is None else f"@{self.version}"
        return f"{self.stack}/frame-{self.number}{tail}~{self.levels.key}"

    @property
    def height(self) -> int:
        """Pixels."""
        moved = self._moved
        return self.frames.shape[1] if moved is None else moved.field.bottom - moved.field.top

    @property
    def width(self) -> int:
        """Pixels."""
        moved = self._moved
        return self.frames.shape[2] if moved is None else moved.field.right - moved.field.left

    def read(self, level: int) -> tuple[Byte, int]:
        """Decode it, no larger than needed."""
        moved = self._moved
        if moved is not None:
            frame = moved.place(self.place, self.frames.read(self.number))
            return to_screen(frame.pixels, frame.metadata.icc, self.levels), 0
        if level == 0:
            frame = self.frames.read(self.number)
            return to_screen(frame.pixels, frame.metadata.icc, self.levels), 0
        wanted = min(level, _REDUCED)
        frame = self.frames.reduced(self.number, 1 << wanted)
        reached = _reached(frame, self.height, wanted)
        size = -(-self.width >> reached), -(-self.height >> reached)
        shown = to_screen(frame.pixels, frame.metadata.icc, self.levels)
        if shown.shape[1::-1] != size:
            shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.uint8)
        return shown, reached


def _reached(frame: Frame, height: int, wanted: int) -> int:
    """Return by which level a frame was reduced, from its height."""
    for level in range(wanted, 0, -1):
        if abs(frame.pixels.shape[0] - height / (1 << level)) <= 1:
            return level
    return 0


@dataclass(frozen=True)
class ArrayPicture:
    """A picture in memory or mapped from a file, such as a result.

    Attributes:
        key: its name.
        pixels: ``(H, W[, C])``.
        icc: colour profile.
        levels: by which it is shown.
    """

    key: str
    pixels: Pixels
    icc: bytes | None = None
    exact: bool = False
    levels: ScreenLevels = PLAIN

    @property
    def height(self) -> int:
        """Pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Pixels."""
        return self.pixels.shape[1]

    def read(self, level: int) -> tuple[Byte, int]:
        """Return it at full scale."""
        return to_screen(np.asarray(self.pixels), self.icc, self.levels), 0


def sampled(values: NDArray[Any], region: Region) -> Float:
    """Return a map ``(h, w)`` in a region at a level: each pixel one of its own values."""
    step = int(region.scale)
    rows, columns = (
        np.minimum(np.arange(first, first + count) * step + step // 2, most - 1)
        for first, count, most in zip(
            (region.top, region.left), (region.height, region.width), values.shape, strict=True
        )
    )
    return np.asarray(values[np.ix_(rows, columns)], np.float32)


@dataclass(frozen=True)
class MapPicture:
    """A map in colours.

    Attributes:
        key: its name.
        values: ``(H, W)``.
        scale: of its colours.
    """

    key: str
    values: NDArray[Any]
    scale: ColourScale
    exact: bool = True

    @property
    def height(self) -> int:
        """Pixels."""
        return self.values.shape[0]

    @property
    def width(self) -> int:
        """Pixels."""
        return self.values.shape[1]

    def read(self, level: int) -> tuple[Byte, int]:
        """Return it at a level, each pixel one of the map's own values: numbers are not mixed."""
        high, wide = -(-self.height >> level), -(-self.width >> level)
        return self.scale.draw(sampled(self.values, Region(0, 0, wide, high, 1 << level))), level


@dataclass(frozen=True)
class DifferencePicture:
    """How far one picture is from another, in colours: black where they are equal.

    Attributes:
        key: its name.
        one: reads the one, ``(H, W[, C])``.
        other: reads the other, of the same height and width.
        height: pixels.
        width: pixels.
        scale: of the mean absolute difference of the channels, as a share of white.
    """

    key: str
    one: Callable[[], Pixels]
    other: Callable[[], Pixels]
    height: int
    width: int
    scale: ColourScale
    exact: bool = False

    def read(self, level: int) -> tuple[Byte, int]:
        """Return it at full scale."""
        return self.scale.draw(difference(self.one(), self.other())), 0


def difference(one: Pixels, other: Pixels) -> Float:
    """Return the mean absolute difference ``(H, W)`` of two pictures as a share of white."""
    a, b = (
        np.asarray(p, np.float32).reshape(*p.shape[:2], -1) / np.float32(white(p.dtype))
        for p in (one, other)
    )
    return np.abs(a - b).mean(axis=-1, dtype=np.float32)


def histogram(level: Byte) -> list[list[int]]:
    """Return how many pixels have each of the 256 levels, for every channel."""
    planes = level[..., None] if level.ndim == 2 else level
    return [
        np.bincount(planes[..., c].ravel(), minlength=256).tolist() for c in range(planes.shape[2])
    ]
