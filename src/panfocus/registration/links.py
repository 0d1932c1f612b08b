"""Look at a stack's frames one by one, and say at the end where all of them lie.

Two reduced frames before the newest are kept; of every pair only what was measured stays, so memory
hardly grows with the stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from panfocus.registration.accept import (
    CLEAR,
    FEIGNED_ALONE,
    GAIN,
    GAIN_ALONE,
    Pair,
    Proof,
    Reading,
    choose,
    may_share,
    prove,
    read,
)
from panfocus.registration.approach import measure, measure_near
from panfocus.registration.estimate import Space
from panfocus.registration.joint import Link, solve, unknown
from panfocus.registration.models import Model, kind_of, ladder, without_bending
from panfocus.registration.pairs import FEIGNED, in_pixels, in_units, moves_by
from panfocus.registration.pyramid import Detail
from panfocus.registration.transforms import Matrix, PairTransform, normalised

#: Movement of a corner, pixels of the finest level, below which nothing needs a proof.
_NOTHING = 0.1
#: Steps up to which each must also give back more than resampling takes; more vouch for each other.
_FEW = 2
#: Share of what remains at rest that a true step takes away for every pixel of the finest level by
#: which it moves a corner, at least. True steps took .14 and more, blur of spots in the dark, which
#: feigns steps, .02 and less.
_GAIN_A_PIXEL = 0.1
#: Standard error of a corner, pixels of the finest level, up to which a frame counts as placed.
_PLACED = 1.0
#: By how much, in logarithms, more must remain elsewhere than at rest for a frame to tell that it
#: rests: frames that do, 3; frames that are wholly blurred, .004 to .03.
_TELLS = 0.05
#: Movement of a corner, pixels of the finest level, that small steps must add up to.
_CREEP = 0.5
#: Shorter side, pixels of the finest level, below which the blur of a plane that lies at a slant
#: changes so much from place to place that it feigns a step.
_SMALL = 384.0
#: By how much the variance of steps between frames further apart falls short: their blur differs
#: more, and of 1, 4 and 16 the last came closest.
_FURTHER = 16.0
#: Status of a frame that pixels of its own do not place, but those of others do.
CARRIED = "carried by its neighbours"
#: Status of a frame that nothing places.
UNALIGNED = "left unaligned: no shared detail"


class Links:
    """Measures frames against the two before them."""

    def __init__(self, kind: str, freedoms: Sequence[str]) -> None:
        self._is_free = kind == "auto"
        self._models = ladder(kind, freedoms)
        self._pairs: list[Pair] = []
        self._ties: list[Pair] = []
        self._before: list[Detail] = []
        self._count = 0
        self._space = Space(1, 1)
        self._factor = 1.0

    def add(self, detail: Detail) -> Matrix:
        """Take the next frame; return the step from the one before it, pixels of full scale."""
        if not self._before:
            self._space = Space(detail.height, detail.width)
            self._factor = detail.pixel
            if detail.is_enlarged:
                self._models = without_bending(self._models)
        step = np.eye(3)
        if self._before:
            near = self._compare(self._before[-1], detail)
            self._pairs.append(near)
            if near.reading is not None and near.proof.is_clear:
                step = near.reading.matrices[self._models[-1]]
            if len(self._before) == 2:
                self._link_second(detail)
        self._before = [*self._before[-1:], detail]
        self._count += 1
        return in_pixels(step, self._space)

    def _compare(self, fixed: Detail, moving: Detail) -> Pair:
        first, second = self._count - 1, self._count
        nothing = Proof(0.0, 0.0, ())
        if not may_share(fixed, moving):
            return Pair(first, second, None, nothing, tells=False)
        measured = measure(fixed, moving, self._models, self._steps()[-1:])
        if not measured.is_enough:
            return Pair(first, second, None, nothing, tells=False)
        reading = read(measured, self._models)
        model = self._choose([reading])
        shift = moves_by(reading.matrices[model], self._space)
        if shift < max(_NOTHING * self._factor, CLEAR * reading.error(model, self._space)):
            return Pair(first, second, reading, nothing, model, measured.elsewhere > _TELLS)
        return Pair(first, second, reading, prove(measured), model)

    def _near(self) -> list[Pair]:
        """Return what is known of neighbours."""
        return [p for p in self._pairs if p.second == p.first + 1]

    def _steps(self) -> list[Matrix]:
        """Return the steps between neighbours that are told, in units, each by its own model.

        A richer one would bend them by noise, and what bends is measured more slowly and less well.
        """
        return [p.reading.matrices[p.model] for p in self._near() if p.tells and p.reading]

    def _link_second(self, detail: Detail) -> None:
        """Measure the newest frame against the one before its neighbour, where they move."""
        is_told = [p.tells for p in self._near()[-2:]]
        known = self._steps()
        if not known or is_told[0] != is_told[1]:
            return
        if not is_told[1]:
            if not may_share(self._before[0], detail):
                return
            # the frame between shows nothing: look from further off, along the last known step
            start = normalised(known[-1] @ known[-1])
            measured = measure(self._before[0], detail, self._models, [start])
        else:
            start = normalised(known[-1] @ known[-2])
            if moves_by(start, self._space) < FEIGNED * self._factor:
                return
            measured = measure_near(self._before[0], detail, self._models, start)
        if measured.is_enough:
            reading = read(measured, self._models)
            near = Proof(0.0, 0.0, ())
            self._pairs.append(Pair(self._count - 2, self._count, reading, near))

    def tie(
        self, reference: int, number: int, details: tuple[Detail, Detail], found: PairTransform
    ) -> None:
        """Measure a frame against the reference, too, where no link does yet.

        Args:
            reference: number of the reference frame.
            number: of the other frame.
            details: of the reference frame and the other.
            found: where it was placed by links.
        """
        fixed, moving = details
        if abs(number - reference) <= 2 or not may_share(fixed, moving):
            return
        start = in_units(found.matrix, self._space)
        if found.status in ("aligned", CARRIED):
            measured = measure_near(fixed, moving, self._models, start)
        else:
            measured = measure(fixed, moving, self._models, [start])
        if measured.is_enough:
            reading = read(measured, self._models)
            self._ties.append(Pair(reference, number, reading, Proof(0.0, 0.0, ())))

    def recent(self, most: int) -> Links:
        """Return what is known of the newest frames alone, numbered from 0."""
        start = max(self._count - most, 0)
        out = copy(self)
        out._pairs = [
            replace(p, first=p.first - start, second=p.second - start)
            for p in self._pairs
            if p.first >= start
        ]
        out._count = self._count - start
        return out

    def told(self) -> set[int]:
        """Return the frames that share something with one beside them."""
        pairs = [p for p in self._near() if p.reading is not None]
        return {n for p in pairs for n in (p.first, p.second)}

    def place(self, reference: int) -> list[PairTransform]:
        """Return for every frame its transform from the reference frame, pixels of full scale."""
        near = self._near()
        least = (FEIGNED if len(near) > 1 else FEIGNED_ALONE) * self._factor
        small = self._smallness()
        large = [self._shift(p) >= least * (1 if p.proof.is_plain else small) for p in near]
        proven = [big and self._is_proven(p) for p, big in zip(near, large, strict=True)]
        creeps = self._creeps([p for p, ok in zip(near, proven, strict=True) if not ok])
        if not self._may_move([p for p, ok in zip(near, proven, strict=True) if ok], len(near)):
            proven = [False] * len(near)
        if not any(proven) and not creeps:
            ways = enumerate(self._towards(reference, len(near)))
            return [self._still(near[k], n == reference) for n, k in ways]
        # where most steps move, one that hardly seems to is no rest
        moves = creeps or 2 * sum(proven) >= len(near)
        believed = [
            ok or ((creeps or (moves and not big)) and p.tells)
            for p, ok, big in zip(near, proven, large, strict=True)
        ]
        good = [p.reading for p, b in zip(near, believed, strict=True) if b and p.reading]
        model = self._choose(good)
        links = [
            self._link(p, model, is_proven=b, rests=not big and not moves)
            for p, b, big in zip(near, believed, large, strict=True)
        ]
        links += [
            replace(link, covariance=_FURTHER * link.covariance)
            for p in [*(p for p in self._pairs if p.second == p.first + 2), *self._ties]
            for link in [self._link(p, model, is_proven=True, rests=False)]
        ]
        space = self._space
        matrices, errors = solve(links, model, reference, space, self._factor)
        out: list[PairTransform] = []
        for n, k in enumerate(self._towards(reference, len(near))):
            pair = near[k]
            is_own = believed[k] or (pair.tells and not large[k])
            status = self._status(matrices[n], errors[n], is_own=is_own)
            matrix = in_pixels(matrices[n], space)
            if status == "in place":
                matrix = np.eye(3)
            kind = kind_of(model) if status in ("aligned", CARRIED) else "identity"
            out.append(PairTransform(matrix, kind, status, max(pair.proof.gain, 0.0), errors[n]))
        return out

    def _towards(self, reference: int, steps: int) -> list[int]:
        """Return for every frame which step leads to its neighbour towards the reference."""
        return [min(n, steps - 1) if n < reference or n == 0 else n - 1 for n in range(self._count)]

    def _still(self, pair: Pair, is_reference: bool) -> PairTransform:
        status = "in place" if pair.reading is not None or is_reference else UNALIGNED
        return PairTransform(np.eye(3), "identity", status)

    def _smallness(self) -> float:
        """Return by how much more small frames must move, where blur changes within few pixels."""
        return max(_SMALL * self._factor / min(self._space.height, self._space.width), 1.0)

    def _choose(self, readings: Sequence[Reading]) -> Model:
        return choose(readings, self._models, self._space, self._factor)

    def _shift(self, pair: Pair) -> float:
        if pair.reading is None:
            return 0.0
        return moves_by(pair.reading.matrices[self._choose([pair.reading])], self._space)

    def _is_proven(self, pair: Pair) -> bool:
        """Whether patches speak for a step, and for as much as it moves."""
        return pair.proof.is_clear and (not self._is_free or self._gains_enough([pair]))

    def _may_move(self, proven: Sequence[Pair], steps: int) -> bool:
        """Whether proven steps are more than what resampling takes, where few vouch for them."""
        if not self._is_free or steps > _FEW:
            return True
        if all(p.proof.stands_alone(self._shift(p), p.model) for p in proven):
            return True
        return sum(p.proof.gain for p in proven) >= GAIN_ALONE * np.sqrt(len(proven))

    def _gains_enough(self, pairs: Sequence[Pair]) -> bool:
        """Whether steps take away what steps of their size would."""
        owed = [min(GAIN, _GAIN_A_PIXEL * self._shift(p) / self._factor) for p in pairs]
        return sum(p.proof.cleaned for p in pairs) >= sum(owed)

    def _creeps(self, pairs: list[Pair]) -> bool:
        """Whether steps that are not proven one by one add up to a proven movement."""
        readings = [p.reading for p in pairs if p.reading is not None]
        if len(readings) < 2:
            return False
        model = self._choose(readings)
        total = np.eye(3)
        for reading in readings:
            total = reading.matrices[model] @ total
        if moves_by(total, self._space) < _CREEP * self._smallness() * self._factor:
            return False
        if self._is_free and not self._gains_enough([p for p in pairs if p.reading is not None]):
            return False
        said = [p.proof.clear for p in pairs if p.proof.quadrants]
        return bool(said) and sum(said) / np.sqrt(len(readings)) > CLEAR

    def _link(self, pair: Pair, model: Model, *, is_proven: bool, rests: bool) -> Link:
        matrix, covariance = unknown(model)
        if rests and pair.reading is not None:
            return Link(pair.first, pair.second, np.eye(3), covariance * 1e-12, True, rests=True)
        if pair.reading is not None:
            matrix, covariance = pair.reading.matrices[model], pair.reading.covariances[model]
        return Link(pair.first, pair.second, matrix, covariance, is_proven)

    def _status(self, matrix: Matrix, error: float, *, is_own: bool) -> str:
        if error > _PLACED * self._factor:
            return UNALIGNED
        if not is_own:
            return CARRIED
        shift = moves_by(matrix, self._space)
        return "aligned" if shift >= max(_NOTHING * self._factor / 2, error) else "in place"
