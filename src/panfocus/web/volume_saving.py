"""Save a volume, or the place of it that is shown: the same call as of the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.volume_choice import Choice, Only, volume_settings
from panfocus.pipeline.volume_outputs import VolumeOutputs
from panfocus.pipeline.volume_project import StrokeMender, StrokesAt
from panfocus.pipeline.volume_surfaces import SurfaceOutputs
from panfocus.pipeline.volumes import fuse_file
from panfocus.web.form import changed
from panfocus.web.frames import VolumeFile
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack


def only_shown(stack: OpenStack) -> str | None:
    """Return what chooses the place that is shown, as ``T=3,C=1``; None where there is no other."""
    if stack.volume is None:
        return None
    positions = stack.volume.volume.positions
    shown = positions[stack.place[0]]
    counts = len(positions), shown.times, len(shown.channels)
    parts = zip("PTC", stack.place, counts, strict=True)
    return ",".join(f"{axis}={number}" for axis, number, count in parts if count > 1) or None


def outputs_of(wanted: Outputs) -> VolumeOutputs:
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
        quality=wanted.quality,
    )


def _choice(result: Result, outputs: VolumeOutputs, only: str | None) -> Choice:
    settings = volume_settings(**changed(result.options))
    return outputs.heeded(Choice(settings, only=None if only is None else Only.of(only)))


def _file(stack: OpenStack) -> VolumeFile:
    assert stack.volume is not None
    return stack.volume


def files(stack: OpenStack, result: Result, wanted: Outputs, only: str | None) -> list[Path]:
    """Return every file that would be written.

    Raises:
        UsageError: no such slabs.
    """
    outputs = outputs_of(wanted)
    written = outputs.written(_file(stack).volume, _choice(result, outputs, only))
    return [*written, *([] if outputs.report is None else [outputs.report])]


def check(stack: OpenStack, result: Result, wanted: Outputs, only: str | None) -> None:
    """Refuse what cannot be written, before any work.

    Raises:
        OutputError, UsageError: as `VolumeOutputs.check_chosen` does.
    """
    outputs = outputs_of(wanted)
    outputs.check(stack.inputs)
    outputs.check_chosen(_file(stack).volume, _choice(result, outputs, only))


def write(
    stack: OpenStack,
    result: Result,
    wanted: Outputs,
    only: str | None,
    *,
    strokes: StrokesAt,
    **told: Any,  # noqa: ANN401  progress and cancel, as `fuse_file` takes them
) -> list[Path]:
    """Fuse and write what is chosen, each place with its strokes; return the files.

    Raises:
        InputError, OutputError, UsageError, Cancelled: as `fuse_file` does.
    """
    outputs = outputs_of(wanted)
    choice = _choice(result, outputs, only)
    mender = StrokeMender(strokes, cancel=told.get("cancel")) if strokes else None
    summary, written = fuse_file(stack.inputs[0], outputs, choice, mender=mender, **told)
    if outputs.report is not None:
        summary.write(outputs.report, written, overwrite=outputs.overwrite)
        written = [*written, outputs.report]
    return written
