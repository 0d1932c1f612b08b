"""What a witness says about two scales: the scout, who measures detail and no edges.

Who decides at full scale takes a wide veil for a smooth surface, and the arbiter, who sees the
frames at the same places, doubts too seldom. The scout is a witness of another kind: it compares
coarse detail of blocks over fifty pixels. It is coarse, so that nothing is decided by it; but where
it and the reduced scale make a picture of one brightness and the full scale makes another, two of
three are right. Frames that are equally sharp are equally bright, so that it does not matter which
of them each has chosen.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Float
from panfocus.systems.candidates import BLOCK, REDUCTION

#: Pixels of the reduced scale to a block.
_SIDE = BLOCK // REDUCTION
#: By how much brightness must differ to count, share of white, and over how many blocks it is
#: compared. MEASURED (docs/decisions/0044): with fewer or less, lights lose.
_VISIBLE, _OVER = 0.007, 9
#: How near the reduced scale must be to the witness, as shares of how far the full scale is: it is
#: not followed from the first on, and followed altogether from the first less the second.
_NEARER, _SURE = 0.9, 0.3
#: Weight of the witness, of all, with which it tells anything.
_TELLS = 0.5
#: By how much brightness of both scales must differ for any witness to be asked: from so much on
#: one may second the reduced scale altogether.
_WORTHWHILE = (1 - _NEARER + _SURE) * _VISIBLE


def needs_witness(luminances: Float, fine: Float, coarse: Float) -> bool:
    """Whether two scales make pictures that differ in brightness anywhere.

    Args:
        luminances: of the frames at the reduced scale, ``(N, h, w)``.
        fine: weights by the full scale, the same shape.
        coarse: weights by the reduced scale, the same shape.
    """
    if min(fine.shape[1:]) < _SIDE:
        return False
    one, other = (shrink(_shown(luminances, weights), _SIDE) for weights in (fine, coarse))
    return bool(_mean(np.abs(one - other)).max() > _WORTHWHILE)


def seconded(luminances: Float, fine: Float, coarse: Float, witness: Float) -> Float:
    """Return where a witness seconds the reduced scale, ``(h, w)`` in [0, 1].

    Args:
        luminances: of the frames at the reduced scale, ``(N, h, w)``.
        fine: weights by the full scale, the same shape.
        coarse: weights by the reduced scale, the same shape.
        witness: weights by the witness, the same shape; where they sum to little it says nothing.

    Example:
        >>> light = np.stack([np.full((40, 40), 0.2), np.full((40, 40), 0.6)]).astype(np.float32)
        >>> one = np.stack([np.ones((40, 40)), np.zeros((40, 40))]).astype(np.float32)
        >>> float(seconded(light, one, 1 - one, 1 - one).min())
        1.0
        >>> float(seconded(light, one, 1 - one, one).max())
        0.0
    """
    height, width = fine.shape[1:]
    if min(height, width) < _SIDE:
        return np.zeros((height, width), np.float32)
    told = witness.sum(axis=0)
    by_fine, by_coarse = (_shown(luminances, weights) for weights in (fine, coarse))
    by_witness = _shown(luminances, witness) / np.maximum(told, np.float32(_TELLS))
    by_witness = np.where(told > _TELLS, by_witness, by_fine)
    blocks = [shrink(each, _SIDE) for each in (by_fine, by_coarse, by_witness)]
    away, near = (_mean(np.abs(each - blocks[2])) for each in blocks[:2])
    visible = np.clip(away / np.float32(_VISIBLE) - 1, 0, 1)
    agrees = np.clip((_NEARER * away - near) / (_SURE * away + np.float32(1e-6)), 0, 1)
    share = np.asarray(visible * agrees, np.float32)
    return enlarged(share, _SIDE, (slice(0, height), slice(0, width)))


def _shown(luminances: Float, weights: Float) -> Float:
    """Return the luminance of the picture by weights, ``(h, w)``."""
    return np.einsum("nhw,nhw->hw", luminances, weights)


def _mean(values: Float) -> Float:
    return np.asarray(cv2.blur(values, (_OVER, _OVER)), np.float32)
