"""Accept a transform only where pixels that it was not fitted to speak for it.

A transform replaces staying put if it moves a corner by more than blur could feign and by more than
its own standard error, if it explains held-out patches in every quarter of the picture better than
staying put does, and by four standard errors in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from panfocus.registration.models import FREEDOMS, Model, kind_of, ladder, motions
from panfocus.registration.pairs import LEVELS, Measured, in_pixels, in_units, left, measure, patches_at
from panfocus.registration.estimate import Space
from panfocus.registration.pyramid import Detail
from panfocus.registration.robust import at_corners, cell_of, cost, fit, to_unit
from panfocus.registration.transforms import (
    Matrix,
    PairTransform,
    corner_shift,
    is_plausible,
    move,
)

#: Movement of a corner, pixels of the finest level, that blur and noise can feign in a pair.
FEIGNED = 0.3
#: Standard errors by which a movement, and what it explains, must stand out.
CLEAR = 4.0
#: Movement of a corner, pixels of the finest level, by which a richer model must differ.
RICHER = 0.15
#: By how much patches that lie near each other and on several levels repeat themselves.
_REPEATED = 3.0
#: Points without which a frame has no detail.
FEWEST = 200
#: Movement in pixels of the finest level up to which patches measured at one place tell what
#: another would cost.
_NEAR = 1.5
#: Pixels of the finest level from which on coarser levels show enough patches for a proof.
_LARGE = 150_000
#: Standard error in pixels of its level up to which a patch has a say.
_SHARP = 0.7

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Proof:
    """What pixels say of a transform that it was not fitted to.

    Attributes:
        gain: share of what remains at rest that the transform removes.
        clear: standard errors, over cells of the picture, by which it removes more than nothing.
        quadrants: for each quarter of the picture that speaks, the same.
    """

    gain: float
    clear: float
    quadrants: tuple[float, ...]

    @property
    def is_clear(self) -> bool:
        """Whether the whole picture speaks for the transform, and no quarter of it against."""
        speak = len(self.quadrants) >= 3 and min(self.quadrants) > -1
        for_it = sum(q > 1 for q in self.quadrants)
        return self.clear > CLEAR and speak and for_it >= len(self.quadrants) - 1


def choose(measured: Measured, models: Sequence[Model]) -> Model:
    """Return the simplest model that none explains better (Schwarz's information criterion).

    Args:
        measured: enough patches.
        models: simple to rich.
    """
    space = measured.space
    scale = measured.fit(models[-1]).scale
    least = RICHER * float(measured.patches.factor.min())
    chosen, best = models[0], np.inf
    for model in models:
        found = measured.fit(model)
        size = len(found.parameters) * np.log(len(found.squared) / _REPEATED)
        value = float(cost(found.squared, scale).sum()) / _REPEATED + size
        if value >= best:
            continue
        apart = np.linalg.inv(measured.moved(chosen)) @ measured.moved(model)
        if best < np.inf and _shift(apart, space) < least:
            continue
        chosen, best = model, value
    return chosen


def _shift(matrix: Matrix, space: Space) -> float:
    """Return the shift in pixels of the corner that a matrix in units moves most."""
    return corner_shift(in_pixels(matrix, space), space.height, space.width)


def prove(fixed: Detail, moving: Detail, measured: Measured, model: Model) -> Proof:
    """Ask held-out patches whether a transform explains them better than staying put does."""
    patches, space = measured.patches, measured.space
    matrix = measured.moved(model)
    factor = float(patches.factor.min())
    sharp = 2 / np.sqrt(np.einsum("kii->k", patches.information) + 1e-12) < _SHARP * patches.factor
    if _shift(matrix, space) < _NEAR * factor:
        gains, share = _near(measured, model)
    else:
        small = fixed.levels[0].smooth.size < _LARGE
        levels = range(0 if small else 1, min(LEVELS, len(fixed.levels)))
        there = patches_at(fixed, moving, matrix, levels)
        rest = patches_at(fixed, moving, np.eye(3), levels)
        common, here, still = np.intersect1d(there.number, rest.number, return_indices=True)
        gains = np.log(rest.remains[still] / there.remains[here])
        order = np.searchsorted(common, patches.number)
        order[order == len(common)] = 0
        known = common[order] == patches.number if len(common) else np.zeros(len(sharp), bool)
        gains = np.where(known, gains[order] if len(common) else 0.0, 0.0)
        sharp = sharp & known
        share = 1 - float(np.exp(-gains[sharp].mean())) if sharp.any() else 0.0
    return _weigh(gains, sharp, share, measured)


def _near(measured: Measured, model: Model) -> tuple[Array, float]:
    """Return what each patch gains by a fit to the other half of the cells, and the share."""
    patches, space = measured.patches, measured.space
    cells = cell_of(patches, space)
    white = ((cells // 8 + cells % 8) & 1).astype(bool)
    unit = to_unit(patches.at, space)
    jacobian = motions(model, unit) / space.to_unit[0, 0]
    whole = measured.fit(model)
    # everything from rest: near enough, a step is a step from anywhere
    shift = patches.shift + (move(measured.matrix, unit) - unit) / space.to_unit[0, 0]
    off = shift
    before = cost(np.einsum("ki,kij,kj->k", off, whole.information, off), whole.scale)
    after = before.copy()
    for half in (white, ~white):
        if half.sum() < 2 * len(whole.parameters):
            return np.zeros(len(before)), 0.0
        other = fit(replace(patches, shift=shift), space, model, half.astype(np.float64))
        off = shift - jacobian @ other.parameters
        squared = np.einsum("ki,kij,kj->k", off, whole.information, off)
        after[~half] = cost(squared, whole.scale)[~half]
    return before - after, 1 - float(after.sum() / max(before.sum(), 1e-9))


def _weigh(gains: Array, said: NDArray[np.bool_], share: float, measured: Measured) -> Proof:
    # few patches that gain much must not hide that all gain
    usual = float(np.median(np.abs(gains[said]))) if said.any() else 0.0
    gains = gains / (np.abs(gains) + usual + 1e-9)
    unit = to_unit(measured.patches.at, measured.space)
    cells = cell_of(measured.patches, measured.space)
    quarter = (unit[:, 0] > 0).astype(np.intp) + 2 * (unit[:, 1] > 0)
    speak = [float(_clear(gains[m], cells[m])) for q in range(4) if (m := (quarter == q) & said).sum() >= 3]
    if said.sum() < 6:
        return Proof(0.0, 0.0, ())
    return Proof(share, _clear(gains[said], cells[said]), tuple(speak))


def _clear(gains: Array, cells: NDArray[np.intp]) -> float:
    """Return a sum over its standard error, which the scatter of cells tells."""
    sums = np.bincount(cells, gains)[np.bincount(cells) > 0]
    error = float(np.sqrt(np.square(sums - sums.mean()).sum() * len(sums) / max(len(sums) - 1, 1)))
    return float(sums.sum()) / max(error, 1e-9)


def register(
    fixed: Detail,
    moving: Detail,
    kind: str,
    guess: Matrix | None = None,
    *,
    is_apart: bool = False,
    freedoms: Sequence[str] = FREEDOMS,
) -> PairTransform:
    """Return the transform from `fixed` to `moving` that held-out pixels speak for.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        kind: richest kind to try, or "auto" to let the picture choose.
        guess: where to begin besides at rest, pixels of full scale.
        is_apart: whether the caller knows that the frames do not lie on each other, and judges
            the result by himself: then the simplest plausible transform replaces staying put
            without proof, which small pictures have too few patches to give.
        freedoms: of `models.FREEDOMS`, what may change.
    """
    rest = np.eye(3)
    space = Space(fixed.height, fixed.width)
    if min(len(d.levels[0].points) for d in (fixed, moving)) < FEWEST:
        return PairTransform(rest, "identity", "no detail")
    models = ladder(kind, freedoms)
    starts = [] if guess is None else [in_units(guess, space)]
    measured = measure(fixed, moving, models, starts)
    if not measured.is_enough:
        if not is_apart or len(measured.patches.at) < 4:
            return PairTransform(rest, "identity", "in place")
        models = (models[0][:1],)
    model = choose(measured, models)
    found = measured.fit(model)
    matrix = in_pixels(measured.moved(model), space)
    if not is_plausible(matrix, fixed.height, fixed.width):
        return PairTransform(rest, "identity", "refused")
    error = at_corners(model, found.parameters, found.covariance, space)[1]
    if is_apart:
        return PairTransform(matrix, kind_of(model), "aligned", 0.0, error)
    shift = corner_shift(matrix, fixed.height, fixed.width)
    feigned = FEIGNED * fixed.levels[0].factor
    if shift < max(feigned, CLEAR * error):
        return PairTransform(rest, "identity", "in place", 0.0, error)
    proof = prove(fixed, moving, measured, model)
    if not proof.is_clear:
        return PairTransform(rest, "identity", "in place", 0.0, error)
    return PairTransform(matrix, kind_of(model), "aligned", proof.gain, error)
