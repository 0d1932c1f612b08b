"""Isolated spots on a dark ground: found in every frame, and missed where the result lacks them.

Blocks do not see what is smaller than they are. A spot is a peak that is compact (it stands out of
three pixels around it) and stands on the dark. A defocused light is not: its disc is flat, and its
rim no peak; so where a frame shows a spot brighter than the result does, that frame is the right
one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float
from panfocus.frozen import frozen

#: Sigmas between which a spot stands out, pixels of the working scale.
_CENTRE, _SURROUND = 1.0, 3.0
#: Height of a spot over the noise of what stands out.
_SIGNAL = 6.0
#: Distance at which the dark around a spot is asked, in how many places, and the share of the
#: spot's height over the ground that must be its height over that dark.
_RING, _PLACES = 6, 16
_ON_DARK = 0.7
#: Distance at which a spot has ended, and in how many places at most it may go on as bright, less a
#: tenth: where a sharp edge cuts a defocused light, corners of its disc stand out as spots do.
_EDGE, _AS_BRIGHT, _GOING_ON = 3, 0.9, 2
#: Share of a spot's height that the result must have; and less than which counts as lost.
KEPT = 0.98
LOST = 0.95
#: Radius around a spot within which its frame is taken.
_RADIUS = 5
_CORE = 2


@frozen
class Spots:
    """Spots that frames show.

    Attributes:
        rows, columns: places, ``(M,)`` each.
        frame: that shows each brightest.
        height: of each in that frame.
        shape: of the picture.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    frame: NDArray[np.intp]
    height: Float
    shape: tuple[int, int]

    def take(self, chosen: NDArray[np.bool_]) -> Spots:
        """Return some of them."""
        return Spots(
            self.rows[chosen],
            self.columns[chosen],
            self.frame[chosen],
            self.height[chosen],
            self.shape,
        )

    def painted(self, radius: int = _RADIUS) -> tuple[Float, NDArray[np.intp]]:
        """Return a soft mask ``(h, w)`` around the spots, and the frame of the one there.

        Of spots that touch, each keeps its own core; between them the highest has its way.
        """
        index = np.zeros(self.shape, np.intp)
        order = np.argsort(self.height)
        for reach in (radius + 3, _CORE):
            for n in order:
                row, column = int(self.rows[n]), int(self.columns[n])
                down = slice(max(row - reach, 0), row + reach + 1)
                across = slice(max(column - reach, 0), column + reach + 1)
                index[down, across] = self.frame[n]
        mask = np.zeros(self.shape, np.uint8)
        mask[self.rows, self.columns] = 1
        size = (2 * radius + 1, 2 * radius + 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
        soft = cv2.GaussianBlur(cv2.dilate(mask, disc).astype(np.float32), (7, 7), 1.2)
        return np.minimum(np.asarray(soft, np.float32) * np.float32(1.3), 1), index


def _smooth(image: Float, sigma: float) -> Float:
    size = 2 * round(3 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma), np.float32)


def standing_out(grey: Float) -> Float:
    """Return how much every pixel stands out of its surroundings, ``(h, w)``."""
    return _smooth(grey, _CENTRE) - _smooth(grey, _SURROUND)


def find(greys: Sequence[Float]) -> Spots:
    """Return the spots of frames ``(h, w)``."""
    best = standing_out(greys[0])
    noise = [_noise(best)]
    frame = np.zeros(best.shape, np.intp)
    for n, grey in enumerate(greys[1:], start=1):
        new = standing_out(grey)
        noise.append(_noise(new))
        won = new > best
        best[won] = new[won]
        frame[won] = n
    peaks = best == cv2.dilate(best, np.ones((5, 5), np.uint8))
    rows, columns = np.nonzero(peaks & (best > _SIGNAL * max(noise)) & (best > 0))
    spots = Spots(rows, columns, frame[rows, columns], best[rows, columns], best.shape)
    chosen = np.zeros(len(rows), np.bool_)
    for n, grey in enumerate(greys):
        mine = spots.frame == n
        if mine.any():
            chosen[mine] = _is_spot(_smooth(grey, _CENTRE), rows[mine], columns[mine])
    return spots.take(chosen)


def _noise(standing: Float) -> float:
    """Return the sigma of what stands out where nothing does."""
    sample = np.abs(standing[::2, ::2]).ravel()
    return 1.4826 * float(np.partition(sample, sample.size // 2)[sample.size // 2])


def _is_spot(smooth: Float, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which places are compact and stand on the dark, of a frame smoothed, ``(M,)``."""
    ground = np.float32(ends(smooth[::2, ::2], 0.2)[0])
    height = smooth[rows, columns] - ground
    around = _ring(smooth, rows, columns, _RING) - ground
    dark = height - np.partition(around, _PLACES // 2, axis=1)[:, _PLACES // 2] > _ON_DARK * height
    near = _ring(smooth, rows, columns, _EDGE) - ground
    goes_on = (near > np.float32(_AS_BRIGHT) * height[:, None]).sum(axis=1)
    return np.asarray(dark & (goes_on <= _GOING_ON), np.bool_)


def _ring(image: Float, rows: NDArray[np.intp], columns: NDArray[np.intp], radius: int) -> Float:
    """Return values around places, ``(M, 16)``; beyond the picture those at its border."""
    turn = np.arange(_PLACES) * (2 * np.pi / _PLACES)
    down = np.rint(radius * np.sin(turn)).astype(np.intp)
    across = np.rint(radius * np.cos(turn)).astype(np.intp)
    return image[
        np.clip(rows[:, None] + down, 0, image.shape[0] - 1),
        np.clip(columns[:, None] + across, 0, image.shape[1] - 1),
    ]


def shares(spots: Spots, made: Float) -> Float:
    """Return the share of every spot's height that the result ``(h, w)`` has, ``(M,)``."""
    return standing_out(made)[spots.rows, spots.columns] / spots.height


def brighter(spots: Spots, greys: Sequence[Float], made: Float) -> NDArray[np.bool_]:
    """Return which of the spots are brighter in their frames ``(h, w)`` than in the result."""
    there = _smooth(made, _CENTRE)[spots.rows, spots.columns]
    out = np.zeros(len(there), np.bool_)
    for n in distinct(spots.frame):
        mine = spots.frame == n
        own = _smooth(greys[int(n)], _CENTRE)
        out[mine] = own[spots.rows[mine], spots.columns[mine]] > there[mine]
    return out
