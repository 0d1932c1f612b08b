"""Decode a JPEG and refuse one that is damaged inside.

libjpeg only warns of damaged data, and most decoders drop its warning: a picture comes back that is
wrong from the damage on. simplejpeg passes the warning on. What it cannot know is looked for here:
a missing end marker, sectors that stand twice, zeros where no encoder writes any.
"""

from __future__ import annotations

import io
import re

import numpy as np
from numpy.typing import NDArray

from panfocus.frozen import frozen
from panfocus.io import cmyk
from panfocus.io.frames import DamageError, Header
from panfocus.io.jpeg import EOI, SOS, Inks, JpegError, read_colours, segments
from panfocus.io.sectors import has_copies, has_zeros
from panfocus.resources.spare import OF_FRAMES

# Between scans come only tables, comments and application data; anything else is damage.
_BETWEEN_SCANS = frozenset({0xC4, 0xCC, SOS, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_DHT = 0xC4
_SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
#: Bytes that libjpeg reads ahead, and so does not count among those too many.
_SLACK = 32


class JpegDamageError(JpegError, DamageError):
    """The compressed data are damaged; what libjpeg makes of them can be had all the same."""


@frozen
class _Walk:
    """What the scans of a file look like from outside.

    Attributes:
        trouble: what is wrong with them, None for nothing.
        end: where the end marker stands.
        padding: zeros in front of it that are no compressed data.
    """

    trouble: str | None
    end: int
    padding: int = 0


class _Tables:
    """What a scan's codes make of bits that are all zero: the first symbol of each table."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}

    def take(self, payload: bytes) -> None:
        """Remember the tables of a DHT segment."""
        while len(payload) > 17:
            self._first[payload[0]] = payload[17]
            payload = payload[17 + sum(payload[1:17]) :]

    def allow_zeros(self, scan: bytes) -> bool:
        """Whether an encoder may write a long run of zeros into a scan with this header.

        Blocks that are flat may be all zeros. Others would all have the same detail, or ever
        darker averages; and in scans of details alone (progressive), flat blocks are counted.
        """
        count = scan[0] if scan else 0
        if len(scan) < 4 + 2 * count:
            return True
        begin, until = scan[1 + 2 * count], scan[2 + 2 * count]
        if begin:
            return False
        if until == 0:  # averages alone, and of those a refinement is bits without a code
            return True
        ids = scan[2 : 2 + 2 * count : 2]
        codes = [k for i in ids for k in (i >> 4, 0x10 | (i & 15))]
        return all(self._first.get(code, 0) == 0 for code in codes)


def _walk(data: bytes) -> _Walk:
    """Walk the segments and scans up to the end marker.

    libjpeg fills what is missing with grey and only warns, so its decoders return a picture.
    """
    file = io.BytesIO(data)
    tables = _Tables()
    payload = b""
    for marker, payload in segments(file):
        if marker == _DHT:
            tables.take(payload)
    octets = np.frombuffer(data, np.uint8)
    after_ff = octets[1:]
    # in a scan, FF is followed by 00 (a data byte FF), D0-D7 (restart) or FF (fill)
    at = np.flatnonzero((octets[:-1] == 0xFF) & (after_ff != 0) & (after_ff != 0xFF))
    codes = after_ff[at]
    at = at[(codes < 0xD0) | (codes > 0xD7)]
    start = position = file.tell()
    padding = 0
    while True:
        index = int(np.searchsorted(at, position))
        if index == len(at):
            return _Walk("the file is cut off: its end marker is missing", len(data))
        end = int(at[index])
        if not tables.allow_zeros(payload):
            padding = _zeros_before(octets[position:end])
            if has_zeros(data, position, end - padding):
                return _Walk("the compressed data are damaged: a part of them is zeros", end)
        marker = data[end + 1]
        if marker == EOI:
            copied = has_copies(octets[start:end], start)
            trouble = "the compressed data are damaged: a part stands twice" if copied else None
            return _Walk(trouble, end, padding)
        if marker not in _BETWEEN_SCANS:
            return _Walk("the compressed data are damaged", len(data))
        position = end + 2 + int.from_bytes(data[end + 2 : end + 4], "big")
        if marker == _DHT:
            tables.take(data[end + 4 : position])
        # behind another segment than a scan's header stand no compressed data
        payload = data[end + 4 : position] if marker == SOS else b""


def _zeros_before(octets: NDArray[np.uint8]) -> int:
    """Return how many zeros stand at the end."""
    if not len(octets) or octets[-1]:
        return 0
    others = np.flatnonzero(octets)
    return len(octets) - (int(others[-1]) + 1 if len(others) else 0)


def _is_padding(data: bytes, walk: _Walk, complaint: str | None) -> bool:
    """Whether libjpeg has nothing to say but of filling between the picture and the end marker.

    Some cameras round the file's size up. Zeros that it took for compressed data are damage.
    """
    surplus = _SURPLUS.search(complaint or "")
    count = int(surplus[1]) if surplus else 0
    if walk.padding - count > _SLACK or (complaint and not surplus):
        return False
    return count <= walk.end and len(set(data[walk.end - count : walk.end]) - {0xFF}) <= 1


def decode(data: bytes, *, lenient: bool = False) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode a whole JPEG; the GIL is released while libjpeg-turbo works.

    Args:
        data: the file.
        lenient: whether a damaged one is decoded as far as it goes.

    Returns:
        (H, W) or (H, W, 3), as stored: Orientation is not applied; and what was found wrong.

    Raises:
        JpegDamageError: damaged, but for `lenient`.
        JpegError: of no use to libjpeg.
    """
    walk = _walk(data)
    trouble = walk.trouble
    if trouble and not lenient:
        raise JpegDamageError(trouble)
    header, inks = read_colours(io.BytesIO(data))
    shape = header.height, header.width, 4 if inks is not None else header.channels
    room = OF_FRAMES.empty(shape, np.uint8)
    pixels, complaint = _decode(data, _colours(header, inks), buffer=room)
    if not _is_padding(data, walk, complaint):
        trouble = trouble or f"the compressed data are damaged ({complaint or 'zeros'})"
        if not lenient:
            raise JpegDamageError(trouble)
    return _photograph(pixels, header, inks), (trouble,) if trouble else ()


def _colours(header: Header, inks: Inks | None) -> str:
    """Return what libjpeg is asked for."""
    return "CMYK" if inks is not None else "RGB" if header.channels == 3 else "GRAY"


def _photograph(pixels: NDArray[np.uint8], header: Header, inks: Inks | None) -> NDArray[np.uint8]:
    """Return what libjpeg gave as grey or RGB."""
    if inks is not None:
        return cmyk.to_rgb(~pixels if inks.are_inverted else pixels, inks.icc)
    return pixels if header.channels == 3 else pixels[..., 0]


def _decode(
    data: bytes, colours: str, buffer: NDArray[np.uint8] | None = None, **size: int
) -> tuple[NDArray[np.uint8], str | None]:
    """Return pixels (H, W, C), in `buffer` where it is given, and libjpeg's last warning."""
    import simplejpeg  # noqa: PLC0415 - PNG or TIFF users do not need it

    try:
        return simplejpeg.decode_jpeg(data, colours, strict=True, buffer=buffer, **size), None
    except ValueError as error:
        complaint = str(error)
    if "subsampling" in complaint and not size:  # of a kind that its interface has no name for
        import imagecodecs  # noqa: PLC0415 - slow to import

        pixels = imagecodecs.jpeg8_decode(data)
        return pixels.reshape(*pixels.shape[:2], -1), None
    try:
        made = simplejpeg.decode_jpeg(data, colours, strict=False, buffer=buffer, **size)
        return made, complaint
    except ValueError as error:
        raise JpegDamageError(f"the compressed data are damaged ({error})") from error


def stream_trouble(stream: bytes) -> str | None:
    """Return what is wrong with a JPEG inside another file, None for nothing.

    Args:
        stream: from start to end marker, tables included.
    """
    import simplejpeg  # noqa: PLC0415 - see _decode

    try:
        walk = _walk(stream)
    except JpegError as error:
        return str(error)
    if walk.trouble:
        return walk.trouble
    smallest = {"min_height": 1, "min_width": 1}
    complaint = None
    try:
        simplejpeg.decode_jpeg(stream, "GRAY", strict=True, **smallest)
    except ValueError as error:
        complaint = str(error)
        try:
            simplejpeg.decode_jpeg(stream, "GRAY", strict=False, **smallest)
        except ValueError:
            return None  # of a kind that it does not know: its own decoder has the word
    return None if _is_padding(stream, walk, complaint) else f"damaged ({complaint or 'zeros'})"


def decode_reduced(data: bytes, factor: int) -> NDArray[np.uint8] | None:
    """Decode a JPEG shrunk by 2, 4 or 8 per axis, which saves most of the decoder's work.

    Returns:
        (ceil(H / factor), ceil(W / factor)) or with 3 channels, as stored; None if it cannot be.
        Damage shows when the whole is decoded.
    """
    header, inks = read_colours(io.BytesIO(data))
    height, width = -(-header.height // factor), -(-header.width // factor)
    try:
        pixels, _ = _decode(data, _colours(header, inks), min_height=height, min_width=width)
    except JpegError:
        return None
    if pixels.shape[:2] != (height, width):
        return None
    return _photograph(pixels, header, inks)
