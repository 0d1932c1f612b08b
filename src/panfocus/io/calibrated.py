"""A frame without what is the sensor's and the light's own."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from panfocus.io.calibration import is_encoded
from panfocus.io.frames import FrameInfo, Header
from panfocus.io.orient import undone, upright


def calibrated(info: FrameInfo, pixels: NDArray[Any], header: Header) -> NDArray[Any]:
    """Return a frame, as stored, without what is the sensor's and the light's own.

    Args:
        info: of the frame; asks for a calibration.
        pixels: ``(H, W[, C])`` as stored.
        header: of them.
    """
    assert info.calibration is not None
    sensed = upright(pixels, undone(header.turned))
    encoded = is_encoded(info.format, info.dtype, info.channels, header.metadata)
    even = info.calibration.applied(sensed, has_alpha=info.has_alpha, encoded=encoded)
    return upright(even, header.turned)
