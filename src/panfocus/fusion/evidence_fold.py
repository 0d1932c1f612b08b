"""The fold of systems that measure every frame alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import floats, shrink, white
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.subframe_depth import PeakDepth
from panfocus.fusion.translucency import Preference
from panfocus.systems import EvidenceSystem
from panfocus.systems.checks import checked_evidence

if TYPE_CHECKING:
    from panfocus.guard.spot_watch import SpotWatch

#: Energy of the modified Laplacian that noise of one grey level in 255 makes: at this much
#: evidence and none in the other frames, confidence is one half.
NOISE_ENERGY = 20 / 255**2
#: Share of that energy under which evidence makes no peak along the focus axis: less than of one
#: grey level, since systems take their noise off before.
PEAK_FLOOR = 0.01
#: Pixels that are looked at in one go.
_BAND = 1 << 15


class EvidenceFold:
    """The fold of systems that measure each frame alone: keep the best evidence so far."""

    def __init__(
        self,
        system: EvidenceSystem,
        factor: int,
        *,
        wants_depth: bool = False,
        prefer: Preference | None = None,
        watch: SpotWatch | None = None,
    ) -> None:
        """Set up.

        Args:
            system: measures frames.
            factor: of the working scale, >= 1.
            wants_depth: whether `depth` will be asked for.
            prefer: decides between two depths that are both in focus; None for the sharper.
            watch: keeps spots on a dark ground; None to take decisions as they are.
        """
        self._watch = watch
        self._prefer = prefer
        self._system = system
        self._factor = factor
        self._peak = PeakDepth() if wants_depth else None
        self._best: Float | None = None
        self._second: Float | None = None
        self._white = 1.0

    def push(self, frame: Frame) -> Iterator[Decision]:
        """Yield one decision at once."""
        evidence = self._measured(frame)
        opacity = frame.opacity(self._factor)
        if opacity is not None:
            evidence = evidence * opacity
        shown = frame.shown(self._factor)
        if shown is not None:  # even where nothing is to be seen, it must not win
            evidence = np.where(shown, evidence, np.float32(-1))
        if self._best is None or self._second is None:
            # a copy: a system may keep what it gave
            self._best, self._second = evidence.copy(), np.zeros_like(evidence)
            self._white = white(frame.dtype)
            if self._peak:
                self._peak.push(np.maximum(evidence, 0), np.ones_like(evidence), frame.number)
            yield Decision(frame, self._watched(frame, np.ones_like(evidence), shown))
            return
        if self._prefer:
            floor = PEAK_FLOOR * NOISE_ENERGY * self._white**2
            won = self._prefer.wins(evidence, self._best, floor)
            loser = np.where(won, self._best, evidence)
            np.maximum(self._second, loser, out=self._second)
            np.copyto(self._best, evidence, where=won)
            alpha = won.astype(np.float32)
        else:
            alpha = _taken(evidence, self._best, self._second)
        alpha = self._watched(frame, alpha, shown)
        if self._peak:
            self._peak.push(np.maximum(evidence, 0), alpha, frame.number)
        yield Decision(frame, alpha, kept=self._watch.kept if self._watch else None)

    def _watched(self, frame: Frame, alpha: Float, shown: NDArray[np.bool_] | None) -> Float:
        """Return how much of a frame is taken, once spots are kept; opaque frames have them."""
        watch = self._watch
        if watch is None or watch.is_over or frame.has_alpha:
            return alpha
        factor = self._factor
        grey = frame.measured(lambda whole: floats(shrink(whole, factor)), factor)
        return watch.check(grey, alpha, shown)

    def _measured(self, frame: Frame) -> Float:
        return frame.measured(self._evidence, self._factor)

    def _evidence(self, grey: Pixels) -> Float:
        shape = tuple(side // self._factor for side in grey.shape)
        evidence = self._system.evidence(grey, self._factor)
        return checked_evidence(evidence, shape, self._system.card.name)

    def finish(self) -> Iterator[Decision]:
        """Nothing is held back."""
        yield from ()

    def margin(self) -> Float:
        """Return ``(best - second) / (best + noise)`` of the evidence."""
        assert self._best is not None
        assert self._second is not None
        floor = np.float32(NOISE_ENERGY * self._white**2)
        margin = np.asarray((self._best - self._second) / (self._best + floor), np.float32)
        remains = self._watch.confidence() if self._watch else None
        return margin if remains is None else margin * remains

    def depth(self) -> Float | None:
        """Return frame numbers with fractions, ``(h, w)`` float32; None if not wanted."""
        return self._peak.depth(PEAK_FLOOR * NOISE_ENERGY * self._white**2) if self._peak else None


def _taken(evidence: Float, best: Float, second: Float) -> Float:
    """Return where evidence is above the best so far, 0 or 1; best and second are changed.

    All are ``(h, w)``, and looked at in bands that stay in the processor's cache.
    """
    alpha = np.empty_like(evidence)
    rows = max(_BAND // max(evidence.shape[1], 1), 1)
    for top in range(0, len(evidence), rows):
        band = slice(top, top + rows)
        new, old = evidence[band], best[band]
        np.greater(new, old, out=alpha[band])
        np.maximum(second[band], np.minimum(new, old), out=second[band])
        np.maximum(old, new, out=old)
    return alpha
