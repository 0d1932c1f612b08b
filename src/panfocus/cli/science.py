"""`panfocus fuse` of one file with axes: OME-TIFF, TIFF hyperstack, OME-Zarr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from panfocus.cli.bare_options import BARE
from panfocus.cli.flags import in_flags
from panfocus.cli.progress import progress_of
from panfocus.cli.request import Request
from panfocus.errors import OutputError, UsageError
from panfocus.io.atomic import write_atomic
from panfocus.io.outputs import check_apart
from panfocus.pipeline.plan import settings_files
from panfocus.pipeline.volume_outputs import VolumeOutputs
from panfocus.pipeline.volumes import Choice, check, fuse_file, volume_settings
from panfocus.resources.paths import as_path
from panfocus.systems import load_system

_NOTES = 8


def run(
    request: Request, *, axes: str | None, guide_channel: str | None, pattern: str | None
) -> None:
    """Do it."""
    if len(request.inputs) != 1:
        raise UsageError(
            "a scientific stack is one file",
            got=f"{len(request.inputs)} inputs",
            remedy="give one OME-TIFF, TIFF hyperstack or OME-Zarr; `panfocus batch` takes many",
        )
    if request.has_surfaces:
        raise UsageError(
            "scientific stacks are fused without slabs, height map and mesh",
            where="--slab, --height-map, --mesh, --pixel-size",
            remedy="leave them out; --depth-map keeps the depth",
        )
    if request.output is None or request.align_only or request.save_transforms:
        raise UsageError(
            "scientific stacks are fused into a file",
            expected="-o OUT, without --align-only and --save-transforms",
        )
    source = as_path(request.inputs[0])
    wanted = {kind: value for kind, value in request.maps.items() if value is not None}
    settings = volume_settings(**request.settings, maps=bool(wanted))
    if settings.bit_depth != "same":
        raise UsageError(
            "the numbers of a scientific stack are kept", where="--bit-depth", expected="same"
        )
    choice = Choice(settings, axes, guide_channel, pattern=pattern)
    outputs = _outputs(request, request.output, wanted)
    _check(outputs, [source, *settings_files(settings)])
    if request.dry_run:
        _show(request, source, choice, outputs)
        return
    with progress_of(request, 1000) as tell:
        summary = fuse_file(source, outputs, choice, progress=tell)
    files = list(outputs.files.values())
    facts = {**asdict(summary), "outputs": [str(path) for path in files]}
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    if outputs.report is not None:
        write_atomic(
            outputs.report, [text.encode(errors="backslashreplace")], overwrite=request.overwrite
        )
    elif request.json_file == BARE:
        print(text, end="")
    if not request.quiet:
        _say(summary.warnings, len(summary.stacks), files)


def _outputs(request: Request, image: Path, wanted: Mapping[str, str]) -> VolumeOutputs:
    """Return the files that are asked for."""
    outputs = VolumeOutputs.beside(image, tuple(wanted), overwrite=request.overwrite)
    named = {kind: as_path(value, UsageError) for kind, value in wanted.items() if value != BARE}
    return replace(outputs, maps={**outputs.maps, **named}, report=request.report_file)


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
        facts: dict[str, Any] = {
            "source": str(source),
            "kind": volume.kind,
            "memory_bytes": check(volume, choice, system),
            "positions": [
                {
                    "name": p.name,
                    "t": p.times,
                    "c": [channel.name for channel in p.channels],
                    "z": p.depths,
                    "height": p.height,
                    "width": p.width,
                    "samples": p.samples,
                    "dtype": p.dtype.name,
                    "voxel_um": p.voxel_um,
                }
                for p in volume.positions
            ],
            "outputs": [str(path) for path in outputs.files.values()],
        }
    if request.json_file is not None:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, value in facts.items():
        for line in cast("list[object]", value) if isinstance(value, list) else [value]:
            print(f"{name}: {line}")


def _say(warnings: list[str], count: int, files: list[Path]) -> None:
    lines = [f"note: {note}" for note in warnings[:_NOTES]]
    if len(warnings) > _NOTES:
        lines.append(f"note: {len(warnings) - _NOTES} more; --json has them all")
    lines.append(f"{count} stack(s) fused along Z")
    lines += [f"  {path}" for path in files]
    print(in_flags("\n".join(lines)), file=sys.stderr)
