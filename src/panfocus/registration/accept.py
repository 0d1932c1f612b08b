"""Accept a transform only if it explains pixels that it was not fitted to.

The finest level is cut into blocks like a chessboard. Transforms are fitted to the white blocks
and judged on the black ones, against staying put and against the next simpler kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panfocus.registration.estimate import Parts, Points, Space, coarse, cost, refine
from panfocus.registration.pyramid import Detail, Level
from panfocus.registration.transforms import LADDER, Matrix, PairTransform, is_plausible, normalised

#: Share of the remaining difference that a transform must remove to replace staying put.
GAIN = 0.04
#: Share that a richer kind must remove to replace a simpler one, when the choice is ours.
RICHER = {"similarity": 0.01, "homography": 0.05}
#: Standard errors, over blocks, by which a gain must stand out.
CLEAR = 4.0
#: Levels that are fitted to and judged by.
LEVELS = 3
#: Points without which nothing is said.
FEWEST = 200


@dataclass(frozen=True)
class Verdict:
    """How much a transform removes of what remains, as a share, and in standard errors."""

    gain: float
    clear: float


def judge(parts: Parts, matrix: Matrix, against: Matrix) -> Verdict:
    """Compare two transforms on points that neither was fitted to.

    Where one frame is sharp and the other blurred, the finest level shows little but that; so
    the level speaks on which the difference stands out most.
    """
    return max((_judge_level(*part, matrix, against) for part in parts), key=lambda v: v.clear)


def _judge_level(points: Points, moving: Level, matrix: Matrix, against: Matrix) -> Verdict:
    rho, weight = cost(points, moving, matrix)
    other_rho, other_weight = cost(points, moving, against)
    # what a transform moves out of sight must not count in its favour
    kept = np.minimum(weight, other_weight)
    if float(kept.sum()) < 0.25 * float(points.at[:, 3].sum()):
        return Verdict(-1.0, -1.0)
    blocks = np.bincount(points.block, kept)
    won = np.bincount(points.block, kept * (other_rho - rho))[blocks > 0]
    total = float((kept * other_rho).sum())
    error = float(np.std(won) * np.sqrt(won.size))
    return Verdict(float(won.sum()) / max(total, 1e-9), float(won.sum()) / max(error, 1e-9))


def rungs(kind: str) -> tuple[str, ...]:
    """Return the kinds to try in turn, simple to rich, each against the best before it.

    Left to itself, the choice knows what hands and focusing do, and a homography.
    """
    if kind == "auto":
        return ("translation", "similarity", "homography")
    return LADDER[1 : LADDER.index(kind) + 1]


def needed_gain(kind: str, rung: str, before: str) -> float:
    """Return the gain that a rung must bring over the one before it."""
    if before == "identity":
        return GAIN
    # who names a kind gets it wherever it helps at all
    return RICHER.get(rung, 0.0) if kind == "auto" else 0.0


def shift_of(matrix: Matrix) -> Matrix:
    """Return the movement of the picture's middle alone, in units."""
    out = np.eye(3)
    out[:2, 2] = matrix[:2, 2]
    return out


class Pair:
    """Two frames on their finest level, split into what is fitted to and what judges."""

    def __init__(self, fixed: Detail, moving: Detail) -> None:
        self.fixed, self.moving = fixed, moving
        self.space = Space(fixed.height, fixed.width)
        self.fit = self.parts(0)
        self.held_out = self.parts(1)

    def parts(self, half: int | None) -> Parts:
        """Return the finest levels of both frames, or the blocks of one colour of them."""
        levels = zip(self.fixed.levels[:LEVELS], self.moving.levels, strict=False)
        finest = self.fixed.levels[0].factor
        return [(Points(one, self.space, half=half, finest=finest), two) for one, two in levels]

    @property
    def has_detail(self) -> bool:
        """Whether both frames show enough to compare."""
        fewest = min(
            len(self.fit[0][0].unit),
            len(self.held_out[0][0].unit),
            len(self.moving.levels[0].points),
        )
        return fewest >= FEWEST

    def to_pixels(self, matrix: Matrix) -> Matrix:
        """Return a matrix for pixels of full scale."""
        to_unit = self.space.to_unit
        return normalised(np.linalg.inv(to_unit) @ matrix @ to_unit)

    def to_units(self, matrix: Matrix) -> Matrix:
        """Return a matrix for units."""
        to_unit = self.space.to_unit
        return normalised(to_unit @ matrix @ np.linalg.inv(to_unit))

    def plausible(self, matrix: Matrix) -> bool:
        """Whether a matrix in units can be."""
        return is_plausible(self.to_pixels(matrix), self.fixed.height, self.fixed.width)


def register(
    fixed: Detail,
    moving: Detail,
    kind: str,
    guess: Matrix | None = None,
    *,
    is_apart: bool = False,
) -> PairTransform:
    """Return the transform from `fixed` to `moving` that held-out pixels speak for.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        kind: richest kind to try, or "auto" to let the picture choose.
        guess: where to begin besides at rest, pixels of full scale.
        is_apart: whether the caller knows that the frames do not lie on each other, and judges
            the result by himself: then the simplest plausible transform replaces staying put
            without proof, which small pictures have too few blocks to give.
    """
    pair = Pair(fixed, moving)
    rest = np.eye(3)
    if not pair.has_detail:
        return PairTransform(rest, "identity", "no detail")
    starts = [rest] if guess is None else [rest, pair.to_units(guess)]
    rough_kind = "translation" if kind == "translation" else "similarity"
    rough = coarse(fixed, moving, pair.space, rough_kind, starts)
    best, best_kind, status = _climb(pair, kind, rough, is_apart=is_apart)
    if best_kind == "identity":
        return PairTransform(rest, best_kind, status)
    gain = judge(pair.held_out, best, rest).gain
    polished = refine(pair.parts(None), best, best_kind, 3)
    best = polished if pair.plausible(polished) else best
    return PairTransform(pair.to_pixels(best), best_kind, status, gain)


def _climb(
    pair: Pair, kind: str, rough: Matrix, *, is_apart: bool = False
) -> tuple[Matrix, str, str]:
    """Return the best transform in units, its kind and a status."""
    best, best_kind, status = np.eye(3), "identity", "in place"
    for rung in rungs(kind):
        if rung == "homography" and kind == "auto" and best_kind != "similarity":
            continue
        begin = best if best_kind not in ("identity", "translation") else rough
        begin = shift_of(rough) if rung == "translation" else begin
        fitted = refine(pair.fit, begin, rung, 6, 0.02)
        if not pair.plausible(fitted):
            status = "refused" if best_kind == "identity" else status
            continue
        verdict = judge(pair.held_out, fitted, best)
        needed = needed_gain(kind, rung, best_kind)
        is_free = is_apart and best_kind == "identity"
        # asked this way round, what is not a number is refused
        if is_free or (verdict.gain > needed and verdict.clear > CLEAR):
            best, best_kind, status = fitted, rung, "aligned"
    return best, best_kind, status
