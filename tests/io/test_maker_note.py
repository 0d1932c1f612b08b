"""Maker notes keep all but their pointers to previews, which lay in the old file."""

from __future__ import annotations

import struct

import pytest

from panfocus.io.ifd import Entry, Tag
from panfocus.io.ifd_pack import pack
from panfocus.io.maker_note import without_previews
from panfocus.io.metadata import clean_exif, parse_exif
from tests.support.files import exif_block


def directory(order, *entries):
    rows = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return struct.pack(order + "H", len(entries)) + rows + bytes(4)


def entries(note, order, start):
    count = struct.unpack_from(order + "H", note, start)[0]
    return {
        struct.unpack_from(order + "H", note, start + 2 + 12 * n)[0]: struct.unpack_from(
            order + "HII", note, start + 4 + 12 * n
        )
        for n in range(count)
    }


LENS, QUALITY = (0x0084, 4, 1, 77), (0x0004, 4, 1, 5)
HEADS = {
    "Sony": (b"SONY DSC \0\0\0", (0x2001, 7, 90_000, 40_000), b"SONY"),
    "Olympus": (b"OLYMP\0\1\0", (0x0088, 4, 1, 40_000), b"OLYMPUS"),
    "Olympus new": (b"OLYMPUS\0II\3\0", (0x0100, 7, 9000, 40_000), b"OLYMPUS"),
    "Pentax": (b"AOC\0II", (0x0004, 4, 1, 40_000), b"PENTAX"),
    "Casio": (b"QVC\0\0\0", (0x2000, 7, 9000, 40_000), b"CASIO"),
    "Canon": (b"", (0x00B6, 4, 1, 40_000), b"Canon"),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", HEADS)
def test_pointers_are_emptied_and_the_rest_stays(name, order):
    head, preview, maker = HEADS[name]
    head = head.replace(b"II", {"<": b"II", ">": b"MM"}[order])
    note = head + directory(order, LENS, preview, (0x9000, 4, 1, 1)) + b"tail of other values"
    outside = order if b"II" not in head and b"MM" not in head else {"<": ">", ">": "<"}[order]
    clean = without_previews(note, outside, 400, maker)
    assert len(clean) == len(note)
    found = entries(clean, order, len(head))
    assert found[preview[0]] == (4, 1, 0)
    assert found[LENS[0]] == LENS[1:]
    assert clean.endswith(b"tail of other values")
    assert without_previews(clean, outside, 400, maker) == clean


def test_nikons_directory_below_is_found_by_its_own_order():
    inner = directory(">", (0x0201, 4, 1, 40_000), (0x0202, 4, 1, 9000), (0x011A, 4, 1, 300))
    first = directory(">", QUALITY, (0x0011, 4, 1, 8 + 30))
    note = b"Nikon\0\2\x10\0\0MM\0*\0\0\0\x08" + first + inner
    clean = without_previews(note, "<", 400, b"NIKON")
    found = entries(clean, ">", 10 + 8 + 30)
    assert found[0x0201] == found[0x0202] == (4, 1, 0)
    assert found[0x011A] == (4, 1, 300)
    assert entries(clean, ">", 18)[QUALITY[0]] == QUALITY[1:]


@pytest.mark.parametrize(
    "note",
    [b"", b"SONY DSC", b"Nikon\0\2", b"OLYMP\0\1\0\xff\xff" + bytes(40), b"Apple iOS\0\0\1MM" * 9,
     b"AOC\0II\0\0", b"PANFOCUS"],
)  # fmt: skip
def test_what_is_damaged_or_unknown_stays(note):
    assert without_previews(note, "<", None, b"Canon" if note == b"" else b"") == note


def test_it_is_done_to_what_a_frame_carries():
    block = parse_exif(exif_block())
    head, preview, _ = HEADS["Sony"]
    note = head + directory("<", LENS, preview)
    exif = block.root[Tag.EXIF_IFD]
    exif[Tag.MAKER_NOTE] = Entry(7, len(note), note, 400)
    kept = parse_exif(clean_exif(pack(block)).data).root[Tag.EXIF_IFD][Tag.MAKER_NOTE].data
    assert entries(kept, "<", len(head)) == {0x0084: LENS[1:], 0x2001: (4, 1, 0)}
