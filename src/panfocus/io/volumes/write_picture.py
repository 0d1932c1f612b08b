"""Fused planes into a picture: PNG, JPEG or WebP of one plane, or of red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError
from panfocus.frame import Metadata
from panfocus.io import output_format, write_image, write_map
from panfocus.io.formats import SUFFIXES
from panfocus.io.volumes.colours import colours_in_order
from panfocus.io.volumes.display import DisplayRange, in_eight_bits, in_sixteen_bits
from panfocus.io.volumes.volume import Channel
from panfocus.io.volumes.write import Picture

Bits = Literal["same", "8", "16"]
_EIGHT_ONLY = ("JPEG", "WebP")


def is_picture(path: Path) -> bool:
    """Whether a name is that of a picture, which holds one plane."""
    return SUFFIXES.get(path.suffix.lower()) in ("PNG", "JPEG", "WebP")


class PictureSink:
    """Takes the one plane, or the three colours, of each of its pictures."""

    def __init__(
        self,
        paths: Sequence[Path],
        picture: Picture,
        *,
        display: DisplayRange,
        bit_depth: Bits = "same",
        quality: int = 95,
    ) -> None:
        """Set up.

        Args:
            paths: one, or as many as the picture has depths.
            picture: what comes.
            display: which numbers are shown as black to white, where they do not stay as they are.
            bit_depth: of the file; "same" keeps whole numbers as they are where it can hold them.
            quality: of JPEG and WebP.
        """
        self._paths = paths
        self._picture = picture
        self._display = display
        self._bits: Bits = bit_depth
        self._quality = quality
        self._planes: list[NDArray[Any]] = []
        self._written = 0
        self._notes: list[str] = []

    def add(self, plane: NDArray[Any]) -> None:
        """Take the next plane, and write the picture when it is whole."""
        self._planes.append(plane)
        if len(self._planes) < len(self._picture.channels):
            return
        order = colours_in_order(self._picture.channels)
        pixels = (
            self._planes[0]
            if order is None
            else np.stack([self._planes[n] for n in order], axis=-1)
        )
        self._planes = []
        path = self._paths[self._written]
        self._written += 1
        shown, notes = in_bits(pixels, path, self._bits, self._display)
        notes += write_image(path, shown, Metadata(), quality=self._quality, is_result=True)
        self._notes += [note for note in notes if note not in self._notes]

    def finish(self) -> list[str]:
        """Return notes; all is written."""
        return self._notes


def in_bits(
    pixels: NDArray[Any], path: Path, bits: Bits, display: DisplayRange
) -> tuple[NDArray[Any], list[str]]:
    """Return pixels as a picture's file holds them, and how numbers were read."""
    only_eight = output_format(path) in _EIGHT_ONLY
    if bits == "8" or (only_eight and bits == "same"):
        return in_eight_bits(pixels, display)
    if bits == "same" and pixels.dtype == np.uint8:
        return pixels, []
    return in_sixteen_bits(pixels, display)


class MapSink:
    """Takes the one plane of a map beside a picture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notes: list[str] = []

    def add(self, plane: NDArray[Any]) -> None:
        """Write it."""
        self._notes += write_map(self._path, plane)

    def finish(self) -> list[str]:
        """Return notes; all is written."""
        return self._notes


def check_is_picture(where: Path, pictures: Sequence[Picture], got: str, example: str) -> None:
    """Refuse more than a picture holds.

    Args:
        where: the picture.
        pictures: what would be in it.
        got: in words.
        example: of a choice that leaves one.

    Raises:
        UsageError: more than one position, T or C is left, and they are not red, green and blue.
    """
    one = pictures[0]
    if len(pictures) == 1 and one.times == 1 and is_one(one.channels):
        return
    raise UsageError(
        "a picture holds one plane, and more are left of the volume",
        where=str(where),
        expected="one position, T and C, or red, green and blue; or an output .ome.tif or "
        ".ome.zarr, which hold them all",
        got=got,
        remedy=f'choose what is fused, for example by `only="{example}"`',
    )


def is_one(channels: Sequence[Channel]) -> bool:
    """Whether channels make one picture."""
    return len(channels) == 1 or colours_in_order(channels) is not None


def check_is_map(where: Path, count: int) -> None:
    """Refuse several maps for one picture.

    Raises:
        UsageError: each of its colours has been decided alone.
    """
    if count > 1:
        raise UsageError(
            "each colour was decided for itself, and a map beside a picture holds one plane",
            where=str(where),
            expected="one channel that decides for all, or an output .ome.tif",
            got=f"{count} maps",
            remedy="fuse with a `guide_channel`",
        )
