"""What the names of folders and files mean in the public sets of multi-focus pairs and stacks.

Seen: MFI-WHU ``source_1 source_2 full_clear``, Real-MFF ``imageA imageB Fusion``, Lytro ``NEAR
FAR`` and ``lytro-01-A.jpg``, ``focus1 focus2 gt``, ``near far allfocus mask``, ``01_1.png
01_2.png``. Names count in any case, with or without ``_``, ``-`` and blanks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_BLANKS = re.compile(r"[\s_\-.]+")
_TRUTHS = frozenset({
    "gt", "aif", "truth", "groundtruth", "allinfocus", "allfocus", "fullclear", "fullfocus",
})  # fmt: skip
#: What a fused picture is called, which is a truth only in Real-MFF.
_FUSED = frozenset({"fusion", "fused", "f"})
_MASKS = frozenset({
    "dm", "decisionmap", "decisionmaps", "focusmap", "focusmaps", "label", "labels", "depth",
    "depths", "depthmap", "depthmaps", "trimap", "trimaps",
})  # fmt: skip
#: Words that stand before the number or letter of a column: source_1, imageA, focus2.
_WORDS = "source|src|sourceimage|image|img|im|input|focus|focused|focal|picture|pic"
#: Those of them that stacks may be called by as well: image1, image2.
OPEN_WORDS = frozenset({"image", "img", "im", "input", "picture", "pic"})
_COUNTED = re.compile(rf"(?P<word>{_WORDS})?(?P<place>[a-z]|[0-9])")
_ENDS = {
    "near": 0, "nearfocus": 0, "nearfocused": 0, "focusnear": 0, "foreground": 0, "front": 0,
    "mid": 1, "middle": 1,
    "far": 2, "farfocus": 2, "farfocused": 2, "focusfar": 2, "background": 2, "back": 2,
}  # fmt: skip

Family = Literal["letters", "numbers", "ends"]


def plain(name: str) -> str:
    """Return a name in small letters, without blanks, ``_``, ``-`` and points."""
    return _BLANKS.sub("", name.lower())


def is_truth(name: str) -> bool:
    """Whether a folder or file of this name holds what is sharp everywhere."""
    return plain(name) in _TRUTHS


def is_fused(name: str) -> bool:
    """Whether a folder or file of this name holds a fused picture."""
    return plain(name) in _FUSED


def is_mask(name: str) -> bool:
    """Whether a folder or file of this name holds masks or depths, and no pictures."""
    return "mask" in plain(name) or plain(name) in _MASKS


@dataclass(frozen=True)
class Place:
    """The place of a column, or of a file, among the frames of a pair or stack.

    Attributes:
        family: of names, by which columns that belong together are known.
        word: that stands before a letter or number; "" for none.
        rank: 0 for the first; of letters and numbers their distance from a and 0.
    """

    family: Family
    word: str
    rank: int


def place_of(name: str) -> Place | None:
    """Return the place that a name tells, None where it tells none."""
    key = plain(name)
    if key in _ENDS:
        return Place("ends", "", _ENDS[key])
    match = _COUNTED.fullmatch(key)
    if match is None:
        return None
    place, word = match["place"], match["word"] or ""
    if place.isdecimal():
        return Place("numbers", word, int(place))
    return Place("letters", word, ord(place) - ord("a"))


def are_whole(places: list[Place]) -> bool:
    """Whether sorted places are those of frames that belong together, the first two among them."""
    ranks = [place.rank for place in places]
    if len({(place.family, place.word) for place in places}) != 1 or len(set(ranks)) < len(ranks):
        return False
    if places[0].family == "ends":
        return {0, 2} <= set(ranks)
    first = ranks[0]
    allowed = (0,) if places[0].family == "letters" else (0, 1)
    return len(ranks) >= 2 and first in allowed and ranks == list(range(first, first + len(ranks)))
