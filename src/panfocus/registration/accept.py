"""Accept a transform only where pixels that it was not fitted to speak for it.

A transform replaces staying put if it moves a corner by more than blur could feign and by more than
its own standard error, if it explains held-out patches in every quarter of the picture better than
staying put does, and by four standard errors in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.frozen import frozen
from panfocus.registration.approach import measure
from panfocus.registration.choice import Reading, choose, read
from panfocus.registration.estimate import Space
from panfocus.registration.models import Model, kind_of, ladder
from panfocus.registration.options import FREEDOMS
from panfocus.registration.pairs import Measured, gains_of, in_pixels, in_units, middle_moves_by
from panfocus.registration.pyramid import Detail
from panfocus.registration.robust import cell_of, corner_error, to_unit
from panfocus.registration.transforms import (
    Matrix,
    PairTransform,
    corner_shift,
    is_plausible,
)

#: Movement of a corner, pixels of the finest level, that blur and noise can feign where no third
#: frame vouches for it.
FEIGNED_ALONE = 0.4
#: Standard errors by which a movement, and what it explains, must stand out.
CLEAR = 4.0
#: Share of what remains at rest that a step takes away that is worth a frame's resampling.
GAIN = 0.16
#: The same of a pair, which no third frame vouches for: what moved less than that scored no better
#: for it (Lytro 11 and 16).
GAIN_ALONE = 0.25
#: A pair needs no more than the step of a stack, `GAIN`, if it takes this share of what patches
#: would gain each by a shift of its own, or moves a corner by so many pixels of full scale, which
#: no blur feigns. MEASURED: of 120 made pairs all that moved and were clear were right, from a
#: share of .36 on; of 328 in place one was clear at all, with .2; real pairs of a microscope that
#: lie 1 to 2 px apart take .6 to .9.
_AGREED, _BLATANT = 0.75, 1.0
#: And no more than this if it moves a corner by so many pixels. Lytro 13 and 19, which stay, gain
#: .15 by 1.25 px and .11 by .4.
_GAIN_FAR, _FAR = 0.14, 1.5
#: Or this if it moves as a whole: blur looks like a change of size, not like a shift. So it does if
#: all of it is shifted, or its middle by so many pixels of the finest level, and it is not bent.
#: MEASURED: of 1992 neighbours and pairs in place one was so, of repeated texture. The middle of
#: light-field pairs that stay moves by .42 at most, that of a microscope's by .5 to 2, which gains
#: .05 to .15.
_GAIN_WHOLE, _MIDDLE = 0.05, 0.6
#: Share of what remains at rest that a transform takes away of which no more than a quarter of the
#: picture need speak: blur that was taken for a movement took .36 at most.
_MOST = 0.6
#: Share of what remains that is taken for noise, at most: beyond, nothing is known of the rest.
_MOST_NOISE = 0.6
#: Points without which a frame has no detail.
FEWEST = 200
#: Patches without which nothing is said.
_FEWEST = 6

Array = NDArray[np.float64]


@frozen
class Proof:
    """What pixels say of a transform that it was not fitted to.

    Attributes:
        gain: share of what remains at rest that the transform removes.
        clear: standard errors, over cells of the picture, by which it removes more than nothing.
        quadrants: for each quarter of the picture that speaks, the same.
        noise: share of what remains at rest that is noise, which no transform removes.
        agreed: share of what patches would gain each by its own shift that the transform gains.
    """

    gain: float
    clear: float
    quadrants: tuple[float, ...]
    noise: float = 0.0
    agreed: float = 0.0

    @property
    def cleaned(self) -> float:
        """Share of what remains at rest but for noise that the transform removes."""
        return self.gain / (1 - min(self.noise, _MOST_NOISE))

    @property
    def is_clear(self) -> bool:
        """Whether the whole picture speaks for the transform, and no quarter of it against.

        Where detail is in one or two quarters only, most of what remains must go.
        """
        if self.is_plain:
            return True
        speak = len(self.quadrants) >= 3 and min(self.quadrants) > -1
        for_it = sum(q > 1 for q in self.quadrants)
        return self.clear > CLEAR and speak and for_it >= len(self.quadrants) - 1

    @property
    def is_plentiful(self) -> bool:
        """Whether it is clear, and takes away what is worth a frame's resampling."""
        return self.is_clear and self.cleaned >= GAIN

    @property
    def is_plain(self) -> bool:
        """Whether most of what remains goes, wherever there is detail: more than blur feigns."""
        return self.gain >= _MOST and self.clear > CLEAR and all(q > 1 for q in self.quadrants)

    def stands_alone(self, shift: float, model: Model, middle: float) -> bool:
        """Whether a pair may move, with no third frame to vouch.

        Args:
            shift: of the corner that moves most, pixels of full scale.
            model: by which it moves.
            middle: shift of the middle, pixels of the finest level.
        """
        if self.gain >= GAIN_ALONE:
            return True
        if self.cleaned >= _GAIN_WHOLE and is_whole(model, middle):
            return True
        if self.cleaned >= _GAIN_FAR and shift >= _FAR:
            return True
        return self.cleaned >= GAIN and (self.agreed >= _AGREED or shift >= _BLATANT)


def is_whole(model: Model, middle: float) -> bool:
    """Whether frames move as a whole, see `Proof.stands_alone`."""
    return model == ("shift",) or (middle >= _MIDDLE and kind_of(model) == "similarity")


@frozen
class Pair:
    """What is known of two frames.

    Attributes:
        first: number of one.
        second: of the other.
        reading: None where they share too little detail.
        proof: what patches say of it.
        model: the simplest that explains it.
        tells: whether one place and another can be told apart: not where there is no reading, nor
            of a frame that is wholly blurred, to which any place seems as good as rest.
    """

    first: int
    second: int
    reading: Reading | None
    proof: Proof
    model: Model = ()
    tells: bool = True


def prove(measured: Measured) -> Proof:
    """Ask patches whether a transform leaves less to explain than staying put does."""
    space, there = measured.space, measured.patches
    gains, which = gains_of(there, measured.still)
    if len(gains) < _FEWEST:
        return Proof(0.0, 0.0, ())
    share = 1 - float(np.exp(-gains.mean()))
    left = float(there.gains[which].mean())
    agreed = float(gains.mean()) / max(float(gains.mean()) + left, 1e-9)
    noise = measured.noise / np.square(there.factor[which] / measured.factor)
    noise = float(median(noise / there.remains[which]))
    # few patches that gain much must not hide that all gain
    gains = gains / (np.abs(gains) + median(np.abs(gains)) + 1e-9)
    unit = to_unit(there.at[which], space)
    cells = cell_of(there, space)[which]
    quarter = (unit[:, 0] > 0).astype(np.intp) + 2 * (unit[:, 1] > 0)
    parts = [quarter == q for q in range(4)]
    speak = [_clear(gains[part], cells[part]) for part in parts if part.sum() >= _FEWEST]
    return Proof(share, _clear(gains, cells), tuple(speak), noise, agreed)


def _clear(gains: Array, cells: NDArray[np.intp]) -> float:
    """Return a sum over its standard error, which the scatter of cells tells."""
    sums = np.bincount(cells, gains)[np.bincount(cells) > 0]
    error = float(np.sqrt(np.square(sums - sums.mean()).sum() * len(sums) / max(len(sums) - 1, 1)))
    return float(sums.sum()) / max(error, 1e-9)


def may_share(fixed: Detail, moving: Detail) -> bool:
    """Whether two frames may show the same: not one without detail, nor two unlike pictures.

    Noise alone, of a frame that is black or grey, would else be taken for detail.
    """
    for detail in (fixed, moving):
        if not detail.shows(FEWEST) or detail.thumbnail.is_noise:
            return False
    return not fixed.thumbnail.is_unlike(moving.thumbnail)


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
    if not may_share(fixed, moving):
        return PairTransform(rest, "identity", "no detail")
    models = ladder(kind, freedoms)
    starts = [] if guess is None else [in_units(guess, space)]
    measured = measure(fixed, moving, models, starts)
    if not measured.is_enough and (not is_apart or len(measured.patches.at) < _FEWEST):
        return PairTransform(rest, "identity", "in place")
    models = models if measured.is_enough else models[:1]
    factor = fixed.pixel
    model = choose([read(measured, models)], models, space, factor)
    matrix = in_pixels(measured.moved(model), space)
    if not is_plausible(matrix, fixed.height, fixed.width):
        return PairTransform(rest, "identity", "refused")
    error = corner_error(model, measured.fit(model).covariance, space)
    if is_apart:
        return PairTransform(matrix, kind_of(model), "aligned", 0.0, error)
    shift = corner_shift(matrix, fixed.height, fixed.width)
    proof = Proof(0.0, 0.0, ())
    if shift >= max(FEIGNED_ALONE * factor, CLEAR * error):
        proof = prove(measured)
    middle = middle_moves_by(measured.moved(model), space) / factor
    if not proof.is_clear or (kind == "auto" and not proof.stands_alone(shift, model, middle)):
        return PairTransform(rest, "identity", "in place", 0.0, error)
    return PairTransform(matrix, kind_of(model), "aligned", proof.gain, error)
