"""The arbiter's network: evidence on two decisions to how far the reduced scale is followed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.arbiter.evidence import evidence
from panfocus.systems.bundled_helper import BundledHelper

FOLDER = Path(__file__).parent


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

    def __call__(self, seen: Float, fine: Float, coarse: Float) -> Float:
        """Return how far to follow the reduced scale, ``(h, w)`` in [0, 1].

        Args:
            seen: of each frame, see `panfocus.systems.arbiter.seen_of`, ``(N, 4, h, w)``.
            fine: weights by the full scale, brought to the reduced one, ``(N, h, w)``.
            coarse: weights by the reduced scale, the same.

        Raises:
            SystemError_: the network is missing, or not the one of its card.
        """
        asked = {"evidence": evidence(seen, fine, coarse)[None]}
        share = np.asarray(self._network.session.run(["share"], asked)[0], np.float32)
        return np.clip(share[0, 0], 0, 1)
