"""Pictures of light as measured, in floating point: Radiance HDR, and PFM of computer vision.

HDR:  #?RADIANCE, lines of facts, an empty line, -Y height +X width, pixels, packed or not
PFM:  PF (colour) or Pf (grey), width, height, a number below 0 where bytes are little-endian;
      float32 from the lowest row up
(radsite.lbl.gov/radiance/refer/filefmts.pdf; pauldebevec.com/Research/HDR/PFM)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.frames import Header, KindError
from panfocus.io.icc import linear_profile
from panfocus.io.room import check_room

_HEAD = 65_536  # bytes that hold a header
_SIZE = re.compile(rb"([-+][XY]) (\d{1,9}) ([-+][XY]) (\d{1,9})\n")
_EXPOSURE = re.compile(rb"^EXPOSURE\s*=\s*(\S{1,40})\s*$", re.MULTILINE)
_PFM = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]{1,30})[ \t\r]*\n")
_FLOAT = 4
#: Of a pixel, while it is decoded.
_PIXEL_BYTES = 28


class LightError(ValueError):
    """The file is not a whole picture of its kind."""


@dataclass(frozen=True)
class _Facts:
    """What a header says.

    Attributes:
        height, width, channels: of the picture.
        start: where the pixels begin; of a PFM alone.
        order: of bytes, "<" or ">"; of a PFM alone.
        exposure: by which a HDR's numbers were multiplied.
    """

    height: int
    width: int
    channels: int
    start: int = 0
    order: str = "<"
    exposure: float = 1.0

    def header(self) -> Header:
        """Return what other modules get to know."""
        check_room(self.height, self.width, _PIXEL_BYTES)
        # the profile says how to show colours that are proportional to light
        metadata = Metadata(icc=linear_profile()) if self.channels == 3 else Metadata()
        return Header(
            self.height, self.width, self.channels, "uint16", metadata, numbers="floating point"
        )


def _facts(head: bytes) -> _Facts:
    found = _of_pfm(head) if head.startswith((b"PF", b"Pf")) else _of_radiance(head)
    if not (found.height and found.width):
        raise LightError("a picture without pixels")
    return found


def _of_pfm(head: bytes) -> _Facts:
    found = _PFM.match(head)
    try:
        scale = float(found[4]) if found else 0.0
    except ValueError:
        scale = 0.0
    if found is None or not isfinite(scale) or scale == 0:
        raise LightError("no header of a PFM")
    channels = 3 if found[1] == b"PF" else 1
    order = "<" if scale < 0 else ">"
    return _Facts(int(found[3]), int(found[2]), channels, found.end(), order)


def _of_radiance(head: bytes) -> _Facts:
    facts, gap, rest = head.partition(b"\n\n")
    size = _SIZE.match(rest)
    if not gap or size is None:
        raise LightError("no header of a Radiance picture")
    if b"32-bit_rle_xyze" in facts:
        raise KindError("colours as XYZ", "save it with red, green and blue")
    if (size[1], size[3]) != (b"-Y", b"+X"):
        raise KindError("rows from another corner", "save it with its rows from the top")
    try:
        exposure = prod(float(told) for told in _EXPOSURE.findall(facts))
    except ValueError:
        exposure = 0.0
    if not (isfinite(exposure) and exposure > 0):
        raise LightError("an exposure that is no number above 0")
    return _Facts(int(size[2]), int(size[4]), 3, exposure=exposure)


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size and kind; no pixel is decoded.

    Raises:
        LightError: no header.
        KindError: a kind of Radiance picture that is not read.
        MemoryError: more pixels than there is room for.
    """
    with path.open("rb") as file:
        return [(0, _facts(file.read(_HEAD)).header())]


def decode(path: Path, page: int) -> tuple[NDArray[np.float32], Header]:
    """Decode the picture.

    Returns:
        (H, W) or (H, W, 3) float32, proportional to light, and the header.

    Raises:
        LightError: cut off or damaged.
    """
    data = path.read_bytes()
    facts = _facts(data[:_HEAD])
    header = facts.header()
    if data.startswith(b"P"):
        return _pfm_pixels(data, facts), header
    return _radiance_pixels(data, facts), header


def _pfm_pixels(data: bytes, facts: _Facts) -> NDArray[np.float32]:
    shape = (facts.height, facts.width, facts.channels)
    count = prod(shape)
    if len(data) - facts.start < count * _FLOAT:
        raise LightError("the file is cut off")
    values = np.frombuffer(data, f"{facts.order}f4", count, facts.start).reshape(shape)[::-1]
    pixels = values if facts.channels == 3 else values[..., 0]
    return np.ascontiguousarray(pixels, np.float32)


def _radiance_pixels(data: bytes, facts: _Facts) -> NDArray[np.float32]:
    # it would print what the error tells
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.shape != (facts.height, facts.width, 3):
        raise LightError("the pixels are damaged, or the file is cut off")
    pixels = np.asarray(found, np.float32)[..., ::-1]
    return np.ascontiguousarray(pixels / np.float32(facts.exposure))
