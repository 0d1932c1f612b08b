"""Strokes of a page on their way: read, measured, shown, told, put into a project."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.io.checked_json import Value
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_content import Place, ProjectContent
from panfocus.pipeline.volumes.choice import volume_settings
from panfocus.pipeline.volumes.project import planes_of, volume_project
from panfocus.retouch import FrameSource, Source, Stroke, SystemSource, stroke_from, stroke_to
from panfocus.web.carried import Base, Carried, Drawn
from panfocus.web.covers import cover_of
from panfocus.web.form import changed
from panfocus.web.mending import Native, Painted
from panfocus.web.pyramids import Pyramids, Viewable
from panfocus.web.results import Result
from panfocus.web.stacks import DRAFT, OpenStack

#: Name of a volume's project among those of results: one serves all places.
_VOLUME = "volume"


def can_be_mended(result: Result) -> bool:
    """Whether strokes lie on a result: on fusions of files and planes at full scale."""
    if result.guide is not None:  # projects know of no channel that decides for others
        return False
    return result.id != DRAFT and (result.plan is not None or result.place is not None)


def carried(stack: OpenStack, result: Result) -> Carried:
    """Return the strokes of a stack as they lie on a result, and as they are saved with it."""
    if not can_be_mended(result):
        return Carried()

    def finish(drawn: Drawn, before: Sequence[Drawn]) -> Drawn:
        with suppress(UsageError):  # by a system that this result has no picture of yet
            known = native(stack, result)
            stroke = known.measured(drawn.stroke, [each.stroke for each in before])
            return replace(drawn, stroke=stroke)
        return drawn

    return stack.mending_of(result).on(result, finish)


def shown(stack: OpenStack, result: Result) -> Carried:
    """Return those that can be shown: another system may not have fused the frames alike yet."""
    found = carried(stack, result)
    names = {s.name for s in map(_source, found.drawn) if isinstance(s, SystemSource)}
    unknown = {name for name in names if _other(stack, result, name) is None}
    if not unknown:
        return found
    drawn = tuple(
        each
        for each in found.drawn
        if not (isinstance(s := _source(each), SystemSource) and s.name in unknown)
    )
    return Carried(drawn, found.missing + len(found.drawn) - len(drawn))


def _source(drawn: Drawn) -> Source:
    return drawn.stroke.source


def is_mended(stack: OpenStack, result: Result) -> bool:
    """Whether the stack's strokes lie on a result."""
    return stack.mending_of(result).count > 0 and can_be_mended(result)


def painted(stack: OpenStack, result: Result, pyramids: Pyramids) -> Painted:
    """Return what strokes are put onto, and painted from, on the screen."""
    with stack.lock:  # the key is of these frames, whatever is shown later
        key, frames = stack.key, stack.frames

    def frame(number: int) -> Viewable:
        return stack.frame_picture(result.used[number], result)

    def system(name: str) -> Viewable:
        return stack.result_picture(other(stack, result, name))

    def cover(number: int) -> Viewable | None:
        there, own = result.used[number], result.fusion.registration
        return cover_of(f"{key}/frame-{there}@{result.id}-cover", frames, there, own, number)

    return Painted(stack.result_picture(result), pyramids, frame, system, cover)


def other(stack: OpenStack, result: Result, name: str) -> Result:
    """Return the newest result of another system that fits a result.

    Raises:
        UsageError: there is none.
    """
    found = _other(stack, result, name)
    if found is None:
        raise UsageError(
            "there is no result of this system that fits", got=name[:60], remedy="fuse by it first"
        )
    return found


def _other(stack: OpenStack, result: Result, name: str) -> Result | None:
    for found in reversed(stack.all_results()):
        is_it = found.fusion.report.system["name"] == name and found.id != result.id
        if is_it and can_be_mended(found) and _is_alike(found, result):
            return found
    return None


def _is_alike(one: Result, other: Result) -> bool:
    """Whether two results show the same frames at the same places."""
    same = one.fusion.image.shape[:2] == other.fusion.image.shape[:2] and one.used == other.used
    placed = [r.fusion.registration for r in (one, other)]
    if not same or placed[0] is placed[1]:
        return same
    still = [p is None or not any(map(p.alignment.moves, range(len(one.used)))) for p in placed]
    return all(still) and one.field == other.field


def draw(stack: OpenStack, result: Result, record: object) -> Drawn:
    """Put a stroke of a page onto a stack.

    Args:
        stack: open.
        result: that it was drawn on.
        record: as of `panfocus.retouch.stroke_from`, its frame by the stack's number.

    Raises:
        InputError, UsageError: it is no stroke, or cannot be painted.
    """
    if not can_be_mended(result):
        remedy = "fuse the stack first" if result.guide is None else "let each channel decide"
        raise UsageError("only a fusion at full scale can be mended", remedy=remedy)
    stroke = _numbered(stroke_from(Value(record, "the page")), result)
    if isinstance(stroke.source, SystemSource):
        other(stack, result, stroke.source.name)
    mending = stack.mending_of(result)
    with mending.lock:
        before = carried(stack, result).strokes
        measured = native(stack, result).measured(stroke, before)
        return mending.add(measured, Base.of(result))


def _numbered(stroke: Stroke, result: Result) -> Stroke:
    source = stroke.source
    if not isinstance(source, FrameSource):
        return stroke
    if source.number not in result.used:
        raise UsageError("this frame was left out", where="source", got=str(source.number + 1))
    return replace(stroke, source=replace(source, number=result.used.index(source.number)))


def native(stack: OpenStack, result: Result) -> Native:
    """Return what brightness is measured on: the same object for one result, which keeps frames."""
    known = stack.native  # another thread may put that of another result there
    if known is not None and known[0] == result.id:
        return known[1]
    registration = result.fusion.registration
    frames = stack.frames if result.place is None else stack.frames_at(result.place)

    def frame(number: int) -> Pixels:
        found = frames.read(result.used[number])
        return (found if registration is None else registration.place(number, found)).pixels

    def system(name: str) -> Pixels:
        return other(stack, result, name).fusion.image

    made = Native(result, frame, system)
    stack.native = (result.id, made)
    return made


def source_at(stack: OpenStack, result: Result, x: int, y: int) -> int:
    """Return the stack's number of the frame that the index map names at a pixel.

    Raises:
        UsageError: there is no map.
    """
    if result.fusion.index is None:
        raise UsageError("this result does not tell which frame is sharpest where")
    height, width = result.fusion.image.shape[:2]
    row, column = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    return result.used[int(result.fusion.index[row, column])]


def facts(stack: OpenStack, result: Result | None = None) -> dict[str, Any]:
    """Return what a page is told of the strokes; frames by the stack's numbers.

    Args:
        stack: open.
        result: that is shown.
    """
    place = stack.place if result is None or result.place is None else result.place
    mending = stack.strokes.at(place)
    version, drawn = mending.version, mending.drawn
    return {
        "key": stack.key_at(place),
        "version": version,
        "strokes": [told(each) for each in drawn],
        "systems": [s.name for s in map(_source, drawn) if isinstance(s, SystemSource)],
        "missing": 0 if result is None else shown(stack, result).missing,
        "project": None if stack.project is None else str(stack.project),
        "unsaved": None if stack.left_over is None else {"strokes": stack.left_over.count},
        "is_saved": stack.strokes.are_saved,
        "elsewhere": stack.strokes.count - len(drawn),
    }


def told(drawn: Drawn) -> dict[str, Any]:
    """Return what a page is told of a stroke, its frame by the stack's number."""
    record: dict[str, Any] = {"id": drawn.id, **stroke_to(drawn.stroke)}
    source = drawn.stroke.source
    if isinstance(source, FrameSource) and source.number < len(drawn.base.used):
        record["source"] = {**record["source"], "frame": drawn.base.used[source.number]}
    return record


def project_of(stack: OpenStack, result: Result) -> ProjectContent:
    """Return the project of a result with the strokes as they are.

    Raises:
        InputError: a frame cannot be read any more.
        UsageError: the result is of no files.
    """
    if result.place is not None:
        return _volume_project_of(stack, result)
    if result.plan is None:
        raise UsageError("only what was fused at full scale has a project file")
    known = stack.projects.get(result.id)
    if known is None:
        known = Project.of(result.plan, result.fusion, stack.folder)
        stack.projects[result.id] = known
    return replace(known, strokes=carried(stack, result).strokes)


def _volume_project_of(stack: OpenStack, result: Result) -> ProjectContent:
    settings = volume_settings(**changed(result.options))
    known = stack.projects.get(_VOLUME)
    if known is None:
        known = volume_project(stack.inputs[0], settings, {}, stack.folder)
        if stack.volume is not None:
            known = replace(known, reading=stack.volume.reading)
        stack.projects[_VOLUME] = known
    return replace(known, options=settings, planes=planes_of(placed(stack, result)))


def placed(stack: OpenStack, result: Result) -> dict[Place, tuple[Stroke, ...]]:
    """Return the strokes of all places of a volume, those of a result's as they lie on it."""
    out = {
        place: tuple(each.stroke for each in mending.drawn)
        for place, mending in stack.strokes.all().items()
    }
    if result.place is not None:
        out[result.place] = carried(stack, result).strokes
    return out
