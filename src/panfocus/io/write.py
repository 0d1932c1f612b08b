"""Check an output before any work, and write the fused picture."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import FormatError, OutputError, UsageError
from panfocus.frame import Metadata
from panfocus.io import jpeg, png_write, tiff_write, webp
from panfocus.io.atomic import (
    cannot_write,
    check_ordinary,
    exists_error,
    located,
    token,
    write_atomic,
)
from panfocus.io.formats import SUFFIXES
from panfocus.io.frames import Format
from panfocus.io.mark import mark
from panfocus.io.metadata import with_mark
from panfocus.io.ome_write import PixelSize
from panfocus.resources.paths import as_path, is_folder
from panfocus.schema import is_between, said

Kind = Literal["image", "map"]
_KINDS_OF_OUTPUT: dict[Kind, tuple[Format, ...]] = {
    "image": ("JPEG", "PNG", "TIFF", "WebP"),
    "map": ("TIFF", "PNG"),
}
_EIGHT_BIT_ONLY = ("JPEG", "WebP")
_MAX_SIDE = {"JPEG": jpeg.MAX_SIDE, "WebP": webp.MAX_SIDE}
_STANDARD_GAMMA = b"\x00\x00\xb1\x8f"  # 1 / 2.2
_COLOUR_SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}


def output_format(path: Path, kind: Kind = "image") -> Format:
    """Return the format that the extension asks for.

    Raises:
        FormatError: the extension is unknown, or cannot hold this kind of output.
    """
    found = SUFFIXES.get(path.suffix.lower())
    allowed = _KINDS_OF_OUTPUT[kind]
    if found not in allowed:
        valid = [suffix for suffix, name in SUFFIXES.items() if name in allowed]
        raise FormatError(
            f"the output's extension does not name a format for {kind}s",
            where=str(path),
            expected=" ".join(valid),
            got=path.suffix or "no extension",
            remedy="give the output one of these extensions",
        )
    return found


def held_dtype(path: Path, dtype: str) -> str:
    """Return the dtype as which a format holds a picture: uint8 in place of uint16 in some."""
    eight_only = SUFFIXES.get(path.suffix.lower()) in _EIGHT_BIT_ONLY
    return "uint8" if eight_only and dtype == "uint16" else dtype


def check_output(
    path: Path,
    *,
    overwrite: bool,
    dtype: str,
    channels: int,
    kind: Kind = "image",
    size: tuple[int, int] | None = None,
) -> None:
    """Refuse an output before any work is done for it.

    Args:
        path: where the result shall go; missing parent folders are made when it is written.
        overwrite: whether an existing file may be replaced.
        dtype: ``uint8`` or ``uint16`` for images; not looked at for maps.
        channels: 1 to 4, 2 and 4 with alpha.
        kind: ``image`` or ``map``.
        size: (height, width) if known.

    Raises:
        OutputError: unknown extension, exists already, not writable, or a format that cannot hold
            such pixels.
    """
    found = output_format(path, kind)
    if kind == "image":
        _check_holds(path, found, dtype, channels, size)
    check_place(path, overwrite=overwrite)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a file of any kind that cannot be written, before any work is done for it.

    Raises:
        OutputError: exists already, is no ordinary file, or its folder cannot be written to.
    """
    path = located(as_path(path, OutputError))
    if is_folder(path) or (overwrite and os.path.lexists(path)):
        check_ordinary(path)
    elif os.path.lexists(path):
        raise exists_error(path)
    _try_folder(path)


def _check_holds(
    path: Path, found: Format, dtype: str, channels: int, size: tuple[int, int] | None
) -> None:
    """Refuse bit depth, alpha or a size that the format cannot hold."""
    if dtype == "uint16" and found in _EIGHT_BIT_ONLY:
        raise FormatError(
            f"{found} holds 8 bits per channel, and 16 are asked for",
            where=str(path),
            remedy="write .png or .tif, or ask for 8 bit (`bit_depth=8`)",
        )
    if found == "JPEG" and channels in (2, 4):
        raise OutputError(
            "JPEG holds no alpha, and the frames have it",
            where=str(path),
            remedy="write .png, .tif or .webp",
        )
    limit = _MAX_SIDE.get(found)
    if size is not None and limit is not None and max(size) > limit:
        raise OutputError(
            f"{found} holds pictures of at most {limit} pixels a side",
            where=str(path),
            got=f"{size[1]}x{size[0]}",
            remedy="write .png or .tif",
        )


def _try_folder(path: Path) -> None:
    """Make and delete a file in the nearest folder that exists: permissions alone can lie."""
    folder = Path(os.path.realpath(path)).parent
    while not os.path.lexists(folder):
        folder = folder.parent
    probe = folder / f".panfocus-{token(8)}.part"
    try:
        try:
            probe.open("xb").close()
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_image(
    path: Path,
    pixels: NDArray[Any],
    metadata: Metadata,
    *,
    quality: int = 95,
    overwrite: bool = False,
    is_result: bool = False,
    pixel_um: PixelSize | None = None,
) -> list[str]:
    """Write a picture whole or not at all.

    Args:
        path: its extension chooses the format; missing parent folders are made.
        pixels: (H, W) or (H, W, C) with 1 to 4 channels, uint8 or uint16, RGB order, alpha last.
        metadata: kept as far as the format can hold it.
        quality: 1 to 100 for JPEG and WebP; WebP at 100 is lossless. PNG and TIFF always are.
        overwrite: whether an existing file may be replaced.
        is_result: whether it gets panfocus's mark, by which it is not taken for a frame.
        pixel_um: sizes of a pixel, which an ``.ome.tif`` tells; None where they are not known.

    Returns:
        Notes: what the format could not hold.

    Raises:
        OutputError: see ``check_output``; also when the disk is full.
        UsageError: pixels or quality of a kind that no format holds.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    channels = _channels(pixels)
    if not is_between(quality, 1, 100) or quality != int(quality):
        raise UsageError("quality out of range", expected="1 to 100", got=said(quality))
    found = output_format(path)
    _check_holds(path, found, str(pixels.dtype), channels, (pixels.shape[0], pixels.shape[1]))
    if not overwrite and os.path.lexists(located(path)):
        raise exists_error(path)
    metadata, notes = _fitting(metadata, channels, found)
    if is_result and found != "PNG":  # which has a place of its own for it
        metadata = replace(metadata, exif=with_mark(metadata.exif))
    pixels = np.ascontiguousarray(pixels)
    if found == "TIFF":
        pieces, more = _tiff(path, pixels, metadata, pixel_um), []
    else:
        pieces, more = _encode(found, pixels, metadata, quality, is_result=is_result)
    write_atomic(path, pieces, overwrite=overwrite)
    return notes + more


def _channels(pixels: NDArray[Any]) -> int:
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    fits = pixels.ndim in (2, 3) and 1 <= channels <= 4 and pixels.size > 0
    if not fits or str(pixels.dtype) not in ("uint8", "uint16"):
        raise UsageError(
            "these pixels are not a picture",
            expected="(H, W) or (H, W, C) with C up to 4, uint8 or uint16",
            got=f"{pixels.shape} {pixels.dtype}",
        )
    return channels


def _fitting(metadata: Metadata, channels: int, found: Format) -> tuple[Metadata, list[str]]:
    """Drop what would misdescribe the pixels, and say so."""
    notes: list[str] = []
    icc, colours = metadata.icc, metadata.png_colour
    if icc is not None and icc[16:20] in (b"GRAY", b"RGB ", b"CMYK"):
        as_written = 3 if found == "WebP" else channels  # WebP writes grey as RGB
        if icc[16:20] != _COLOUR_SPACES[as_written]:
            notes.append(f"the ICC profile is for {icc[16:20].decode().strip()} and was left out")
            icc = None
    if found != "PNG" and icc is None and _unusual(dict(colours)):
        notes.append(f"{found} cannot hold the PNG's gamma; its colours may look different")
    kept = Metadata(metadata.exif, icc, metadata.xmp, metadata.dpi, colours)
    return kept, notes


def _unusual(colours: dict[bytes, bytes]) -> bool:
    if b"cICP" in colours:
        return True
    return b"sRGB" not in colours and colours.get(b"gAMA", _STANDARD_GAMMA) != _STANDARD_GAMMA


def _tiff(
    path: Path, pixels: NDArray[Any], metadata: Metadata, pixel_um: PixelSize | None
) -> list[bytes | memoryview]:
    try:
        return tiff_write.encode(pixels, metadata, path=path, pixel_um=pixel_um)
    except tiff_write.TiffSizeError as error:
        raise OutputError(str(error), where=str(path)) from error


def _encode(
    found: Format,
    pixels: NDArray[Any],
    metadata: Metadata,
    quality: int,
    *,
    is_result: bool,
) -> tuple[list[bytes | memoryview], list[str]]:
    if found == "JPEG":
        return jpeg.encode(pixels, metadata, quality)
    if found == "WebP":
        return webp.encode(pixels, metadata, quality)
    return png_write.encode(pixels, metadata, {"Software": mark()} if is_result else None), []


def to_depth(pixels: NDArray[Any], dtype: Literal["uint8", "uint16"]) -> NDArray[Any]:
    """Return pixels at another bit depth; full range maps to full range, rounded.

    8 to 16 bit is exact (times 257) and 16 to 8 bit is its nearest inverse.

    Args:
        pixels: any shape, uint8 or uint16.
        dtype: of the result.
    """
    if pixels.dtype == dtype:
        return pixels
    if dtype == "uint16":
        return pixels.astype(np.uint16) * np.uint16(257)
    out = np.empty(pixels.shape, np.uint8)
    for row in range(len(pixels)):  # one by one: no wide copy of the whole
        out[row] = (pixels[row].astype(np.uint32) + 128) // 257
    return out
