"""Frames as small as the filmstrip shows them, packed, in the numbers of their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Pixels
from panfocus.frame import Frame
from panfocus.web.levels import ScreenLevels
from panfocus.web.pictures import to_screen
from panfocus.web.pyramids import encode

_SIDE = 240
_QUALITY = 82


@dataclass(frozen=True)
class Thumb:
    """A frame made small.

    Attributes:
        data: JPEG of 8 bit, PNG of 16.
        icc: the frame's colour profile.
    """

    data: bytes
    icc: bytes | None

    @classmethod
    def of(cls, frame: Frame) -> Self:
        """Make a frame small."""
        pixels = frame.pixels[..., :-1] if frame.has_alpha else frame.pixels
        scale = _SIDE / max(pixels.shape[:2])
        size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        if small.dtype == np.uint8:
            packed = encode(small.astype(np.uint8), exact=False, quality=90)[0]
            return cls(packed, frame.metadata.icc)
        if small.dtype == np.float32:
            small = np.rint(np.clip(small, 0, 1) * np.float32(65535))
        return cls(_png(small.astype(np.uint16)), frame.metadata.icc)

    def jpeg(self, levels: ScreenLevels) -> bytes:
        """Return it as it is shown."""
        packed = np.frombuffer(self.data, np.uint8)
        found = cv2.imdecode(packed, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
        assert found is not None
        colours = found if found.ndim == 2 else cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
        shown = to_screen(cast("Pixels", colours), self.icc, levels)
        return encode(shown, exact=False, quality=_QUALITY)[0]


def _png(pixels: NDArray[np.uint16]) -> bytes:
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
