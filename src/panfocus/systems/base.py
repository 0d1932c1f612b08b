"""The seam: what a system must offer so that the rest of the product can run it.

Three kinds fit, each with a `Card`:

* `System`: ``decide(frames) -> weights``. Anything that can say, for a few frames at once, how
  much of each a pixel takes. Networks are of this kind.
* `EvidenceSystem`: measures each frame alone; the frame with most evidence wins. It streams any
  number of frames with the memory of two.
* `PictureSystem`: makes a picture without weights (a pyramid); it has no index map, no depth and
  no confidence, and its card says ``kind = "picture"``.

One object serves any number of fusions at once, in as many threads: what belongs to one stack
lives in the run (`PictureSystem.begin`), never in the system.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from panfocus.arrays.types import Float, Pixels
from panfocus.systems.card import Card


@runtime_checkable
class System(Protocol):
    """Decides between frames: how much of each a pixel takes.

    Whatever has these two names is one; nothing is inherited, and a protocol is never made. One
    object may be asked by many threads at once.

    Example:
        >>> import numpy as np
        >>> from panfocus import Card, fuse
        >>> class Brightest:
        ...     card = Card(name="brightest", title="the brightest frame wins")
        ...
        ...     def decide(self, frames):  # (N, H, W, C) in [0, 1]
        ...         grey = frames.mean(axis=-1)
        ...         weights = (grey == grey.max(axis=0)).astype(np.float32)
        ...         return weights / weights.sum(axis=0)
        >>> frames = [np.full((32, 32), level, np.uint8) for level in (40, 200)]
        >>> int(fuse(frames, system=Brightest(), exposure="none", guard="off").image.min())
        200
    """

    @property
    def card(self) -> Card:
        """Who it is and what it takes."""
        ...

    def decide(self, frames: Float) -> Float:
        """Return weights.

        Args:
            frames: ``(N, H, W, C)`` float32 in [0, 1] of the dtype's range, RGB or grey;
                2 <= N <= card.max_frames.

        Returns:
            ``(N, H, W)`` float32, non-negative, summing to 1 over N.
        """
        ...


@runtime_checkable
class EvidenceSystem(System, Protocol):
    """Decides by a focus measure of each frame alone."""

    def evidence(self, luminance: Pixels, factor: int) -> Float:
        """Return how much sharp detail there is.

        Args:
            luminance: ``(H, W)`` native dtype, full scale.
            factor: how many pixels of full scale make one of the working scale, per axis.

        Returns:
            ``(H // factor, W // factor)`` float32, >= 0, in squared units of `luminance`.
        """
        ...


class PictureRun(Protocol):
    """The frames of one stack on their way to a picture."""

    def push(self, frame: Float) -> None:
        """Take the next frame, ``(H, W[, C])`` float32 in [0, 1]."""
        ...

    def finish(self) -> Float:
        """Return the picture in [0, 1], shaped as a frame; called once."""
        ...


@runtime_checkable
class PictureSystem(Protocol):
    """Makes a fused picture without deciding per frame.

    Its card says ``kind="picture"``. What belongs to one stack lives in what `begin` returns,
    which takes frames ``(H, W[, C])`` in [0, 1] one by one and returns a picture of that shape.

    Example:
        >>> import numpy as np
        >>> from panfocus import load_system
        >>> run = load_system("pyramid").begin()
        >>> for level in (0.25, 0.25):
        ...     run.push(np.full((32, 32, 3), level, np.float32))
        >>> run.finish().shape
        (32, 32, 3)
    """

    @property
    def card(self) -> Card:
        """Who it is; its kind is "picture"."""
        ...

    def begin(self) -> PictureRun:
        """Begin a stack; two that have begun know nothing of each other."""
        ...
