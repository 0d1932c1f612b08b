"""Look into a file, and decode one frame of it."""

from __future__ import annotations

import io
import math
import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from numpy.typing import NDArray

from panfocus.errors import InputError
from panfocus.frame import Frame, Metadata
from panfocus.io import heic, jpeg, png, raw, tiff, webp
from panfocus.io.formats import PACKED, READABLE, SUFFIXES, sniff
from panfocus.io.frames import Format, FrameInfo, Header
from panfocus.io.metadata import digest
from panfocus.io.orient import undone, upright, upright_shape
from panfocus.io.refused import told
from panfocus.io.room import check_file
from panfocus.io.stretch import seen, span_of, spread

#: Formats that are read into memory whole, and those whose size is not known before that.
_WHOLE: frozenset[Format] = frozenset(
    {"JPEG", "PNG", "WebP", "HEIC", "AVIF", "JPEG XL", "JPEG 2000", "PNM", "GIF"}
)
_UNKNOWN: frozenset[Format] = _WHOLE - {"JPEG", "PNG", "WebP", "PNM"}

#: Modules of the formats that few stacks come in: imported when one does.
_RARE: dict[Format, str] = {
    "AVIF": "avif", "JPEG XL": "jpeg_xl", "JPEG 2000": "jpeg2000", "BMP": "bitmaps",
    "GIF": "bitmaps", "TGA": "bitmaps", "PNM": "pnm", "PSD": "psd_read", "OpenEXR": "exr",
    "HDR": "light", "PFM": "light", "video": "video",
}  # fmt: skip


class Reader(Protocol):
    """What a module of such a format does."""

    def read_headers(self, path: Path) -> list[tuple[int, Header]]:
        """Return (page, header) of every picture in the file."""
        ...

    def decode(self, path: Path, page: int) -> tuple[NDArray[Any], Header]:
        """Return one picture as stored, and its header."""
        ...


def rare(kind: Format) -> Reader:
    """Return the module that reads one of the formats that few stacks come in."""
    return cast("Reader", import_module(f"panfocus.io.{_RARE[kind]}"))


def _not_a_picture(path: Path, size: int) -> InputError:
    remedy = "remove it from the inputs"
    if not size:
        remedy = "copy it again, or leave it out"
    elif path.suffix.lower() in PACKED:
        remedy = "unpack it, and name the frames"
    return InputError(
        "an input is not a picture that panfocus reads",
        where=str(path),
        expected=READABLE,
        got="other content, whatever the file's name says" if size else "an empty file, 0 bytes",
        remedy=remedy,
    )


def look(path: Path) -> tuple[Format, list[tuple[int, Header]]]:
    """Read the headers of all frames in one file.

    Returns:
        The format, and (page, header) for every frame; one frame for all formats but TIFF.

    Raises:
        InputError: missing, not a picture, cut off in its header, or of a kind that is not read.
    """
    with told(str(path)), path.open("rb") as file:
        kind = sniff(file.read(64))
        if path.suffix.lower() in raw.SUFFIXES:  # most are TIFFs by content
            return "camera RAW", [(0, raw.header_of(path))]
        if kind is None and SUFFIXES.get(path.suffix.lower()) == "TGA":
            kind = "TGA"  # which begins with no word of its own
        if kind is None:
            raise _not_a_picture(path, path.stat().st_size)
        size = os.fstat(file.fileno()).st_size
        if kind in _UNKNOWN:
            check_file(size)
        headers = _headers(path, kind, file)
        if kind in _WHOLE:
            check_file(size, sum(header.pixel_bytes for _, header in headers))
        return kind, headers


def _headers(path: Path, kind: Format, file: BinaryIO) -> list[tuple[int, Header]]:
    if kind == "HEIC":
        return [(0, heic.header_of(path))]
    if kind in _RARE:
        return rare(kind).read_headers(path)
    file.seek(0)
    if kind == "TIFF":
        return [(page.index, page.header) for page in tiff.read_pages(file)]
    reader = {"JPEG": jpeg, "PNG": png, "WebP": webp}[kind]
    return [(0, reader.read_header(file))]


def describe(name: str, path: Path, kind: Format, page: int, header: Header) -> FrameInfo:
    """Return what the user of this package gets to know of a header."""
    height, width = upright_shape(header.height, header.width, header.orientation)
    return FrameInfo(
        name=name,
        path=path,
        page=page,
        height=height,
        width=width,
        channels=header.channels,
        dtype=header.dtype,
        has_alpha=header.has_alpha,
        icc_digest=digest(header.metadata.icc),
        format=kind,
        orientation=header.orientation,
        tag=header.turned if header.orientation == 1 else header.orientation,
        notes=header.notes,
        numbers=header.numbers,
        span=header.span,
    )


def read_frame(info: FrameInfo) -> Frame:
    """Decode one frame, upright.

    Safe to call from a thread: the codecs release the GIL. Memory: the file, the pixels, and a
    second copy of the pixels only where they must be turned.

    Raises:
        InputError: the file is gone, cut off, damaged, or no longer what ``find_frames`` saw.
    """
    pixels, header = _read_stored(info)
    if info.calibration is not None:
        from panfocus.io.calibrated import calibrated  # noqa: PLC0415 - few stacks are calibrated

        pixels = calibrated(info, pixels, header)
    pixels = upright(pixels, header.orientation)
    if info.turn_as is not None:
        pixels = upright(upright(pixels, undone(info.tag)), info.turn_as)
    _check_same(info, pixels)
    return Frame(info.name, pixels, info.has_alpha, header.metadata, notes=header.notes)


def _read_stored(info: FrameInfo) -> tuple[NDArray[Any], Header]:
    """Decode a frame as stored, of 8 or 16 bits."""
    with told(info.where):
        pixels, header = _decode(info)
        if info.numbers:
            pixels = spread(pixels, info.span or span_of([seen(pixels)]))
    return pixels, header


def read_sensed(info: FrameInfo) -> tuple[NDArray[Any], Metadata]:
    """Decode a frame as the sensor had its pixels, not turned and not calibrated.

    Returns:
        (H, W) or (H, W, C) uint8 or uint16, and the metadata.

    Raises:
        InputError: as `read_frame`.
    """
    pixels, header = _read_stored(info)
    return upright(pixels, undone(header.turned)), header.metadata


def stored_values(info: FrameInfo) -> NDArray[Any]:
    """Return the numbers of a frame as its file has them: (H, W) or (H, W, C), not turned.

    Raises:
        InputError: as `read_frame`.
    """
    with told(info.where):
        return _decode(info)[0]


def read_reduced(info: FrameInfo, factor: int) -> tuple[Frame, int]:
    """Decode one frame, shrunk if its format allows for that while decoding.

    Args:
        info: the frame.
        factor: by which its caller wants it shrunk.

    Returns:
        The frame and by how much it is shrunk: a divisor of `factor`, 1 where the format has no
        such way. A shrunk frame may have one more row or column than whole blocks, and carries
        no metadata.

    Raises:
        InputError: as `read_frame`; damage behind the header may go unnoticed.
    """
    reached = math.gcd(factor, 8)
    # a turned picture would have its blocks counted from the other side
    is_turned = info.orientation != 1 or info.turn_as not in (None, 1)
    is_whole = is_turned or info.calibration is not None
    if info.format == "JPEG" and reached > 1 and not is_whole:
        from panfocus.io import jpeg_decode  # noqa: PLC0415 - see _decode

        with told(info.where):
            pixels = jpeg_decode.decode_reduced(info.path.read_bytes(), reached)
        channels = 1 if pixels is None or pixels.ndim == 2 else pixels.shape[2]
        if pixels is not None and channels == info.channels:
            return Frame(info.name, pixels, info.has_alpha, Metadata()), reached
    return read_frame(info), 1


def _decode(info: FrameInfo) -> tuple[NDArray[Any], Header]:
    """Decode the pixels as stored, and read the header again, from the same bytes."""
    if info.format == "TIFF":
        return tiff.read_page(info.path, info.page, lenient=info.lenient)
    if info.format == "camera RAW":
        return raw.decode(info.path, info.develop)
    if info.format == "HEIC":
        return heic.decode(info.path)
    if info.format in _RARE:
        return rare(info.format).decode(info.path, info.page)
    return _decode_whole(info, info.path.read_bytes())


def _decode_whole(info: FrameInfo, data: bytes) -> tuple[NDArray[Any], Header]:
    """Decode a JPEG, PNG or WebP that is in memory."""
    file = io.BytesIO(data)
    if info.format == "JPEG":
        from panfocus.io import jpeg_decode  # noqa: PLC0415 - other formats do without

        pixels, troubles = jpeg_decode.decode(data, lenient=info.lenient)
        header = jpeg.read_header(file)
        return pixels, replace(header, notes=(*header.notes, *troubles))
    if info.format == "PNG":
        return png.decode(data), png.read_header(file)
    header = webp.read_header(file)
    return webp.decode(data, header.has_alpha), header


def _check_same(info: FrameInfo, pixels: NDArray[Any]) -> None:
    tail = () if info.channels == 1 else (info.channels,)
    expected = (info.height, info.width, *tail)
    if pixels.shape != expected or pixels.dtype != info.dtype:
        raise InputError(
            "a frame is not what its header said",
            where=info.name,
            expected=f"{expected} {info.dtype}",
            got=f"{pixels.shape} {pixels.dtype}",
            remedy="do not change the files while panfocus runs; if nobody did, the file is "
            "damaged: copy it again",
        )
