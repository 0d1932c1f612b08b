"""`panfocus fuse` of one file with axes: OME-TIFF, hyperstack, OME-Zarr, folder of planes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from panfocus.cli.bare_options import BARE
from panfocus.cli.by_position import by_position
from panfocus.cli.flags import in_flags
from panfocus.cli.progress import progress_of
from panfocus.cli.request import Request
from panfocus.errors import OutputError, UsageError, in_one_line
from panfocus.io.outputs import check_apart
from panfocus.io.volumes.vendors import Mosaic
from panfocus.pipeline.plan import settings_files
from panfocus.pipeline.project_content import ProjectContent
from panfocus.pipeline.volumes.choice import Choice, Only, volume_settings
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.plan import VolumePlan
from panfocus.pipeline.volumes.project import fuse_volume_project
from panfocus.pipeline.volumes.run import fuse_file
from panfocus.pipeline.volumes.summary import Summary
from panfocus.pipeline.volumes.surfaces import SurfaceOutputs
from panfocus.resources.paths import as_path
from panfocus.systems import load_system

_NOTES = 8


def run(
    request: Request,
    *,
    axes: str | None,
    guide_channel: str | None,
    pattern: str | None,
    only: str | None,
    mosaic: Mosaic | None,
) -> None:
    """Do it."""
    if len(request.inputs) != 1:
        raise UsageError(
            "a scientific stack is one file",
            got=f"{len(request.inputs)} inputs",
            remedy="give one OME-TIFF, TIFF hyperstack or OME-Zarr; `panfocus batch` takes many",
        )
    _check_asked(request)
    if request.output is None or request.align_only or request.save_transforms:
        raise UsageError(
            "scientific stacks are fused into a file",
            expected="-o OUT, without --align-only and --save-transforms",
        )
    source = as_path(request.inputs[0])
    settings = volume_settings(**request.settings)
    chosen = None if only is None else Only.of(only)
    asked = Choice(settings, axes, guide_channel, chosen, pattern, mosaic)
    parts = [_Part.of(*one) for one in by_position(request, source, asked)]
    for part in parts:
        _check(part.outputs, [source, *settings_files(settings)])
    for part in parts:
        part.run(source)


@dataclass(frozen=True)
class _Part:
    """What goes into files of its own: a volume, or a position of it."""

    request: Request
    choice: Choice
    outputs: VolumeOutputs

    @classmethod
    def of(cls, request: Request, choice: Choice) -> _Part:
        """Return the files that are asked for, and what is made for them."""
        assert request.output is not None
        wanted = {kind: value for kind, value in request.maps.items() if value is not None}
        outputs = _outputs(request, request.output, wanted)
        return cls(request, outputs.heeded(choice), outputs)

    def run(self, source: Path) -> None:
        """Fuse it, or tell what would be done."""
        if self.request.dry_run:
            _show(self.request, source, self.choice, self.outputs)
            return
        with progress_of(self.request, None) as tell:
            summary, files = fuse_file(source, self.outputs, self.choice, progress=tell)
        _report(self.request, summary, self.outputs, files)
        if not self.request.quiet:
            _say(summary.notes, len(summary.stacks), files)


def _check_asked(request: Request) -> None:
    """Refuse what volumes have not."""
    if request.has_frame_files or request.save_project is not None:
        raise UsageError(
            "scientific stacks are fused without what shows their frames, and without projects",
            where="--layers, --animation, --stereo, --rocking, --save-project",
            remedy="leave them out",
        )


def run_volume_project(
    request: Request,
    path: Path,
    project: ProjectContent,
    *,
    accept_changed: bool,
    only: str | None,
) -> None:
    """Fuse the project of a volume.

    Args:
        request: what else is asked for; without inputs.
        path: of the project's file.
        project: as it stands there, with the options of the command line.
        accept_changed: whether a volume that has changed is taken.
        only: what of the volume is fused; None for all.
    """
    _check_asked(request)
    image = request.output
    if image is None and project.outputs is not None:
        image = project.folder / project.outputs.picture
    if image is None:
        raise UsageError(
            "there is no output",
            where="-o",
            expected="-o OUT, as the project names none",
            remedy="say where the fused picture shall go: -o fused.ome.tif",
        )
    wanted = {kind: value for kind, value in request.maps.items() if value is not None}
    outputs = _outputs(request, image, wanted)
    source = project.folder / project.inputs[0].path
    _check(outputs, [path, source, *settings_files(project.options)])
    with progress_of(request, None) as tell:
        summary, files = fuse_volume_project(
            project,
            outputs,
            only=None if only is None else Only.of(only),
            accept_changed=accept_changed,
            progress=tell,
        )
    _report(request, summary, outputs, files)
    if not request.quiet:
        _say(summary.notes, len(summary.stacks), files)


def _outputs(request: Request, image: Path, wanted: Mapping[str, str]) -> VolumeOutputs:
    """Return the files that are asked for."""
    outputs = VolumeOutputs.beside(image, tuple(wanted), overwrite=request.overwrite)
    named = {kind: as_path(value, UsageError) for kind, value in wanted.items() if value != BARE}
    return replace(
        outputs,
        maps={**outputs.maps, **named},
        report=request.report_file,
        slab=request.slab,
        surfaces=SurfaceOutputs(
            request.height_map, request.mesh, request.pixel_size, request.scale_bar, image
        ),
        pyramid=request.pyramid,
        ome_zarr=request.ome_zarr,
        quality=request.quality,
    )


def _check(outputs: VolumeOutputs, read: list[Path]) -> None:
    try:
        check_apart(read, outputs.named())
    except OutputError as error:  # one input and one output: here it is a slip of the pen
        raise UsageError(
            error.what,
            where=error.where,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
        ) from error
    outputs.check(read)


def _show(request: Request, source: Path, choice: Choice, outputs: VolumeOutputs) -> None:
    """Print what would be done, as JSON when that was asked for."""
    chosen = choice.settings
    system = load_system(chosen.system, threads=chosen.threads, device=chosen.device)
    with closing(choice.open(source)) as volume:
        plan = VolumePlan.of(volume, choice, outputs, system)
        if request.json_file is not None:
            print(json.dumps(plan.to_dict(), indent=2, ensure_ascii=False))
            return
        for note in volume.notes if not request.quiet else ():
            print(in_flags(f"note: {note}"), file=sys.stderr)
        print("\n".join(plan.lines()))


def _report(request: Request, summary: Summary, outputs: VolumeOutputs, files: list[Path]) -> None:
    """Write or print the report where it is asked for."""
    if outputs.report is not None:
        summary.write(outputs.report, files, overwrite=request.overwrite)
    elif request.json_file == BARE:
        print(summary.text(files), end="")


def _say(warnings: list[str], count: int, files: list[Path]) -> None:
    lines = [f"note: {note}" for note in warnings[:_NOTES]]
    if len(warnings) > _NOTES:
        lines.append(f"note: {len(warnings) - _NOTES} more; --json has them all")
    lines.append(f"{count} {'stack' if count == 1 else 'stacks'} fused along Z")
    lines += [f"  {path}" for path in files]
    print(in_flags("\n".join(map(in_one_line, lines))), file=sys.stderr)
