"""Find where one frame lies on another: from a rough place to a fraction of a pixel.

A coarse search on normalised detail finds the way; shifts of patches, which blur does not bend,
tell the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from panfocus.frozen import frozen
from panfocus.registration.estimate import Points, Space, coarse, refine
from panfocus.registration.models import Model, increment, kind_of, parameters
from panfocus.registration.pairs import (
    FEIGNED,
    LEVELS,
    Measured,
    in_pixels,
    left,
    moves_by,
    patches_at,
)
from panfocus.registration.patches import Patches, joined
from panfocus.registration.pyramid import Detail
from panfocus.registration.transforms import Matrix, is_plausible

#: Pixels of the finest level from which on coarser levels show patches enough to choose by.
_LARGE = 150_000
#: Movement of a corner, pixels of the finest level, so small that shifts need no second measure.
_SETTLED = 0.15
#: The same of places that are as good as one.
_ALIKE = 1.0
#: The same of a step on coarser levels that is the last.
_NEAR = 0.3
#: The same of a step after which coarser levels are looked at again: beyond, patches are lost.
_FAR = 4.0
#: The same by which shear or perspective must lead elsewhere to be looked for: as much as they
#: must move a corner to be chosen.
_BENDS = 0.5
#: Steps on coarser levels, at most.
_ROUNDS = 3
#: Noise of both frames, a variance of the finest level, below which a quarter of its pixels say as
#: much as all where frames move: about one grey level of 8 bits in each, before it is smoothed.
_QUIET = 2.5e-6
#: By how much, in logarithms, less must remain elsewhere than at rest to begin from there.
_DOUBT = 0.02


@frozen
class _Pair:
    """Two frames of equal size.

    Attributes:
        fixed: one.
        moving: the other.
        still: patches measured at rest.
    """

    fixed: Detail
    moving: Detail
    still: Patches

    @property
    def space(self) -> Space:
        """Of both frames."""
        return Space(self.fixed.height, self.fixed.width)

    def at(self, matrix: Matrix, levels: Sequence[int], *, is_rough: bool = False) -> Measured:
        """Measure patches at a matrix in units on some levels."""
        patches = self._patches(matrix, levels, is_rough=is_rough, is_thin=is_rough)
        return self.with_patches(matrix, patches)

    def _moved(self, matrix: Matrix, levels: Sequence[int]) -> Measured:
        """Measure the same of frames that move, the finest level thinned.

        Not where it is compared with patches at rest, nor where there is noise to be averaged.
        """
        is_compared = bool((self.still.factor == self.fixed.levels[0].factor).any())
        if 0 not in levels or is_compared or self.fixed.noise + self.moving.noise >= _QUIET:
            return self.at(matrix, levels)
        finest = self._patches(matrix, [0], is_thin=True)
        coarser = self._patches(matrix, [level for level in levels if level > 0])
        return self.with_patches(matrix, joined([finest, coarser]))

    def _patches(
        self,
        matrix: Matrix,
        levels: Sequence[int],
        *,
        is_rough: bool = False,
        is_thin: bool = False,
    ) -> Patches:
        return patches_at(
            self.fixed, self.moving, matrix, levels, is_rough=is_rough, is_thin=is_thin
        )

    def with_patches(self, matrix: Matrix, patches: Patches) -> Measured:
        """Return what patches say that were measured at a matrix in units."""
        noise = self.fixed.noise + self.moving.noise
        return Measured(matrix, patches, self.space, self.still, noise)

    def near(self, found: Measured, model: Model, levels: Sequence[int]) -> Matrix | None:
        """Return a matrix in units near where frames agree, by coarser levels.

        None where steps do not come to an end.
        """
        for _ in range(_ROUNDS):
            step = step_of(found, model, _FAR)
            if step is None or step_of(found, model, _NEAR) is not None:
                return step
            found = self.at(step, levels, is_rough=True)
        return None

    def settled(self, matrix: Matrix, model: Model, ways: Sequence[Sequence[int]]) -> Measured:
        """Return patches measured where they lead hardly anywhere else.

        Args:
            matrix: in units, to begin at.
            model: by which patches lead.
            ways: levels to measure on, one after the other.
        """
        for levels in ways:
            found = self._moved(matrix, levels)
            if levels is ways[-1] and step_of(found, model, _SETTLED) is not None:
                return found
            step = step_of(found, model)
            matrix = matrix if step is None else step
        return self._moved(matrix, ways[-1])


def step_of(found: Measured, model: Model, most: float = np.inf) -> Matrix | None:
    """Return the matrix in units that patches lead to by a model.

    None where they are too few, it is no transform of frames, or it moves a corner by `most` pixels
    of the finest level or more from where they were measured.
    """
    if not found.is_enough:
        return None
    step, space = found.moved(model), found.space
    apart = moves_by(np.linalg.inv(found.matrix) @ step, space)
    return step if apart < most * found.factor and _is_plausible(step, space) else None


def measure(
    fixed: Detail, moving: Detail, models: Sequence[Model], starts: Sequence[Matrix] = ()
) -> Measured:
    """Find where a frame lies.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        models: simple to rich; the richest is what the way may bend by.
        starts: matrices in units to begin from besides at rest.
    """
    richest = models[-1]
    simple = _simple(richest)
    count = min(LEVELS, len(fixed.levels))
    # small pictures have too few patches on coarser levels
    first = 1 if count > 1 and fixed.levels[0].smooth.size >= _LARGE else 0
    low, full = range(first, count), range(count)
    rest = np.eye(3)
    pair = _Pair(fixed, moving, patches_at(fixed, moving, rest, low))
    tried = [pair.at(m, low, is_rough=True) for m in _places(fixed, moving, richest, starts)]
    if tried and len(fixed.levels) > 2 and _bends(tried[0], simple, richest):
        bent = _bent_place(fixed, moving, tried[0].matrix, richest)
        is_new = all(_is_apart(bent, found.matrix, fixed) for found in tried)
        if is_new and _is_plausible(bent, pair.space):
            tried.append(pair.at(bent, low, is_rough=True))
    remain = [left(found.patches, pair.still) for found in tried]
    if remain and min(remain) < -_DOUBT:
        found = tried[int(np.argmin(remain))]
        bent = _leading(found.matrix, richest)
        near = pair.near(found, bent, low)
        if near is not None:
            return pair.settled(near, bent, [full])
        ways = [range(count - 1, count), range(min(1, count - 1), count), full]
        return pair.settled(found.matrix, bent, ways)
    if first:
        pair = _Pair(fixed, moving, joined([patches_at(fixed, moving, rest, [0]), pair.still]))
    apart = [r for f, r in zip(tried, remain, strict=True) if _is_apart(f.matrix, rest, fixed)]
    found = replace(pair.with_patches(rest, pair.still), elsewhere=max(apart, default=np.inf))
    if not found.is_enough or moves_by(found.moved(simple), pair.space) < FEIGNED * found.factor:
        return found
    return pair.settled(rest, simple, [full])


def measure_near(fixed: Detail, moving: Detail, models: Sequence[Model], start: Matrix) -> Measured:
    """Measure where a frame lies whose place is known within a pixel, with thinned patches.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        models: simple to rich.
        start: matrix in units.
    """
    levels = range(min(LEVELS, len(fixed.levels)))
    patches = patches_at(fixed, moving, start, levels, is_thin=True)
    found = _Pair(fixed, moving, patches).with_patches(start, patches)
    model = _leading(start, models[-1])
    if not found.is_enough or step_of(found, model, _SETTLED) is not None:
        return found
    matrix = found.moved(model)
    patches = patches_at(fixed, moving, matrix, levels, is_thin=True)
    return _Pair(fixed, moving, patches).with_patches(matrix, patches)


def _simple(richest: Model) -> Model:
    """Return the similarities among what may change."""
    return tuple(f for f in richest if f in ("shift", "scale", "rotate")) or richest


def _leading(matrix: Matrix, richest: Model) -> Model:
    """Return the model by which patches lead on from a matrix in units: no richer than it is."""
    simple = _simple(richest)
    spanned = increment(simple, parameters(simple, matrix))
    return simple if np.allclose(spanned, matrix, atol=1e-9) else richest


def _places(
    fixed: Detail, moving: Detail, richest: Model, starts: Sequence[Matrix]
) -> list[Matrix]:
    """Return where the moving frame may lie, no two of them near each other."""
    space = Space(fixed.height, fixed.width)
    kind = kind_of(richest)
    rough = coarse(
        fixed,
        moving,
        space,
        "translation" if kind == "translation" else "similarity",
        [np.eye(3), *starts],
    )
    out = [rough, *starts]
    apart: list[Matrix] = []
    for place in out:
        if _is_plausible(place, space) and all(_is_apart(place, a, fixed) for a in apart):
            apart.append(place)
    return apart


def _bends(found: Measured, simple: Model, richest: Model) -> bool:
    """Whether patches measured where no shear was looked for may ask for some."""
    if kind_of(richest) not in ("affine", "homography"):
        return False
    ways = [step_of(found, model) for model in (simple, richest)]
    if ways[0] is None or ways[1] is None:
        return True
    return moves_by(np.linalg.inv(ways[0]) @ ways[1], found.space) >= _BENDS * found.factor


def _bent_place(fixed: Detail, moving: Detail, rough: Matrix, richest: Model) -> Matrix:
    """Return where the moving frame may lie if it is sheared, too."""
    space = Space(fixed.height, fixed.width)
    levels = list(zip(fixed.levels[1:3], moving.levels[1:3], strict=True))
    parts = [(Points(one, space), two) for one, two in levels]
    return refine(parts, rough, kind_of(richest), 8, 0.02)


def _is_apart(one: Matrix, other: Matrix, detail: Detail) -> bool:
    """Whether matrices in units are more than one place."""
    away = moves_by(np.linalg.inv(one) @ other, Space(detail.height, detail.width))
    return away >= _ALIKE * detail.levels[0].factor


def _is_plausible(matrix: Matrix, space: Space) -> bool:
    return is_plausible(in_pixels(matrix, space), space.height, space.width)
