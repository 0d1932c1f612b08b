"""The arbiter's network: evidence on two decisions to how far the reduced scale is followed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.arbiter.evidence import evidence
from panfocus.systems.arbiter.witness import seconded
from panfocus.systems.bundled_helper import BundledHelper

FOLDER = Path(__file__).parent
#: Shares of so much or less count as none, and as all from so much less than 1: what is mixed from
#: both scales is softer than either. MEASURED (docs/decisions/0043).
_MARGIN = 0.1
#: Luminance of lights, by how much frames differ there, and how far around them the full scale is
#: followed, pixels of the reduced one: their discs are small, and end sharply. MEASURED.
_LIT, _APART = 0.8, 0.25
_ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


class Arbiter:
    """The bundled arbiter; may be used by several threads."""

    def __init__(self, folder: Path = FOLDER, *, is_capped: bool = False) -> None:
        """Take the folder of ``card.json`` and ``model.onnx``; nothing is read yet.

        Args:
            folder: of the network.
            is_capped: whether a limit on memory in force forbids to ask for more than is touched.
        """
        told = "the network that chooses between scales"
        self._network = BundledHelper(folder, told, is_capped=is_capped)

    def __call__(
        self, seen: Float, fine: Float, coarse: Float, witness: Float | None = None
    ) -> Float:
        """Return how far to follow the reduced scale, ``(h, w)`` in [0, 1].

        Args:
            seen: of each frame, see `panfocus.systems.arbiter.seen_of`, ``(N, 4, h, w)``.
            fine: weights by the full scale, brought to the reduced one, ``(N, h, w)``.
            coarse: weights by the reduced scale, the same.
            witness: weights by a witness, the same, see `panfocus.systems.arbiter.witness`.

        Raises:
            SystemError_: the network is missing, or not the one of its card.
        """
        asked = {"evidence": evidence(seen, fine, coarse)[None]}
        share = np.asarray(self._network.session.run(["share"], asked)[0], np.float32)[0, 0]
        share = (share - np.float32(_MARGIN)) * np.float32(1 / (1 - 2 * _MARGIN))
        share = np.clip(share, 0, 1)
        if witness is not None:
            np.maximum(share, seconded(seen[:, 0], fine, coarse, witness), out=share)
        return share * (1 - _lights(seen[:, 0]))


def _lights(luminances: Float) -> Float:
    """Return where lights are among luminances ``(N, h, w)``, ``(h, w)`` in [0, 1]."""
    most = luminances.max(axis=0)
    lit = (most > _LIT) & (most - luminances.min(axis=0) > _APART)
    near = cv2.dilate(lit.astype(np.float32), _ROUND)
    return np.asarray(cv2.blur(near, (3, 3)), np.float32)
