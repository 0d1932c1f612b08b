"""Directories of tags on their way out: an EXIF block packed anew."""

from __future__ import annotations

import struct

from panfocus.io.ifd import LONG, RATIONAL, SIZES, Block, ByteOrder, Directory, Entry, Tag

_RATIONALS = (RATIONAL, 10)
_PIN_BELOW = 60_000  # an EXIF block must fit a JPEG segment of 64 kB


class _Packer:
    """Lays directories and values one behind the other, around one pinned range."""

    def __init__(self, order: ByteOrder, pinned: tuple[int, int]) -> None:
        self.order: ByteOrder = order
        self.pinned = pinned
        self.out = bytearray(8)
        self.end = 8

    def take(self, size: int) -> int:
        """Reserve ``size`` bytes at an even offset outside the pinned range."""
        start = self.end + self.end % 2
        low, high = self.pinned
        if start < high and start + size > low:
            start = high + high % 2
        self.end = start + size
        return start

    def put(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset, growing the block as needed."""
        missing = offset + len(data) - len(self.out)
        if missing > 0:
            self.out.extend(bytes(missing))
        self.out[offset : offset + len(data)] = data

    def directory(self, directory: Directory, at_pin: Entry | None) -> int:
        """Write one directory with all that hangs on it; return its offset."""
        start = self.take(2 + 12 * len(directory) + 4)
        rows = [struct.pack(self.order + "H", len(directory))]
        for tag in sorted(directory):
            rows.append(self.row(tag, directory[tag], at_pin))
        self.put(start, b"".join(rows) + bytes(4))
        return start

    def row(self, tag: int, value: Entry | Directory, at_pin: Entry | None) -> bytes:
        """Return the 12 bytes of one entry, its value written where it belongs."""
        if isinstance(value, dict):
            offset = self.directory(value, at_pin)
            return struct.pack(self.order + "HHII", tag, LONG, 1, offset)
        head = struct.pack(self.order + "HHI", tag, value.kind, value.count)
        if len(value.data) <= 4:
            return head + value.data.ljust(4, b"\0")
        offset = self.pinned[0] if value is at_pin else self.take(len(value.data))
        self.put(offset, value.data)
        return head + struct.pack(self.order + "I", offset)


def _maker_note(root: Directory) -> Entry | None:
    exif = root.get(Tag.EXIF_IFD)
    note = exif.get(Tag.MAKER_NOTE) if isinstance(exif, dict) else None
    return note if isinstance(note, Entry) else None


def pack(block: Block) -> bytes:
    """Write a block as a classic TIFF structure: header, directories, values."""
    note = _maker_note(block.root)
    pinned = (0, 0)
    if note is not None and note.offset is not None and 8 <= note.offset <= _PIN_BELOW:
        pinned = (note.offset, note.offset + len(note.data))
    else:
        note = None
    packer = _Packer(block.order, pinned)
    first = packer.directory(block.root, note)
    mark = b"II" if block.order == "<" else b"MM"
    packer.put(0, mark + struct.pack(block.order + "HI", 42, first))
    return bytes(packer.out)


def in_order(block: Block, order: ByteOrder) -> Block:
    """Return a block with its numbers in a byte order; a maker note in the other is left out."""
    return block if block.order == order else Block(order, _turned(block.root))


def _turned(directory: Directory) -> Directory:
    return {
        tag: _turned(value) if isinstance(value, dict) else _swapped(value)
        for tag, value in directory.items()
        if tag != Tag.MAKER_NOTE
    }


def _swapped(entry: Entry) -> Entry:
    size = 4 if entry.kind in _RATIONALS else SIZES.get(entry.kind, 1)
    items = (entry.data[at : at + size] for at in range(0, len(entry.data), size))
    return Entry(entry.kind, entry.count, b"".join(item[::-1] for item in items))
