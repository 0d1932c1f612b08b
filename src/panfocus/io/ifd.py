"""Image file directories, the tag tables that EXIF blocks and TIFF files are made of.

    Block   byte order and one root directory
    |-- Entry      one tag: type, count, raw value bytes in the block's byte order
    `-- Directory  {tag: Entry | Directory}; a Directory stands for a pointer tag (Exif, GPS, ...)

A maker note holds offsets that count from the start of the block, known only to its maker. ``pack``
therefore leaves it at the offset where it was, and lays everything else around it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

from panfocus.frozen import frozen

ByteOrder = Literal["<", ">"]


class Tag:
    """The tags that this package reads or writes, by number."""

    SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
    FILL_ORDER, DESCRIPTION, STRIPS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_SIZES = (
        266, 270, 273, 274, 277, 278, 279,
    )  # fmt: skip
    X_RESOLUTION, Y_RESOLUTION, PLANAR, RESOLUTION_UNIT, PREDICTOR = 282, 283, 284, 296, 317
    COLOUR_MAP, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES = 320, 322, 323, 324, 325
    EXTRA_SAMPLES, SAMPLE_FORMAT, XMP = 338, 339, 700
    PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003
    SOFTWARE, EDITING_SOFTWARE = 305, 0xA43B  # the latter of EXIF 3.0, in the EXIF directory
    IMAGE_DEPTH, EXIF_IFD, ICC, GPS_IFD, MAKER_NOTE, INTEROP_IFD, IMAGEJ, LAYERS = (
        32997, 0x8769, 34675, 0x8825, 0x927C, 0xA005, 50839, 37724,
    )  # fmt: skip


_POINTERS = {Tag.EXIF_IFD, Tag.GPS_IFD, Tag.INTEROP_IFD}
#: Bytes of a number, by its kind.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BIG_SIZES = {**SIZES, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}
SHORT, LONG, RATIONAL, UNDEFINED, ASCII, BYTE = 3, 4, 5, 7, 2, 1
_OFFSET_KINDS = (3, 4, 13, 16)  # a damaged kind could give a negative offset
# no tag of a photograph is larger, nor has one so many numbers, nor are all of a directory larger
# together; a damaged count must not fill the memory
_MAX_VALUE, _MAX_NUMBERS, _MAX_TABLE = 1 << 27, 1 << 21, 1 << 28
_MAX_OFFSET = 1 << 60


class DirectoryError(ValueError):
    """A directory, or a value that it points to, is damaged or lies outside its file."""


@dataclass(frozen=True)
class Entry:
    """One tag's value: ``count`` items of TIFF ``kind``, raw, in the block's byte order."""

    kind: int
    count: int
    data: bytes
    offset: int | None = None  # where the value was; None when it was inside the entry

    def numbers(self, order: ByteOrder) -> list[float]:
        """Return the value as numbers; rationals divided; 0 for what is not finite.

        Raises:
            DirectoryError: so many that no photograph has them.
        """
        if self.count > _MAX_NUMBERS:
            raise DirectoryError(f"a tag of {self.count} numbers")
        if self.kind in (RATIONAL, 10):
            code = "I" if self.kind == RATIONAL else "i"
            parts = struct.unpack(f"{order}{2 * self.count}{code}", self.data)
            pairs = zip(parts[::2], parts[1::2], strict=True)
            return [a / b if b else 0.0 for a, b in pairs]
        code = _CODES.get(self.kind)
        values = struct.unpack(f"{order}{self.count}{code}", self.data) if code else ()
        return [value if math.isfinite(value) else 0.0 for value in values]


Directory = dict[int, "Entry | Directory"]


@dataclass
class Block:
    """A byte order and a root directory."""

    order: ByteOrder = "<"
    root: Directory = field(default_factory=dict[int, "Entry | Directory"])

    def number(self, tag: int, default: float = 0) -> float:
        """Return the first number of a root tag, or the default."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else default

    def numbers(self, tag: int) -> list[float]:
        """Return all numbers of a root tag, none when it is absent."""
        entry = self.root.get(tag)
        return entry.numbers(self.order) if isinstance(entry, Entry) else []

    def data(self, tag: int) -> bytes | None:
        """Return the raw value of a root tag."""
        entry = self.root.get(tag)
        return entry.data if isinstance(entry, Entry) else None

    def put(self, tag: int, kind: int, *values: int) -> None:
        """Set a root tag to integers of kind BYTE, SHORT or LONG."""
        self.root[tag] = Entry(
            kind, len(values), struct.pack(f"{self.order}{len(values)}{_CODES[kind]}", *values)
        )

    def put_rational(self, tag: int, value: float) -> None:
        """Set a root tag to a positive rational, exact to 1e-4 up to 400 000."""
        scale = 1 if value == round(value) else 10_000
        data = struct.pack(f"{self.order}2I", round(value * scale), scale)
        self.root[tag] = Entry(RATIONAL, 1, data)

    def put_bytes(self, tag: int, kind: int, data: bytes) -> None:
        """Set a root tag to bytes of kind ASCII, BYTE or UNDEFINED."""
        self.root[tag] = Entry(kind, len(data), data)


@frozen
class ByteLayout:
    """How a file lays out its directories.

    Args:
        order: the byte order.
        big: whether it is a BigTIFF.
        strict: refuse a value outside the file; otherwise skip its tag.
    """

    order: ByteOrder
    big: bool
    strict: bool = True

    def count(self, file: BinaryIO) -> int:
        """Read the number of entries of a directory."""
        return self._one(file, "Q" if self.big else "H")

    def pointer(self, file: BinaryIO) -> int:
        """Read an offset."""
        return self._one(file, "Q" if self.big else "I")

    def _one(self, file: BinaryIO, code: str) -> int:
        fmt = self.order + code
        return struct.unpack(fmt, _exactly(file, struct.calcsize(fmt)))[0]


def _go(file: BinaryIO, offset: int) -> None:
    if offset > _MAX_OFFSET:
        raise DirectoryError("an offset lies behind the end of any file")
    file.seek(offset)


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise DirectoryError("the tag table is cut off")
    return data


def read_header(file: BinaryIO) -> tuple[ByteLayout, int]:
    """Read the first bytes of a TIFF-structured file; return its layout and first directory."""
    file.seek(0)
    head = _exactly(file, 4)
    orders: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
    order = orders.get(head[:2])
    if order is None:
        raise DirectoryError("no TIFF byte order mark")
    version = struct.unpack(order + "H", head[2:])[0]
    if version not in (42, 43):
        raise DirectoryError(f"unknown TIFF version {version}")
    layout = ByteLayout(order, version == 43)
    if layout.big:
        _exactly(file, 4)
    return layout, layout.pointer(file)


def next_directory(file: BinaryIO, layout: ByteLayout, offset: int) -> int:
    """Return the offset of the directory behind the one at ``offset``, 0 when it is the last."""
    _go(file, offset)
    file.seek(layout.count(file) * (20 if layout.big else 12), 1)
    return layout.pointer(file)


def lost_values(file: BinaryIO, layout: ByteLayout, offset: int) -> set[int]:
    """Return the tags of the directory at ``offset`` whose values lie outside the file.

    Raises:
        DirectoryError: the directory itself does.
    """
    known = set(_read_table(file, replace(layout, strict=False), offset)[0])
    _go(file, offset)
    size = 20 if layout.big else 12
    table = _exactly(file, layout.count(file) * size)
    tags = {
        tag: kind
        for tag, kind in struct.iter_unpack(layout.order + "HH" + "x" * (size - 4), table)
        if kind in (_BIG_SIZES if layout.big else SIZES)
    }
    return set(tags) - known


def read_directory(file: BinaryIO, layout: ByteLayout, offset: int) -> tuple[Directory, int]:
    """Read the directory at ``offset`` with the sub-directories that photographs use.

    Returns:
        The directory, and the offset of the next one (0 when it is the last).
    """
    directory, following = _read_table(file, layout, offset)
    for tag in _POINTERS & directory.keys():
        directory[tag] = _follow(file, layout, directory[tag])
        exif = directory[tag]
        if isinstance(exif, dict) and Tag.INTEROP_IFD in exif:
            exif[Tag.INTEROP_IFD] = _follow(file, layout, exif[Tag.INTEROP_IFD])
    return directory, following


def _follow(file: BinaryIO, layout: ByteLayout, pointer: Entry | Directory) -> Directory:
    """Read the sub-directory that a tag points to; a broken one counts as empty."""
    if isinstance(pointer, dict):
        return pointer
    where = pointer.numbers(layout.order) if pointer.kind in _OFFSET_KINDS else []
    try:
        lenient = replace(layout, strict=False)  # one lost value must not cost all the others
        return _read_table(file, lenient, int(where[0]))[0] if where else {}
    except DirectoryError:
        return {}


def _read_table(file: BinaryIO, layout: ByteLayout, offset: int) -> tuple[Directory, int]:
    _go(file, offset)
    count = layout.count(file)
    size = 20 if layout.big else 12
    if not 0 < count <= 4096:
        raise DirectoryError(f"a tag table of {count} entries")
    table = _exactly(file, count * size)
    following = layout.pointer(file)
    directory: Directory = {}
    total = 0
    for i in range(count):
        tag, entry = _read_entry(file, layout, table[i * size : (i + 1) * size])
        if entry is not None:
            directory[tag] = entry
            total += len(entry.data)
        if total > _MAX_TABLE:
            raise DirectoryError(f"a tag table with more than {_MAX_TABLE >> 20} MiB of values")
    return directory, following


def _read_entry(file: BinaryIO, layout: ByteLayout, raw: bytes) -> tuple[int, Entry | None]:
    order, big = layout.order, layout.big
    tag, kind, count = struct.unpack(order + ("HHQ" if big else "HHI"), raw[: 12 if big else 8])
    value = raw[12:] if big else raw[8:]
    item = (_BIG_SIZES if big else SIZES).get(kind)
    # the TIFF specification: readers skip tags of unknown type; layers may be all of a file
    if item is None or tag == Tag.LAYERS:
        return tag, None
    size = item * count
    if size <= len(value):
        return tag, Entry(kind, count, value[:size])
    if size > _MAX_VALUE:
        if layout.strict:
            raise DirectoryError(f"tag {tag} claims {size} bytes")
        return tag, None
    offset = struct.unpack(order + ("Q" if big else "I"), value)[0]
    _go(file, offset)
    data = file.read(size)
    if len(data) == size:
        return tag, Entry(kind, count, data, offset)
    if layout.strict:
        raise DirectoryError(f"the value of tag {tag} lies outside the file")
    return tag, None
