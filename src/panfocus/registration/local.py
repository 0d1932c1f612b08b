"""Local registration: what one transform a frame leaves, as parallax does, measured and taken away.

Frames are looked at once more, small, where their transforms put them. From the reference outwards
each is compared with the neighbour that is already in place (`panfocus.registration.flow`); what
that neighbour shows sharp the frame shows nearly sharp, too. What is proven
(`panfocus.registration.local_proof`) is kept, at half the scale, until the frame is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Stack
from panfocus.registration.alignment import Alignment
from panfocus.registration.flow import find_flow, shifted
from panfocus.registration.local_proof import proven, sober
from panfocus.registration.motion import MovingParts, Traces, hide_all_but_one, traced
from panfocus.registration.pyramid import in_range
from panfocus.registration.transforms import Matrix, from_reduced, normalised
from panfocus.registration.warp import cover

#: Pixels up to which frames are compared.
WORKING_PIXELS = 800_000
#: By how much a picture may be shrunk: mostly what a JPEG decoder can shrink by while it decodes.
_FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
#: How much smaller shifts are kept than they are measured.
_KEPT = 2
#: Working pixels along the borders of what a frame shows that are not believed.
_RIM = 8
#: Smallest side, working pixels, on which anything is compared.
_SMALLEST = 72
#: Bytes per working pixel while two frames are compared, and that each frame takes meanwhile.
_COMPARED_BYTES, _HELD_BYTES = 200, 3


@dataclass(frozen=True)
class LocalShifts:
    """By how much the places of a frame are shifted besides its transform.

    Attributes:
        factor: pixels of full scale per value of `values`.
        values: ``(h, w, 2)`` float16, (x, y) in pixels of full scale, in the geometry of the
            reference frame: what the reference has at x, the frame has where its transform takes
            ``x + values(x)``. Exactly 0 where the transform alone holds.
        largest: length of the longest, pixels of full scale.
    """

    factor: int
    values: NDArray[np.float16]
    largest: float


def local_factor(height: int, width: int) -> int:
    """Return by how much frames are shrunk to be compared place by place."""
    fits = (f for f in _FACTORS if height * width <= WORKING_PIXELS * f * f)
    return next(fits, _FACTORS[-1])


def local_bytes(count: int, height: int, width: int) -> int:
    """Return the bytes that local registration takes, most of them for a single pair."""
    working = height * width // local_factor(height, width) ** 2
    return working * (_COMPARED_BYTES + _HELD_BYTES * count)


@dataclass(frozen=True)
class _Placed:
    """A reduced frame where the reference has it.

    Attributes:
        grey: ``(h, w)`` luminance.
        shown: ``(h, w)``, 1 where it shows the scene.
        flow: ``(h, w, 2)``, what it is still shifted by, working pixels.
    """

    grey: Float
    shown: Float
    flow: Float

    def straight(self) -> Float:
        """Return the luminance with the shifts taken away."""
        return shifted(self.grey, self.flow)


class LocalRegistration:
    """Compares frames with the neighbour before them, beginning at the reference."""

    def __init__(self, height: int, width: int) -> None:
        self.factor = local_factor(height, width)
        self._reference: _Placed | None = None
        self._before: _Placed | None = None

    def begin(self, reference: Float) -> None:
        """Take the reduced luminance ``(h, w)`` of the reference frame; call again to turn back."""
        still = np.zeros((*reference.shape, 2), np.float32)
        shown = np.ones(reference.shape, np.float32)
        self._reference = self._before = _Placed(reference, shown, still)

    def add(self, grey: Float, matrix: Matrix) -> tuple[LocalShifts | None, Traces]:
        """Return the local shifts of the next frame away from the reference, None for none.

        Args:
            grey: ``(h, w)`` its reduced luminance.
            matrix: from the reference frame to it, pixels of full scale.

        Returns:
            Its shifts, and what was seen of it against its neighbour.
        """
        assert self._before is not None
        assert self._reference is not None
        before = self._before
        if min(grey.shape) < _SMALLEST:
            return None, traced(grey, grey, before.shown)
        grow = from_reduced(self.factor)
        small = normalised(np.linalg.inv(grow) @ matrix @ grow)
        now = replace(before, grey=_moved(grey, small), shown=_shown(small, *grey.shape))
        both = now.shown * before.shown
        fixed = before.straight()
        flow = find_flow(fixed, now.grey, both, before.flow)
        flow = sober(flow, before.flow, fixed, now.grey, both)
        self._before = replace(now, flow=flow)
        kept = proven(flow, fixed, now.grey, self._reference.grey, both)
        return self._kept(kept), traced(fixed, shifted(now.grey, kept), both)

    def _kept(self, flow: Float) -> LocalShifts | None:
        largest = float(np.hypot(flow[..., 0], flow[..., 1]).max())
        if largest == 0:
            return None
        values = shrink(np.ascontiguousarray(flow), _KEPT) * np.float32(self.factor)
        return LocalShifts(_KEPT * self.factor, values.astype(np.float16), largest * self.factor)


def _moved(grey: Float, matrix: Matrix) -> Float:
    size = (grey.shape[1], grey.shape[0])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpPerspective(grey, matrix, size, flags=flags, borderMode=border), np.float32
    )


def _shown(matrix: Matrix, height: int, width: int) -> Float:
    whole = cover(matrix, Alignment(height, width, 0, ()).whole(), height, width)
    if whole is None:
        whole = np.full((height, width), 255, np.uint8)
    box = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    border = cv2.BORDER_CONSTANT
    return cv2.erode(whole // 255, box, borderType=border, borderValue=(0,)).astype(np.float32)


def find_local_shifts(
    stack: Stack, alignment: Alignment, announce: Callable[[int, str], None]
) -> tuple[list[LocalShifts | None], MovingParts | None]:
    """Look at all frames once, small, and say how each is shifted besides its transform.

    Args:
        stack: frames.
        alignment: their transforms.
        announce: called before every frame with its number and name.

    Returns:
        For every frame its shifts, None where its transform alone holds; and what moves within the
        picture, None where nothing does.

    Raises:
        InputError: a frame is unreadable.
    """
    count, height, width = stack.shape
    finder = LocalRegistration(height, width)
    greys: list[Pixels] = []  # 16 bits each, as all must be there before the reference is known
    for n, frame in enumerate(stack.small(range(count), finder.factor)):
        announce(n, frame.name)
        greys.append(_packed(in_range(frame.grey)))
    out: list[LocalShifts | None] = [None] * count
    first = _unpacked(greys[alignment.reference])
    traces = [traced(first, first, np.ones_like(first))] * count
    for order in _outwards(alignment.reference, count):
        finder.begin(first)
        for n in order:
            out[n], traces[n] = finder.add(_unpacked(greys[n]), alignment.frames[n].matrix)
    size = (first.shape[0], first.shape[1])
    return out, hide_all_but_one(traces, alignment.reference, size, finder.factor)


def _outwards(reference: int, count: int) -> Iterator[Sequence[int]]:
    yield range(reference + 1, count)
    yield range(reference - 1, -1, -1)


#: Values of reduced luminance that 16 bits stand for: a frame's ends lie a little outside [0, 1].
_LOW, _HIGH = -1.0, 3.0


def _packed(grey: Float) -> Pixels:
    share = (np.clip(grey, _LOW, _HIGH) - _LOW) / (_HIGH - _LOW)
    return np.rint(share * 65535).astype(np.uint16)


def _unpacked(packed: Pixels) -> Float:
    return np.asarray(packed / np.float32(65535) * (_HIGH - _LOW) + _LOW, np.float32)
