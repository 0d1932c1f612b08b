"""Frames on their way in: numbered, and where the reference frame has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import count
from typing import cast

from panfocus.errors import UsageError
from panfocus.frame import Frame, Stack
from panfocus.pipeline.bounds import check_sides
from panfocus.pipeline.cull import culled
from panfocus.pipeline.journal import Cancel, Journal, Progress
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.report import Report
from panfocus.pipeline.sources import FileStack
from panfocus.registration.alignment import Alignment
from panfocus.registration.online import OnlineRegistration
from panfocus.registration.stack import (
    Registration,
    locate,
    needs_registration,
)
from panfocus.schema import said
from panfocus.systems import traits

#: Share of the progress that the first look at the frames takes.
_LOOKING = 0.25


def numbered(journal: Journal, source: Iterator[Frame]) -> Iterator[Frame]:
    """Yield frames, numbered; the time spent waiting for them is on the clock."""
    for number in count():
        with journal.clock.stage("read"):
            frame = next(source, None)
        if frame is None:
            return
        if number == 0:
            check_sides(frame.pixels.shape[0], frame.pixels.shape[1], journal.settings)
        journal.found_reading += [(frame.name, note) for note in frame.notes]
        yield replace(frame, number=number)


def in_place(journal: Journal, source: Stack | Iterator[Frame]) -> Iterator[Frame]:
    """Yield frames where the reference frame has them, in its brightness."""
    if isinstance(source, Iterator):
        yield from _on_the_way(journal, source)
        return
    if (
        journal.registration is None
        and source.shape[0] >= 2
        and needs_registration(journal.settings)
    ):
        look(journal, source)
    yield from placed(journal, source)


def look(journal: Journal, stack: Stack) -> Registration:
    """Find where the frames lie, and put it into the report."""
    check_sides(*stack.shape[1:], journal.settings)
    journal.goes(0.0, _LOOKING)
    with journal.clock.stage("align"):
        registration = locate(
            stack,
            journal.settings,
            lambda n, name: journal.tell(n, "align", name),
            leaves_out=journal.leaves_out,
        )
    journal.goes(_LOOKING, 1.0)
    journal.registration = registration
    journal.report.warnings += registration.notes
    told = journal.note_registration()
    journal.tell(0, "align", told or "frames in place")
    if registration.field != registration.alignment.whole():
        journal.report.cropped_to = asdict(registration.field)
    return registration


def placed(journal: Journal, stack: Stack) -> Iterator[Frame]:
    """Yield frames where they were found to lie."""
    for frame in numbered(journal, stack.frames()):
        if journal.registration is None:
            yield frame
            continue
        with journal.clock.stage("align"):
            placed = _place(journal.registration, journal, frame)
        yield placed


def placed_again(journal: Journal, stack: Stack) -> Iterator[Frame]:
    """Yield the frames of `placed` a second time; nothing is told of them again."""
    for number, frame in enumerate(stack.frames()):
        yield _placed_once_more(journal, frame, number)


def placed_reader(journal: Journal, read: Callable[[int], Frame]) -> Callable[[int], Frame]:
    """Return what reads a frame of `placed` by its number once more.

    Args:
        journal: of the fusion.
        read: reads it as it is in its file.
    """
    return lambda number: _placed_once_more(journal, read(number), number)


def _placed_once_more(journal: Journal, frame: Frame, number: int) -> Frame:
    frame = replace(frame, number=number)
    registration = journal.registration
    return frame if registration is None else _place(registration, journal, frame)


def _place(registration: Registration, journal: Journal, frame: Frame) -> Frame:
    placed = registration.place(frame.number, frame)
    is_decided = traits.decides(journal.system)
    return registration.hide(frame.number, frame, placed) if is_decided else placed


def _on_the_way(journal: Journal, source: Iterator[Frame]) -> Iterator[Frame]:
    if not needs_registration(journal.settings):
        yield from numbered(journal, source)
        return
    if journal.settings.load_transforms:
        raise UsageError(
            "loaded transforms need to know how many frames there are",
            where="load_transforms",
            expected="files, an array or a sequence of frames",
            got="an iterable",
        )
    hides = traits.decides(journal.system)
    for frame, registration in OnlineRegistration(journal.settings, hides=hides).place(
        numbered(journal, source)
    ):
        journal.registration = registration
        yield frame
    journal.note_registration()
    if journal.registration is not None:
        journal.report.warnings += journal.registration.matched()


def align(
    frames: Plan, *, progress: Progress | None = None, cancel: Cancel | None = None
) -> tuple[Report, Alignment, Iterator[Frame]]:
    """Find where the frames of a plan lie, without fusing them.

    Args:
        frames: what to align, and how.
        progress: as for `fuse`.
        cancel: as for `fuse`.

    Returns:
        The report, complete once all frames are taken; where the frames lie; and the frames in
        place, each made when it is asked for.

    Raises:
        InputError: a frame is unreadable.
        UsageError: the plan's settings ask for no alignment.
        Cancelled: `cancel` said so.

    Example:
        >>> from panfocus import Options, align, plan
        >>> def in_place(files):
        ...     report, transforms, frames = align(plan(files, Options(align="similarity")))
        ...     pictures = [frame.pixels for frame in frames]  # each made now
        ...     transforms.save("transforms.json")
        ...     return pictures
    """
    if not isinstance(cast("object", frames), Plan):
        raise UsageError(
            "these frames have no plan",
            where="frames",
            expected="a plan of frames in files: `panfocus.plan(files, Options(...))`",
            got=said(frames),
        )
    frames = culled(frames, cancel) if frames.settings.cull else frames
    journal = Journal(frames.settings, frames.system, frames.count, progress, cancel)
    journal.report.warnings += frames.notes
    if not needs_registration(frames.settings):
        raise UsageError(
            "nothing says how to align the frames",
            where="align",
            expected="a kind of alignment, an exposure to match, or transforms to load",
            got="none",
            remedy='align them by `align="auto"`',
        )
    stack = FileStack(frames.infos)
    registration = look(journal, stack)

    def place() -> Iterator[Frame]:
        for number, frame in enumerate(placed(journal, stack)):
            journal.tell(number, "align", frame.name)
            if number == 0:
                journal.note_size(frame)
            journal.keep_metadata(number, frame)
            journal.note_frame(frame)
            yield frame
        journal.note_read()
        journal.report.timings_s = {**journal.clock.seconds, "total": journal.clock.total()}
        journal.tell(frames.count, "done", "aligned")

    return journal.report, registration.alignment, place()
