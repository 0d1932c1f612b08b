"""The pipeline: read, register, decide, fold, result; everything else is a face of `fuse`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast

from panfocus.frame import Frame, Stack
from panfocus.pipeline.best import take_best
from panfocus.pipeline.cull import cull_arrays, culled
from panfocus.pipeline.decide import fuse_decisions
from panfocus.pipeline.journal import Cancel, Journal, Progress
from panfocus.pipeline.memory import kept_bytes
from panfocus.pipeline.options import Chosen
from panfocus.pipeline.picture import fuse_picture
from panfocus.pipeline.plan import Plan, check_system, plan
from panfocus.pipeline.register import in_place, placed_again
from panfocus.pipeline.result import Fusion, at_depth
from panfocus.pipeline.settings import check_uncalibrated, make_settings
from panfocus.pipeline.sources import (
    Arrays,
    ArrayStack,
    FileStack,
    ReiterableFrames,
    Source,
    check_once,
    check_source,
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


def fuse(
    frames: Source | Plan,
    *,
    system: str | Path | System | PictureSystem | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Unpack[Chosen],
) -> Fusion:
    """Fuse frames focused at different depths into one picture that is sharp everywhere.

    Args:
        frames: file names, globs, a folder or a multi-page TIFF; an array ``(N, H, W[, C])``;
            any iterable of arrays ``(H, W[, C])``, of which two are held at a time; or a `Plan`.
            Numbers are uint8, uint16, or float32 in [0, 1]; 2 or 4 channels end in opacity.
        system: what decides: a name of `list_systems`, the folder of an exported system, or an
            object of your own with a card and ``decide``; None for the default.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame; True stops with `Cancelled`.
        **options: fields of `Options`, checked there; a plan brings its own.

    Returns:
        The picture with its index, depth and confidence maps and a report.

    Raises:
        UsageError: an option or its value is unknown.
        InputError: a frame is unreadable or does not fit the others.
        SystemError_: the system is unknown or damaged.
        Cancelled: `cancel` said so.

    Examples:
        >>> import numpy as np
        >>> sharp = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (16, 16))
        >>> flat, left = np.full_like(sharp, 100), np.arange(32) < 16
        >>> frames = [np.where(left, sharp, flat), np.where(left, flat, sharp)]
        >>> fusion = fuse(frames, system="guided", mode="select")
        >>> fusion
        <Fusion: 32 x 32 uint8 from 2 frames by guided; maps: index, depth, confidence>
        >>> bool((fusion.image[:, :12] == sharp[:, :12]).all())
        True
    """
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
    journal.is_in_order = bool(getattr(frames, "is_in_order", False))
    if total is not None:
        return _execute(journal, ArrayStack(cast("ReiterableFrames", frames), journal.note))
    return fuse_arriving(cast("Arrays", frames), journal)


def fuse_arriving(
    frames: Arrays, journal: Journal, seen: Callable[[Frame], None] | None = None
) -> Fusion:
    """Fuse frames that come one by one, and once.

    Args:
        frames: as they come.
        journal: of the fusion.
        seen: called with every frame where registration has put it.

    Raises:
        UsageError: another frame than the first is to be the reference.
    """
    check_once(journal.settings.reference)
    return _execute(journal, from_arrays(frames, journal.note), seen)


def _execute(
    journal: Journal, source: Stack | Iterator[Frame], seen: Callable[[Frame], None] | None = None
) -> Fusion:
    frames = in_place(journal, source)
    if seen is not None:
        frames = _shown(frames, seen)
    with opencv_threads(journal.settings.threads):
        if journal.settings.mode == "best-plane":
            result = take_best(journal, frames)
        elif traits.decides(journal.system):
            again = None if isinstance(source, Iterator) else partial(placed_again, journal, source)
            result = fuse_decisions(journal, journal.system, frames, again)
        else:
            assert traits.makes_picture(journal.system)
            result = fuse_picture(journal, journal.system, frames)
    journal.note_findings()
    journal.note_device()
    journal.report.timings_s = {**journal.clock.seconds, "total": journal.clock.total()}
    journal.tell(journal.total or 1, "done", "fused")
    result = replace(result, registration=journal.registration)
    return at_depth(result, journal.settings.bit_depth)


def _shown(frames: Iterator[Frame], seen: Callable[[Frame], None]) -> Iterator[Frame]:
    for frame in frames:
        seen(frame)
        yield frame
