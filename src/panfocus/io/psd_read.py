"""PSD and PSB of retouchers: the flattened picture, read by psd-tools."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from panfocus.frame import Metadata
from panfocus.io.extras import need
from panfocus.io.frames import Header, KindError, Pixels
from panfocus.io.metadata import clean_exif, clean_xmp

_COLOURS = {"GRAYSCALE": 1, "RGB": 3}
_RAW, _RUNS = 0, 1
_ICC, _EXIF, _XMP = 1039, 1058, 1060  # image resources


def _open(path: Path) -> Any:  # noqa: ANN401
    psd_tools = need(("psd_tools",), "psd", "PSD", path)
    with _in_words():
        return psd_tools.PSDImage.open(path)


@contextmanager
def _in_words() -> Generator[None]:
    """Say what is damaged: psd-tools tells of its own attributes."""
    try:
        yield
    except (ValueError, TypeError, AssertionError) as error:
        raise ValueError("no whole PSD: its parts do not fit together") from error


def _header(psd: Any) -> Header:  # noqa: ANN401
    mode, depth = str(psd.color_mode.name), int(psd.depth)
    if mode not in _COLOURS or depth not in (8, 16):
        raise KindError(f"{mode.lower()}, {depth} bits", "save it as RGB or grey, 8 or 16 bit")
    if not psd.has_preview():
        raise KindError(
            "layers without a flattened picture", "save it with `Maximize Compatibility`"
        )
    channels = min(int(psd.channels), _COLOURS[mode] + 1)
    resources: Any = psd.image_resources
    exif = clean_exif(resources.get_data(_EXIF))
    xmp = clean_xmp(resources.get_data(_XMP))
    metadata = Metadata(exif.data, resources.get_data(_ICC), xmp, exif.dpi)
    notes = ("layers: the flattened picture is read",) if len(psd) else ()
    kind = "uint16" if depth == 16 else "uint8"
    return Header(int(psd.height), int(psd.width), channels, kind, metadata, notes=notes)


def _check_packed(path: Path) -> None:
    """Refuse a picture that is packed as nobody does, which psd-tools unpacks without an end."""
    with path.open("rb") as file:
        long = file.read(6)[5:] == b"\x02"  # PSB
        at = 26
        for size in (4, 4, 8 if long else 4):  # colours, resources, layers
            file.seek(at)
            at += size + int.from_bytes(file.read(size), "big")
        file.seek(at)
        packed = int.from_bytes(file.read(2), "big")
    if packed not in (_RAW, _RUNS):
        raise KindError(f"packed pixels of kind {packed}", "save it anew, from Photoshop or GIMP")


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size, kind and metadata.

    Raises:
        InputError: the extra ``psd`` is not installed.
        KindError: no flattened picture, or colours that are not read.
        ValueError: damaged or cut off.
    """
    return [(0, _header(_open(path)))]


def decode(path: Path, page: int) -> tuple[Pixels, Header]:
    """Decode the flattened picture.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16; and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    psd = _open(path)
    header = _header(psd)
    _check_packed(path)
    with _in_words():
        values: Any = psd.numpy()  # float32 of 0 to 1 holds 16 bits
    top = 65_535 if header.dtype == "uint16" else 255
    pixels = np.rint(values[..., : header.channels] * top).astype(header.dtype)
    return np.ascontiguousarray(pixels[..., 0] if header.channels == 1 else pixels), header
