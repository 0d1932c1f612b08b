"""Why frames are left out of a fusion, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from panfocus.arrays.likeness import Unlike

#: What is wrong with a frame that is left out: it does not belong to the scene, or adds nothing.
Why = Unlike | Literal["shaken", "duplicate", "repeated"]

#: What is said of one frame, and of several.
TOLD: dict[Why, tuple[str, str]] = {
    "scene": ("shows another scene", "show another scene"),
    "hidden": (
        "is obstructed by something before the scene",
        "are obstructed by something before the scene",
    ),
    "darker": ("is much darker than the others", "are much darker than the others"),
    "brighter": ("is much brighter than the others", "are much brighter than the others"),
    "differs": ("does not match the others' scene", "do not match the others' scene"),
    "shaken": (
        "is shaken or out of focus, nowhere sharper than the others,",
        "are shaken or out of focus, nowhere sharper than the others,",
    ),
    "duplicate": ("is a duplicate of the frame beside it", "are duplicates of frames beside them"),
    "repeated": ("is a duplicate of another frame", "are duplicates of other frames"),
}
#: Frames that are named in a line; of more, one less, and their number.
_NAMED = 4


def line(names: Sequence[str], one: str, many: str) -> str:
    """Return a line on frames that were left out.

    Args:
        names: of the frames, one at least.
        one: what is said of one.
        many: what is said of several.

    Example:
        >>> line(["a.png", "b.png"], *TOLD["darker"])
        'a.png, b.png are much darker than the others and were left out'
    """
    more = f" and {len(names) - _NAMED + 1} more" if len(names) > _NAMED else ""
    shown = ", ".join(names[: _NAMED - 1 if more else _NAMED])
    verb = f"{one} and was" if len(names) == 1 else f"{many} and were"
    return f"{shown}{more} {verb} left out"


def lines(found: Iterable[tuple[str, Why]]) -> list[str]:
    """Return a line for every reason that there is.

    Args:
        found: names of frames, each with why it was left out.
    """
    names: dict[Why, list[str]] = {}
    for name, why in found:
        names.setdefault(why, []).append(name)
    return [line(of, *TOLD[why]) for why, of in names.items()]
