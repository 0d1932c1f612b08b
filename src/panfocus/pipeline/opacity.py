"""Opacity that hides nothing: frames with it are fused as those without, and it is put back.

Programs write pictures with a channel of opacity that is full everywhere. What mends spread light
and grain, what looks after spots and what moves frames part by part are made for opaque colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.frame import Frame
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.sources import ArrayStack, FileStack


class OpaqueStack:
    """Frames of a stack, without their opacity once all were looked at and it hid nothing."""

    def __init__(self, stack: FileStack | ArrayStack) -> None:
        """Set up for frames that nobody has looked at."""
        self._stack = replace(stack, seen=self._look)
        self._seen: set[int] = set()
        self._is_opaque = True
        self._has_opacity = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        return self._stack.shape

    @property
    def hides_nothing(self) -> bool:
        """Whether frames are yielded without the opacity that they have."""
        return self._has_opacity and self._is_opaque and len(self._seen) == self.shape[0]

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        frames = self._stack.frames()
        return map(_without_opacity, frames) if self.hides_nothing else frames

    def reader(self) -> Callable[[int], Frame]:
        """Return what reads frames by number, once all were gone through."""
        read = self._stack.reader()
        return (lambda number: _without_opacity(read(number))) if self.hides_nothing else read

    def small(self, order: Sequence[int], factor: int) -> Iterator[Frame]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``."""
        return self._stack.small(order, factor)

    def _look(self, number: int, frame: Frame) -> None:
        self._seen.add(number)
        self._has_opacity |= frame.has_alpha
        self._is_opaque = self._is_opaque and _is_opaque(frame)

    def completed(self, result: FusedPicture) -> FusedPicture:
        """Return a fusion with the opacity that frames were yielded without."""
        if not self.hides_nothing:
            return result
        result.report.size["channels"] += 1
        return replace(result, image=_with_opacity(result.image))


def _is_opaque(frame: Frame) -> bool:
    pixels = frame.pixels
    return not frame.has_alpha or bool((pixels[..., -1] == white(pixels.dtype)).all())


def _without_opacity(frame: Frame) -> Frame:
    if not frame.has_alpha:
        return frame
    colours = frame.pixels[..., :-1]
    grey = colours[..., 0] if colours.shape[2] == 1 else colours
    return replace(frame, pixels=np.ascontiguousarray(grey), has_alpha=False)


def _with_opacity(picture: Pixels) -> Pixels:
    full = np.full(picture.shape[:2], white(picture.dtype), picture.dtype)
    return np.dstack([picture, full])
