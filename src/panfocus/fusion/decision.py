"""What a fold hands on: how much of a frame each pixel takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.frozen import frozen


@frozen
class Decision:
    """What the fold decided for one frame.

    Attributes:
        frame: the frame.
        alpha: ``(h, w)`` float32 in [0, 1], its weight against all frames before it.
        choice: what was decided, where that is not what is mixed; None for `alpha`.
        kept: where weights stay as they are, neither refined nor averaged, ``(h, w)`` in [0, 1];
            None for nowhere.
        left: what frames after it will leave of it and of those before it, ``(h, w)`` in [0, 1], as
            far as that is known; None where it is not.
        seen: what was decided by, the frame at the working scale, ``(h, w, C)`` native or in
            [0, 1]; None where that is not at hand.
    """

    frame: Frame
    alpha: Float
    choice: Float | None = None
    kept: Float | None = None
    left: Float | None = None
    seen: Pixels | None = None

    @property
    def chosen(self) -> Float:
        """What was decided, ``(h, w)``: for maps and shares."""
        return self.alpha if self.choice is None else self.choice


class Fold(Protocol):
    """Takes frames, gives decisions; may hold a few frames back until `finish`."""

    def push(self, frame: Frame) -> Iterator[Decision]:
        """Take the next frame and yield the decisions it leads to."""
        ...

    def finish(self) -> Iterator[Decision]:
        """Yield what was held back."""
        ...

    def margin(self) -> Float:
        """Return how clear the decision is, ``(h, w)`` float32 in [0, 1]."""
        ...

    def depth(self) -> Float | None:
        """Return frame numbers with fractions, ``(h, w)``; None where only whole ones are known."""
        ...
