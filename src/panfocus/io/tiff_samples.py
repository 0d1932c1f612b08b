"""The samples of a TIFF page, as stored: strips straight into the picture, else by tifffile."""

from __future__ import annotations

from typing import Any, BinaryIO

from numpy.typing import NDArray

from panfocus.io.frames import DamageError, KindError
from panfocus.io.ifd import Block, Tag
from panfocus.io.segments import holds_ycck, jpeg_trouble
from panfocus.io.tiff_strips import strips_page

_CMYK = 5
_READ_AHEAD = 1 << 24  # compressed bytes held while decoding


def samples_of(
    file: BinaryIO, block: Block, offset: int, index: int, *, lenient: bool
) -> tuple[NDArray[Any], str | None]:
    """Decode one page by codecs that release the GIL.

    Args:
        file: that the page is in.
        block: the page's directory.
        offset: of the directory.
        index: of the page.
        lenient: whether JPEGs inside that are damaged are decoded all the same.

    Returns:
        (H, W), (H, W, C), or (C, H, W) where samples are stored apart; and what is wrong with
        JPEGs inside.

    Raises:
        DamageError: a JPEG inside is damaged.
        KindError: inks of which nobody can tell how they are coded.
    """
    pixels = strips_page(file, block)
    if pixels is not None:
        return pixels, None
    import logging  # noqa: PLC0415 - tifffile needs it, other formats do without

    import tifffile  # noqa: PLC0415 - slow to import, and not needed for other formats

    # it reports oddities through logging, which would print on stderr where nobody asked for it
    logging.getLogger("tifffile").addHandler(logging.NullHandler())

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        # not by its number: the whole chain of pages before it would be walked
        tiff.filehandle.seek(offset)
        page = tifffile.TiffPage(tiff, index=index)
        trouble = jpeg_trouble(page)
        if trouble and not lenient:
            raise DamageError(trouble)
        if int(block.number(Tag.PHOTOMETRIC, 1)) == _CMYK and holds_ycck(page):
            raise KindError("CMYK as YCCK in a JPEG", "save it as RGB first")
        # one worker: several would hold many decoded strips beside the picture
        return page.asarray(maxworkers=1, buffersize=_READ_AHEAD), trouble
