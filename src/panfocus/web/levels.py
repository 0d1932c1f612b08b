"""Which numbers of a file are black and white on the screen: only for looking.

Twelve bits in a file of sixteen, and faint fluorescence, are black on a screen that shows all that
the file could hold. All frames and results of a stack are shown alike, so that they compare; what
is fused, measured and saved does not know of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError

#: Shares of the pixels of all frames that may be black, and white, once levels are chosen.
_BLACK, _WHITE = 0.001, 0.9995
#: A stack whose white lies below this share of what its files can hold is shown brighter unasked.
_DIM = 0.35
#: Pixels of a frame that are looked at.
_LOOKED_AT = 100_000
_LEAST_WIDTH = 1 / 65535
_GAMMAS = (0.1, 10.0)


@dataclass(frozen=True)
class ScreenLevels:
    """How numbers become brightness.

    Attributes:
        black: share of what the file's numbers can hold that is shown black, [0, 1).
        white: share that is shown white, above `black`.
        gamma: above 1, what lies between is shown brighter.

    Examples:
        >>> ScreenLevels(0.0, 0.5).shown(np.array([0, 64, 128, 255], np.uint8)).tolist()
        [0, 128, 255, 255]
    """

    black: float = 0.0
    white: float = 1.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        inside = 0 <= self.black < 1 and self.black + _LEAST_WIDTH <= self.white <= 1
        if not inside or not _GAMMAS[0] <= self.gamma <= _GAMMAS[1]:
            raise UsageError(
                "these cannot be levels to look at a picture by",
                where="black, white, gamma",
                expected=f"0 <= black < white <= 1, gamma {_GAMMAS[0]:g} to {_GAMMAS[1]:g}",
                got=f"{self.black:g}, {self.white:g}, {self.gamma:g}",
            )

    @property
    def is_plain(self) -> bool:
        """Whether all that a file can hold is shown as it is."""
        return self == PLAIN

    @property
    def key(self) -> str:
        """A name: another one for other levels."""
        return f"{self.black:.6g},{self.white:.6g},{self.gamma:.6g}"

    @property
    def tail(self) -> str:
        """What ends the version of a picture that is shown so; nothing for plain ones."""
        return "" if self.is_plain else f"~{self.key}"

    def shown(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Return pixels of any shape as a screen shows them."""
        if pixels.dtype == np.float32:
            return self._curve(np.asarray(pixels, np.float32))
        numbers = np.arange(int(white(pixels.dtype)) + 1, dtype=np.float32)
        table = self._curve(numbers / np.float32(white(pixels.dtype)))
        return table[np.asarray(pixels, np.uint16)]

    def _curve(self, shares: NDArray[np.float32]) -> NDArray[np.uint8]:
        between = (shares - np.float32(self.black)) / np.float32(self.white - self.black)
        made = np.clip(np.nan_to_num(between), 0, 1) ** np.float32(1 / self.gamma)
        return np.rint(made * np.float32(255)).astype(np.uint8)

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        return asdict(self)


#: All that a file can hold.
PLAIN = ScreenLevels()


class LevelMeter:
    """Finds the levels of a stack, frame by frame."""

    def __init__(self) -> None:
        self._low: float | None = None
        self._high = 0.0
        self._is_8_bit = False

    def add(self, pixels: Pixels) -> None:
        """Look at a frame, small; opacity left out."""
        self._is_8_bit = pixels.dtype == np.uint8
        some = pixels.ravel()
        some = some[:: max(some.size // _LOOKED_AT, 1)].astype(np.float32)
        known = some[np.isfinite(some)] / np.float32(white(pixels.dtype))
        if known.size:
            low, high = (float(v) for v in np.quantile(known, [_BLACK, _WHITE]))
            self._low = low if self._low is None else min(self._low, low)
            self._high = max(self._high, high)

    def levels(self) -> ScreenLevels:
        """Return levels between which the stack's brightness lies."""
        low = min(max(self._low or 0.0, 0.0), 0.99)
        high = min(max(self._high, low + 0.001), 1.0)
        return ScreenLevels(round(low, 6), round(max(high, low + 2 * _LEAST_WIDTH), 6))

    def wanted(self) -> ScreenLevels:
        """Return those that a stack is shown by unless others are chosen.

        Photographs of 8 bit are meant to be seen as they are, and so is what is bright enough.
        """
        return self.levels() if self._high < _DIM and not self._is_8_bit else PLAIN
