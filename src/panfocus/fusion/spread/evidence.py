"""Which of two things lies in front, and whether their frames look as a lens would make them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from panfocus.arrays.types import Float
from panfocus.fusion.spread.layers import Behind
from panfocus.fusion.spread.light import smooth

#: Pixels over which it is asked what lies in front, and whether anything is gained (sigmas).
_ORDER, _GAIN = 15.0, 7.0
#: Squared errors that are as good as none: of what is left, of negative light, of fine detail.
_LEFT, _NEGATIVE, _FINE = 3e-4, 5e-5, 1e-4
#: From what evidence on one is in front, as the logarithm of how much better that explains the
#: frames, and over what range it grows sure.
_AHEAD, _SURE = 0.5, 1.0
#: Logarithm of the least gain in what is explained, for blurs that explain all; for each part that
#: they leave unexplained so much more; and the range. MEASURED: docs/decisions/0027.
_GAINED, _DOUBT, _GROWS = -0.1, 6.0, 0.3
#: Share of the difference between frames that blurs may leave unexplained, and from which on they
#: are not believed in full.
UNEXPLAINED, _DOUBTED = 0.04, 0.02
#: Negative light that is still right, and that ends all belief.
_TOO_MUCH = 1e-4


def belief(
    found: Sequence[Behind], fine: Sequence[Float], contour: Float, unexplained: Float
) -> list[Float]:
    """Return how far to believe that one frame's thing lies in front, and the other's.

    A near thing ends sharply in its own frame; with it in front, what is got back must explain the
    near frame better than the far frame as it is, and better than the other way round.

    Args:
        found: light behind with the first frame's thing in front, and with the second's.
        fine: squared fine detail of both frames, ``(H, W)``.
        contour: where the decision changes, ``(H, W)``, 0 or 1.
        unexplained: share of the frames' difference that blurs do not explain, ``(H, W)``.

    Returns:
        For both in [0, 1], ``(H, W)``; at a place one of them is 0.
    """
    at_edge = smooth(contour, _ORDER) + np.float32(1e-3)
    lines = [np.log(smooth(f * contour, _ORDER) / at_edge + np.float32(_FINE)) for f in fine]
    strips = [_Around(b.strip, _ORDER) for b in found]
    left = [
        np.log(around.mean(b.left) + np.float32(_LEFT))
        for around, b in zip(strips, found, strict=True)
    ]
    below = [
        np.log(around.mean(b.negative) + np.float32(_NEGATIVE))
        for around, b in zip(strips, found, strict=True)
    ]
    ahead = (left[1] - left[0]) + (below[1] - below[0]) + (lines[0] - lines[1])
    sure = np.clip((np.float32(UNEXPLAINED) - unexplained) / np.float32(_DOUBTED), 0, 1)
    out = [sure * _gained(b, s * ahead, unexplained) for b, s in zip(found, (1, -1), strict=True)]
    first = out[0] > out[1]
    return [
        smooth(np.asarray(np.where(first, out[0], 0), np.float32), 2.0),
        smooth(np.asarray(np.where(first, 0, out[1]), np.float32), 2.0),
    ]


def _gained(found: Behind, ahead: Float, unexplained: Float) -> Float:
    around = _Around(found.strip, _GAIN)
    without = around.mean(found.without) + np.float32(1e-4)
    gain = np.log(without / (around.mean(found.left) + np.float32(1e-4)))
    negative = around.mean(found.negative)
    in_front = np.clip((ahead + np.minimum(gain, 1) - _AHEAD) / _SURE, 0, 1)
    explained = np.clip((gain - _GAINED - _DOUBT * unexplained) / _GROWS, 0, 1)
    allowed = np.clip(1.5 - negative / _TOO_MUCH, 0, 1)
    return np.asarray(in_front * explained * allowed, np.float32)


class _Around:
    """Means over the pixels of a strip around each place."""

    def __init__(self, strip: Float, sigma: float) -> None:
        """Take the strip ``(H, W)``, 0 or 1, and how far around is looked, pixels."""
        self._sigma = sigma
        self._pixels = smooth(strip, sigma) + np.float32(1e-3)

    def mean(self, values: Float) -> Float:
        """Return the mean of values ``(H, W)`` that are 0 outside of the strip."""
        return np.asarray(smooth(values, self._sigma) / self._pixels, np.float32)
