"""JPEG: its segments and header, and an encoder that keeps metadata; `jpeg_decode` decodes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.frozen import frozen
from panfocus.io import cmyk
from panfocus.io.frames import Header, KindError
from panfocus.io.metadata import clean_exif, clean_xmp, mark_alone, tidy_dpi, with_size

MAX_SIDE = 65_500  # of libjpeg

_SOI, EOI, SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_INKS = 4  # cyan, magenta, yellow and black
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_ROOM = 65_533  # payload of one segment
#: Segments before the pixels, and bytes that fill the place before one, at most.
_MOST_SEGMENTS, _MOST_FILL = 1 << 16, 1 << 16


class JpegError(ValueError):
    """The file is not a whole, sound JPEG that this module reads."""


@frozen
class Inks:
    """How a JPEG holds CMYK.

    Attributes:
        are_inverted: whether 0 is full ink, as Adobe's programs have it.
        icc: profile of the inks; None without one.
    """

    are_inverted: bool
    icc: bytes | None


@dataclass
class _Found:
    """What the segments before the first scan hold."""

    frame: bytes | None = None  # payload of the start-of-frame segment
    exif: bytes | None = None
    xmp: bytes | None = None
    jfif: bytes | None = None
    icc: dict[int, bytes] | None = None
    adobe: bytes | None = None

    def take(self, marker: int, payload: bytes) -> None:
        """Remember a segment if it matters."""
        if marker in _SOF:
            self.frame = payload
        elif marker == _APP0 and payload.startswith(b"JFIF\0"):
            self.jfif = payload
        elif marker == _APP1 and payload.startswith(_EXIF) and self.exif is None:
            self.exif = payload[len(_EXIF) :]
        elif marker == _APP1 and payload.startswith(_XMP):
            self.xmp = payload[len(_XMP) :]
        elif marker == _APP14 and payload.startswith(b"Adobe"):
            self.adobe = payload
        elif marker == _APP2 and payload.startswith(_ICC) and len(payload) > len(_ICC) + 2:
            self.icc = self.icc or {}
            self.icc[payload[len(_ICC)]] = payload[len(_ICC) + 2 :]

    def profile(self) -> bytes | None:
        """Join the parts of the ICC profile."""
        return b"".join(self.icc[k] for k in sorted(self.icc)) if self.icc else None

    def dpi(self) -> tuple[float, float] | None:
        """Return the JFIF density in pixels per inch."""
        if self.jfif is None or len(self.jfif) < 12:
            return None
        unit, x, y = struct.unpack(">BHH", self.jfif[7:12])
        scale = {1: 1.0, 2: 2.54}.get(unit)
        return tidy_dpi(x * scale, y * scale) if scale else None


def segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, payload) up to the first start of scan, whose header is the last."""
    if file.read(2) != b"\xff\xd8":
        raise JpegError("no JPEG start marker")
    for _ in range(_MOST_SEGMENTS):
        marker = _next_marker(file)
        raw = file.read(2)
        length = struct.unpack(">H", raw)[0] if len(raw) == 2 else 0
        payload = file.read(length - 2) if length >= 2 else b""
        if length < 2 or len(payload) != length - 2:
            raise JpegError("the header is cut off")
        yield marker, payload
        if marker == SOS:
            return
    raise JpegError(f"more than {_MOST_SEGMENTS} parts before the pixels")


def _next_marker(file: BinaryIO) -> int:
    byte = file.read(1)
    if byte != b"\xff":
        raise JpegError("the header is cut off" if not byte else "the header is damaged")
    for _ in range(_MOST_FILL):  # bytes that fill may stand before a marker
        if byte != b"\xff":
            break
        byte = file.read(1)
    if not byte or byte == b"\xff" or byte[0] in (0, _SOI, EOI, _TEM) or 0xD0 <= byte[0] <= 0xD7:
        raise JpegError("the header is cut off or damaged")
    return byte[0]


def read_header(file: BinaryIO) -> Header:
    """Read size, kind and metadata; no pixel is decoded.

    Raises:
        JpegError: damaged.
        KindError: colours of no kind that is read, or 12 bit.
    """
    return _header(_found(file))


def read_colours(file: BinaryIO) -> tuple[Header, Inks | None]:
    """Read the same, and how a JPEG holds CMYK; None where it does not.

    Raises:
        JpegError, KindError: as `read_header`.
    """
    found = _found(file)
    header = _header(found)
    if found.frame is None or found.frame[5] != _INKS:
        return header, None
    return header, Inks(found.adobe is not None, found.profile())


def _found(file: BinaryIO) -> _Found:
    found = _Found()
    for marker, payload in segments(file):
        found.take(marker, payload)
    return found


def _header(found: _Found) -> Header:
    if found.frame is None or len(found.frame) < 6:
        raise JpegError("no frame header")
    precision, height, width, components = struct.unpack(">BHHB", found.frame[:6])
    if components not in (1, 3, _INKS):
        raise KindError(f"{components} colour channels", "save it as RGB first")
    if precision != 8:
        raise KindError(f"{precision} bits per channel in a JPEG", "save it at 8 bit, or as TIFF")
    if not height or not width:
        raise JpegError("a picture without pixels")
    exif = clean_exif(found.exif)
    dpi = found.dpi()
    if dpi and exif.orientation >= 5:
        dpi = (dpi[1], dpi[0])
    icc, channels, notes = found.profile(), components, tuple[str, ...]()
    if components == _INKS:
        icc, channels, notes = None, 3, (cmyk.note_of(icc),)
    metadata = Metadata(exif.data, icc, clean_xmp(found.xmp), dpi or exif.dpi)
    return Header(height, width, channels, "uint8", metadata, exif.orientation, notes)


def read_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF block as it is, None without one.

    Raises:
        JpegError: the header is damaged or cut off.
    """
    return _found(file).exif


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _jfif(dpi: tuple[float, float] | None) -> bytes:
    x, y = (max(1, min(65_535, round(v))) for v in dpi) if dpi else (1, 1)
    return _segment(
        _APP0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, int(dpi is not None), x, y, 0, 0)
    )


def _metadata_segments(metadata: Metadata, shape: tuple[int, ...]) -> tuple[bytes, list[str]]:
    """Return the segments that go behind the start marker, and notes on what did not fit."""
    parts, notes = [_jfif(metadata.dpi)], list[str]()
    exif = with_size(metadata.exif, shape[0], shape[1]) if metadata.exif else None
    for name, prefix, data in (("EXIF", _EXIF, exif), ("XMP", _XMP, metadata.xmp)):
        if data is None:
            continue
        if len(prefix) + len(data) > _ROOM:
            notes.append(f"{name} of {len(data)} bytes does not fit a JPEG and was left out")
            mark = mark_alone(data) if name == "EXIF" else None
            parts += [] if mark is None else [_segment(_APP1, prefix + mark)]
        else:
            parts.append(_segment(_APP1, prefix + data))
    if metadata.icc:
        step = _ROOM - len(_ICC) - 2
        pieces = [metadata.icc[i : i + step] for i in range(0, len(metadata.icc), step)]
        if len(pieces) > 255:
            notes.append("the ICC profile does not fit a JPEG and was left out")
        else:
            for number, piece in enumerate(pieces, 1):
                parts.append(_segment(_APP2, _ICC + bytes((number, len(pieces))) + piece))
    return b"".join(parts), notes


def encode(
    pixels: NDArray[Any], metadata: Metadata, quality: int
) -> tuple[list[bytes | memoryview], list[str]]:
    """Encode uint8 pixels (H, W) or (H, W, 3).

    Returns:
        The file in pieces, and notes on metadata that did not fit.
    """
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed until something is written

    # colour at half resolution is visible at high quality settings and saves little there
    subsampling = "444" if quality >= 90 else "420"
    data = imagecodecs.jpeg8_encode(pixels, level=quality, subsampling=subsampling)
    body = 2
    if data[2:4] == bytes((0xFF, _APP0)):  # its JFIF segment gives way to ours
        body = 4 + int.from_bytes(data[4:6], "big")
    head, notes = _metadata_segments(metadata, pixels.shape)
    return [b"\xff\xd8", head, memoryview(data)[body:]], notes
