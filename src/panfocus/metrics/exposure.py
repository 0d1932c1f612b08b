"""MEF-SSIM: similarity to the strongest structure that any source offers.

From the formulas alone: no value of the authors' own program was to be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations_with_replacement

import cv2
import numpy as np

from panfocus.metrics.filters import Local, box, ratio
from panfocus.metrics.picture import Picture, Plane, Sources, greys

_C = (0.03 * 255) ** 2
_SIDE = 8
#: The first three of the five scale weights of multi-scale SSIM, made to sum to 1.
_SCALES = (0.0710, 0.4530, 0.4760)
#: Beyond this power the strongest source takes all, in floating point as in effect.
_MOST_POWER = 10.0


def mef_ssim(sources: Sources, fused: Picture) -> float:
    """MEF-SSIM on grey, three scales; higher is better; 0..1, 1 if F = A = B.

    In every 8 x 8 window the sources' patches without their means are combined into a wanted
    one: its contrast is the largest of theirs, its direction their mean, weighted by
    ``|x_k|^p``, ``p = tan(pi R / 2)`` with the agreement ``R = |sum x_k| / sum |x_k|``. The
    value is the product over scales (halved by 2 x 2 means; powers 0.0710, 0.4530, 0.4760) of
    the mean of ``(2 cov + C) / (var + var + C)`` between wanted and fused patch, C = 58.5 (Ma,
    Zeng and Wang, TIP 24(11), 2015). Any number of sources; time grows with its square.

    Local means do not count at all: a fused picture of wrong brightness loses nothing. Scales
    without room for a window are left out.
    """
    planes, out = greys(sources, fused)
    pyramid = [p.plane for p in (*planes, out)]
    value, used = 1.0, 0.0
    for weight in _SCALES:
        if min(pyramid[0].shape) < _SIDE:
            break
        value *= max(0.0, _one_scale(pyramid[:-1], pyramid[-1])) ** weight
        used += weight
        pyramid = [_halved(p) for p in pyramid]
    return value ** (1 / used)


def _halved(plane: Plane) -> Plane:
    rows, columns = (side // 2 * 2 for side in plane.shape)
    size = (columns // 2, rows // 2)
    small = cv2.resize(plane[:rows, :columns], size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64)


def _one_scale(sources: Sequence[Plane], fused: Plane) -> float:
    local = [Local.of(plane, box) for plane in sources]
    f = Local.of(fused, box)
    strengths = [np.sqrt(s.variance) for s in local]
    strongest = reduce(np.maximum, strengths)
    together = Local.of(reduce(np.add, sources), box)
    agreement = ratio(np.sqrt(together.variance), reduce(np.add, strengths), 1.0)
    power = np.minimum(np.tan(np.clip(agreement, 0, 1 - 1e-9) * (np.pi / 2)), _MOST_POWER)
    # the wanted patch is sum_k share_k x_k, up to its length
    shares = [
        ratio(ratio(strength, strongest, 0.0) ** power, strength, 0.0) for strength in strengths
    ]
    length = np.sqrt(np.maximum(_squared_length(local, shares), 0))
    along = np.zeros(length.shape)
    for share, s in zip(shares, local, strict=True):
        along += share * s.covariance(f, box)
    covariance = strongest * ratio(along, length, 0.0)
    similar = (2 * covariance + _C) / (strongest**2 + f.variance + _C)
    return float(similar.mean())


def _squared_length(local: Sequence[Local], shares: Sequence[Plane]) -> Plane:
    """Return the variance of sum_k share_k x_k in every window."""
    total = np.zeros(shares[0].shape)
    pairs = list(zip(local, shares, strict=True))
    for (x, a), (y, b) in combinations_with_replacement(pairs, 2):
        both = a * b * (x.variance if x is y else 2 * x.covariance(y, box))
        total += both
    return total
