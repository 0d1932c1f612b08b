"""Save a volume, or the place of it that is shown: the same call as of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from panfocus.io.volumes.pyramid import Pyramid
from panfocus.io.volumes.reading import VolumeReading
from panfocus.io.volumes.write_zarr import NgffVersion
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.volumes.choice import Choice, Only, volume_settings
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.project import StrokeMender, StrokesAt
from panfocus.pipeline.volumes.run import fuse_file
from panfocus.pipeline.volumes.surfaces import SurfaceOutputs
from panfocus.web.form import changed
from panfocus.web.frames import VolumeFile
from panfocus.web.requests import one_of
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack


@dataclass(frozen=True)
class VolumeWish:
    """What a page wants of a volume, beside the files that photographs have, too.

    Attributes:
        only: what of it is fused; None for all.
        guide: the channel that decides, by name or number; None: each for itself.
        pyramid: whether large planes get smaller copies.
        ome_zarr: version of an OME-Zarr; None for the usual one.
        reading: how the volume is read, where it does not say so itself.
    """

    only: str | None = None
    guide: str | None = None
    pyramid: Pyramid = "auto"
    ome_zarr: NgffVersion | None = None
    reading: VolumeReading = field(default_factory=VolumeReading)

    @classmethod
    def of(cls, body: Mapping[str, Any], stack: OpenStack, result: Result) -> VolumeWish:
        """Read it.

        Raises:
            UsageError: no such choice.
        """
        return cls(
            only=_only_shown(stack) if body.get("only_shown") else None,
            guide=_guide(stack, result),
            pyramid=one_of("pyramid", body.get("pyramid") or "auto", get_args(Pyramid)),
            ome_zarr=one_of("ome_zarr", body.get("ome_zarr"), (None, *get_args(NgffVersion))),
            reading=VolumeReading() if stack.volume is None else stack.volume.reading,
        )

    @property
    def of_project(self) -> list[str]:
        """The flags beside those of a project, which knows how its volume is read."""
        told = [("--only", self.only), ("--guide-channel", self.guide)]
        told += [("--ome-zarr", self.ome_zarr)]
        told += [("--pyramid", None if self.pyramid == "auto" else self.pyramid)]
        return [word for flag, value in told if value is not None for word in (flag, value)]

    @property
    def words(self) -> list[str]:
        """The flags that say it, and their values."""
        return [*self.reading.words, *self.of_project]


def _guide(stack: OpenStack, result: Result) -> str | None:
    """Return the channel that has decided, as the command line takes it."""
    if stack.volume is None or result.guide is None or result.place is None:
        return None
    channels = stack.volume.volume.positions[result.place[0]].channels
    names = [channel.name for channel in channels]
    name = names[result.guide]
    return name if name and names.count(name) == 1 else str(result.guide)


def _only_shown(stack: OpenStack) -> str | None:
    """Return what chooses the place that is shown, as ``T=3,C=1``; None where there is no other."""
    if stack.volume is None:
        return None
    positions = stack.volume.volume.positions
    shown = positions[stack.place[0]]
    counts = len(positions), shown.times, len(shown.channels)
    parts = zip("PTC", stack.place, counts, strict=True)
    return ",".join(f"{axis}={number}" for axis, number, count in parts if count > 1) or None


def outputs_of(wanted: Outputs, wish: VolumeWish) -> VolumeOutputs:
    """Return the files of a volume that are asked for as those of a picture."""
    beside = VolumeOutputs.beside(wanted.picture, [*wanted.maps], overwrite=wanted.overwrite)
    surfaces = SurfaceOutputs(
        wanted.height_map, wanted.mesh, wanted.pixel_um, wanted.scale_bar, wanted.picture
    )
    return replace(
        beside,
        report=wanted.report,
        slab=wanted.slab,
        surfaces=surfaces,
        pyramid=wish.pyramid,
        ome_zarr=wish.ome_zarr,
        quality=wanted.quality,
    )


def _choice(result: Result, outputs: VolumeOutputs, wish: VolumeWish) -> Choice:
    settings = volume_settings(**changed(result.options))
    only = None if wish.only is None else Only.of(wish.only)
    return outputs.heeded(Choice(settings, guide=wish.guide, only=only, **asdict(wish.reading)))


def _file(stack: OpenStack) -> VolumeFile:
    assert stack.volume is not None
    return stack.volume


def files(stack: OpenStack, result: Result, wanted: Outputs, wish: VolumeWish) -> list[Path]:
    """Return every file that would be written.

    Raises:
        UsageError: no such slabs.
    """
    outputs = outputs_of(wanted, wish)
    written = outputs.written(_file(stack).volume, _choice(result, outputs, wish))
    return [*written, *([] if outputs.report is None else [outputs.report])]


def check(stack: OpenStack, result: Result, wanted: Outputs, wish: VolumeWish) -> None:
    """Refuse what cannot be written, before any work.

    Raises:
        OutputError, UsageError: as `VolumeOutputs.check_chosen` does.
    """
    outputs = outputs_of(wanted, wish)
    outputs.check(stack.inputs)
    outputs.check_chosen(_file(stack).volume, _choice(result, outputs, wish))


def write(
    stack: OpenStack,
    result: Result,
    wanted: Outputs,
    wish: VolumeWish,
    *,
    strokes: StrokesAt,
    **told: Any,  # noqa: ANN401  progress and cancel, as `fuse_file` takes them
) -> list[Path]:
    """Fuse and write what is chosen, each place with its strokes; return the files.

    Raises:
        InputError, OutputError, UsageError, Cancelled: as `fuse_file` does.
    """
    outputs = outputs_of(wanted, wish)
    choice = _choice(result, outputs, wish)
    mender = StrokeMender(strokes, cancel=told.get("cancel")) if strokes else None
    summary, written = fuse_file(stack.inputs[0], outputs, choice, mender=mender, **told)
    if outputs.report is not None:
        summary.write(outputs.report, written, overwrite=outputs.overwrite)
        written = [*written, outputs.report]
    return written
