"""`panfocus fuse`: check every output before any work, fuse, write, report."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panfocus import io
from panfocus.cli.bare_options import BARE
from panfocus.cli.flags import in_flags
from panfocus.cli.progress import progress_of
from panfocus.cli.request import Request
from panfocus.errors import UsageError, in_one_line
from panfocus.io.outputs import Inputs, Output, check_apart, earlier_results
from panfocus.pipeline.cull import culled
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.journal import Progress
from panfocus.pipeline.options import Options
from panfocus.pipeline.outputs import Outputs, inputs_of
from panfocus.pipeline.plan import Plan, plan
from panfocus.pipeline.register import align
from panfocus.pipeline.report import Report, report_text, write_report
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.settings import make_settings
from panfocus.registration.alignment import NOT_COMPARED
from panfocus.registration.stack import needs_registration
from panfocus.resources.paths import as_path, is_file

if TYPE_CHECKING:
    from panfocus.pipeline.project_content import ProjectContent

#: Part of a picture that lies between two depths, from which on it is told.
MANY_BANDS = 0.3


def run(request: Request) -> None:
    """Do it."""
    if request.output is None:
        align_only(request)
    else:
        fuse_into(request, request.output)


def fuse_into(request: Request, output: Path) -> None:
    """Fuse, and write the picture."""
    if request.align_only is not None:
        raise UsageError(
            "frames are either aligned only, or fused",
            where="--align-only, -o",
            remedy="leave one of them out",
        )
    outputs = request.outputs(output)
    settings = make_settings(**request.settings, maps=outputs.need_maps)
    plan_ = plan(request.inputs, settings, exclude=earlier_results(outputs.earlier))
    _check_behind(request, plan_)
    read = inputs_of(plan_)
    if settings.cull and (outputs.slab or request.save_project):
        plan_ = culled(plan_)  # how many slabs there are depends on it, and a project names frames
    outputs.check(plan_, read=read)
    if request.save_project is not None:
        from panfocus.cli.project_file import check_project  # noqa: PLC0415  few fusions keep one

        check_project(request, read, outputs.named(plan_.count))
    check_transforms(request, settings)

    def work(tell: Progress | None) -> FusedPicture:
        return fuse(plan_, progress=tell)

    def project_of(result: FusedPicture) -> ProjectContent:
        from panfocus.pipeline.project import Project  # noqa: PLC0415  few fusions keep one

        assert request.save_project is not None
        return Project.of(plan_, result, request.save_project.parent)

    carry_out(request, plan_, outputs, work, project_of)


def carry_out(
    request: Request,
    plan_: Plan,
    outputs: Outputs,
    work: Callable[[Progress | None], FusedPicture],
    project_of: Callable[[FusedPicture], ProjectContent],
) -> None:
    """Fuse, write every file, and say what was done; a dry run says what would be.

    Args:
        request: what else is asked for.
        plan_: what is fused.
        outputs: what is written, checked already.
        work: fuses.
        project_of: makes the project of a result, where one is to be saved.
    """
    say(request, [f"note: {note}" for note in plan_.notes])
    if request.dry_run:
        from panfocus.cli.plan_text import show_plan  # noqa: PLC0415  few runs are dry

        show_plan(plan_, request, outputs.pictures(plan_.count))
        return
    with progress_of(request, plan_.count) as tell:
        result = work(tell)
    say(request, [f"note: {w}" for w in result.report.warnings if w not in plan_.notes])
    written, notes = outputs.write(result, plan=plan_)
    say(request, [f"note: {note}" for note in notes])
    if request.save_project is not None:
        from panfocus.cli.project_file import save_project  # noqa: PLC0415  few fusions keep one

        written.append(save_project(request, project_of(result), outputs))
    finish(request, result, written)


def finish(request: Request, result: FusedPicture, written: list[Path]) -> None:
    """Print the report where it is asked for, and what was done."""
    if request.json_file == BARE:
        print(report_text(result.report), end="")
    _summary(request, result, written)


def align_only(request: Request) -> None:
    """Write the aligned frames, each in the format of its file, and fuse nothing."""
    folder = request.align_only
    if folder is None:
        raise UsageError(
            "there is no output",
            where="-o",
            expected="-o PICTURE, or --align-only DIR",
            remedy="say where the fused picture shall go: -o fused.tif",
        )
    plan_ = plan(request.inputs, _alignment_of(request))
    paths = [folder / name for name in _frame_names(plan_)]
    _check_behind(request, plan_)
    frames_named = [("--align-only", path) for path in paths]
    check_apart(inputs_of(plan_), [*frames_named, *_texts(request)])
    _check_frames(request, plan_, paths)
    for _, path in _texts(request):
        io.check_place(path, overwrite=request.overwrite)
    say(request, [f"note: {note}" for note in plan_.notes])
    if request.dry_run:
        from panfocus.cli.plan_text import show_plan  # noqa: PLC0415  few runs are dry

        show_plan(plan_, request, paths)
        return
    with progress_of(request, plan_.count) as tell:
        report, transforms, frames = align(plan_, progress=tell)
        for path, frame in zip(paths, frames, strict=True):
            report.warnings += io.write_image(
                path,
                frame.pixels,
                frame.metadata,
                quality=request.quality,
                overwrite=request.overwrite,
            )
    if request.save_transforms is not None:
        transforms.save(request.save_transforms, overwrite=request.overwrite)
    say(request, [f"note: {note}" for note in dict.fromkeys(report.warnings)])
    _write_report(request, report)
    _say_aligned(request, report, folder)


def _alignment_of(request: Request) -> Options:
    """Return how frames that are only aligned are aligned."""
    settings = make_settings(**request.settings, maps=False)
    if settings.align == "none" and settings.load_transforms is None:
        raise UsageError(
            "frames cannot be aligned only, and not aligned",
            where="--align-only, --align none",
            expected="a kind of alignment, or transforms to load",
            got="none",
            remedy="leave --align none out, or say another kind, such as --align auto",
        )
    return settings


def _say_aligned(request: Request, report: Report, folder: Path) -> None:
    """Tell where the aligned frames are, and how far they were moved."""
    seconds = report.timings_s["total"]
    head = f"{len(report.frames)} frames written in {seconds:.2f} s"
    lines = [head, *_registered(report), f"  {folder}"]
    if request.verbose:
        lines += [f"  {_frame_line(facts)}" for facts in report.frames]
    say(request, lines)


def _frame_names(plan_: Plan) -> list[str]:
    """Return a file name for every aligned frame: its own, numbered where there are pages."""
    paged = len({info.path for info in plan_.infos}) < plan_.count
    names = [
        f"{info.path.stem}_{info.page:04d}.tif" if paged else info.path.name for info in plan_.infos
    ]
    if len({name.casefold() for name in names}) == len(names):
        return names
    return [f"{n:04d}_{name}" for n, name in enumerate(names)]


def _check_frames(request: Request, plan_: Plan, paths: list[Path]) -> None:
    """Refuse aligned frames that cannot be written."""
    for path in paths:
        io.check_output(
            path,
            overwrite=request.overwrite,
            dtype=plan_.dtype,
            channels=plan_.channels,
            size=(plan_.height, plan_.width),
        )


def check_transforms(request: Request, settings: Options) -> None:
    """Refuse to save transforms that nobody makes."""
    if request.save_transforms is not None and not needs_registration(settings):
        raise UsageError(
            "there are no transforms to save: the frames are taken as they are",
            where="--save-transforms",
            remedy="align the frames: --align auto",
        )


def _check_behind(request: Request, plan_: Plan) -> None:
    """Refuse a frame as a map's name: behind the option it stands for the map if it came before."""
    counts = Counter((os.path.realpath(info.path), info.page) for info in plan_.infos)
    twice = [Path(path) for (path, _), count in counts.items() if count > 1]
    for option, word in request.behind:
        path = as_path(word)
        if is_file(path) and twice:
            Inputs(twice, in_depth=False).check(option, path)


def _texts(request: Request) -> list[Output]:
    """Return the files in JSON that are written, by option."""
    named = [("--json", request.report_file), ("--save-transforms", request.save_transforms)]
    return [(option, path) for option, path in named if path is not None]


def _write_report(request: Request, report: Report) -> None:
    if request.json_file == BARE:
        print(report_text(report), end="")
    elif request.json_file is not None:
        assert request.report_file is not None
        write_report(request.report_file, report, overwrite=request.overwrite)


def say(request: Request, lines: list[str]) -> None:
    """Print for people: on stderr, since stdout is for data."""
    if not request.quiet:
        for line in lines:
            print(in_flags(in_one_line(line)), file=sys.stderr)


def _summary(request: Request, result: FusedPicture, files: list[Path]) -> None:
    report = result.report
    seconds = report.timings_s["total"]
    device = report.system["device"]
    by = report.system["name"]
    if device is not None and device["device"] != "cpu":
        by += f" on {device['device']}"
    lines = [f"{len(report.frames)} frames fused by {by} in {seconds:.2f} s"]
    lines += [*_registered(report), *_mended(report)]
    if report.retouch is not None:
        lines.append(f"retouched by {report.retouch['strokes']} strokes")
    lines += [f"  {path}" for path in files]
    if request.verbose:
        lines += [f"  {_frame_line(facts)}" for facts in report.frames]
        if device is not None:
            lines.append(f"  device: {device['device']} ({device['provider']})")
        lines += [f"  {stage}: {spent:.3f} s" for stage, spent in report.timings_s.items()]
    say(request, lines)


def _registered(report: Report) -> list[str]:
    """Return the line about registration, unless a note has told it already or there is none."""
    told = (report.registration or {}).get("told")
    return [] if told is None or told in report.warnings else [told]


def _mended(report: Report) -> list[str]:
    """Return a line about soft bands, where there are many."""
    part = report.mended_bands or 0.0
    if part < MANY_BANDS:
        return []
    return [
        f"in {part:.0%} of the picture every frame is a little soft, between two depths of "
        "focus: its detail was raised; a smaller step between frames would have caught it"
    ]


def _frame_line(facts: dict[str, Any]) -> str:
    share = facts.get("share")
    part = "" if share is None else f"  share {share:6.1%}"
    line = f"{facts['name']}{part}  sharpness {facts['sharpness']:.4f}"
    place = facts.get("align")
    if place is not None and place["status"] != NOT_COMPARED:
        line += f"  {place['status']} ({place['kind']}, {place['corner_shift_px']:.2f} px)"
    gain = facts.get("exposure_gain")
    return line if gain is None else f"{line}  gain {' '.join(f'{g:.3f}' for g in gain)}"
