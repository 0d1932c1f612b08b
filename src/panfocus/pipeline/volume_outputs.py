"""Every file of a fused volume: what it is called, whether it can be, and writing it."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from panfocus.errors import FormatError, OutputError
from panfocus.io.atomic import cannot_write, exists_error, located, place, staging
from panfocus.io.outputs import Output, check_apart
from panfocus.io.stores import check_replaceable
from panfocus.io.volumes.open import is_zarr
from panfocus.io.volumes.volume import Channel, Position, Volume
from panfocus.io.volumes.write import Picture, Sink
from panfocus.io.volumes.write_tiff import TiffSink
from panfocus.io.volumes.write_zarr import ZarrSink
from panfocus.io.write import check_place

_DTYPES: Mapping[str, str] = {"depth": "float32", "index": "uint16", "confidence": "float32"}
_LONG_ENDINGS = (".ome.tif", ".ome.tiff", ".ome.zarr")


@dataclass(frozen=True)
class Selection:
    """What of a position is fused and written.

    Attributes:
        position: of the volume.
        times: numbers along T.
        channels: numbers along C.
    """

    position: Position
    times: Sequence[int]
    channels: Sequence[int]

    @classmethod
    def whole(cls, position: Position) -> Selection:
        """Return all of a position."""
        return cls(position, range(position.times), range(len(position.channels)))


@dataclass(frozen=True)
class VolumeOutputs:
    """The files that are wanted of a fused volume, each OME-TIFF or OME-Zarr.

    Attributes:
        image: fused planes, TCYX.
        maps: by kind, "depth", "index" or "confidence".
        report: how it came about, as JSON.
        overwrite: whether existing files may be replaced; what is read never is.
    """

    image: Path
    maps: Mapping[str, Path]
    report: Path | None = None
    overwrite: bool = False

    @classmethod
    def beside(cls, image: Path, maps: Sequence[str], *, overwrite: bool = False) -> VolumeOutputs:
        """Return the outputs whose maps are named after the image: ``cells_depth.ome.tif``."""
        low = image.name.lower()
        ending = next((e for e in _LONG_ENDINGS if low.endswith(e)), image.suffix)
        stem = image.name[: len(image.name) - len(ending)]
        tail = image.name[len(stem) :]
        named = {kind: image.with_name(f"{stem}_{kind}{tail}") for kind in maps}
        return cls(image, named, overwrite=overwrite)

    @property
    def files(self) -> dict[str, Path]:
        """Image and maps by what they hold: "image", and the kinds of map."""
        return {"image": self.image, **self.maps}

    def named(self) -> list[Output]:
        """Return every file by the option that names it."""
        maps = [(f"{kind}_map", path) for kind, path in self.maps.items()]
        report = [] if self.report is None else [("report", self.report)]
        return [("path", self.image), *maps, *report]

    def check(self, read: Sequence[Path]) -> None:
        """Refuse what cannot be written, before any work.

        Args:
            read: all that is read.

        Raises:
            OutputError: exists, is an input, or of a format that holds no volume.
            UsageError: two are one file.
        """
        check_apart(read, self.named())
        for path in self.files.values():
            check_output(path, overwrite=self.overwrite)
        if self.report is not None:
            check_place(self.report, overwrite=self.overwrite)

    @contextmanager
    def open(
        self, volume: Volume, selected: Sequence[Selection], *, guided: bool
    ) -> Generator[dict[str, Sink]]:
        """Yield a sink per file; put all in place when the body ends well, and else nothing.

        Args:
            volume: what is fused; names, lengths and times are kept.
            selected: of it, in order.
            guided: whether one channel decides for all, so that they share their maps.

        Raises:
            OutputError: a disk is full, or an output appeared meanwhile.
        """
        current = self.image
        places = {kind: Path(os.path.realpath(path)) for kind, path in self.files.items()}  # links
        try:
            with ExitStack() as stack:
                sinks: dict[str, Sink] = {}
                staged: dict[str, Path] = {}
                for kind, path in places.items():
                    folder = stack.enter_context(staging(path.parent))
                    staged[kind] = folder / path.name
                    pictures = [_picture(one, kind, guided=guided) for one in selected]
                    sinks[kind] = _sink(staged[kind], pictures, volume, is_map=kind != "image")
                yield sinks
                for sink in sinks.values():
                    sink.finish()
                for kind, path in places.items():
                    current = self.files[kind]
                    place(staged[kind], path, overwrite=self.overwrite)
        except FileExistsError as error:
            raise exists_error(current) from error
        except OSError as error:
            raise cannot_write(current, error) from error


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists, or that is no Zarr to be replaced, or of another format.

    Raises:
        OutputError: it is so.
    """
    if not (is_zarr(path) or path.suffix.lower() in (".tif", ".tiff")):
        raise FormatError(
            "a scientific stack is written as OME-TIFF or OME-Zarr",
            where=str(path),
            expected=".ome.tif, .tif, .ome.zarr or .zarr",
            got=path.suffix or "no extension",
        )
    path = located(path)
    if os.path.lexists(path) and not overwrite:
        raise exists_error(path)
    if path.exists() and path.is_dir() != is_zarr(path):
        raise OutputError("something else of this name exists", where=str(path))
    try:
        if path.is_dir():
            check_replaceable(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _sink(path: Path, pictures: Sequence[Picture], volume: Volume, *, is_map: bool) -> Sink:
    if is_zarr(path):
        return ZarrSink(path, pictures, is_map=is_map)
    # what came as a hyperstack of ImageJ goes back as one, unless OME is asked for by name
    stays = volume.kind == "ImageJ TIFF" and ".ome" not in path.suffixes
    return TiffSink(path, pictures, as_imagej=stays, is_map=is_map)


def _picture(selected: Selection, kind: str, *, guided: bool) -> Picture:
    position = selected.position
    channels = [position.channels[c] for c in selected.channels]
    times = len(selected.times)
    if kind == "image":
        return Picture(position, times, channels, position.dtype, position.samples)
    own = [Channel(f"{kind} {c.name}".strip()) for c in channels]
    return Picture(position, times, [Channel(kind)] if guided else own, np.dtype(_DTYPES[kind]))
