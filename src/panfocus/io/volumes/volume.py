"""What a scientific file holds, whichever format it is: positions of planes over T, C and Z."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError, UsageError
from panfocus.frame import MOST_FRAMES
from panfocus.io.frames import DamageError

#: Kinds of number that are taken.
DTYPES = ("uint8", "uint16", "int8", "int16", "float32")

_MOST_SAMPLES = 4
_MOST_CHANNELS, _MOST_PLANES = 10_000, 1_000_000

Read = Callable[[int, int, int], NDArray[Any]]
Voxel = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Channel:
    """One channel.

    Attributes:
        name: as the file says; empty when it says nothing.
        facts: further attributes by their OME names (Color, EmissionWavelength, ...).
        table: ImageJ's colours ``(3, 256)`` uint8 from black to white; None for none.
    """

    name: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    table: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Position:
    """One field of view (an Image of OME), read plane by plane.

    Attributes:
        name: as the file says, or its number.
        times: size of T.
        depths: size of Z.
        height: pixels.
        width: pixels.
        samples: 1, or colours of a pixel (3 RGB, 4 with opacity).
        dtype: of the numbers, in native byte order.
        channels: one entry per C.
        read: ``(t, c, z)`` to the plane ``(Y, X)`` or ``(Y, X, S)``.
        voxel_um: (z, y, x) in micrometres, None where the file does not say.
        facts: further attributes by their OME names (AcquisitionDate, TimeIncrement, ...).
        z_um: where each plane is in µm, from 0, if they are unevenly apart; else None.
        stage_um: where its first pixel lies on the stage, (y, x); None where nobody says.
    """

    name: str
    times: int
    depths: int
    height: int
    width: int
    samples: int
    dtype: np.dtype[Any]
    channels: Sequence[Channel]
    read: Read
    voxel_um: Voxel = (None, None, None)
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    z_um: Sequence[float] | None = None
    stage_um: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a plane: ``(Y, X)`` or ``(Y, X, S)``."""
        tail = (self.samples,) if self.samples > 1 else ()
        return (self.height, self.width, *tail)

    def where(self, t: int, c: int, z: int | None = None) -> str:
        """Return the words that name a plane, or a stack, in messages."""
        name = self.channels[c].name
        channel = f"C {c} ({name})" if name else f"C {c}"
        depth = "" if z is None else f", Z {z}"
        return f"position {self.name}, T {t}, {channel}{depth}"

    def channel(self, wanted: str) -> int:
        """Return a channel's number, from its number or name.

        Raises:
            UsageError: there is none; the message lists them.
        """
        names = [channel.name for channel in self.channels]
        if wanted in names:
            return names.index(wanted)
        if (
            wanted.isascii()
            and wanted.isdecimal()
            and len(wanted) < 10
            and int(wanted) < len(names)
        ):
            return int(wanted)
        folded = [n for n, name in enumerate(names) if name.casefold() == wanted.casefold()]
        if len(folded) == 1:
            return folded[0]
        listed = [f"{n} ({name})" if name else str(n) for n, name in enumerate(names)]
        raise UsageError(
            "there is no such channel",
            where=f"guide_channel, position {self.name}",
            expected="one of " + ", ".join(listed),
            got=wanted,
        )


@dataclass(frozen=True)
class Volume:
    """An open file.

    Attributes:
        path: of the file or folder.
        kind: "OME-TIFF", "ImageJ TIFF", "TIFF", "OME-Zarr" or "Zarr".
        positions: at least one.
        notes: for the user.
        close: to be called at the end.
    """

    path: Path
    kind: str
    positions: Sequence[Position]
    notes: Sequence[str] = ()
    close: Callable[[], None] = lambda: None


def colour_of_hex(text: str) -> int:
    """Return OME's Color, RGBA as a signed number, of ``RRGGBB``; white when it is none."""
    try:
        value = (int(text.lstrip("#")[:6], 16) << 8) + 0xFF
    except ValueError:
        return -1
    return value - 2**32 if value >= 2**31 else value


def hex_of_colour(colour: object) -> str:
    """Return OME-Zarr's ``RRGGBB`` of OME's Color; white when it is none."""
    try:
        return f"{int(str(colour)) >> 8 & 0xFFFFFF:06X}"
    except ValueError:
        return "FFFFFF"


#: How Python writes a kind of value, such as ``<class 'str'>``.
_CLASS = re.compile(r"<class '([\w.]+)'>")


def _said(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror is not None:
        return error.strerror
    # Python's own words tell nothing of the file
    is_plain = isinstance(
        error, (UnicodeError, AttributeError, TypeError, LookupError, RecursionError)
    )
    text = _CLASS.sub(r"\1", str(error))
    return "a structure that is none" if is_plain or not text else text


def damaged(path: Path, where: str, error: BaseException) -> InputError:
    """Return the error for a plane, or a whole file, that cannot be read."""
    if isinstance(error, MemoryError):
        return InputError(
            "memory ran out while a volume was read",
            where=f"{path}, {where}" if where else str(path),
            got=str(error) or "no more of it",
            remedy="free some; or the file is damaged, and tells of a size that it has not",
        )
    return InputError(
        "a plane cannot be read" if where else "the file cannot be read",
        where=f"{path}, {where}" if where else str(path),
        expected="a whole, sound file that stays where it is while it is read",
        got=_said(error),
        remedy="copy or export the file again"
        + ("; `lenient=True` goes on" if isinstance(error, DamageError) else "")
        + "; `resume=True` in a batch keeps what is done",
    )


def check_samples(path: Path, samples: int) -> None:
    """Refuse pixels of more numbers than colours and opacity have.

    Raises:
        InputError: more than four.
    """
    if samples > _MOST_SAMPLES:
        raise InputError(
            "a pixel has more numbers than colours",
            where=str(path),
            expected="1 to 4 samples: grey or RGB, with or without opacity",
            got=str(samples),
            remedy='say what they are, for example `axes="YXC"` or YXZ',
        )


def check_pixels(path: Path, height: int, width: int) -> None:
    """Refuse planes without pixels.

    Raises:
        InputError: it is so.
    """
    if min(height, width) > 0:
        return
    raise InputError(
        "the planes have no pixels",
        where=str(path),
        expected="a height and a width of at least 1",
        got=f"{width} x {height}",
        remedy="export the file again",
    )


def check_counts(path: Path, times: int, channels: int, depths: int) -> None:
    """Refuse more planes than any file has, before room is made for them.

    Raises:
        InputError: it is so.
    """
    if depths <= MOST_FRAMES and channels <= _MOST_CHANNELS and times <= _MOST_PLANES // channels:
        return
    raise InputError(
        "the file tells of more planes than can be fused",
        where=str(path),
        expected=f"Z up to {MOST_FRAMES}, C up to {_MOST_CHANNELS}, T and C together up to "
        f"{_MOST_PLANES}",
        got=f"T {times}, C {channels}, Z {depths}",
        remedy="fuse it in parts, or say which axes it has by `axes`",
    )


def check_dtype(path: Path, dtype: np.dtype[Any]) -> None:
    """Refuse kinds of number that cannot be fused exactly.

    Raises:
        InputError: not one of `DTYPES`.
    """
    if dtype.name not in DTYPES:
        raise InputError(
            "this kind of number is not taken",
            where=str(path),
            expected=", ".join(DTYPES),
            got=dtype.name,
            remedy="convert it, in Fiji by Image > Type > 16-bit or 32-bit",
        )
