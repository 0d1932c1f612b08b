"""Judge the steps of a stack: which of them move frames, whatever blur and noise feign.

A step counts if it is large and its pixels prove it; small ones count if they add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from panfocus.registration.accept import (
    CLEAR,
    FEIGNED_ALONE,
    GAIN,
    GAIN_ALONE,
    Pair,
    is_whole,
)
from panfocus.registration.choice import Reading, choose
from panfocus.registration.estimate import Space
from panfocus.registration.models import Model
from panfocus.registration.pairs import FEIGNED, middle_moves_by, moves_by
from panfocus.registration.transforms import Matrix

#: Movement of a corner, pixels of the finest level, below which nothing needs a proof.
NOTHING = 0.1
#: Steps up to which each must also give back more than resampling takes; more vouch for each other.
_FEW = 2
#: Share of what remains at rest that a true step takes away for every pixel of the finest level by
#: which it moves a corner, at least. True steps took .14 and more, blur of spots in the dark, which
#: feigns steps, .02 and less.
_GAIN_A_PIXEL = 0.1
#: Movement of a corner, pixels of the finest level, that small steps must add up to.
_CREEP = 0.5
#: Shorter side, pixels of the finest level, below which the blur of a plane that lies at a slant
#: changes so much from place to place that it feigns a step.
_SMALL = 384.0
#: Movement of a corner, pixels of the finest level, by which a step must differ from what the model
#: of most steps makes of it to have a richer one of its own.
_OWN = 0.5


@dataclass(frozen=True)
class Judge:
    """Judges steps between neighbours.

    Attributes:
        models: simple to rich, by which frames may move.
        space: of the frames.
        factor: pixels of full scale of which small movements are judged.
        is_free: whether frames may also stay, though something moves.
    """

    models: Sequence[Model]
    space: Space
    factor: float
    is_free: bool

    def choose(self, readings: Sequence[Reading]) -> Model:
        """Return the simplest model that none explains better."""
        return choose(readings, self.models, self.space, self.factor)

    def own(self, reading: Reading, usual: Model, most: Model) -> Model:
        """Return the model of a step: that of most steps, or a richer one that it plainly needs.

        Args:
            reading: of the step.
            usual: model of most steps.
            most: the richest to return.
        """
        own = min(self.choose([reading]), most, key=len)
        if len(own) <= len(usual):
            return usual
        apart = np.linalg.inv(reading.matrices[usual]) @ reading.matrices[own]
        return own if moves_by(apart, self.space) >= _OWN * self.factor else usual

    def moves(self, reading: Reading, model: Model) -> bool:
        """Whether a corner moves by more than nothing and than its own error."""
        least = max(NOTHING * self.factor, CLEAR * reading.error(model, self.space))
        return moves_by(reading.matrices[model], self.space) >= least

    def steps(self, near: Sequence[Pair]) -> tuple[list[bool], list[bool], bool]:
        """Return which steps are large, which are proven, and whether small ones add up.

        Args:
            near: neighbours, in order.
        """
        least = (FEIGNED if len(near) > 1 else FEIGNED_ALONE) * self.factor
        small = self._smallness()
        large = [self._shift(p) >= least * (1 if p.proof.is_plain else small) for p in near]
        alone = len(near) == 1
        proven = [big and self._is_proven(p, alone) for p, big in zip(near, large, strict=True)]
        creeps = self._creeps([p for p, ok in zip(near, proven, strict=True) if not ok])
        if not self._may_move([p for p, ok in zip(near, proven, strict=True) if ok], len(near)):
            proven = [False] * len(near)
        return large, proven, creeps

    def _smallness(self) -> float:
        """Return by how much more small frames must move, where blur changes within few pixels."""
        return max(_SMALL * self.factor / min(self.space.height, self.space.width), 1.0)

    def _shift(self, pair: Pair) -> float:
        if pair.reading is None:
            return 0.0
        return moves_by(pair.reading.matrices[self.choose([pair.reading])], self.space)

    def _middle(self, pair: Pair) -> float:
        """Return the shift of the middle, pixels of the finest level."""
        if pair.reading is None:
            return 0.0
        return middle_moves_by(pair.reading.matrices[pair.model], self.space) / self.factor

    def _is_proven(self, pair: Pair, alone: bool) -> bool:
        """Whether patches speak for a step, and for as much as it moves.

        Two frames alone are further apart in focus than those of a stack, so that less of what
        remains can go; what a pair must gain is said by `stands_alone`.
        """
        if not pair.proof.is_clear:
            return False
        if not self.is_free or (alone and is_whole(pair.model, self._middle(pair))):
            return True
        return self._gains_enough([pair], [self._shift(pair)])

    def _may_move(self, proven: Sequence[Pair], steps: int) -> bool:
        """Whether proven steps are more than what resampling takes, where few vouch for them."""
        if not self.is_free or steps > _FEW:
            return True
        shifts = [(self._shift(p), p.model, self._middle(p)) for p in proven]
        if all(p.proof.stands_alone(*one) for p, one in zip(proven, shifts, strict=True)):
            return True
        return sum(p.proof.gain for p in proven) >= GAIN_ALONE * np.sqrt(len(proven))

    def _gains_enough(self, pairs: Sequence[Pair], shifts: Sequence[float]) -> bool:
        """Whether steps take away what steps of their size, pixels of full scale, would."""
        owed = [min(GAIN, _GAIN_A_PIXEL * shift / self.factor) for shift in shifts]
        return sum(p.proof.cleaned for p in pairs) >= sum(owed)

    def _creeps(self, pairs: Sequence[Pair]) -> bool:
        """Whether steps that are not proven one by one add up to a proven movement."""
        pairs = [p for p in pairs if p.reading is not None]
        readings = [p.reading for p in pairs if p.reading is not None]
        if len(readings) < 2:
            return False
        model = self.choose(readings)
        steps = [reading.matrices[model] for reading in readings]
        if self._reach(steps) < _CREEP * self._smallness() * self.factor:
            return False
        shifts = [moves_by(step, self.space) for step in steps]
        if self.is_free and not self._gains_enough(pairs, shifts):
            return False
        said = [p.proof.clear for p in pairs if p.proof.quadrants]
        return bool(said) and sum(said) / np.sqrt(len(readings)) > CLEAR

    def _reach(self, steps: Sequence[Matrix]) -> float:
        """Return how far frames come apart by steps, pixels of full scale: there and back, too."""
        places = [np.eye(3)]
        for step in steps:
            places.append(step @ places[-1])
        shifts = [moves_by(place, self.space) for place in places]
        back = np.linalg.inv(places[int(np.argmax(shifts))])
        return max(moves_by(place @ back, self.space) for place in places)
