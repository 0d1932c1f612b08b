"""A glance at frames that nobody asked to align: do they lie on each other?

The same estimate and the same gate as for aligning, on a much smaller copy and for a few pairs of
neighbours only, so that it costs some hundredths of a second for a stack of any length. It sees
what would double edges, not tenths of a pixel.
"""

from __future__ import annotations

from panfocus.arrays.pixels import shrink, working_factor
from panfocus.arrays.types import Pixels
from panfocus.frozen import frozen
from panfocus.registration.pyramid import Detail, make_detail
from panfocus.registration.transforms import corner_shift

#: Pixels of the copy on which two frames are compared.
PIXELS = 130_000
#: Movement of a corner, pixels of full scale, from which on it is worth telling.
LEAST_SHIFT = 1.0


@frozen
class Apart:
    """Two neighbours that do not lie on each other.

    Attributes:
        names: of both frames.
        shift: of the corner that moves most, pixels of full scale.
    """

    names: tuple[str, str]
    shift: float

    def __str__(self) -> str:
        first, second = self.names
        return (
            f"frames do not lie on each other: from {first} to {second} a corner moves by "
            f'{self.shift:.0f} px; `align="auto"` puts frames in place'
        )


class Glance:
    """Compares frames 0 and 1, 3 and 4, 15 and 16, 63 and 64, ... as they pass."""

    def __init__(self) -> None:
        self._count = 0
        self._before: tuple[str, Detail] | None = None
        #: The two neighbours that lie farthest apart, if any do.
        self.apart: Apart | None = None

    def add(self, name: str, grey: Pixels) -> None:
        """Take the next frame.

        Args:
            name: for messages.
            grey: luminance ``(H, W)``, native dtype, the same size for all frames.
        """
        number = self._count
        self._count += 1
        if self._before is not None:
            self._compare(name, _detail(grey))
        elif _opens(number):
            self._before = (name, _detail(grey))

    def _compare(self, name: str, detail: Detail) -> None:
        from panfocus.registration.accept import register  # noqa: PLC0415  not before it is needed

        assert self._before is not None
        earlier, fixed = self._before
        self._before = None
        matrix = register(fixed, detail, "similarity").matrix
        shift = corner_shift(matrix, detail.height, detail.width)
        if shift >= LEAST_SHIFT and (self.apart is None or shift > self.apart.shift):
            self.apart = Apart((earlier, name), shift)


def _opens(number: int) -> bool:
    """Whether a frame is compared with the next: 0, 3, 15, 63 and so on."""
    after = number + 1
    return after.bit_count() == 1 and after.bit_length() % 2 == 1


def _detail(grey: Pixels) -> Detail:
    height, width = grey.shape
    factor = working_factor(height, width, PIXELS)
    return make_detail(shrink(grey, factor), factor, height, width)
