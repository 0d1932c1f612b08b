"""Where the near thing ends, which a decision does not tell: it keeps some pixels away from there.

Beside a near thing the frame that is focused on it shows the background blurred, the other one
shows it under the blur of the near thing, and the first is often nearer to the truth. So decisions
give a rim of background to the near frame, some three pixels wide. Colours tell the two apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.fusion.spread.light import mean_where, smooth, total

#: Width of the rim in which the edge is looked for, pixels.
RIM = 9.0
#: Logistic regression of "is background" on the depth within the region, pixels, and on how far the
#: colour has gone from those outside to those inside. FITTED on 40 made pairs, whose edges are
#: known, by benchmarks/spread_edge.py.
_OFFSET, _PER_PIXEL, _PER_COLOUR = 2.424, -0.431, -5.383


@frozen
class Edge:
    """Where a region ends.

    Attributes:
        depth: pixels from the decision's edge, positive within the region, ``(H, W)``.
        matte: ``(H, W)`` in [0, 1], 1 on the near thing.
        rim: whether a pixel lies where the edge was looked for.
        behind: how sure it is that what is seen lies behind, in [0, 1].
    """

    depth: Float
    matte: Float
    rim: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    behind: Float


def edge_of(picture: Float, region: Float) -> Edge:
    """Return where a region truly ends.

    Args:
        picture: encoded samples in [0, 1] of the frame that is focused on it, ``(H, W, C)``.
        region: of the decision, ``(H, W)``, 1 within and 0 outside.
    """
    depth = signed_distance(region)
    colour = colour_of(picture, depth)
    score = _OFFSET + _PER_PIXEL * depth + _PER_COLOUR * colour
    chance = (1 / (1 + np.exp(-np.clip(score, -20, 20)))).astype(np.float32)
    rim = (depth > 0) & (depth < RIM)
    hard = np.where(rim, chance < 0.5, depth > 0).astype(np.uint8)
    matte = smooth(cv2.medianBlur(hard, 5).astype(np.float32), 0.6)
    return Edge(depth, matte, rim, np.where(rim, smooth(chance, 0.6), 1).astype(np.float32))


def colour_of(picture: Float, depth: Float) -> Float:
    """Return how far colours have gone from those outside, 0, to those deep inside, 1.

    Args:
        picture: encoded samples in [0, 1], ``(H, W, C)``.
        depth: pixels from the decision's edge, positive within, ``(H, W)``.
    """
    inside = ((depth > 6) & (depth < 16)).astype(np.float32)
    outside = ((depth < -0.5) & (depth > -6)).astype(np.float32)
    near, far = mean_where(picture, inside, 41), mean_where(picture, outside, 15)
    to_near, to_far = (total(np.square(picture - mean)) for mean in (near, far))
    return np.asarray(to_far / (to_near + to_far + np.float32(1e-4)), np.float32)


def signed_distance(region: Float) -> Float:
    """Return how far each pixel lies within a region, negative outside, ``(H, W)``, pixels."""
    inside = (region > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    return np.asarray(within - beyond, np.float32)
