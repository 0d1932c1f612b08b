"""Fuse a project: its frames found, its registration used again, its strokes on the result."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from panfocus.errors import InputError
from panfocus.pipeline.cull import culled
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.options import with_files
from panfocus.pipeline.plan import Plan, of_frames, plan
from panfocus.pipeline.project_content import (
    ProjectContent,
    ProjectRegistration,
    registration_options,
    told_from,
)
from panfocus.pipeline.project_inputs import chosen_frames, find_inputs, note_inputs
from panfocus.pipeline.result import FusedPicture, at_depth
from panfocus.pipeline.retouched import check_retouch_memory, retouch
from panfocus.pipeline.run import run_fusion
from panfocus.registration.stack import Registration
from panfocus.registration.summary import summarise
from panfocus.registration.transforms import Matrix
from panfocus.resources.paths import is_file
from panfocus.retouch.moved import moved
from panfocus.retouch.stroke import FrameSource, Source, Stroke


@dataclass(frozen=True)
class ProjectPlan:
    """A project whose files are found and checked.

    Attributes:
        project: what shall be fused.
        plan: of its frames; with the registration where that can be used again.
        kept: number in the project of each frame of the plan; others are culled.
    """

    project: ProjectContent
    plan: Plan
    kept: tuple[int, ...]


def plan_project(
    project: ProjectContent, *, accept_changed: bool = False, cancel: Cancel | None = None
) -> ProjectPlan:
    """Find a project's files, and say what fusing them takes.

    Args:
        project: read from a file, or with its `folder` told.
        accept_changed: whether files that are not as they were are taken all the same.
        cancel: asked before every frame that is culled.

    Raises:
        InputError: a file is gone, changed, or does not fit the others.
        UsageError: an option cannot be.
        SystemError_: no such system.
    """
    folder = project.folder
    paths, notes = find_inputs(project.inputs, folder, accept_changed=accept_changed)
    settings = project.options
    settings = with_files(settings, lambda file: str(folder / file))
    plan_ = plan(paths, settings)
    infos = chosen_frames(plan_.infos, project.inputs)
    plan_ = replace(of_frames(plan_, infos), notes=[*plan_.notes, *notes])
    kept = tuple(range(len(infos)))
    if settings.cull:
        rest = culled(plan_, cancel)
        kept = tuple(n for n, info in enumerate(infos) if any(info is i for i in rest.infos))
        plan_ = rest
    known = project.registration
    fits = known is not None and len(kept) == len(infos) == len(known.found.alignment.frames)
    if known is not None and fits and known.options == registration_options(project.options):
        plan_ = replace(plan_, registration=_framed(known.found, keep_size=settings.keep_size))
    return ProjectPlan(project, plan_, kept)


def _framed(found: Registration, *, keep_size: bool) -> Registration:
    """Return a registration that makes the whole picture, or what all frames show."""
    whole = found.alignment.whole()
    return replace(found, field=whole if keep_size else found.alignment.common() or whole)


def fuse_project(
    planned: ProjectPlan, *, progress: Progress | None = None, cancel: Cancel | None = None
) -> FusedPicture:
    """Fuse a project and put its strokes onto the result.

    Raises:
        InputError: a frame is unreadable, or was culled and is painted from.
        Cancelled: `cancel` said so.
    """
    plan_ = planned.plan
    if planned.project.strokes:
        check_retouch_memory(plan_)
    native = replace(plan_, settings=replace(plan_.settings, bit_depth="same"))
    fusion = run_fusion(native, progress=progress, cancel=cancel)
    if plan_.registration is not None:
        _note_registration(fusion, plan_.registration)
    strokes = strokes_for(planned, fusion.registration)
    fusion = retouch(fusion, plan_, strokes, progress=progress, cancel=cancel)
    return at_depth(fusion, plan_.settings.bit_depth)


def _note_registration(fusion: FusedPicture, used: Registration) -> None:
    """Put into the report what registration had found, as if it had been found now."""
    report = fusion.report
    done = summarise(used.alignment, used.field)
    report.registration = done.to_dict()
    told = done.line()
    report.warnings += used.matched()
    if told and done.left_unaligned:
        report.warnings.append(told)
    if used.field != used.alignment.whole():
        report.cropped_to = asdict(used.field)


def strokes_for(planned: ProjectPlan, registration: Registration | None) -> tuple[Stroke, ...]:
    """Return a project's strokes in pixels of the picture that is fused now.

    Args:
        planned: of the project; frames may have been culled.
        registration: of the frames that are fused.

    Raises:
        InputError: a stroke is painted from a frame that was culled.
    """
    known = planned.project.registration
    numbers = {old: new for new, old in enumerate(planned.kept)}
    for stroke in planned.project.strokes:
        _check_fused(stroke, numbers, planned)
    before = None if known is None else known.found
    return carried(planned.project.strokes, before, registration, numbers)


def carried(
    strokes: Sequence[Stroke],
    before: Registration | None,
    after: Registration | None,
    numbers: Mapping[int, int],
) -> tuple[Stroke, ...]:
    """Return strokes in pixels and numbers of the frames of another fusion of a stack.

    Args:
        strokes: in pixels of one fusion.
        before: registration of that fusion.
        after: of the other one.
        numbers: for the number of a frame in the one, that in the other; it has every frame that a
            stroke is painted from.
    """
    return tuple(_renumbered(s, numbers) for s in moved(strokes, _between(before, after, numbers)))


def _renumbered(stroke: Stroke, numbers: Mapping[int, int]) -> Stroke:
    source = stroke.source
    if not isinstance(source, FrameSource) or numbers[source.number] == source.number:
        return stroke
    return replace(stroke, source=FrameSource(numbers[source.number], source.chosen))


def _check_fused(stroke: Stroke, numbers: Mapping[int, int], planned: ProjectPlan) -> None:
    source = stroke.source
    if isinstance(source, FrameSource) and source.number not in numbers:
        raise InputError(
            "a stroke is painted from a frame that is not fused",
            where=f"frame {source.number}",
            expected=f"one of the {planned.plan.count} frames that are",
            remedy="fuse all frames (`cull=False`), or leave the stroke out",
        )


def _frames(project: ProjectContent) -> int:
    """Return how many frames a project has at least."""
    return sum(1 if each.pages is None else len(each.pages) for each in project.inputs)


def _between(
    before: Registration | None, after: Registration | None, numbers: Mapping[int, int]
) -> Callable[[Source], Matrix]:
    """Return what takes pixels of the picture before to those of the picture after.

    A stroke stays on the pixels of the frame that it is painted from; others stay on those of the
    reference frame.
    """

    def between(source: Source) -> Matrix:
        if isinstance(source, FrameSource):
            old, new = source.number, numbers[source.number]
        else:
            old = _reference(before)
            new = _reference(after) if before is None else numbers.get(old, _reference(after))
        there, here = _to_frame(before, old), _to_frame(after, new)
        return np.asarray(np.linalg.inv(here) @ there, np.float64)

    return between


def _reference(registration: Registration | None) -> int:
    return 0 if registration is None else max(registration.alignment.reference, 0)


def _to_frame(registration: Registration | None, number: int) -> Matrix:
    """Return the matrix from pixels of the picture to those of a frame."""
    if registration is None:
        return np.eye(3)
    field = registration.field
    corner = np.array([[1, 0, field.left], [0, 1, field.top], [0, 0, 1]], np.float64)
    frames = registration.alignment.frames
    return frames[number].matrix @ corner if number < len(frames) else corner


def with_result(
    project: ProjectContent, planned: ProjectPlan, fusion: FusedPicture
) -> ProjectContent:
    """Return a project as it is after a fusion: registration, size, and strokes moved along.

    Args:
        project: what was fused.
        planned: as it was fused; its frames are those of the project from now on.
        fusion: the result.
    """
    strokes = strokes_for(planned, fusion.registration)
    found = fusion.registration
    inputs = project.inputs
    settings = replace(project.options, cull=False)
    if len(planned.kept) < _frames(project):
        inputs = note_inputs(planned.plan.infos, project.folder)
    height, width = fusion.image.shape[:2]
    known = None if found is None else ProjectRegistration.of(found, settings)
    return replace(
        project,
        inputs=inputs,
        options=settings,
        registration=known,
        size=(height, width),
        strokes=strokes,
    )


def project_of(plan_: Plan, fusion: FusedPicture, folder: Path) -> ProjectContent:
    """Return the project of a fusion of files; see `Project.of`."""
    settings = replace(plan_.settings, cull=False)
    settings = with_files(settings, lambda file: told_from(Path(file), folder))
    if is_file(Path(settings.system) / "card.json"):
        settings = replace(settings, system=os.path.realpath(settings.system))
    height, width = fusion.image.shape[:2]
    found = fusion.registration
    return ProjectContent(
        note_inputs(plan_.infos, folder),
        settings,
        None if found is None else ProjectRegistration.of(found, settings),
        (height, width),
        folder=folder,
    )
