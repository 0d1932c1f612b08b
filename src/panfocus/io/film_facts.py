"""What a film tells of itself beside its frames: its day, place, camera and author, as EXIF.

MP4, MOV:   boxes (ISO 14496-12): moov, in it mvhd (when it was made), udta and meta (the rest)
AVI:        chunks (RIFF): hdrl, in it IDIT (when it was made), and the lists INFO and exif

Texts in udta are named by four letters (QuickTime File Format), those in meta by those or by words
of Apple's, which Android's phones and FFmpeg use, too. Nothing is told where any of it is damaged.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from panfocus.frame import Metadata
from panfocus.io.boxes import XMP_UUID
from panfocus.io.ifd import ASCII, BYTE, RATIONAL, UNDEFINED, Block, Directory, Entry, Tag
from panfocus.io.ifd_pack import pack
from panfocus.io.metadata import clean_xmp

#: Names of what is told, by what it is; the last part of longer names counts.
_NAMES = {
    b"\xa9mak": "make", b"manu": "make", b"make": "make", b"manufacturer": "make", b"ecor": "make",
    b"\xa9mod": "model", b"modl": "model", b"model": "model", b"emdl": "model",
    b"\xa9day": "taken", b"creationdate": "taken", b"date": "taken", b"IDIT": "taken",
    b"ICRD": "taken",
    b"\xa9xyz": "place", b"ISO6709": "place", b"location": "place",
    b"\xa9aut": "artist", b"author": "artist", b"artist": "artist", b"\xa9ART": "artist",
    b"IART": "artist",
    b"\xa9cpy": "rights", b"cprt": "rights", b"copyright": "rights", b"ICOP": "rights",
}  # fmt: skip
_SINCE_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1970
#: Bytes of a text, and boxes beside each other, at most.
_MOST_TEXT, _MOST_BOXES = 1 << 16, 1 << 14
#: Lists within each other, at most; no camera has more than two.
_DEEPEST = 3
_PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")
_AVI_DATE = "%a %b %d %H:%M:%S %Y"


@dataclass(frozen=True)
class _Part:
    """A box or chunk: where what is in it lies in the file."""

    kind: bytes
    start: int
    end: int


@dataclass
class _Told:
    """What was found, by the names that `_NAMES` gives; the first of a name counts."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    made: datetime | None = None
    xmp: bytes | None = None

    def take(self, name: bytes, data: bytes) -> None:
        """Remember a text if it matters."""
        known = _NAMES.get(name) or _NAMES.get(name.rpartition(b".")[2])
        text = data.decode(errors="replace").strip("\0 \r\n\t")
        if known is not None and text:
            self.texts.setdefault(known, text)


def film_metadata(path: Path) -> Metadata:
    """Return what a film's container tells, as the EXIF and XMP of its frames.

    Args:
        path: an MP4, MOV or AVI; of other films nothing is told.
    """
    told = _Told()
    with (
        suppress(OSError, ValueError, LookupError, OverflowError, struct.error),
        path.open("rb") as file,
    ):
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"AVI ":
            _read_avi(file, _Part(b"AVI ", 12, size), told)
        else:
            _read_boxes(file, _Part(b"", 0, size), told)
    return Metadata(_exif(told), xmp=clean_xmp(told.xmp))


def _data(file: BinaryIO, part: _Part, skip: int = 0) -> bytes:
    start = part.start + skip
    file.seek(start)
    return file.read(max(min(part.end - start, _MOST_TEXT), 0))


def _boxes(file: BinaryIO, outer: _Part) -> Iterator[_Part]:
    """Yield the boxes in another one; a broken one ends them."""
    at = outer.start
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if at + 8 > outer.end or len(head) < 8:
            return
        length, skip = struct.unpack(">I", head[:4])[0], 8
        if length == 1:
            length, skip = struct.unpack(">Q", head[8:])[0], 16
        end = outer.end if length == 0 else at + length
        if not at + skip <= end <= outer.end:
            return
        yield _Part(head[4:8], at + skip, end)
        at = end


def _read_boxes(file: BinaryIO, whole: _Part, told: _Told) -> None:
    for box in _boxes(file, whole):
        if box.kind == b"uuid" and _data(file, box)[:16] == XMP_UUID:
            told.xmp = _data(file, box, 16)
        elif box.kind == b"moov":
            for inner in _boxes(file, box):
                if inner.kind == b"mvhd":
                    told.made = _made(_data(file, inner))
                elif inner.kind == b"meta":
                    _read_meta(file, inner, told)
                elif inner.kind == b"udta":
                    _read_user_data(file, inner, told)


def _made(header: bytes) -> datetime | None:
    """Return when a film was made, as its header tells it in seconds since 1904."""
    seconds = struct.unpack_from(">Q" if header[0] == 1 else ">I", header, 4)[0]
    return _SINCE_1904 + timedelta(seconds=seconds)


def _read_user_data(file: BinaryIO, outer: _Part, told: _Told) -> None:
    for box in _boxes(file, outer):
        if box.kind == b"meta":
            _read_meta(file, box, told)
        elif box.kind == b"XMP_":
            told.xmp = _data(file, box)
        elif box.kind == b"loci":
            told.take(b"location", _told_place(_data(file, box)))
        elif box.kind in _NAMES:
            data = _data(file, box)
            if box.kind[:1] == b"\xa9" and len(data) >= 4:  # its length and language come first
                data = data[4 : 4 + struct.unpack(">H", data[:2])[0]]
            told.take(box.kind, data)


def _told_place(data: bytes) -> bytes:
    """Return a place of 3GPP (TS 26.244) as ISO 6709: its name, role, and three numbers in it."""
    at = 6 + data[6:].index(0) + 2
    longitude, latitude, height = (n / 65536 for n in struct.unpack_from(">3i", data, at))
    return f"{latitude:+09.5f}{longitude:+010.5f}{height:+.1f}".encode()


def _read_meta(file: BinaryIO, outer: _Part, told: _Told) -> None:
    """Take the texts of a list, whose names may stand in a list of their own."""
    # ISO's begins with a version, QuickTime's does not
    is_iso = _data(file, outer)[4:8] != b"hdlr"
    names: list[bytes] = []
    for box in _boxes(file, _Part(outer.kind, outer.start + 4 * is_iso, outer.end)):
        if box.kind == b"keys":
            names = [
                _data(file, each)
                for each in _boxes(file, _Part(box.kind, box.start + 8, box.end))
                if each.kind == b"mdta"
            ]
        elif box.kind == b"ilst":
            for item in _boxes(file, box):
                number = struct.unpack(">I", item.kind)[0]
                name = names[number - 1] if 0 < number <= len(names) else item.kind
                for value in _boxes(file, item):
                    if value.kind == b"data":  # its kind and language come first
                        told.take(name, _data(file, value, 8))


def _read_avi(file: BinaryIO, outer: _Part, told: _Told, depth: int = 0) -> None:
    at = outer.start
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(12)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<4sI", head[:8])
        part = _Part(kind, at + 8, min(at + 8 + length, outer.end))
        if kind == b"LIST" and head[8:] in (b"hdrl", b"INFO", b"exif") and depth < _DEEPEST:
            _read_avi(file, _Part(head[8:], at + 12, part.end), told, depth + 1)
        elif kind in _NAMES:
            told.take(kind, _data(file, part))
        at += 8 + length + length % 2
        if at >= outer.end:
            return


def _exif(told: _Told) -> bytes | None:
    block = Block()
    tags = {"make": 271, "model": 272, "artist": 315, "rights": 33432}
    for name, tag in tags.items():
        if name in told.texts:
            block.root[tag] = _text(told.texts[name])
    taken = _date(told.texts.get("taken", "")) or told.made
    if taken is not None and taken.year >= _FIRST_YEAR:
        block.root[Tag.EXIF_IFD] = _taken(taken)
    place = _place(told.texts.get("place", ""))
    if place:
        block.root[Tag.GPS_IFD] = place
    return pack(block) if block.root else None


def _text(text: str) -> Entry:
    data = text.encode() + b"\0"
    return Entry(ASCII, len(data), data)


def _taken(when: datetime) -> Directory:
    out: Directory = {
        0x9000: Entry(UNDEFINED, 4, b"0232"),
        0x9003: _text(when.strftime("%Y:%m:%d %H:%M:%S")),
    }
    if when.tzinfo is not None:
        zone = when.strftime("%z")
        out[0x9011] = _text(f"{zone[:3]}:{zone[3:5]}")
    return out


def _date(text: str) -> datetime | None:
    """Return a day and time that a text tells; None for a day alone, or none."""
    # EXIF has colons in its days, too
    plain = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text)
    with suppress(ValueError):
        return datetime.fromisoformat(plain) if len(plain) > len("2000-01-01") else None
    with suppress(ValueError):
        return datetime.strptime(text, _AVI_DATE)  # it tells no zone
    return None


def _place(text: str) -> Directory:
    """Return a place as ISO 6709 tells it, ``+48.2082+016.3738+151/``; nothing for none."""
    found = _PLACE.match(text)
    if found is None:
        return {}
    latitude, longitude = _degrees(found[1], 2), _degrees(found[2], 3)
    is_one = abs(latitude) <= 90 and abs(longitude) <= 180
    if not is_one or not (latitude or longitude):  # without a signal, some write zeros
        return {}
    out: Directory = {
        0: Entry(BYTE, 4, bytes([2, 3, 0, 0])),
        1: _text("S" if latitude < 0 else "N"),
        2: _sixty(abs(latitude)),
        3: _text("W" if longitude < 0 else "E"),
        4: _sixty(abs(longitude)),
    }
    if found[3] is not None:
        height = float(found[3])
        out[5] = Entry(BYTE, 1, bytes([height < 0]))
        out[6] = Entry(RATIONAL, 1, struct.pack("<2I", min(round(abs(height) * 1000), 2**31), 1000))
    return out


def _degrees(text: str, digits: int) -> float:
    """Return degrees of ``+DD.D``, ``+DDMM.M`` or ``+DDMMSS.S``; of longitudes, D has one more."""
    sign, (whole, point, rest) = text[0], text[1:].partition(".")
    parts = [whole[:digits], *(whole[n : n + 2] for n in range(digits, len(whole), 2))]
    parts[-1] += point + rest
    value = sum(float(part) / 60**n for n, part in enumerate(parts[:3]))
    return -value if sign == "-" else value


def _sixty(degrees: float) -> Entry:
    """Return degrees as EXIF has them: degrees, minutes and seconds, which tell centimetres."""
    total = round(degrees * 3600 * 10_000)
    minutes, seconds = divmod(total, 60 * 10_000)
    parts = (minutes // 60, 1, minutes % 60, 1, seconds, 10_000)
    return Entry(RATIONAL, 3, struct.pack("<6I", *parts))
