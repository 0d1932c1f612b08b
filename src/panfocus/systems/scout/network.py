"""The scout's network: measures of all frames to the share of each in every block."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.bundled_helper import BundledHelper

FOLDER = Path(__file__).parent
#: Blocks on each side that an answer depends on.
REACH = 6
#: Blocks times frames that the network sees at once, memory of some 60 MiB; and rows at least.
_AT_ONCE = 400_000
_LEAST_ROWS = 4 * REACH

#: Measures ``(N, 5, a, b)`` to shares ``(N, a, b)`` that sum to 1 over N; the second argument is
#: `map`, or lets calls run at the same time.
Shares = Callable[[Float, Callable[..., Iterable[Float]]], Float]


class Scout:
    """The bundled scout; may be used by several threads."""

    def __init__(self, folder: Path = FOLDER, *, is_capped: bool = False) -> None:
        """Take the folder of ``card.json`` and ``model.onnx``; nothing is read yet.

        Args:
            folder: of the network.
            is_capped: whether a limit on memory in force forbids to ask for more than is touched.
        """
        told = "the network that names candidates"
        self._network = BundledHelper(folder, told, is_capped=is_capped)

    def __call__(self, measures: Float, run_all: Callable[..., Iterable[Float]] = map) -> Float:
        """Return each frame's share of every block, ``(N, a, b)``, summing to 1 over N.

        Args:
            measures: of `evidence`, ``(N, 5, a, b)``.
            run_all: lets bands of the picture be looked at at the same time, as `map` does.

        Raises:
            SystemError_: the network is missing, or not the one of its card.
        """
        count, _, height, width = measures.shape
        rows = max(_AT_ONCE // (count * width), _LEAST_ROWS)
        tops = range(0, height, rows)
        # it goes with its work, and with it the arena that its layers share: kept, that would lie
        # beside the large network's
        session = self._network.start()

        def band(top: int) -> Float:
            above, below = max(top - REACH, 0), min(top + rows + REACH, height)
            seen = np.ascontiguousarray(measures[:, :, above:below])
            made = np.asarray(session.run(["shares"], {"measures": seen})[0], np.float32)
            return made[:, top - above : min(top + rows, height) - above]

        parts = list(run_all(band, tops))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
