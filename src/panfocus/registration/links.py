"""Look at a stack's frames one by one, and say at the end where all of them lie.

Two reduced frames before the newest are kept; of every pair only what was measured stays, so memory
hardly grows with the stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from panfocus.registration.accept import Pair, Proof, may_share, prove
from panfocus.registration.approach import measure, measure_near
from panfocus.registration.choice import choose, read
from panfocus.registration.estimate import Space
from panfocus.registration.joint import Link, solve, unknown
from panfocus.registration.judge import NOTHING, Judge
from panfocus.registration.models import Model, kind_of, ladder, without_bending
from panfocus.registration.pairs import FEIGNED, in_pixels, in_units, moves_by
from panfocus.registration.pyramid import Detail
from panfocus.registration.transforms import Matrix, PairTransform, normalised

#: Standard error of a corner, pixels of the finest level, up to which a frame counts as placed.
_PLACED = 1.0
#: By how much, in logarithms, more must remain elsewhere than at rest for a frame to tell that it
#: rests: frames that do, 3; frames that are wholly blurred, .004 to .03.
_TELLS = 0.05
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

    @property
    def _judge(self) -> Judge:
        return Judge(self._models, self._space, self._factor, self._is_free)

    def _compare(self, fixed: Detail, moving: Detail) -> Pair:
        first, second = self._count - 1, self._count
        nothing = Proof(0.0, 0.0, ())
        if not may_share(fixed, moving):
            return Pair(first, second, None, nothing, tells=False)
        measured = measure(fixed, moving, self._models, self._steps()[-1:])
        if not measured.is_enough:
            return Pair(first, second, None, nothing, tells=False)
        reading = read(measured, self._models)
        model = self._judge.choose([reading])
        # a stack that moves may know a model by which this one does, too
        finer = choose([reading], self._models, self._space, 0.0)
        if not any(self._judge.moves(reading, one) for one in (model, finer)):
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
        large, proven, creeps = self._judge.steps(near)
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
        usual = self._judge.choose(good)
        # a step that was no other's, as when a tripod is touched, may need more than the usual
        touched = (p.reading for p, ok in zip(near, proven, strict=True) if ok and p.reading)
        model = max(
            (self._judge.own(r, usual, self._models[-1]) for r in touched), key=len, default=usual
        )
        # blur feigns small steps, but none that takes away what a large one does
        believed = [b or p.proof.is_plentiful for p, b in zip(near, believed, strict=True)]
        links = [
            self._link(p, usual, model, is_proven=b, rests=not (big or moves or b))
            for p, b, big in zip(near, believed, large, strict=True)
        ]
        links += [
            replace(link, covariance=_FURTHER * link.covariance)
            for p in [*(p for p in self._pairs if p.second == p.first + 2), *self._ties]
            for link in [self._link(p, usual, model, is_proven=True, rests=False)]
        ]
        matrices, errors = solve(links, model, reference, self._space, self._factor)
        out: list[PairTransform] = []
        for n, k in enumerate(self._towards(reference, len(near))):
            pair = near[k]
            is_own = believed[k] or (pair.tells and not large[k])
            status = self._status(matrices[n], errors[n], is_own=is_own)
            matrix = in_pixels(matrices[n], self._space)
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

    def _link(
        self, pair: Pair, usual: Model, model: Model, *, is_proven: bool, rests: bool
    ) -> Link:
        matrix, covariance = unknown(model)
        if rests and pair.reading is not None:
            return Link(pair.first, pair.second, np.eye(3), covariance * 1e-12, True, rests=True)
        if pair.reading is not None:
            own = self._judge.own(pair.reading, usual, model)
            matrix, covariance = pair.reading.matrices[own], pair.reading.covariances[model]
        return Link(pair.first, pair.second, matrix, covariance, is_proven)

    def _status(self, matrix: Matrix, error: float, *, is_own: bool) -> str:
        if error > _PLACED * self._factor:
            return UNALIGNED
        if not is_own:
            return CARRIED
        shift = moves_by(matrix, self._space)
        return "aligned" if shift >= max(NOTHING * self._factor / 2, error) else "in place"
