"""The refiner's network: evidence on two pictures to by how much a weight should change."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.bundled_helper import BundledHelper
from panfocus.systems.refiner.evidence import evidence

FOLDER = Path(__file__).parent
#: Weights nearer to 0 or 1 are no surer than this; what is left there counts as 0 or 1.
UNSURE = 0.01
_CERTAIN = 0.013
#: Mean difference of luminance over a square of so many pixels from which on a choice can be seen;
#: where there is less, maps would only follow noise.
_APART, _AROUND = 2 / 255, 7
#: Change of a weight's logit, at most: what is beyond changes nothing more.
_MOST = 20.0


class Refiner:
    """The bundled refiner; may be used by several threads."""

    def __init__(self, folder: Path = FOLDER, *, is_capped: bool = False) -> None:
        """Take the folder of ``card.json`` and ``model.onnx``; nothing is read yet.

        Args:
            folder: of the network.
            is_capped: whether a limit on memory in force forbids to ask for more than is touched.
        """
        told = "the network that refines boundaries"
        self._network = BundledHelper(folder, told, is_capped=is_capped)

    def __call__(self, below: Float, above: Float, weight: Float) -> Float:
        """Return the weight of the frame, ``(h, w)`` in [0, 1].

        Args:
            below: luminance of what was fused so far, ``(h, w)`` in [0, 1], both sides even.
            above: that of the frame that is mixed in.
            weight: of the frame, enlarged to full scale, ``(h, w)`` in [0, 1].

        Raises:
            SystemError_: the network is missing, or not the one of its card.
        """
        seen = evidence(below, above, weight)[None]
        made = self._network.session.run(["change"], {"evidence": seen})[0]
        sure = np.clip(weight, np.float32(UNSURE), np.float32(1 - UNSURE))
        change = np.clip(np.asarray(made, np.float32)[0], -_MOST, _MOST)
        odds = np.asarray(cv2.exp(change), np.float32)
        odds *= sure
        np.subtract(1, sure, out=sure)
        sure += odds
        np.divide(odds, sure, out=odds)
        odds -= np.float32(_CERTAIN)
        odds *= np.float32(1 / (1 - 2 * _CERTAIN))
        np.clip(odds, 0, 1, out=odds)
        odds -= weight
        odds *= _differing(below, above)
        odds += weight
        return odds


def _differing(below: Float, above: Float) -> Float:
    """Return how far two pictures can be told apart around a place, ``(h, w)`` in [0, 1]."""
    apart = cv2.blur(np.abs(above - below), (_AROUND, _AROUND))
    return np.minimum(np.asarray(apart, np.float32) * np.float32(1 / _APART), 1)
