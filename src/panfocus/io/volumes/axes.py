"""From axes as a format names them to T, C, Z and position."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from panfocus.errors import InputError, UsageError

#: Letters of `--axes`; P is the position, S the colours of a pixel.
LETTERS = "PTCZYXS"
_UNNAMED = "IQ"
_POSITIONS = "PRM"


@dataclass(frozen=True)
class Layout:
    """Where T, C, Z and position lie among the outer axes of an array.

    Attributes:
        axes: letters of the outer axes, as stored.
        sizes: of these axes.
    """

    axes: str
    sizes: tuple[int, ...]

    def size(self, letter: str) -> int:
        """Return the size along an axis, 1 without it."""
        return self.sizes[self.axes.index(letter)] if letter in self.axes else 1

    def index(self, **at: int) -> tuple[int, ...]:
        """Return the outer index of a plane, from ``p=, t=, c=, z=``."""
        return tuple(at.get(letter.lower(), 0) for letter in self.axes)

    def number(self, **at: int) -> int:
        """Return the plane's number in order of storage."""
        number = 0
        for size, k in zip(self.sizes, self.index(**at), strict=True):
            number = number * size + k
        return number


def named(path: Path, axes: str, shape: Sequence[int], told: str | None) -> str:
    """Return the letters of all axes, from the file's own or the user's.

    Args:
        path: for messages.
        axes: as the file, or its reader, says.
        shape: size along each.
        told: `--axes`, None when not given; axes of size 1 may be left out of it.

    Raises:
        UsageError: `told` does not fit.
        InputError: the file does not say what an axis is.
    """
    if told is not None:
        return _told(path, axes, shape, told.upper())
    out = ""
    many = sum(size > 1 or letter in "YX" for letter, size in zip(axes, shape, strict=True))
    for letter, size in zip(axes, shape, strict=True):
        name = "P" if letter in _POSITIONS else letter
        if name in _UNNAMED and "Z" not in axes + out and size > 1:
            name = "Z"
        if (name not in LETTERS or name in out) and size > 1:
            raise InputError(
                "the file does not say what its axes are",
                where=str(path),
                expected="T, C, Z, Y, X in some order",
                got=f"{axes} of sizes {' x '.join(map(str, shape))}",
                remedy=f'say it, for example `axes="{"TCZYX"[-max(many, 3) :]}"`',
            )
        out += name if name in LETTERS and name not in out else "?"
    return out


def of_pages(
    path: Path, axes: str, shape: tuple[int, ...], told: str | None
) -> tuple[str, tuple[int, ...], str | None]:
    """Return axes and shape with pages that only follow each other laid out as the user says.

    Most programs write a TIFF of several axes as one row of pages.

    Args:
        path: for messages.
        axes: as the file, or its reader, says.
        shape: size along each.
        told: `--axes`; a number behind a letter is its size, which one letter may lack.

    Returns:
        Axes, shape, and the letters of `told` alone, as `named` takes them.

    Raises:
        UsageError: the sizes do not make up the pages, or are lacking.

    Example:
        >>> of_pages(Path("a.tif"), "IYX", (10, 48, 64), "C2ZYX")
        ('CZYX', (2, 5, 48, 64), 'CZYX')
    """
    if told is None:
        return axes, shape, None
    parts = re.findall(r"([A-Z])([0-9]*)", told.upper())
    letters = "".join(letter for letter, _ in parts)
    is_sized = any(size for _, size in parts)
    if not is_sized and len(letters) <= len(shape):
        return axes, shape, told
    inner = [n for n, letter in enumerate(axes) if letter in "YXS"]
    pages = math.prod(shape) // math.prod(shape[n] for n in inner)
    outer = [(letter, int(size or 0)) for letter, size in parts if letter not in "YXS"]
    sizes = _completed([size for _, size in outer], pages)
    is_last = not any(size for letter, size in parts if letter in "YXS")
    is_last &= set(letters[len(outer) :]) <= set("YXS") and len(parts) - len(outer) == len(inner)
    if not (sizes and is_last and "".join(map("".join, parts)) == told.upper()):
        raise UsageError(
            "the axes do not fit the pages of the file",
            where=f"axes, {path}",
            expected=f"sizes that make up {pages} pages, then the axes of a page; the file is "
            + " x ".join(map(str, shape)),
            got=told,
            remedy="say how many there are of each but one, the slowest first, "
            'as in `axes="C2ZYX"`',
        )
    stored = "".join(letter for letter, _ in outer) + "".join(axes[n] for n in inner)
    return stored, (*sizes, *(shape[n] for n in inner)), letters


def _completed(sizes: Sequence[int], pages: int) -> list[int]:
    """Return sizes whose product is a number of pages, the one that is 0 by the others."""
    others = math.prod(size for size in sizes if size)
    if not others or pages % others or sum(not size for size in sizes) > 1:
        return []
    found = [size or pages // others for size in sizes]
    return found if math.prod(found) == pages else []


def _told(path: Path, axes: str, shape: Sequence[int], told: str) -> str:
    is_sound = set(told) <= set(LETTERS) and len(set(told)) == len(told) and {*"YX"} <= set(told)
    if is_sound and len(told) == len(shape):
        return told
    # sizes of 1 may be left out, as tifffile and people do
    many = [n for n, size in enumerate(shape) if size > 1 or axes[n] in "YX"]
    if is_sound and len(told) == len(many):
        out = ["?"] * len(shape)
        for n, letter in zip(many, told, strict=True):
            out[n] = letter
        return "".join(out)
    raise UsageError(
        "the axes do not fit the file",
        where=f"axes, {path}",
        expected=f"{len(many)} different letters of {LETTERS} with Y and X, for sizes "
        + " x ".join(str(shape[n]) for n in many),
        got=told,
    )
