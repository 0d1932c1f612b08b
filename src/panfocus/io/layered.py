"""Write a picture above its layers: as PSD or PSB, or as a TIFF that holds Photoshop's layers."""

from __future__ import annotations

from pathlib import Path

from panfocus.errors import FormatError, OutputError
from panfocus.frame import Metadata
from panfocus.io.psd import write_psd
from panfocus.io.psd_layers import LayeredPicture
from panfocus.io.tiff_layers import write_tiff_layers

#: Pixels a side, and bytes, that a format holds at most.
_MOST = {
    ".psd": (30_000, 2**31 - 1),
    ".psb": (300_000, 2**62),
    ".tif": (300_000, 2**32 - 1),
    ".tiff": (300_000, 2**32 - 1),
}
ENDINGS = tuple(_MOST)


def layers_bytes(height: int, width: int, colours: int, itemsize: int, layers: int) -> int:
    """Return about how large a file is: each layer has opacity and a mask at most."""
    return height * width * itemsize * (layers * (colours + 2) + colours + 1)


def check_layers(path: Path, height: int, width: int, size: int) -> None:
    """Refuse a file that the format cannot be, before any work.

    Args:
        path: `ENDINGS` decide the format.
        height: pixels.
        width: pixels.
        size: see `layers_bytes`.

    Raises:
        FormatError: another extension.
        OutputError: too large.
    """
    ending = path.suffix.lower()
    if ending not in _MOST:
        raise FormatError(
            "the extension does not name a format for layers",
            where=str(path),
            expected=" ".join(ENDINGS),
            got=path.suffix or "no extension",
            remedy="give the output one of these extensions",
        )
    side, most = _MOST[ending]
    if max(height, width) > side or size > most:
        raise OutputError(
            f"the layers are too large for {ending}",
            where=str(path),
            expected=f"at most {side} pixels a side and {most} bytes",
            got=f"{width} x {height}, about {size} bytes",
            remedy="write fewer or smaller frames" if ending == ".psb" else "write .psb",
        )


def write_layers(
    path: Path, layered: LayeredPicture, metadata: Metadata, *, overwrite: bool = False
) -> None:
    """Write layers whole or not at all, one held at a time.

    Args:
        path: its extension decides the format, see `ENDINGS`.
        layered: a picture above its layers.
        metadata: of the picture.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: see `check_layers`; exists, or cannot be written.
    """
    height, width = layered.picture.shape[:2]
    itemsize, count = layered.picture.itemsize, len(layered.layers)
    size = layers_bytes(height, width, layered.colours, itemsize, count)
    check_layers(path, height, width, size)
    write = write_psd if path.suffix.lower() in (".psd", ".psb") else write_tiff_layers
    write(path, layered, metadata, overwrite=overwrite)
