"""One stack of a batch: what is fused, how, and into which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from panfocus.io.formats import SUFFIXES
from panfocus.io.volumes.open import is_measured, is_ome_tiff, is_volume, is_zarr
from panfocus.io.volumes.pyramid import Pyramid
from panfocus.io.volumes.vendors import Mosaic
from panfocus.io.volumes.write_zarr import NgffVersion
from panfocus.pipeline.map_files import map_path
from panfocus.pipeline.volumes.choice import Only
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.resources.paths import is_file

#: Of scientific stacks, and of those whose version of OME-Zarr is said.
VOLUME_ENDING, ZARR_ENDING = ".ome.tif", ".ome.zarr"


@dataclass(frozen=True)
class Job:
    """One stack of a batch, in values that travel to another machine.

    Attributes:
        name: unique in the batch; may hold ``/``.
        inputs: absolute files, globs or folders.
        output: absolute path of the picture.
        settings: fields of `Options` that were chosen.
        maps: of "depth", "index", "confidence", those to write.
        quality: of JPEG and WebP.
        axes: of a scientific stack that does not say them.
        guide: channel of a scientific stack that decides for all.
        only: what of a scientific stack is fused; None for all of it, and of photographs.
        pyramid: whether large results of scientific stacks get smaller copies.
        mosaic: what tiles of a mosaic in a scientific stack are; None to put them together.
        ome_zarr: version of OME-Zarr in which scientific stacks are written; None for OME-TIFF, or
            0.4 where the output is named as an OME-Zarr.
    """

    name: str
    inputs: tuple[str, ...]
    output: Path
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maps: tuple[str, ...] = ()
    quality: int = 95
    axes: str | None = None
    guide: str | None = None
    only: Only | None = None
    pyramid: Pyramid = "auto"
    mosaic: Mosaic | None = None
    ome_zarr: NgffVersion | None = None

    @property
    def is_volume(self) -> bool:
        """Whether it is a scientific stack: written as one, or chosen from, and no photograph."""
        return is_zarr(self.output) or is_ome_tiff(self.output) or self.only is not None

    @property
    def zarr_version(self) -> NgffVersion | None:
        """Version of the OME-Zarr that it writes; None where none is said, or another file."""
        return self.ome_zarr if is_zarr(self.output) else None

    @property
    def outputs(self) -> dict[str, Path]:
        """All files that it writes: "image" and its maps, named after the image."""
        if self.is_volume:
            return VolumeOutputs.beside(self.output, self.maps).files
        return {"image": self.output, **{kind: map_path(self.output, kind) for kind in self.maps}}


def is_volume_job(path: Path, ending: str, axes: str | None = None) -> bool:
    """Whether a stack is a scientific one.

    Args:
        path: of the stack.
        ending: of pictures; what is merely measured counts only if TIFFs are wanted.
        axes: of TIFFs that do not say them.
    """
    is_told = axes is not None and is_file(path) and SUFFIXES.get(path.suffix.lower()) == "TIFF"
    return is_told or is_volume(path) or (ending == ".tif" and is_measured(path))


def ending_of(ending: str, template: Job, only: Only | None) -> str:
    """Return the ending of a scientific stack's result: a picture's where something is chosen.

    Args:
        ending: of pictures, as asked for; TIFF is OME-TIFF here, or OME-Zarr.
        template: of the batch.
        only: what is chosen.
    """
    if only is not None and ending != ".tif":
        return ending
    return VOLUME_ENDING if template.ome_zarr is None else ZARR_ENDING


def output_in(out: Path, name: str, ending: str) -> Path:
    """Return where the picture of a stack goes: named after it, in `out`."""
    # not with_suffix: a name may hold a dot
    path = out.absolute() / PurePosixPath(name)
    return path.with_name(path.name + ending)
