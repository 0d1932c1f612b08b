"""From axes as a format names them to T, C, Z and position."""

from __future__ import annotations

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
                remedy='say it, for example `axes="TCZYX"`',
            )
        out += name if name in LETTERS and name not in out else "?"
    return out


def _told(path: Path, axes: str, shape: Sequence[int], told: str) -> str:
    inner = "YXS" if axes.endswith("S") else "SYX" if axes.startswith("S") else "YX"
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
        expected=f"{len(many)} different letters of {LETTERS} with {inner[-2:]}, for sizes "
        + " x ".join(map(str, shape)),
        got=told,
    )
