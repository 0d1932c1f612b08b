"""How the values of a map become colours, and the bar that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.web.pyramids import Byte

Palette = Literal["turbo", "viridis", "inferno"]
_MAPS: dict[Palette, int] = {
    "turbo": cv2.COLORMAP_TURBO,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
}
#: Share of a map's values at either end that do not stretch its colours.
_OUTLIERS = 0.005


@dataclass(frozen=True)
class ColourScale:
    """How the values of a map become colours.

    Attributes:
        low: value of the first colour.
        high: value of the last.
        unit: "frames", "µm" or none.
        palette: of the colours.
        reversed: whether low values take the last colours, as near depths do.
    """

    low: float
    high: float
    unit: str
    palette: Palette
    reversed: bool = False

    @classmethod
    def of(cls, values: NDArray[Any], unit: str, palette: Palette, *, reverse: bool) -> ColourScale:
        """Return the scale for the values of a map, from a part of them."""
        step = max(int(np.sqrt(values.size / 250_000)), 1)
        some = np.asarray(values[::step, ::step], np.float32)
        known = some[np.isfinite(some)]
        if known.size == 0:
            return cls(0.0, 1.0, unit, palette, reverse)
        low, high = (float(v) for v in np.quantile(known, [_OUTLIERS, 1 - _OUTLIERS]))
        return cls(low, high if high > low else low + 1.0, unit, palette, reverse)

    def colours(self) -> list[str]:
        """Return colours from `low` to `high` as texts of CSS, for a bar."""
        ramp = np.linspace(0, 1, 33)
        table = _coloured(1 - ramp[None] if self.reversed else ramp[None], self.palette)[0]
        return ["#{:02x}{:02x}{:02x}".format(*map(int, colour)) for colour in table]

    def facts(self) -> dict[str, Any]:
        """Return what a page draws a colour bar from."""
        return {"low": self.low, "high": self.high, "unit": self.unit, "colours": self.colours()}

    def draw(self, values: Float | NDArray[Any]) -> Byte:
        """Return the map in colours, ``(H, W, 3)``; what is not finite is black."""
        finite = np.isfinite(values)
        share = np.clip(
            (np.nan_to_num(values, nan=self.low) - self.low) / (self.high - self.low), 0, 1
        )
        picture = _coloured(1 - share if self.reversed else share, self.palette)
        picture[~finite] = 0
        return picture


def _coloured(share: NDArray[Any], palette: Palette) -> Byte:
    levels = np.rint(share * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(levels, _MAPS[palette])
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
