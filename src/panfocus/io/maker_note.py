"""Maker notes: empty the pointers to previews, which lay in the old file and are not copied.

A note is an image file directory behind a header of its maker's. Its values may lie anywhere, so an
entry is emptied where it stands: LONG, 1, 0. All else stays as it was, byte for byte.
"""

from __future__ import annotations

import struct

from panfocus.frozen import frozen

_ENTRY = 12
_MOST = 512  # entries of a directory
_EMPTY = (4, 1, 0)


@frozen
class _Maker:
    """Where the directory of a maker's note is, and its tags of previews.

    Attributes:
        head: first bytes of the note; none for Canon, whose note begins with its directory.
        start: of the directory in the note.
        base: what offsets in the note count from; None for the EXIF block.
        previews: tags that hold a preview, its start or its length.
        below: tags that point to a directory, with the tags of previews there.
        order_at: where the note says its own byte order.
    """

    head: bytes
    start: int
    base: int | None
    previews: frozenset[int]
    below: dict[int, frozenset[int]]
    order_at: int | None = None


_JPEG = frozenset({0x0201, 0x0202})
_OLYMPUS = frozenset({0x0081, 0x0088, 0x0089, 0x0100, 0x0280, 0x1035, 0x1036, 0x1037})
_OLYMPUS_BELOW = {0x2020: frozenset({0x0100, 0x0101, 0x0102})}
_PENTAX = frozenset({0x0002, 0x0003, 0x0004})
_MAKERS = (
    _Maker(b"Nikon\0\x02", 18, 10, frozenset(), {0x0011: _JPEG}, 10),
    _Maker(b"OLYMPUS\0", 12, 0, _OLYMPUS, _OLYMPUS_BELOW, 8),
    _Maker(b"OM SYSTEM\0", 16, 0, _OLYMPUS, _OLYMPUS_BELOW, 12),
    _Maker(b"OLYMP\0", 8, None, _OLYMPUS, _OLYMPUS_BELOW),
    _Maker(b"SONY DSC", 12, None, frozenset({0x2001}), {}),
    _Maker(b"SONY CAM", 12, None, frozenset({0x2001}), {}),
    _Maker(b"AOC\0", 6, None, _PENTAX, {}, 4),
    _Maker(b"PENTAX \0", 10, 0, _PENTAX, {}, 8),
    _Maker(b"QVC\0", 6, None, frozenset({0x0002, 0x0003, 0x0004, 0x2000}), {}),
)
_CANON = _Maker(b"", 0, None, frozenset({0x00B6}), {})


def without_previews(note: bytes, order: str, offset: int | None, maker: bytes) -> bytes:
    """Return a maker note whose pointers to previews are empty.

    Args:
        note: as it is in the EXIF block.
        order: "<" or ">", of the block; some notes have their own.
        offset: of the note in the block.
        maker: the camera's Make.
    """
    kind = next((m for m in _MAKERS if note.startswith(m.head)), None)
    if kind is None and maker.lower().startswith(b"canon"):
        kind = _CANON
    if kind is None:
        return note
    if kind.order_at is not None:
        said = note[kind.order_at : kind.order_at + 2]
        order = {b"II": "<", b"MM": ">"}.get(said, order)
    out = bytearray(note)
    base = kind.base if kind.base is not None else -(offset or 0)
    for at, tag, value in _entries(note, order, kind.start):
        if tag in kind.previews:
            struct.pack_into(order + "HII", out, at + 2, *_EMPTY)
        for below, inner, _ in _entries(note, order, base + value) if tag in kind.below else ():
            if inner in kind.below[tag]:
                struct.pack_into(order + "HII", out, below + 2, *_EMPTY)
    return bytes(out)


def _entries(note: bytes, order: str, start: int) -> list[tuple[int, int, int]]:
    """Return (where, tag, value or offset) of a directory; none of one that is not in the note."""
    if not 0 <= start <= len(note) - 2:
        return []
    count = struct.unpack_from(order + "H", note, start)[0]
    if not 0 < count <= _MOST or start + 2 + count * _ENTRY > len(note):
        return []
    places = [start + 2 + n * _ENTRY for n in range(count)]
    read = (struct.unpack_from(order + "HHII", note, at) for at in places)
    return [(at, tag, value) for at, (tag, _, _, value) in zip(places, read, strict=True)]
