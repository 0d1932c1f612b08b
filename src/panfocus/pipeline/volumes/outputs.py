"""Every file of a fused volume: what it is called, whether it can be, and writing it."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from panfocus.errors import FormatError, OutputError, UsageError
from panfocus.io.atomic import cannot_write, exists_error, located, place
from panfocus.io.endings import beside
from panfocus.io.outputs import Output, check_apart
from panfocus.io.stores import check_replaceable
from panfocus.io.volumes.display import DisplayRange
from panfocus.io.volumes.open import is_zarr
from panfocus.io.volumes.pyramid import Pyramid
from panfocus.io.volumes.volume import Volume
from panfocus.io.volumes.write import Sink
from panfocus.io.volumes.write_picture import check_is_map, check_is_picture, is_picture
from panfocus.io.volumes.write_zarr import NgffVersion
from panfocus.io.write import check_place, output_format
from panfocus.pipeline.slabs import slab_paths, slab_ranges
from panfocus.pipeline.volumes.check import check_slab
from panfocus.pipeline.volumes.choice import Choice, Selection
from panfocus.pipeline.volumes.surfaces import SurfaceOutputs, tails_of
from panfocus.pipeline.volumes.writing import StagedFiles, Writing, pictures_of, sink_of
from panfocus.resources.paths import is_folder, is_there


@dataclass(frozen=True)
class VolumeOutputs:
    """The files that are wanted of a fused volume: OME-TIFF or OME-Zarr, or a picture.

    Attributes:
        image: fused planes, TCYX; or a picture, where one plane is left.
        maps: by kind, "depth", "index" or "confidence".
        report: how it came about, as JSON.
        overwrite: whether existing files may be replaced; what is read never is.
        slab: planes of each slab, and how many it shares with the next; None for no slabs.
        surfaces: height maps and meshes.
        pyramid: whether large planes get smaller copies in the file, for viewers.
        ome_zarr: version of an OME-Zarr; None for 0.4, which most programs read.
        quality: of JPEG and WebP, 1 to 100.
    """

    image: Path
    maps: Mapping[str, Path]
    report: Path | None = None
    overwrite: bool = False
    slab: tuple[int, int] | None = None
    surfaces: SurfaceOutputs = field(default_factory=SurfaceOutputs)
    pyramid: Pyramid = "auto"
    ome_zarr: NgffVersion | None = None
    quality: int = 95

    @classmethod
    def beside(cls, image: Path, maps: Sequence[str], *, overwrite: bool = False) -> VolumeOutputs:
        """Return the outputs whose maps are named after the image: ``cells_depth.ome.tif``."""
        ending = ".tif" if is_picture(image) else None
        named = {kind: beside(image, f"_{kind}", ending) for kind in maps}
        return cls(image, named, overwrite=overwrite)

    @property
    def is_picture(self) -> bool:
        """Whether the image is a picture of one plane."""
        return is_picture(self.image)

    @property
    def files(self) -> dict[str, Path]:
        """Files of planes by what they hold: "image", the kinds of map, and "slab"."""
        slab = {} if self.slab is None else {"slab": beside(self.image, "_slabs")}
        return {"image": self.image, **self.maps, **slab}

    def heeded(self, choice: Choice) -> Choice:
        """Return a choice that makes what these outputs need, and no maps that nobody wants.

        Raises:
            UsageError: a bit depth of other files than pictures, or slabs that are aligned.
        """
        settings = choice.settings
        if settings.bit_depth != "same" and not self.is_picture:
            raise UsageError(
                "the numbers of a scientific stack are kept",
                where="bit_depth",
                expected="same; or an output that is a picture",
                got=settings.bit_depth,
            )
        check_slab(self.slab, settings)
        maps = bool(self.maps) or self.surfaces.need_depth
        return replace(choice, settings=replace(settings, maps=maps), in_colour=self.is_picture)

    def written(self, volume: Volume, choice: Choice) -> list[Path]:
        """Return all files but the report, of what is chosen of a volume."""
        selected = choice.selected(volume)
        return [path for option, path in self._named(choice, selected) if option != "report"]

    def named(self) -> list[Output]:
        """Return the files whose names are known before the volume is looked at, by option."""
        maps = [(f"{kind}_map", path) for kind, path in self.maps.items()]
        report = [] if self.report is None else [("report", self.report)]
        return [("path", self.image), *maps, *report]

    def _named(self, choice: Choice, selected: Sequence[Selection]) -> list[Output]:
        tails = tails_of(choice.groups(selected))
        slabs = [("slab", path) for path in self.slab_files(selected)]
        return [*self.named(), *slabs, *self.surfaces.named(tails)]

    def slab_files(self, selected: Sequence[Selection]) -> list[Path]:
        """Return the files of slabs: one of all, or a picture of each."""
        if self.slab is None:
            return []
        if not self.is_picture:
            return [self.files["slab"]]
        return slab_paths(self.image, len(slab_ranges(len(selected[0].depths), *self.slab)))

    def check(self, read: Sequence[Path]) -> None:
        """Refuse what cannot be written, before the volume is looked at.

        Args:
            read: all that is read.

        Raises:
            OutputError: exists, is an input, or of a format that holds no volume.
            UsageError: two are one file, or a version of OME-Zarr is asked for and none written.
        """
        check_apart(read, self.named())
        if self.ome_zarr is not None and not any(map(is_zarr, self.files.values())):
            raise UsageError(
                "this version is of OME-Zarr, and none is written",
                where="ome_zarr",
                expected="an output that ends in .ome.zarr or .zarr",
                got=str(self.image),
            )
        for kind, path in (("image", self.image), *self.maps.items()):
            if not self.is_picture:
                check_output(path, overwrite=self.overwrite)
                continue
            output_format(path, "image" if kind == "image" else "map")
            check_place(path, overwrite=self.overwrite)
        if self.report is not None:
            check_place(self.report, overwrite=self.overwrite)

    def check_chosen(self, volume: Volume, choice: Choice) -> None:
        """Refuse what cannot be written of what is chosen of a volume, before any work.

        Raises:
            OutputError: a file of a stack exists, or is an input.
            UsageError: the image is a picture, and more than one plane is left.
        """
        selected = choice.selected(volume)
        if self.is_picture:
            pictures = pictures_of("image", choice, selected, None)
            check_is_picture(self.image, pictures, *_left(selected))
            for kind, path in self.maps.items():
                maps = pictures_of(kind, choice, selected, None)
                check_is_map(path, len(maps[0].channels))
        check_apart([] if volume.kind == "array" else [volume.path], self._named(choice, selected))
        positions = [one.position for one in selected]
        tails = tails_of(choice.groups(selected))
        self.surfaces.check(tails, positions, overwrite=self.overwrite)
        for path in self.slab_files(selected):
            if self.is_picture:
                check_place(path, overwrite=self.overwrite)
            else:
                check_output(path, overwrite=self.overwrite)

    @contextmanager
    def open(self, volume: Volume, choice: Choice) -> Generator[Writing]:
        """Yield what takes the fused planes; put all in place when the body ends well, else none.

        Args:
            volume: what is fused; names, lengths and times are kept.
            choice: what of it.

        Raises:
            OutputError: a disk is full, or an output appeared meanwhile.
            UsageError: see `check_chosen`.
        """
        self.check_chosen(volume, choice)
        groups = choice.groups(choice.selected(volume))
        current = self.image
        try:
            with ExitStack() as stack:
                stage = StagedFiles(stack)
                display = DisplayRange() if self.is_picture else None
                writing = Writing(stage, self.surfaces, groups)
                for kind in self.files:
                    writing.sinks[kind] = self._sink(
                        kind, volume, choice, stage=stage, display=display
                    )
                yield writing
                writing.finish()
                for current, staged_file in stage.waiting.items():
                    place(staged_file, Path(os.path.realpath(current)), overwrite=self.overwrite)
        except FileExistsError as error:
            raise exists_error(current) from error
        except OSError as error:
            raise cannot_write(current, error) from error

    def _sink(
        self,
        kind: str,
        volume: Volume,
        choice: Choice,
        *,
        stage: StagedFiles,
        display: DisplayRange | None,
    ) -> Sink:
        selected = choice.selected(volume)
        places = self.slab_files(selected) if kind == "slab" else [self.files[kind]]
        return sink_of(
            kind,
            [stage(path) for path in places],
            volume,
            pictures_of(kind, choice, selected, self.slab),
            display=display,
            pyramid=self.pyramid,
            ome_zarr=self.ome_zarr or "0.4",
            bit_depth=choice.settings.bit_depth,
            quality=self.quality,
        )


def _left(selected: Sequence[Selection]) -> tuple[str, str]:
    """Return what of a volume is left, in words, and a choice that leaves one plane of it."""
    first = selected[0]
    times = sorted({t for one in selected for t in one.times})
    names = [first.position.channels[c].name for c in first.channels]
    parts: list[str] = []
    example: list[str] = []
    if len(selected) > 1:
        parts.append(f"{len(selected)} positions (P {_listed([s.number for s in selected])})")
        example.append(f"P={first.number}")
    if len(times) > 1:
        parts.append(f"{len(times)} times (T {_listed(times)})")
        example.append(f"T={times[0]}")
    if len(names) > 1:
        told = [f"{c} {name}".strip() for c, name in zip(first.channels, names, strict=True)]
        parts.append(f"{len(names)} channels (C {', '.join(told)})")
        example.append(f"C={names[0] or first.channels[0]}")
    return ", ".join(parts), ",".join(example)


def _listed(numbers: Sequence[int]) -> str:
    is_range = len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]} to {numbers[-1]}" if is_range else ", ".join(map(str, numbers))


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists, or that is no Zarr to be replaced, or of another format.

    Raises:
        OutputError: it is so.
    """
    if not (is_zarr(path) or path.suffix.lower() in (".tif", ".tiff")):
        raise FormatError(
            "a scientific stack is written as OME-TIFF or OME-Zarr",
            where=str(path),
            expected=".ome.tif, .tif, .ome.zarr or .zarr; or a picture, .png, .jpg or .webp",
            got=path.suffix or "no extension",
        )
    path = located(path)
    if os.path.lexists(path) and not overwrite:
        raise exists_error(path)
    if is_there(path) and is_folder(path) != is_zarr(path):
        raise OutputError("something else of this name exists", where=str(path))
    try:
        if is_folder(path):
            check_replaceable(path)
    except OSError as error:
        raise cannot_write(path, error) from error
