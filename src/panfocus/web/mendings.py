"""Strokes of a page on their way: read, measured, shown, kept in case of a crash."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from panfocus.arrays.types import Pixels
from panfocus.errors import PanfocusError, UsageError
from panfocus.io.checked_json import Value
from panfocus.pipeline.project import Project
from panfocus.retouch import FrameSource, Region, Stroke, SystemSource, coverage, stroke_from
from panfocus.web.mending import Drawn, Native, Painted
from panfocus.web.pyramids import Pyramids, Viewable
from panfocus.web.results import Result
from panfocus.web.stacks import DRAFT, OpenStack

#: Coverage from which a pixel counts as the source's.
_HALF = 0.5


def base_of(result: Result) -> tuple[Any, ...]:
    """Return what strokes' places and frames count in: strokes hold for results that share it."""
    return result.used, result.field, result.fusion.image.shape[:2]


def is_mended(stack: OpenStack, result: Result) -> bool:
    """Whether the stack's strokes lie on a result."""
    return bool(stack.mending.drawn) and stack.base == base_of(result)


def painted(stack: OpenStack, result: Result, pyramids: Pyramids) -> Painted:
    """Return what strokes are put onto, and painted from, on the screen."""

    def frame(number: int) -> Viewable:
        return stack.frame_picture(result.used[number], result)

    def system(name: str) -> Viewable:
        return other(stack, result, name).picture(stack.key)

    return Painted(result.picture(stack.key), pyramids, frame, system)


def other(stack: OpenStack, result: Result, name: str) -> Result:
    """Return the newest result of another system that fits a result.

    Raises:
        UsageError: there is none.
    """
    for found in reversed(list(stack.results.values())):
        is_it = found.fusion.report.system["name"] == name and found.id not in (DRAFT, result.id)
        if is_it and base_of(found) == base_of(result) and found.name != "region":
            return found
    raise UsageError(
        "there is no result of this system that fits", got=name[:60], remedy="fuse by it first"
    )


def draw(stack: OpenStack, result: Result, record: object) -> Drawn:
    """Put a stroke of a page onto a stack.

    Args:
        stack: open.
        result: that it was drawn on.
        record: as of `panfocus.retouch.stroke_from`, its frame by the stack's number.

    Raises:
        InputError, UsageError: it is no stroke, or cannot be painted.
    """
    if result.id == DRAFT or result.plan is None:
        raise UsageError("only a fusion at full scale can be mended", remedy="fuse the stack first")
    stroke = _numbered(stroke_from(Value(record, "the page")), result)
    if isinstance(stroke.source, SystemSource):
        other(stack, result, stroke.source.name)
    with stack.mending.lock:
        if not stack.mending.drawn:
            stack.base = base_of(result)
        if stack.base != base_of(result):
            raise UsageError(
                "the strokes that are there were drawn on another part of the picture",
                remedy="undo them, or mend the result that they were drawn on",
            )
        return stack.mending.add(native(stack, result).measured(stroke, stack.mending.strokes))


def _numbered(stroke: Stroke, result: Result) -> Stroke:
    source = stroke.source
    if not isinstance(source, FrameSource):
        return stroke
    if source.number not in result.used:
        raise UsageError("this frame was left out", where="source", got=str(source.number + 1))
    return replace(stroke, source=replace(source, number=result.used.index(source.number)))


def native(stack: OpenStack, result: Result) -> Native:
    """Return what brightness is measured on: the same object for one result, which keeps frames."""
    if stack.native is None or stack.native[0] != result.id:
        registration = result.fusion.registration

        def frame(number: int) -> Pixels:
            found = stack.frames.read(result.used[number])
            return (found if registration is None else registration.place(number, found)).pixels

        def system(name: str) -> Pixels:
            return other(stack, result, name).fusion.image

        stack.native = (result.id, Native(result, frame, system))
    return stack.native[1]


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


def facts(stack: OpenStack) -> dict[str, Any]:
    """Return what a page is told of the strokes; frames by the stack's numbers."""
    used: Sequence[int] = stack.base[0] if stack.base else ()
    out: list[dict[str, Any]] = []
    for drawn in stack.mending.drawn:
        told = drawn.facts()
        source = drawn.stroke.source
        if isinstance(source, FrameSource) and source.number < len(used):
            told["source"] = {**told["source"], "frame": used[source.number]}
        out.append(told)
    systems = [
        s.name for each in stack.mending.drawn if isinstance(s := each.stroke.source, SystemSource)
    ]
    return {
        "version": stack.mending.version,
        "strokes": out,
        "systems": systems,
        "project": None if stack.project is None else str(stack.project),
        "unsaved": unsaved_facts(stack),
        "is_saved": stack.saved_version == stack.mending.version,
    }


def unsaved_path(stack: OpenStack) -> Path:
    """Return where strokes are kept until they are saved: hidden, beside the frames."""
    return stack.folder / f".{stack.title}.unsaved.panfocus.json"


def unsaved_facts(stack: OpenStack) -> dict[str, Any] | None:
    """Return what an earlier run has left unsaved; None for nothing."""
    found = stack.left_over
    return None if found is None else {"strokes": len(found.strokes)}


def look_for_unsaved(stack: OpenStack) -> None:
    """See whether an earlier run was ended before its strokes were saved."""
    path = unsaved_path(stack)
    if path.is_file():
        with suppress(PanfocusError):
            found = Project.read(path, roots=[stack.folder])
            stack.left_over = found if found.strokes else None


def project_of(stack: OpenStack, result: Result) -> Project:
    """Return the project of a result with the strokes as they are.

    Raises:
        InputError: a frame cannot be read any more.
        UsageError: the result is of no files.
    """
    if result.plan is None:
        raise UsageError("only stacks of photographs have project files")
    known = stack.projects.get(result.id)
    if known is None:
        known = Project.of(result.plan, result.fusion, stack.folder)
        stack.projects[result.id] = known
    strokes = stack.mending.strokes if is_mended(stack, result) else ()
    return replace(known, strokes=strokes)


def keep(stack: OpenStack, result: Result) -> None:
    """Write the strokes down in case of a crash; where the folder allows for it."""
    if not stack.mending.drawn:
        forget_unsaved(stack)
        return
    with suppress(PanfocusError, OSError), stack.keeping:
        project_of(stack, result).save(unsaved_path(stack), overwrite=True)


def forget_unsaved(stack: OpenStack) -> None:
    """Delete what was kept in case of a crash."""
    stack.left_over = None
    with suppress(OSError):
        unsaved_path(stack).unlink(missing_ok=True)


def value_at(stack: OpenStack, result: Result, x: int, y: int) -> dict[str, Any]:
    """Return what picture and maps say of a pixel, strokes included."""
    out = result.value(x, y)
    spot = Region(x, y, 1, 1)
    if not is_mended(stack, result):
        return out
    for drawn in reversed(stack.mending.drawn):
        stroke = drawn.stroke
        if stroke.touched(spot) is None or coverage(stroke, spot)[0, 0] * stroke.opacity < _HALF:
            continue
        if isinstance(stroke.source, FrameSource):
            number = stroke.source.number
            step = result.options.z_step_um
            depth = None if out.get("unit") == "µm" and step is None else number * (step or 1.0)
            out |= {"frame": result.used[number], "depth": depth, "confidence": 1.0, "mended": True}
        break
    return out
