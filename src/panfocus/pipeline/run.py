"""The pipeline: read, register, decide, fold, result; everything else is a face of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast

from panfocus.frame import Frame
from panfocus.pipeline.best import take_best
from panfocus.pipeline.chosen import Chosen
from panfocus.pipeline.cull import cull_arrays, culled
from panfocus.pipeline.decide import Again, fuse_decisions
from panfocus.pipeline.journal import Cancel, Journal, Progress
from panfocus.pipeline.memory import kept_bytes
from panfocus.pipeline.opacity import OpaqueStack
from panfocus.pipeline.picture import fuse_picture
from panfocus.pipeline.plan import Plan, check_system, plan
from panfocus.pipeline.register import in_place, placed_again, placed_reader
from panfocus.pipeline.result import FusedPicture, at_depth
from panfocus.pipeline.settings import check_uncalibrated, make_settings
from panfocus.pipeline.source_checks import check_once, check_source
from panfocus.pipeline.sources import (
    Arrays,
    ArrayStack,
    FileStack,
    ReiterableFrames,
    Source,
    from_arrays,
    is_paths,
    length_of,
)
from panfocus.registration.options import resolve_reference
from panfocus.resources.threads import opencv_threads
from panfocus.systems import (
    PictureSystem,
    System,
    load_system,
    traits,
)
from panfocus.systems.checks import adopt


def run_fusion(
    frames: Source | Plan,
    *,
    system: str | Path | System | PictureSystem | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Unpack[Chosen],
) -> FusedPicture:
    """Fuse frames; as `panfocus.fuse`, which tells of the arguments and errors."""
    own = None if system is None or isinstance(system, (str, Path)) else adopt(system)
    asked: dict[str, Any] = {**options}
    if system is not None and not isinstance(frames, Plan):
        asked["system"] = own.card.name if own is not None else str(system)
    if not isinstance(frames, Plan):
        check_source(frames)
    if is_paths(frames):
        paths = [frames] if isinstance(frames, (str, Path)) else frames
        frames = plan(paths, make_settings(**asked), system=own)
    if isinstance(frames, Plan):
        told, sources = asdict(frames.settings), tuple(info.path for info in frames.infos)
        frames = culled(frames, cancel) if frames.settings.cull else frames
        journal = Journal(frames.settings, frames.system, frames.count, progress, cancel)
        journal.registration = frames.registration
        journal.report.settings = told
        journal.report.warnings += frames.notes
        result = _execute(
            journal, FileStack(frames.infos, kept_bytes(frames.memory_bytes, frames.memory_limit))
        )
        return replace(result, sources=tuple(dict.fromkeys(sources)), plan=frames)
    settings = make_settings(**asked)
    check_uncalibrated(settings, "frames in memory")
    notes: list[str] = []
    if settings.cull:
        frames, notes = cull_arrays(cast("Arrays", frames), cancel)
    total = length_of(frames)
    if total is not None and total >= 2:
        resolve_reference(settings.reference, total)
    loaded = own or load_system(settings.system, threads=settings.threads, device=settings.device)
    check_system(settings, loaded)
    journal = Journal(settings, loaded, total, progress, cancel)
    journal.report.warnings += notes
    journal.is_of_volume = bool(getattr(frames, "is_of_volume", False))
    if total is not None:
        arrays = cast("ReiterableFrames", frames)
        return _execute(journal, ArrayStack(arrays, journal.note, journal.admit))
    return fuse_arriving(cast("Arrays", frames), journal)


def fuse_arriving(
    frames: Arrays, journal: Journal, seen: Callable[[Frame], None] | None = None
) -> FusedPicture:
    """Fuse frames that come one by one, and once.

    Args:
        frames: as they come.
        journal: of the fusion.
        seen: called with every frame where registration has put it.

    Raises:
        UsageError: another frame than the first is to be the reference.
    """
    check_once(journal.settings.reference)
    return _execute(journal, from_arrays(frames, journal.note, journal.admit), seen)


def _execute(
    journal: Journal,
    source: FileStack | ArrayStack | Iterator[Frame],
    seen: Callable[[Frame], None] | None = None,
) -> FusedPicture:
    stack = OpaqueStack(source) if isinstance(source, (FileStack, ArrayStack)) else None
    frames = in_place(journal, stack or source)
    if seen is not None:
        frames = _shown(frames, seen)
    with opencv_threads(journal.settings.threads):
        if journal.settings.mode == "best-plane":
            result = take_best(journal, frames)
        elif traits.decides(journal.system):
            again = None if stack is None else _again(journal, stack)
            result = fuse_decisions(journal, journal.system, frames, again)
        else:
            assert traits.makes_picture(journal.system)
            result = fuse_picture(journal, journal.system, frames)
    result = result if stack is None else stack.completed(result)
    journal.note_findings()
    journal.note_device()
    journal.report.timings_s = {**journal.clock.seconds, "total": journal.clock.total()}
    journal.tell(journal.total or 1, "done", "fused")
    result = replace(result, registration=journal.registration)
    return at_depth(result, journal.settings.bit_depth)


def _again(journal: Journal, stack: OpaqueStack) -> Again:
    return Again(
        partial(placed_again, journal, stack), lambda: placed_reader(journal, stack.reader())
    )


def _shown(frames: Iterator[Frame], seen: Callable[[Frame], None]) -> Iterator[Frame]:
    for frame in frames:
        seen(frame)
        yield frame
