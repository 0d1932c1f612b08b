"""What differs between two frames of a stack, whatever light and place: how much softer one is.

Blur takes from each place a part of its Laplacian, so the slope of the difference by the Laplacian,
tile by tile, is by how much one is softer. Noise, compression and a small shift have no part in it.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.registration.patches import laid_on
from panfocus.registration.pyramid import Detail, Level
from panfocus.registration.transforms import Matrix, from_reduced, normalised

#: Tiles along the longer side, in which frames are compared, and how many must tell.
_TILES = 24
_FEWEST = 10
#: Shorter side, pixels of the level that is compared, below which tiles are a few pixels.
_TINY = 64
#: A tile tells if its Laplacian has so many times the energy that noise makes, and this share of
#: the usual tile's.
_ABOVE_NOISE, _SHARE = 4.0, 0.05
#: What differs more slowly than this, pixels, is light and not focus.
_SLOW = 4.0
#: Share of the usual difference between neighbours up to which two are duplicates: of softness
#: that all but a tenth of the tiles stay below, of all that differs, and of what differs in any
#: tile, as a thing that one of them alone shows. MEASURED: in the same picture with noise, taken or
#: compressed again up to .21, .28 and .25, shaken by 3 px up to .16, .26 and .5; of 19 real stacks
#: no pair stays below .30 in the first and .36 in the second.
_SOFTNESS, _DIFFERENCE, _ANY_TILE = 0.22, 0.3, 0.3
#: Energy of the Laplacian of smoothed noise beside the variance of that noise.
OF_NOISE = 2.0


@frozen
class Difference:
    """What differs between two neighbours.

    Attributes:
        softer: by how much the second is softer, squares of a pixel: a mean.
        softness: how much softer or sharper all but a tenth of the tiles are at most.
        amount: root mean square of all that differs, noise taken off.
        most: the same of the tile in which most differs.
        noise: variance of noise in either, as far as they differ at all: of a copy none.
    """

    softer: float
    softness: float
    amount: float
    most: float
    noise: float = 0.0

    def is_nothing(self, usual: Difference) -> bool:
        """Whether this is nothing beside what neighbours differ by."""
        return (
            self.softness < _SOFTNESS * usual.softness
            and self.amount < _DIFFERENCE * usual.amount
            and self.most < _ANY_TILE * usual.most
        )


def difference(fixed: Detail, moving: Detail, step: Matrix) -> Difference | None:
    """Return what differs between two frames; None where too little is to be seen.

    Args:
        fixed: of one frame.
        moving: of the other.
        step: from the one to the other, pixels of full scale.
    """
    level, other = level_of(fixed), level_of(moving)
    if min(level.smooth.shape) < _TINY:
        return None
    one, two = level.smooth, _laid_on(other, step)
    apart = two - one
    apart -= cv2.GaussianBlur(apart, (0, 0), _SLOW)
    mean = (one + two) / 2
    laplacian = cv2.Laplacian(mean, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    lines = np.asarray(laplacian, np.float32)
    by, of, amount = (_tiles(one_of) for one_of in (apart * lines, lines**2, apart**2))
    noise = [noise_of(detail) for detail in (fixed, moving)]
    # smoothed noise has its own Laplacian, of minus its variance
    by = by + np.float32((noise[1] - noise[0]) / 2)
    least = max(_ABOVE_NOISE * OF_NOISE * sum(noise) / 4, _SHARE * float(median(of.ravel())))
    tells = of > max(least, 1e-12)
    if np.count_nonzero(tells) < _FEWEST:
        return None
    slopes = by[tells] / of[tells]
    weight = np.sqrt(of[tells])
    softer = float((slopes * weight).sum() / weight.sum())
    mean, most = (
        float(np.sqrt(max(value - sum(noise), 0))) for value in (amount.mean(), amount.max())
    )
    either = min(*noise, float(amount.mean()) / 2)
    return Difference(softer, float(ends(np.abs(slopes), 0.1)[1]), mean, most, either)


def level_of(detail: Detail) -> Level:
    """Return the level that is compared: it has a quarter of the pixels."""
    halved = [level for level in detail.levels if level.factor >= 2 * detail.pixel]
    return halved[0] if halved else detail.levels[-1]


def noise_of(detail: Detail) -> float:
    """Return the variance of noise in the level that is compared: shrinking takes most of it."""
    return detail.noise * (detail.levels[0].factor / level_of(detail).factor) ** 2


def _laid_on(level: Level, step: Matrix) -> Float:
    grow = from_reduced(level.factor)
    matrix = normalised(np.linalg.inv(grow) @ step @ grow)
    is_still = np.allclose(matrix, np.eye(3), atol=1e-6)
    return level.smooth if is_still else laid_on(level.smooth, matrix)


def _tiles(values: Float) -> Float:
    """Return the means of tiles."""
    step = max(values.shape) / _TILES
    size = [max(round(side / step), 1) for side in (values.shape[1], values.shape[0])]
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
