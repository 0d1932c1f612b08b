"""Mix frames a little late: what frames after them cover again need not be resampled.

A frame of a focal stack is the sharpest so far nearly wherever focus has just arrived, and loses
most of that to the next. Pixels of a frame that lies elsewhere are made when they are asked for, so
a tile waits until a few later frames have been decided, and only what is left of it is made; what
little shows of a frame under others is interpolated quickly.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame, Tile
from panfocus.frozen import frozen
from panfocus.fusion.blend import mix

#: Frames that may wait, and what they may take: one waits in any case.
MOST_WAITING = 4
WAITING_BYTES = 160 * 2**20
#: Share of the picture up to which a frame is so faint that its pixels may be made roughly, and
#: share of a part that must be so for two ways to be faster than one.
FAINT, _WORTHWHILE = 0.1, 0.1


def waiting_frames(frame_bytes: int) -> int:
    """Return how many frames of so many bytes wait."""
    return min(max(WAITING_BYTES // frame_bytes, 1), MOST_WAITING)


@frozen
class _Waiting:
    """What a frame puts into a tile.

    Attributes:
        turn: of the frame among all that were mixed.
        frame: the frame.
        alpha: its weights ``(h, w)`` against what is below; None where all are 1.
    """

    turn: int
    frame: Frame
    alpha: Float | None


class LateMixing:
    """The running picture, into which frames are mixed once later ones are known."""

    def __init__(self, picture: Pixels) -> None:
        """Set up.

        Args:
            picture: ``(H, W[, C])`` that is written to; finite numbers.
        """
        self._picture = picture
        self._most = waiting_frames(picture.nbytes)
        self._tiles: dict[tuple[int, int, int, int], list[_Waiting]] = {}
        self._turn = 0
        self._alone: Frame | None = None

    def take(self, frame: Frame, tile: Tile, alpha: Float | None) -> None:
        """Take what a frame puts into a tile of a grid that stays the same.

        Args:
            frame: the frame; `end_frame` follows its last tile.
            tile: rows and columns.
            alpha: its weights; None where all are 1.
        """
        key = (tile[0].start, tile[0].stop, tile[1].start, tile[1].stop)
        waiting = self._tiles.get(key)
        if waiting is None and isinstance(frame.held, np.ndarray):
            mix_into(self._picture[tile], frame.held[tile], alpha)
            return
        if self._alone is None:
            self._alone = frame.without_caches()
        entry = _Waiting(self._turn, self._alone, alpha)
        self._tiles[key] = [*(waiting or ()), entry] if alpha is not None else [entry]

    def end_frame(self) -> None:
        """Mix in what has waited for long enough."""
        self._turn += 1
        self._alone = None
        self._settle(self._turn - self._most)

    def settle_within(self, part: Tile) -> None:
        """Mix in all that waits in a part of the picture."""
        rows, columns = part
        for key in list(self._tiles):
            top, bottom, left, right = key
            if (
                top < rows.stop
                and bottom > rows.start
                and left < columns.stop
                and right > columns.start
            ):
                waiting = self._tiles.pop(key)
                while waiting:
                    self._mix(key, waiting.pop(0), waiting)

    def finish(self) -> None:
        """Mix in all that waits."""
        self._settle(self._turn)

    def _settle(self, before: int) -> None:
        """Mix in frames with a turn before this one."""
        for key, waiting in list(self._tiles.items()):
            while waiting and waiting[0].turn < before:
                oldest = waiting.pop(0)
                self._mix(key, oldest, waiting)
            if not waiting:
                del self._tiles[key]

    def _mix(self, key: tuple[int, int, int, int], one: _Waiting, later: list[_Waiting]) -> None:
        share = _share(one, later, (key[1] - key[0], key[3] - key[2]))
        part = _box(share > 0)
        if part is None:
            return
        tile = _within((slice(*key[:2]), slice(*key[2:])), part)
        alpha = None if one.alpha is None else np.ascontiguousarray(one.alpha[part])
        mix_into(self._picture[tile], _pixels(one.frame, tile, share[part]), alpha)


def _share(one: _Waiting, later: list[_Waiting], shape: tuple[int, int]) -> Float:
    """Return what is left of a frame under those after it, share of the picture ``(h, w)``."""
    share = np.ones(shape, np.float32) if one.alpha is None else one.alpha
    for other in later:
        assert other.alpha is not None  # a frame that covers all has cleared the tile
        share = share * (1 - other.alpha)
    return share


def _box(where: NDArray[np.bool_]) -> Tile | None:
    """Return the part with all that is True; None where nothing is."""
    left, top, width, height = cv2.boundingRect(where.view(np.uint8))
    return (slice(top, top + height), slice(left, left + width)) if height else None


def _within(tile: Tile, part: Tile) -> Tile:
    """Return a part of a tile as rows and columns of the picture."""
    rows, cols = (
        slice(whole.start + one.start, whole.start + one.stop)
        for whole, one in zip(tile, part, strict=True)
    )
    return rows, cols


def _pixels(frame: Frame, tile: Tile, share: Float) -> Pixels:
    """Return a part of a frame, made with care where it shows clearly."""
    clear = _box(share > FAINT)
    is_clear = clear is not None and share[clear].size > (1 - _WORTHWHILE) * share.size
    if is_clear or isinstance(frame.held, np.ndarray):
        return frame.region(tile)
    out = frame.region_quickly(tile)
    if clear is not None:
        out[clear] = frame.region(_within(tile, clear))
    return out


def mix_into(below: Pixels, above: Pixels, alpha: Float | None) -> None:
    """Mix `above` into `below` in place, where it has weight; whole tiles copy native pixels."""
    if alpha is None:
        below[...] = above
        return
    part = _box(alpha > 0)
    if part is not None:
        below[part] = mix(below[part], above[part], alpha[part])
