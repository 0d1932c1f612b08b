"""OME-XML of one picture, for TIFFs that are called ``.ome.tif``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from panfocus.io.endings import OME_TIFF_OUT, split_ending
from panfocus.io.mark import mark
from panfocus.io.xml_text import escaped, quoted

#: (rows, columns) in micrometres.
PixelSize = tuple[float, float]

_TYPES = {"uint8": "uint8", "uint16": "uint16", "float32": "float"}
_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def is_ome_name(path: Path) -> bool:
    """Whether a picture of this name is an OME-TIFF."""
    return path.name.lower().endswith(OME_TIFF_OUT)


def ome_xml(
    path: Path,
    pixels: NDArray[Any],
    *,
    pixel_um: PixelSize | None = None,
    description: bytes | None = None,
) -> bytes | None:
    """Return what the first page of an OME-TIFF says; None for a file of another name.

    Args:
        path: of the file.
        pixels: ``(H, W)`` or ``(H, W, C)``, uint8, uint16 or float32.
        pixel_um: sizes of a pixel; None where they are not known.
        description: what the frame's file says of itself.

    Example:
        >>> import numpy as np
        >>> text = ome_xml(Path("a.ome.tif"), np.zeros((2, 3), np.uint8), pixel_um=(0.5, 0.5))
        >>> b'SizeX="3"' in text and b'PhysicalSizeX="0.5"' in text
        True
    """
    if not is_ome_name(path):
        return None
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    name, _ = split_ending(path)
    told = _text(description)
    facts = {
        "ID": "Pixels:0",
        "DimensionOrder": "XYCZT",
        "Type": _TYPES[pixels.dtype.name],
        "SizeX": width,
        "SizeY": height,
        "SizeC": samples,
        "SizeZ": 1,
        "SizeT": 1,
        **({"Interleaved": "true"} if samples > 1 else {}),
        **_lengths(pixel_um),
    }
    said = " ".join(f"{key}={quoted(str(value))}" for key, value in facts.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="{_SCHEMA}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_SCHEMA} {_SCHEMA}/ome.xsd" Creator={quoted(mark())}>'
        f'<Image ID="Image:0" Name={quoted(_sound(name))}>'
        + (f"<Description>{escaped(told)}</Description>" if told else "")
        + f'<Pixels {said}><Channel ID="Channel:0:0" SamplesPerPixel="{samples}"/>'
        '<TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>'
    ).encode()


def _lengths(pixel_um: PixelSize | None) -> dict[str, object]:
    if pixel_um is None:
        return {}
    y, x = pixel_um
    return {
        "PhysicalSizeX": x,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": y,
        "PhysicalSizeYUnit": "µm",
    }


def _text(description: bytes | None) -> str:
    """Return what a camera says of a picture; XML of an earlier OME-TIFF is left out."""
    text = (description or b"").rstrip(b"\0").decode("utf-8", "replace")
    return "" if text.lstrip().startswith("<") else _sound(text)


def _sound(text: str) -> str:
    """Return a text without what XML has no letters for."""
    return "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in text)
