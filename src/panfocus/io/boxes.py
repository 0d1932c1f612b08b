"""Boxes of files built like ISO media: JPEG 2000 and JPEG XL keep their metadata in them.

box:  length (4, big-endian; 1: eight more bytes hold it, 0: to the end of the file), kind (4), data
(ISO 15444-1 Annex I, ISO 18181-2)
"""

from __future__ import annotations

from collections.abc import Iterator

from panfocus.frame import Metadata
from panfocus.io.metadata import CleanExif, clean_exif, clean_xmp

#: Names the box that holds XMP.
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"  # the uuid that Adobe and ExifTool write
_BY_PROFILE = 2
_MOST = 1 << 16  # a picture has a dozen, or some thousands of pieces


def boxes(data: bytes | memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (kind, data) of the boxes that stand beside each other; a broken one ends them."""
    view, at = memoryview(data), 0
    for _ in range(_MOST):
        if at + 8 > len(view):
            return
        length, head = int.from_bytes(view[at : at + 4], "big"), 8
        if length == 1 and at + 16 <= len(view):
            length, head = int.from_bytes(view[at + 8 : at + 16], "big"), 16
        end = len(view) if length == 0 else at + length
        if end < at + head or end > len(view):
            return
        yield bytes(view[at + 4 : at + 8]), view[at + head : end]
        at = end


def metadata_of(data: bytes) -> tuple[Metadata, int]:
    """Return EXIF, profile and XMP of a file's boxes, and the orientation that EXIF tells."""
    exif, icc, xmp = CleanExif(None, 1, None), None, None
    for kind, inside in boxes(data):
        if kind == b"Exif" and len(inside) > 4:  # begins with the offset of the TIFF header
            skipped = 4 + int.from_bytes(inside[:4], "big")
            exif = clean_exif(bytes(inside[skipped:]))
        elif kind == b"xml " and b"xmpmeta" in bytes(inside[:4096]):
            xmp = clean_xmp(bytes(inside))
        elif kind == b"uuid" and bytes(inside[:16]) == XMP_UUID:
            xmp = clean_xmp(bytes(inside[16:]))
        elif kind == b"uuid" and bytes(inside[:16]) == _EXIF:
            exif = clean_exif(bytes(inside[16:]))
        elif kind == b"jp2h":
            icc = next(filter(None, map(_profile, boxes(inside))), None)
    return Metadata(exif.data, icc, xmp, exif.dpi), exif.orientation


def _profile(box: tuple[bytes, memoryview]) -> bytes | None:
    kind, inside = box
    is_profile = kind == b"colr" and len(inside) > 3 and inside[0] == _BY_PROFILE
    return bytes(inside[3:]) if is_profile else None
