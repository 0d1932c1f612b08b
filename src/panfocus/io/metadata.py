"""Keep EXIF and ICC true to the pixels: upright, and without stale sizes or thumbnails."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

from panfocus.frozen import frozen
from panfocus.io.ifd import (
    LONG,
    SHORT,
    Block,
    Directory,
    DirectoryError,
    Entry,
    Tag,
    read_directory,
    read_header,
)
from panfocus.io.ifd_pack import pack
from panfocus.io.mark import drop_mark, has_mark, put_mark

_CENTIMETRE = 3
_MAKE = 271
_SIZE_TAGS = {
    0x0100, 0x0101,  # ImageWidth, ImageLength
    0x0111, 0x0117, 0x0144, 0x0145,  # strips and tiles
    0x014A,  # SubIFDs: previews
    0x0201, 0x0202,  # the embedded JPEG thumbnail
    Tag.PIXEL_WIDTH, Tag.PIXEL_HEIGHT,
    Tag.XMP, 0x8649,  # another packet, and Photoshop's resources with their thumbnail
}  # fmt: skip
# Root tags of a TIFF that tell of the photograph; all others tell how the file stores its pixels.
_STORY_TAGS = {
    270, 271, 272, Tag.ORIENTATION, Tag.X_RESOLUTION, Tag.Y_RESOLUTION, Tag.RESOLUTION_UNIT,
    Tag.SOFTWARE, 306, 315, 316, 33432, Tag.EXIF_IFD, Tag.GPS_IFD,
    0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F,
}  # fmt: skip
_STACK_DESCRIPTIONS = (b"ImageJ=", b"<?xml", b"<OME", b'{"shape"', b"shape=")


@frozen
class CleanExif:
    """An EXIF block made true to the upright pixels, and what was read from it on the way."""

    data: bytes | None
    orientation: int
    dpi: tuple[float, float] | None


#: Of an ICC profile's header (ICC.1:2022, 7.2), what says nothing of colours: who prefers to read
#: it, when it was made, for which platform, by whom, and its own digest. Programs that make the
#: profile of every picture anew write another time into each.
_ICC_CHANGES = (slice(4, 8), slice(24, 36), slice(40, 44), slice(80, 100))


def digest(icc: bytes | None) -> str | None:
    """Return the sha256 of what a profile says of colours, None without one."""
    if not icc:
        return None
    import hashlib  # noqa: PLC0415  slow to import, and few frames have a profile

    told = bytearray(icc)
    for span in _ICC_CHANGES:
        told[span] = bytes(len(told[span]))
    return hashlib.sha256(told).hexdigest()


def clean_xmp(xmp: bytes | None) -> bytes | None:
    """Return an XMP packet true to the upright, fused picture; None without a sound one."""
    if not xmp:
        return None
    from panfocus.io.xmp import true_xmp  # noqa: PLC0415 - few frames have XMP

    return true_xmp(xmp)


def parse_exif(data: bytes) -> Block:
    """Parse an EXIF block, with or without the ``Exif`` prefix of JPEG.

    Raises:
        DirectoryError: the block is damaged.
    """
    data = data.removeprefix(b"Exif\0\0")
    file = io.BytesIO(data)
    layout, offset = read_header(file)
    if layout.big:
        raise DirectoryError("EXIF in a BigTIFF structure")
    lenient = replace(layout, strict=False)
    return Block(layout.order, read_directory(file, lenient, offset)[0])


def clean_exif(data: bytes | None) -> CleanExif:
    """Read Orientation and resolution from an EXIF block and make it true to upright pixels.

    A block that cannot be parsed is given up (``data`` None): passing it on unseen could pass on
    its Orientation too, and turn the picture twice.
    """
    if not data:
        return CleanExif(None, 1, None)
    try:
        block = parse_exif(data)
    except DirectoryError:
        return CleanExif(None, 1, None)
    return clean_block(block)


def clean_block(block: Block) -> CleanExif:
    """Make a parsed block true to upright pixels; the block is changed in place."""
    orientation = int(block.number(Tag.ORIENTATION, 1))
    orientation = orientation if 1 <= orientation <= 8 else 1
    dpi = _dpi(block)
    if orientation >= 5:
        _swap_resolution(block.root)
        dpi = (dpi[1], dpi[0]) if dpi else None
    _drop(block.root, _SIZE_TAGS)
    _empty_previews(block)
    drop_mark(block.root)
    if Tag.ORIENTATION in block.root:
        block.put(Tag.ORIENTATION, SHORT, 1)
    return CleanExif(pack(block) if block.root else None, orientation, dpi)


def _empty_previews(block: Block) -> None:
    """Empty what the maker note says of previews in the old file."""
    exif = block.root.get(Tag.EXIF_IFD)
    note = exif.get(Tag.MAKER_NOTE) if isinstance(exif, dict) else None
    if isinstance(exif, dict) and isinstance(note, Entry):
        from panfocus.io.maker_note import without_previews  # noqa: PLC0415 - few have notes

        maker = block.data(_MAKE) or b""
        data = without_previews(note.data, block.order, note.offset, maker)
        exif[Tag.MAKER_NOTE] = replace(note, data=data)


def story_of_tiff(root: Directory) -> Directory:
    """Return the tags of a TIFF directory that belong to the photograph, not to its storage."""
    kept = {tag: value for tag, value in root.items() if tag in _STORY_TAGS}
    description = kept.get(270)
    if isinstance(description, Entry) and description.data.startswith(_STACK_DESCRIPTIONS):
        del kept[270]  # it describes the stack's axes and would misdescribe the fused picture
    return kept


def with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Return the EXIF block with this resolution, for formats that have no other place for it."""
    block = _block(exif)
    put_resolution(block, dpi)
    return pack(block)


def with_mark(exif: bytes | None, *, is_map: bool = False) -> bytes:
    """Return the EXIF block with panfocus's mark."""
    block = _block(exif)
    put_mark(block, is_map=is_map)
    return pack(block)


def mark_alone(exif: bytes) -> bytes | None:
    """Return an EXIF block with the mark and nothing else; None if this one has no mark."""
    return with_mark(None) if has_mark(_block(exif).root) else None


def _block(exif: bytes | None) -> Block:
    """Parse an EXIF block; an empty one in place of none, or of a damaged one."""
    try:
        return Block() if exif is None else parse_exif(exif)
    except DirectoryError:
        return Block()


def with_size(exif: bytes, height: int, width: int) -> bytes:
    """Return the EXIF block with the size of the picture as written, which JPEG readers expect."""
    try:
        block = parse_exif(exif)
    except DirectoryError:
        return exif
    inner = block.root.get(Tag.EXIF_IFD)
    if isinstance(inner, dict):
        for tag, value in ((Tag.PIXEL_WIDTH, width), (Tag.PIXEL_HEIGHT, height)):
            inner[tag] = Entry(LONG, 1, struct.pack(block.order + "I", value))
    return pack(block)


def put_resolution(block: Block, dpi: tuple[float, float]) -> None:
    """Set the three resolution tags, in pixels per inch."""
    block.put_rational(Tag.X_RESOLUTION, dpi[0])
    block.put_rational(Tag.Y_RESOLUTION, dpi[1])
    block.put(Tag.RESOLUTION_UNIT, SHORT, 2)


def tidy_dpi(x: float, y: float) -> tuple[float, float] | None:
    """Return a plausible resolution or None; undo the rounding to pixels per metre."""
    if not (0.1 <= x <= 400_000 and 0.1 <= y <= 400_000):
        return None

    def tidy(value: float) -> float:
        whole = round(value)
        return float(whole) if whole and abs(value - whole) < 0.0128 else value

    return tidy(x), tidy(y)


def _dpi(block: Block) -> tuple[float, float] | None:
    unit = int(block.number(Tag.RESOLUTION_UNIT, 2))
    if unit not in (2, _CENTIMETRE):
        return None
    scale = 2.54 if unit == _CENTIMETRE else 1.0
    return tidy_dpi(block.number(Tag.X_RESOLUTION) * scale, block.number(Tag.Y_RESOLUTION) * scale)


def _swap_resolution(root: Directory) -> None:
    x, y = root.pop(Tag.X_RESOLUTION, None), root.pop(Tag.Y_RESOLUTION, None)
    if y is not None:
        root[Tag.X_RESOLUTION] = y
    if x is not None:
        root[Tag.Y_RESOLUTION] = x


def _drop(directory: Directory, tags: set[int]) -> None:
    for tag in tags & directory.keys():
        del directory[tag]
    for tag, value in list(directory.items()):
        if isinstance(value, dict):
            _drop(value, tags)
            if not value:  # TIFF has no empty directories
                del directory[tag]
