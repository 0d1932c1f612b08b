"""What the first page of a TIFF says of the stack: its axes, its step, its kind of number."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from typing import NamedTuple

from panfocus.io.ifd import (
    Block,
    DirectoryError,
    Tag,
    next_directory,
    read_directory,
    read_header,
)

_AXES = {
    "channels": re.compile(rb"\bchannels=(\d{1,12})\b|SizeC=\"(\d{1,12})\""),
    "slices": re.compile(rb"\bslices=(\d{1,12})\b|SizeZ=\"(\d{1,12})\""),
    "frames": re.compile(rb"\bframes=(\d{1,12})\b|SizeT=\"(\d{1,12})\""),
    "images": re.compile(rb"\AImageJ=.*?\bimages=(\d{1,12})\b", re.DOTALL),
}
_IMAGEJ_STEP = re.compile(rb"^spacing=(\S+)\s*$", re.MULTILINE)
_IMAGEJ_UNIT = re.compile(rb"^unit=(.+?)\s*$", re.MULTILINE)
_OME_STEP = re.compile(rb"PhysicalSizeZ=\"([^\"]*)\"")
_OME_UNIT = re.compile(rb"PhysicalSizeZUnit=\"([^\"]*)\"")
_SIGNED, _FLOAT = 2, 3
_TABLES = (b"luts", b"stul")


class _FirstPage(NamedTuple):
    """The first page's directory, and whether it is the only one."""

    block: Block
    is_single: bool

    @property
    def text(self) -> bytes:
        """What describes the page, or the stack that it begins."""
        return self.block.data(Tag.DESCRIPTION) or b""

    @property
    def numbers(self) -> int:
        """How many numbers the page holds."""
        return numbers_of(self.block)


def numbers_of(block: Block) -> int:
    """Return how many numbers a page holds, samples included."""
    size = block.number(Tag.HEIGHT) * block.number(Tag.WIDTH)
    return int(size * block.number(Tag.SAMPLES, 1))


def _first_page(path: Path) -> _FirstPage | None:
    """Read the first page's directory; None if unreadable."""
    try:
        with path.open("rb") as file:
            layout, offset = read_header(file)
            if not offset:
                return None
            block = Block(layout.order, read_directory(file, layout, offset)[0])
            return _FirstPage(block, not next_directory(file, layout, offset))
    except (OSError, DirectoryError, struct.error):
        return None


def said_axes(text: bytes) -> dict[str, int]:
    """Return the sizes of the axes that a stack's description names, 1 for all others."""
    said: dict[str, int] = {}
    for axis, pattern in _AXES.items():
        match = pattern.search(text)
        said[axis] = int(next(g for g in match.groups() if g)) if match else 1
    return said


def promised_pages(text: bytes, plane: int) -> int:
    """Return how many pages a first page's description tells of, 0 where it does not say.

    Args:
        text: of ImageJ, tifffile, or OME without other files.
        plane: numbers of a page, samples included.
    """
    if text.startswith(b"ImageJ="):
        return said_axes(text)["images"]
    if b'"truncated": true' not in text:
        shape = _shape(text)
        return math.prod(shape) // plane if plane and shape else 0
    return 0


def _shape(text: bytes) -> list[int]:
    """Return the shape that tifffile has written, as of arrays that NumPy's users save; or none."""
    if not text.startswith(b'{"shape"'):
        return []
    import json  # noqa: PLC0415 - photographs do without

    try:
        return [int(n) for n in json.loads(text.rstrip(b"\0 "))["shape"]]
    except (ValueError, TypeError, LookupError, RecursionError):
        return []


def axes_of_array(text: bytes, plane: int) -> list[int]:
    """Return the sizes above 1 along which tifffile laid out the pages of an array.

    Args:
        text: what describes the first page.
        plane: numbers of a page, samples included.

    Returns:
        None of them where the text is another program's or names no axes; one of a plain stack.

    Example:
        >>> axes_of_array(b'{"shape": [2, 5, 48, 64], "axes": "CZYX"}', 48 * 64)
        [2, 5]
    """
    shape = _shape(text) if b'"axes"' in text else []
    while plane > 1 and shape and shape[-1] > 0 and plane % shape[-1] == 0:
        plane //= shape.pop()
    return [size for size in shape if size > 1] if plane == 1 else []


def says_axes(path: Path) -> bool:
    """Whether the first page says that the pages are more than the frames of one stack.

    Channels, times or positions beside the depths, an array of several axes, or a stack that lists
    one page only.
    """
    page = _first_page(path)
    if page is None:
        return False
    said = said_axes(page.text)
    several = sum(said[name] > 1 for name in ("channels", "slices", "frames"))
    # the colours of one RGB page are counted as channels by OME
    is_colour = int(page.block.number(Tag.SAMPLES, 1)) > 1
    positions = page.text.count(b"<Image ") > 1
    of_array = len(axes_of_array(page.text, page.numbers)) > 1
    is_row = said["images"] > 1 and page.is_single
    return several - is_colour > 1 or positions or of_array or is_row


def is_measured(path: Path) -> bool:
    """Whether a stack of frames along Z has what a photograph's TIFF cannot keep.

    A length of its step, a table of colours, or floating point and signed numbers.
    """
    page = _first_page(path)
    if page is None:
        return False
    said = said_axes(page.text)
    kinds = {int(kind) for kind in page.block.numbers(Tag.SAMPLE_FORMAT)}
    if kinds & {_SIGNED, _FLOAT}:
        return not page.is_single or said["images"] > 1
    has_depth = said["slices"] > 1 and said["frames"] == 1
    tables = (page.block.data(Tag.IMAGEJ) or b"")[:64]
    return has_depth and (_step(page.text) is not None or any(name in tables for name in _TABLES))


def pixel_um(path: Path) -> tuple[float, float] | None:
    """Return the sizes (rows, columns) of a pixel in µm; None where the file does not say."""
    page = _first_page(path)
    if page is None:
        return None
    from panfocus.io.units import micrometres  # noqa: PLC0415 - photographs do without

    text = page.text
    sizes: list[float | None] = []
    if text.startswith(b"ImageJ="):
        unit = _IMAGEJ_UNIT.search(text)
        per = unit[1].decode(errors="replace") if unit else "pixel"
        for tag in (Tag.Y_RESOLUTION, Tag.X_RESOLUTION):
            dots = page.block.number(tag)
            sizes.append(micrometres(1 / dots, per) if dots else None)
    else:
        for axis in (b"Y", b"X"):
            size = re.search(rb'PhysicalSize%b="([^"]*)"' % axis, text)
            told = re.search(rb'PhysicalSize%bUnit="([^"]*)"' % axis, text)
            per = told[1].decode(errors="replace") if told else "µm"
            sizes.append(micrometres(size[1].decode(errors="replace"), per) if size else None)
    y, x = sizes
    return None if y is None or x is None else (y, x)


def step_um(path: Path) -> float | None:
    """Return the micrometres between the planes of a stack; None where it does not say."""
    page = _first_page(path)
    return None if page is None else _step(page.text)


def _step(text: bytes) -> float | None:
    if said_axes(text)["slices"] < 2:
        return None
    from panfocus.io.units import micrometres  # noqa: PLC0415 - photographs do without

    if text.startswith(b"ImageJ="):
        unit = _IMAGEJ_UNIT.search(text)
        step = _IMAGEJ_STEP.search(text)
        # a spacing of 1 is not written
        size = (step[1] if step else b"1").decode(errors="replace").lstrip("-")
        return micrometres(size, unit[1].decode(errors="replace")) if unit else None
    step, unit = _OME_STEP.search(text), _OME_UNIT.search(text)
    if step is None:
        return None
    return micrometres(step[1].decode(), unit[1].decode() if unit else "µm")
