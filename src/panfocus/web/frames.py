"""The frames of an open stack, whatever they lie in: files, or the planes of a volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus.errors import Cancelled
from panfocus.frame import Frame
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.reading import VolumeReading
from panfocus.io.volumes.stack import ZStack
from panfocus.io.volumes.volume import Position, Volume
from panfocus.pipeline.draft import draft_frames
from panfocus.pipeline.journal import Cancel
from panfocus.pipeline.picture_output import pixel_size
from panfocus.pipeline.settings import is_length
from panfocus.web.gone import GoneError


class StackFrames(Protocol):
    """Frames that can be read one by one, whole or small."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        ...

    def read(self, number: int) -> Frame:
        """Return a frame whole."""
        ...

    def reduced(self, number: int, factor: int) -> Frame:
        """Return a frame, shrunk by up to `factor` where its format allows for that."""
        ...

    def small(self, size: tuple[int, int], cancel: Cancel | None) -> Iterator[Frame]:
        """Yield all frames at a height and width."""
        ...

    @property
    def pixel_um(self) -> tuple[float, float] | None:
        """Height and width of a pixel in µm, where a file tells them."""
        ...

    def place_um(self, number: int) -> float | None:
        """Return where a frame says that it is, in µm; None where it does not."""
        ...


@dataclass(frozen=True)
class FileFrames:
    """Frames in files.

    Attributes:
        infos: from their headers.
    """

    infos: Sequence[io.FrameInfo]

    @property
    def names(self) -> Sequence[str]:
        """Name of each."""
        return [info.name for info in self.infos]

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        return len(self.infos), self.infos[0].height, self.infos[0].width

    def read(self, number: int) -> Frame:
        """Return a frame whole."""
        return replace(io.read_frame(self.infos[number]), number=number)

    def reduced(self, number: int, factor: int) -> Frame:
        """Return a frame, shrunk while it is decoded if it is a JPEG."""
        return replace(io.read_reduced(self.infos[number], factor)[0], number=number)

    def small(self, size: tuple[int, int], cancel: Cancel | None) -> Iterator[Frame]:
        """Yield all frames at a height and width."""
        return draft_frames(self.infos, size, cancel=cancel)

    @property
    def pixel_um(self) -> tuple[float, float] | None:
        """Height and width of a pixel in µm, where a TIFF tells them."""
        return pixel_size([info.path for info in self.infos], None)

    def place_um(self, number: int) -> float | None:
        """Return None: photographs do not say where they are."""
        return None


class PlaneFrames:
    """The planes along Z of one position, T and C of a volume.

    Args:
        path: of the file.
        position: of the volume.
        t: time.
        c: channel.
        guide: the channel that decides; None for `c` itself.
    """

    def __init__(
        self, path: Path, position: Position, t: int, c: int, guide: int | None = None
    ) -> None:
        self._here = path, position, t, c
        self._stack = ZStack(path, position, t, [c], c if guide is None else guide)
        self._position = position

    def guided(self, guide: int) -> PlaneFrames:
        """Return the same planes with another channel that decides; it is looked through.

        Raises:
            InputError: a plane of it cannot be read, or holds NaN.
        """
        return PlaneFrames(*self._here, guide)

    @property
    def stack(self) -> ZStack:
        """To be fused."""
        return self._stack

    @property
    def names(self) -> Sequence[str]:
        """Name of each."""
        return [f"Z {z}" for z in range(len(self._stack))]

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many planes, of which height and width."""
        return len(self._stack), self._position.height, self._position.width

    def read(self, number: int) -> Frame:
        """Return a plane whole."""
        return replace(self._stack.frame(number), number=number)

    def reduced(self, number: int, factor: int) -> Frame:
        """Return a plane whole: no reader of volumes shrinks."""
        return self.read(number)

    def small(self, size: tuple[int, int], cancel: Cancel | None) -> Iterator[Frame]:
        """Yield all planes at a height and width."""
        for number in range(len(self._stack)):
            if cancel is not None and cancel():
                raise Cancelled("stopped as asked", where=self.names[number])
            frame = self.read(number)
            small = cv2.resize(frame.pixels, size[::-1], interpolation=cv2.INTER_AREA)
            yield replace(frame, pixels=np.asarray(small, frame.pixels.dtype))

    @property
    def position(self) -> Position:
        """That the planes belong to."""
        return self._position

    @property
    def pixel_um(self) -> tuple[float, float] | None:
        """Height and width of a pixel in µm, where the volume tells them."""
        _, y, x = self._position.voxel_um
        if y is None or x is None:
            return None
        return (y, x) if is_length(y) and is_length(x) else None

    def place_um(self, number: int) -> float | None:
        """Return where a plane says that it is, where planes are unevenly apart."""
        places = self._position.z_um
        return None if places is None else places[number]


class _Turns:
    """Lets one thread at a time read of a file, and nobody once it is closed.

    All places of a volume share one file: a fusion of one reads while another is looked at.

    Args:
        volume: opened.
    """

    def __init__(self, volume: Volume) -> None:
        self._lock = Lock()
        self._is_closed = False
        self._close = volume.close

    def position(self, position: Position) -> Position:
        """Return a position that is read in turn."""

        def read(t: int, c: int, z: int) -> NDArray[Any]:
            with self._lock:
                if self._is_closed:
                    raise GoneError("this stack is not open any more", where=position.name)
                return position.read(t, c, z)

        return replace(position, read=read)

    def close(self) -> None:
        """Close the file, once whoever reads of it has ended."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._close()


@dataclass(frozen=True)
class VolumeFile:
    """A volume that is open, and what of it can be chosen.

    Attributes:
        path: of the file or folder.
        volume: opened.
        reading: how it is read, where it does not say so itself.
    """

    path: Path
    volume: Volume
    reading: VolumeReading

    @classmethod
    def open(cls, path: Path, reading: VolumeReading) -> VolumeFile:
        """Open a volume; a first position with one plane along Z is not refused before it is fused.

        Raises:
            InputError: missing, damaged, or of kinds that are not taken.
            UsageError: it cannot be read so.
        """
        told = asdict(reading)
        volume = open_volume(path, told.pop("axes"), **told)
        turns = _Turns(volume)
        positions = [turns.position(each) for each in volume.positions]
        return cls(path, replace(volume, positions=positions, close=turns.close), reading)

    def facts(self) -> list[dict[str, object]]:
        """Return what can be chosen of each position."""
        return [
            {
                "name": p.name,
                "times": p.times,
                "channels": [c.name or str(n) for n, c in enumerate(p.channels)],
                "depths": p.depths,
                "width": p.width,
                "height": p.height,
            }
            for p in self.volume.positions
        ]

    def frames(self, place: tuple[int, int, int]) -> PlaneFrames:
        """Return the planes of a position, T and C."""
        p, t, c = place
        return PlaneFrames(self.path, self.volume.positions[p], t, c)

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self.volume.close()
