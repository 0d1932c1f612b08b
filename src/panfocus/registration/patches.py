"""How far patches of two frames lie apart, whatever their focus.

Between frames of a focal stack more changes than place: blur spreads detail, bright things grow
(light adds up, encoded values do not), contrast fades or, in bright field, turns over. In a patch
the difference of two frames is therefore explained by all of these at once,

    moving - fixed  =  -shift . slope  +  a  +  b level  +  c curvature  +  d steepness

where *curvature* (Laplacian) is what a change of blur does, *steepness* (length of the slope) what
growing does; only what these cannot explain speaks of a shift. A patch with a single edge then says
nothing across it: growing and moving look alike there. The uncertainty of each patch follows.

The linear model of an image under a small shift is that of Lucas and Kanade, "An iterative image
registration technique with an application to stereo vision", IJCAI 1981; taking nuisance terms out
by a Schur complement is textbook least squares.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.registration.transforms import Matrix, move
from panfocus.registration.two_pass import suits, take

#: Side of a patch, pixels of its level.
SIDE = 24
#: Pixels of full scale along the sides that no patch reaches: blur mixes in what lies beyond.
MARGIN = 12
#: Shift, pixels of the level, beyond which a patch is not believed.
FARTHEST = 4.0
#: Pixels over which the noise of smoothed frames is one.
_CORRELATED = 12
#: Variance below which nothing is left to explain: a fifth of an 8-bit level.
_FLOOR = 1e-6

Array = NDArray[np.float64]


@frozen
class Patches:
    """Patches of the fixed frame, and where the moving frame has them.

    Attributes:
        at: ``(K, 2)`` middles, (x, y), pixels of full scale.
        shift: ``(K, 2)`` still to go, in the fixed frame, pixels of full scale.
        information: ``(K, 2, 2)`` inverse covariance of the shift.
        remains: ``(K,)`` mean squared difference that blur and brightness leave.
        number: ``(K,)`` of the patch, the same for every transform, another on every level.
        factor: ``(K,)`` pixels of full scale per pixel of the level it was measured on.
    """

    at: Array
    shift: Array
    information: Array
    remains: Array
    number: NDArray[np.intp]
    factor: Array

    @property
    def gains(self) -> Array:
        """What each patch would gain by its own shift ``(K,)``, as logarithms."""
        explained = np.einsum("ki,kij,kj->k", self.shift, self.information, self.shift)
        return np.log1p(explained / _own(self.factor) * (_CORRELATED / SIDE**2))

    @property
    def slopes(self) -> Array:
        """Mean square of what each patch's slopes tell ``(K,)``, per pixel of its level."""
        after = self.remains / np.exp(self.gains)
        trace = np.einsum("kii->k", self.information) * self.factor**2 / _own(self.factor)
        return trace * after * (_CORRELATED / SIDE**2)


def _own(factor: Array | float) -> Array | np.float64:
    """Return the share of what a patch says that is its own: pixels of enlarged ones are not."""
    return np.minimum(factor, 1.0)


#: Pixels that are worked on at once, in whole rows of patches: what is made of them fits the
#: processor's cache. Thinned ones are as many times more, for fewer calls.
_STRIP = 32_000
#: Of how many rows, and columns, one is taken where patches are thinned: smoothed ones say nearly
#: all in every other, but for noise, which is a half more.
_THIN = 2
#: Pixels around patches that their slopes depend on; no margin is narrower.
_AROUND = 4


class _Grid:
    """Cuts pictures of one size into patches."""

    def __init__(self, height: int, width: int, margin: int) -> None:
        self.rows = max((height - 2 * margin) // SIDE, 0)
        self.cols = max((width - 2 * margin) // SIDE, 0)
        self.top = (height - self.rows * SIDE) // 2
        self.left = (width - self.cols * SIDE) // 2

    def middles(self) -> Array:
        """Return the patches' middles ``(K, 2)``, (x, y)."""
        y, x = np.mgrid[: self.rows, : self.cols]
        start = np.array([self.left, self.top]) + (SIDE - 1) / 2
        return np.column_stack([x.ravel(), y.ravel()]) * SIDE + start


def _slopes(plane: Float, thin: int) -> tuple[Float, Float, Float]:
    """Return slope along x and y, and curvature of a plane, `_AROUND` pixels left out.

    Of `thin` rows, and columns, the first is kept.
    """
    x = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 32)
    y = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 32)
    smooth = cv2.GaussianBlur(plane, (5, 5), 0.7)
    curvature = cv2.Laplacian(smooth, cv2.CV_32F, ksize=1)
    inner = slice(_AROUND, -_AROUND, thin)
    x, y, curvature = (np.asarray(p[inner, inner], np.float32) for p in (x, y, curvature))
    return x, y, curvature


def compare(
    fixed: Float,
    moving: Float,
    matrix: Matrix,
    factor: float,
    *,
    is_rough: bool = False,
    is_thin: bool = False,
) -> Patches:
    """Measure the shift of every patch that remains after a transform.

    Args:
        fixed: ``(h, w)`` smoothed luminance of one frame at a level.
        moving: the same of the other.
        matrix: from the fixed to the moving frame, pixels of the level.
        factor: pixels of full scale per pixel of the level.
        is_rough: whether shifts may be off by some hundredths of a pixel of the level.
        is_thin: whether a quarter of the pixels is enough, for half of the time.
    """
    height, width = fixed.shape
    grid = _Grid(height, width, max(int(MARGIN // factor), 4))
    middles = grid.middles()
    if not np.array_equal(matrix, np.eye(3)):
        moving = laid_on(moving, matrix, is_rough=is_rough)
    shown = _shown(middles, matrix, height, width)
    shift, information, remains = _solve(
        _products(fixed, moving, grid, _THIN if is_thin else 1)[shown]
    )
    good = np.isfinite(shift).all(axis=1) & (np.hypot(*shift.T) < FARTHEST)
    number = np.flatnonzero(shown)[good]
    return Patches(
        at=middles[number] * factor + (factor - 1) / 2,
        shift=shift[good] * factor,
        information=information[good] / factor**2 * _own(factor),
        remains=remains[good],
        number=number + int(factor * 1_000_000),
        factor=np.full(len(number), float(factor)),
    )


def _shown(middles: Array, matrix: Matrix, height: int, width: int) -> NDArray[np.bool_]:
    """Return which patches the moving frame shows as a whole."""
    out = np.ones(len(middles), bool)
    for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        x, y = move(matrix, middles + np.array(corner) * (SIDE / 2)).T
        out &= (x > 3) & (y > 3) & (x < width - 4) & (y < height - 4)
    return out


def laid_on(plane: Float, matrix: Matrix, *, is_rough: bool = False) -> Float:
    """Return a plane ``(h, w)`` of one frame where another has it.

    Args:
        plane: of the moving frame; float32, finite.
        matrix: from the fixed to the moving frame, pixels of the plane.
        is_rough: whether bicubic interpolation is enough.
    """
    size = plane.shape[::-1]
    if suits(matrix) and not is_rough:
        return take(plane[..., None], matrix, size)[:, 0]
    way = cv2.INTER_CUBIC if is_rough else cv2.INTER_LANCZOS4
    flags, border = way | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    out = cv2.warpPerspective(plane, matrix, size, flags=flags, borderMode=border)
    return np.asarray(out, np.float32)


def _products(fixed: Float, moving: Float, grid: _Grid, thin: int) -> Array:
    """Return of every patch the sums of products ``(K, 7, 7)`` of what may explain the difference.

    Slopes come first, then a constant, level, curvature and steepness; the difference is last.
    """
    if grid.rows * grid.cols == 0:
        return np.zeros((0, 7, 7))
    out: list[Array] = []
    across = slice(grid.left - _AROUND, grid.left + grid.cols * SIDE + _AROUND)
    several = max(_STRIP * thin // (grid.cols * SIDE**2), 1)
    for first in range(0, grid.rows, several):
        last = min(first + several, grid.rows)
        top, bottom = (grid.top + row * SIDE for row in (first, last))
        strip = (slice(top - _AROUND, bottom + _AROUND), across)
        out.append(_of_strip(fixed[strip], moving[strip], thin))
    return np.concatenate(out)


def _of_strip(fixed: Float, moving: Float, thin: int) -> Array:
    """Return the same of some rows of patches, with `_AROUND` pixels around them."""
    inner = (slice(_AROUND, -_AROUND), slice(_AROUND, -_AROUND))
    side = SIDE // thin
    one, two = _centred(fixed[inner], thin), _centred(moving[inner], thin)
    turned = _means(one * two, side) < 0
    if turned.any():  # contrast that turns over: compare with the negative
        sign = _spread(np.where(turned, np.float32(-0.5), np.float32(0.5)), side)
        pairs = zip(_slopes(fixed * np.float32(0.5), thin), _slopes(moving, thin), strict=True)
        x, y, curvature = (a + sign * b for a, b in pairs)
        two *= 2 * sign
    else:
        x, y, curvature = _slopes((fixed + moving) * np.float32(0.5), thin)
    # the last bit of cv2.magnitude depends on where arrays lie in memory
    steepness = np.sqrt(x * x + y * y)
    level = (one + two) * np.float32(0.5)
    # products of eight terms are fastest: the last is none
    rows, cols = turned.shape
    flat = np.empty((rows * cols, 8, side * side), np.float32)
    cells = flat.reshape(rows, cols, 8, side, side)
    for number, term in enumerate((x, y, None, level, curvature, steepness, two - one, None)):
        if term is None:
            cells[:, :, number] = number == 2
        else:
            cells[:, :, number] = term.reshape(rows, side, cols, side).transpose(0, 2, 1, 3)
    products = np.matmul(flat, flat.transpose(0, 2, 1))[:, :7, :7]
    return products.astype(np.float64) * (thin * thin)


def _means(part: Float, side: int) -> Float:
    """Return the mean of every patch of a side, ``(rows, cols)``."""
    size = (part.shape[1] // side, part.shape[0] // side)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)


def _spread(values: Float, side: int) -> Float:
    """Return values ``(rows, cols)``, each over a patch of a side."""
    size = (values.shape[1] * side, values.shape[0] * side)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST), np.float32)


def _centred(part: Float, thin: int) -> Float:
    """Return patches, each freed of its mean, and thinned."""
    means = _spread(_means(part, SIDE), SIDE // thin)
    return np.asarray(part[::thin, ::thin] - means, np.float32)


def _solve(normal: Array) -> tuple[Array, Array, Array]:
    """Return shift ``(K, 2)``, its information ``(K, 2, 2)``, and what remains before it.

    Args:
        normal: sums of products ``(K, 7, 7)``, see `_products`.
    """
    rest = normal[:, 2:6, 2:6]
    rest = rest + np.eye(4) * (1e-4 * np.einsum("kii->ki", rest) + 1e-9)[:, None, :]
    across = normal[:, :2, 2:6]
    right = np.concatenate([across.transpose(0, 2, 1), normal[:, 2:6, 6:]], axis=2)
    solved = np.asarray(np.linalg.solve(rest, right), np.float64)
    slope = normal[:, :2, :2] - across @ solved[:, :, :2]
    said = normal[:, :2, 6] - np.einsum("kij,kj->ki", across, solved[:, :, 2])
    trace = np.einsum("kii->k", slope)
    damped = slope + np.eye(2) * (1e-3 * trace + 1e-9)[:, None, None]
    shift = np.asarray(-np.linalg.solve(damped, said[..., None])[..., 0], np.float64)
    before = normal[:, 6, 6] - np.einsum("ki,ki->k", normal[:, 2:6, 6], solved[:, :, 2])
    size = SIDE * SIDE
    after = np.maximum(before + np.einsum("ki,ki->k", said, shift), 0) / size + _FLOOR
    information = slope / (after * _CORRELATED)[:, None, None]
    return shift, information, np.maximum(before, 0) / size + _FLOOR


def joined(parts: list[Patches]) -> Patches:
    """Return the patches of several levels as one."""
    return Patches(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("at", "shift", "information", "remains", "number", "factor")
        )
    )
