"""Notes about frames, put together: what holds for many of them is told once, with their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from panfocus.guard.left_out import TOLD
from panfocus.io.folder import some
from panfocus.pipeline.quality import Finding, Kind

#: What is told of several frames with one kind of finding.
_MANY: dict[str, str] = {
    **{why: many for why, (_, many) in TOLD.items()},
    "blurred": "are wholly blurred",
    "exposure": "are exposed differently",
    "duplicate": "are duplicates of the frames before them",
    "order": "may be out of order",
}


def gathered(told: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for every different note, in the order in which each was first told.

    Args:
        told: names of frames, and what is told of each; a note of one frame told twice counts once.

    Examples:
        >>> gathered([("a", "no profile"), ("b", "cut off"), ("c", "no profile")])
        ['2 frames: no profile: a, c', 'b: cut off']
    """
    names: dict[str, dict[str, None]] = {}
    for name, text in told:
        names.setdefault(text, {})[name] = None
    return [
        f"{next(iter(of))}: {text}" if len(of) == 1 else f"{len(of)} frames: {text}: {some([*of])}"
        for text, of in names.items()
    ]


def finding_notes(findings: Sequence[Finding], *, can_go: bool = False) -> list[str]:
    """Return a line for every kind of finding: one frame's in its own words, more with a count.

    Args:
        findings: in the order of the frames.
        can_go: whether to tell how the frames are left out.
    """
    kinds: dict[Kind, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return [_line(of) + (_remedy(of) if can_go else "") for of in kinds.values()]


def _line(of: Sequence[Finding]) -> str:
    if len(of) == 1:
        return str(of[0])
    return f"{len(of)} frames {_MANY[of[0].kind]}: {some([finding.name for finding in of])}"


def _remedy(of: Sequence[Finding]) -> str:
    return f" (`cull=True` leaves {'it' if len(of) == 1 else 'them'} out)" if of[0].culls else ""
