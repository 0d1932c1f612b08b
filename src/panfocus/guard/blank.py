"""Frames that show nothing: constant, black beside the others, flat, or blown out.

A plane that a microscope did not take, a flash that did not fire. They are no depth of the scene,
and no system should have to choose between them and a picture. What a frame holds is only known
beside others, so every frame is judged against the richest one before it; and where all before it
turn out to show nothing beside a new one, the fusion begins again with that one. So is a black band
along a border, beside the frames so far.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen
from panfocus.guard.left_out import Why, line, lines

Verdict = Literal["take", "leave", "restart"]

#: Reduction at which brightness is compared: less noise, less work.
_REDUCTION = 8
_LEAST_SIDE = 16
#: Nowhere above this share of the median brightness of another frame: black.
_BLACK = 0.1
#: Under this share of another's contrast: flat, where that other is no dark ground with lights, of
#: which some frame may show none. There half of all pixels lie within this share of the contrast.
_FLAT = 0.05
_DENSE = 0.1
#: Share of pixels at white, here and in another: blown out.
_BLOWN, _HARDLY = 0.5, 0.1
_WHITE = 0.99
#: A black band is at least this share of a side, and its rows have, in another frame, at least this
#: share of its median brightness. Pixels beside a band that are not believed, at least.
_LEAST_BAND = 0.05
_LIT = 0.3
_MARGIN = 16


def reduced(grey: Pixels) -> Float:
    """Return a luminance ``(H, W)`` small, in shares of white."""
    small = shrink(grey, max(min(_REDUCTION, min(grey.shape) // _LEAST_SIDE), 1))
    return small.astype(np.float32) / np.float32(white(grey.dtype))


@frozen
class Brightness:
    """How bright a frame is, in shares of white.

    Attributes:
        is_constant: all pixels are the same.
        low, quarter, middle, three, high: which 1, 25, 50, 75 and 99 % of the pixels lie under.
        most: which all lie under.
        blown: share of pixels at white.
    """

    is_constant: bool
    low: float
    quarter: float
    middle: float
    three: float
    high: float
    most: float
    blown: float

    @classmethod
    def of(cls, grey: Pixels, small: Float | None = None) -> Brightness:
        """Measure a luminance ``(H, W)``, and the same `reduced` if it is at hand."""
        least, most = cv2.minMaxLoc(grey)[:2]
        values = (reduced(grey) if small is None else small).ravel()
        ranks = [round(share * (values.size - 1)) for share in (0.01, 0.25, 0.5, 0.75, 0.99)]
        ordered = np.partition(values, ranks)
        low, quarter, middle, three, high = (float(ordered[rank]) for rank in ranks)
        blown = float((values >= _WHITE).mean())
        return cls(least == most, low, quarter, middle, three, high, float(values.max()), blown)

    @property
    def contrast(self) -> float:
        """Range of brightness, single lights left out."""
        return self.high - self.low

    @property
    def spread(self) -> float:
        """Range of the middle half of the pixels."""
        return self.three - self.quarter

    def fault(self, other: Brightness) -> str | None:
        """Return what is wrong with this frame beside another; None for nothing."""
        if self.is_constant:
            return "constant"
        if self.most < _BLACK * other.middle:
            return "black"
        dense = other.spread > _DENSE * other.contrast
        if dense and self.contrast < _FLAT * other.contrast:
            return "flat"
        if self.blown > _BLOWN and other.blown < _HARDLY:
            return "blown out"
        return None


class Blanks:
    """Judges the frames of one fusion as they pass."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, Brightness]] = []
        self._richest: Brightness | None = None
        self._left: dict[str, str] = {}
        self._strangers: dict[str, tuple[Why, Brightness]] = {}
        self._brightest: Float | None = None
        self._last: tuple[Pixels, Float] | None = None

    def _reduced(self, grey: Pixels) -> Float:
        """Return a luminance small; the same one is asked for twice in a row."""
        if self._last is None or self._last[0] is not grey:
            self._last = (grey, reduced(grey))
        return self._last[1]

    def judge(self, name: str, grey: Pixels) -> Verdict:
        """Return whether a frame shows anything.

        Args:
            name: of the frame, for messages.
            grey: luminance ``(H, W)``, native dtype.

        Returns:
            "take"; "leave"; or "restart": take it, and forget all before it.
        """
        new = Brightness.of(grey, self._reduced(grey))
        richest = self._richest or new
        fault = new.fault(richest)
        if fault:
            self._left[name] = fault
            return "leave"
        # the last frame first: most of the time it is sound, and no other need be asked
        restarts = bool(self._taken) and all(b.fault(new) for _, b in reversed(self._taken))
        if restarts:
            self._left |= {n: f for n, b in self._taken if (f := b.fault(new))}
            self._taken.clear()
            self._brightest = self._richest = None
        self._taken.append((name, new))
        if self._richest is None or new.spread > self._richest.spread:
            self._richest = new
        return "restart" if restarts else "take"

    def leave(self, name: str, grey: Pixels, why: Why) -> Verdict:
        """Write down a frame that adds nothing to the scene: no other is judged beside it.

        Args:
            name: of the frame, for messages.
            grey: luminance ``(H, W)``, native dtype.
            why: what is wrong with it.
        """
        self._strangers[name] = why, Brightness.of(grey, self._reduced(grey))
        return "leave"

    def shown(self, grey: Pixels) -> NDArray[np.uint8] | None:
        """Return where a frame that is taken shows anything, ``(H, W)``; None for everywhere.

        0 or 255, beside the brightest of the frames asked about before.
        A transfer that was cut short, or a curtain in the way, leaves a black band along a border.
        What is near to it counts as black too, since its edge looks sharp.
        """
        small, other = self._reduced(grey), self._brightest
        self._last = None  # a frame is large
        self._brightest = small if other is None else np.maximum(small, other)
        if other is None:
            return None
        cover: NDArray[np.uint8] | None = None
        for axis in (0, 1):
            length = grey.shape[axis]
            margin = max(length // 32, _MARGIN)
            for band in _bands(small, other, axis):
                if cover is None:
                    cover = np.full(grey.shape, 255, np.uint8)
                rows = round(band.stop * length / small.shape[axis]) + margin
                part = slice(0, rows) if band.step == 1 else slice(length - rows, None)
                cover[part if axis == 0 else (slice(None), part)] = 0
        return cover

    @property
    def has_taken(self) -> bool:
        """Whether any frame shows something."""
        return bool(self._taken)

    @property
    def left(self) -> list[str]:
        """Names of the frames that were left out; none where none shows anything."""
        return [*self._left, *self._strangers] if self._taken else []

    def notes(self) -> list[str]:
        """Return a line for the user about frames that were left out."""
        if not self._taken:
            return []
        faults = dict(self._left)
        richest = self._richest
        if richest is not None:
            told = {name: of.fault(richest) for name, (_, of) in self._strangers.items()}
            faults |= {name: fault for name, fault in told.items() if fault}
        named = [f"{name} ({fault})" for name, fault in faults.items()]
        others: list[tuple[str, Why]] = [
            (name, why) for name, (why, _) in self._strangers.items() if name not in faults
        ]
        nothing = [line(named, "shows nothing", "show nothing")] if named else []
        return [*nothing, *lines(others)]


def _bands(small: Float, other: Float, axis: int) -> list[slice]:
    """Return black bands along both borders of an axis; a step of -1 counts from the far end."""
    across = 1 - axis
    lines = np.moveaxis(np.asarray(other, np.float32), across, 0)
    middle = float(median(lines.reshape(-1)))
    high = np.partition(small, -max(small.shape[across] // 50, 1), axis=across)
    top = np.take(high, -max(small.shape[across] // 50, 1), axis=across)
    there = median(lines)
    dead = (top < _BLACK * middle) & (there > _LIT * middle)
    bands: list[slice] = []
    for step in (1, -1):
        live = np.flatnonzero(~dead[::step])
        count = int(live[0]) if live.size else len(dead)
        if _LEAST_BAND * len(dead) <= count < len(dead):
            bands.append(slice(0, count, step))
    return bands
