"""Frames of one stack whose orientation tags differ: turn each so that all show one scene.

A camera that looks straight down cannot tell which way is up, and its tag changes from frame to
frame while it stands still; a viewer that turns one file turns its pixels or its tag. Only the
pixels tell which it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError
from panfocus.io.frames import FrameInfo
from panfocus.io.orient import undone, upright, upright_shape
from panfocus.io.read import read_reduced

_SMALL = 96  # pixels of the longer side that frames are compared at: focus matters little there
_MARGIN = 8  # by which frames may be shifted against each other, at that size
_LIKE, _AHEAD = 0.4, 0.05  # correlation that one scene has at least; by which one way is better


def turn_alike(infos: Sequence[FrameInfo]) -> tuple[list[FrameInfo], list[str]]:
    """Turn frames by their own tags, or like most others where their pixels lie as those do.

    Args:
        infos: the frames; those whose tags are not the usual are read, small.

    Returns:
        The frames, and notes for the user.

    Raises:
        InputError: a frame shows the scene of the others neither way.
    """
    counts = Counter(info.tag for info in infos)
    usual = counts.most_common(1)[0][0]
    seats = [n for n, info in enumerate(infos) if info.tag == usual]
    out, alike, own = list(infos), list[str](), list[str]()
    for n, info in enumerate(infos):
        if info.tag == usual:
            continue
        neighbour = infos[min(seats, key=lambda m: abs(m - n))]
        if _lies_like(info, neighbour):
            out[n] = _turned_like(info, usual)
            alike.append(info.name)
        else:
            own.append(info.name)
    notes = [_note(names, usual, how) for names, how in ((alike, _ALIKE), (own, _OWN)) if names]
    return out, notes


_ALIKE = "their pixels lie as the others' do, and they are turned like them"
_OWN = "each is turned by its own tag"


def _note(names: Sequence[str], usual: int, how: str) -> str:
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{some}: another orientation tag than the others' {usual}; {how}"


def _turned_like(info: FrameInfo, tag: int) -> FrameInfo:
    height, width = upright_shape(info.height, info.width, undone(info.tag))
    height, width = upright_shape(height, width, tag)
    return replace(info, height=height, width=width, turn_as=tag)


def _lies_like(info: FrameInfo, other: FrameInfo) -> bool:
    """Whether a frame's stored pixels, and not its tag, agree with another frame.

    Raises:
        InputError: neither does.
    """
    picture, wanted = _small(info), _small(other)
    stored = upright(picture, undone(info.tag))
    as_tagged = _likeness(picture, wanted)
    as_stored = _likeness(upright(stored, other.tag), wanted)
    if max(as_tagged, as_stored) < _LIKE:
        raise InputError(
            "the frames differ in their orientation tag, and the scene is the same neither way",
            where=info.name,
            expected=f"tag {other.tag}, as {other.name} and others have, or pixels turned to match",
            got=f"tag {info.tag}",
            remedy="turn the frame upright in a picture viewer, or leave it out",
        )
    return as_stored > as_tagged + _AHEAD


def _small(info: FrameInfo) -> NDArray[Any]:
    """Return the luminance of a frame, upright by its own tag, at most `_SMALL` a side."""
    import cv2  # noqa: PLC0415 - slow to import

    longer = max(info.height, info.width)
    pixels = read_reduced(info, 1 << max(0, (longer // _SMALL).bit_length() - 1))[0].pixels
    grey = pixels if pixels.ndim == 2 else pixels[..., : 3 if info.channels > 2 else 1].mean(-1)
    scale = min(1.0, _SMALL / longer)
    size = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    return cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def _likeness(picture: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest correlation of the pictures' middles under small shifts; -1 if unlike.

    Both (H, W) float32.
    """
    import cv2  # noqa: PLC0415 - slow to import

    if picture.shape != wanted.shape:
        return -1.0
    margin = min(_MARGIN, min(picture.shape) // 4)
    middle = wanted[margin : len(wanted) - margin, margin : wanted.shape[1] - margin]
    found = cv2.matchTemplate(
        np.ascontiguousarray(picture), np.ascontiguousarray(middle), cv2.TM_CCOEFF_NORMED
    )
    best = float(np.nanmax(found)) if found.size else -1.0
    return best if np.isfinite(best) else -1.0
