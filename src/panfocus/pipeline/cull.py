"""Leave out frames that spoil a stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from panfocus.errors import Cancelled, UsageError
from panfocus.frame import Frame
from panfocus.pipeline.journal import Cancel
from panfocus.pipeline.notes import finding_notes
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.quality import Finding, keep, survey
from panfocus.pipeline.sources import (
    Arrays,
    FileStack,
    from_arrays,
    length_of,
)


def _one_by_one(frames: Iterable[Frame], cancel: Cancel | None) -> Iterator[Frame]:
    for frame in frames:
        if cancel is not None and cancel():
            raise Cancelled("stopped as asked", where=frame.name)
        yield frame


def culled(plan_: Plan, cancel: Cancel | None = None) -> Plan:
    """Return the plan without the frames that spoil the stack, told in its notes.

    Reads every frame once, one held at a time.

    Args:
        plan_: of files.
        cancel: asked before every frame.
    """
    frames = _one_by_one(FileStack(plan_.infos).frames(), cancel)
    findings = survey(frames)
    kept = keep(findings, plan_.count)
    return replace(
        plan_,
        infos=[plan_.infos[n] for n in kept],
        notes=[*plan_.notes, *_left_out(findings, kept)],
        settings=replace(plan_.settings, cull=False),
    )


def _left_out(findings: Sequence[Finding], kept: Sequence[int]) -> list[str]:
    gone = [f for f in findings if f.culls and f.number not in kept]
    return [f"left out: {note}" for note in finding_notes(gone)]


def cull_arrays(
    frames: Arrays, cancel: Cancel | None
) -> tuple[list[NDArray[Any] | Frame], list[str]]:
    """Return the arrays worth fusing, and notes about the others.

    Raises:
        UsageError: the frames can be read only once.
    """
    if length_of(frames) is None:
        raise UsageError(
            "frames that can be read only once cannot be culled",
            where="cull",
            expected="files, an array (N, H, W[, C]) or a list of arrays",
            got=type(frames).__name__,
        )
    arrays = list(frames)
    asked = _one_by_one(from_arrays(arrays), cancel)
    findings = survey(asked)
    kept = keep(findings, len(arrays))
    return [arrays[n] for n in kept], _left_out(findings, kept)
