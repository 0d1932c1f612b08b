"""Values between pixels by two passes of small matrix products: down the columns, then along rows.

An affine transform with little rotation is a move down every column, followed by one along every
row (Catmull and Smith, "3-D transformations of images in scanline order", SIGGRAPH 1980). Each pass
is a product with a band matrix, the same for all columns, or rows, that lie alike within a 32nd of
a pixel; processors multiply dense matrices so fast that the zeros of a small block cost less than
going from place to place. The kernel is that of `resample`: doubled by its long filter, then
OpenCV's bicubic, so both ways make the same values, places rounded to a 64th of a pixel in both.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.registration.transforms import Matrix, corners, move

#: Right half of the symmetric filter that makes the values half-way between two samples.
HALF = (0.62816, -0.19828, 0.11413, -0.07274, 0.04824, -0.03141, 0.01963, -0.00773)
#: Parameters of Keys' bicubic kernel.
OPENCV, TRUE = -0.75, -0.5
#: The first sample that a place depends on, counted from the one to its left, and how many.
_FIRST = -len(HALF)
_TAPS = 2 * len(HALF) + 2
#: Places between two samples that are told apart.
_PARTS = 128
#: Places between two samples that the kernel is worked out for.
_FINE = 2048
#: Samples beyond a place that must be there, one of them for rounding.
_SPARE = len(HALF) + 4
#: Rows, or columns, of one product: above, zeros cost more; below, calls.
_BLOCK = 48
_ROWS, _ORDER = np.ogrid[:_BLOCK, :_TAPS]
#: Numbers that a product takes at most along its free side: OpenBLAS wakes threads, which wait by
#: spinning, for products of more than 2^18 multiplications.
_WIDE = 72
#: By how much of a pixel places of one product may be apart from where it takes them.
_APART = 1 / 32
#: Lines of one product without which going from place to place is as fast.
_FEWEST = 4
#: Scales beyond which a block's matrix would hold too much for `_WIDE`.
_SCALES = (0.8, 1.2)


def suits(matrix: Matrix) -> bool:
    """Whether a transform can be made in two passes, and faster so."""
    if np.abs(matrix[2, :2]).max() != 0:
        return False
    along, down = matrix[0] / matrix[2, 2], matrix[1] / matrix[2, 2]
    if not _SCALES[0] <= along[0] <= _SCALES[1]:
        return False
    turned = max(abs(along[1]), abs(down[0] / along[0]))
    scale = down[1] - down[0] * along[1] / along[0]
    return turned * _FEWEST <= _APART and _SCALES[0] <= scale <= _SCALES[1]


def _bicubic(place: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Return Keys' weights ``(..., 4)`` of the samples at -1, 0, 1, 2 for places in [0, 1)."""
    inner, outer = np.stack([place, 1 - place]), np.stack([1 + place, 2 - place])
    near = (a + 2) * inner**3 - (a + 3) * inner**2 + 1
    far = a * outer**3 - 5 * a * outer**2 + 8 * a * outer - 4 * a
    return np.stack([far[0], *near, far[1]], axis=-1)


def _kernel(place: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Return the weights ``(..., _TAPS)`` of the samples around places in [0, 1) between two."""
    half = np.array([*HALF[::-1], *HALF])
    out = np.zeros((*place.shape, _TAPS))
    later = place >= 0.5
    bicubic = _bicubic(2 * place - later, a)
    for k in range(4):
        # of doubled samples every other one is a sample, those between are made of 16
        for after in (False, True):
            weight = bicubic[..., k] * (later == after)
            sample, is_between = divmod(k - 1 + after, 2)
            if is_between:
                out[..., sample + 1 : sample + 1 + len(half)] += weight[..., None] * half
            else:
                out[..., sample - _FIRST] += weight
    return out


@lru_cache(2)
def _fine(a: float) -> Float:
    """Return the weights ``(_FINE, _TAPS)`` of the samples around every 2048th of a pixel."""
    return _kernel(np.arange(_FINE) / _FINE, a).astype(np.float32)


class _Bands:
    """Weights of a block of places at a scale, made as they are asked for."""

    def __init__(self, scale: float, a: float) -> None:
        self._steps = scale * np.arange(_BLOCK)
        self._kernel = _fine(a)
        self._made: dict[int, tuple[Float, Float]] = {}
        #: samples that a block is made from
        self.samples = int(self._steps[-1] + 1) + _TAPS

    def at(self, part: int) -> tuple[Float, Float]:
        """Return the weights of a block that begins at a part of the way between two samples.

        Returns:
            ``(_BLOCK, S)``, and turned over in memory too, as products are fastest.
        """
        if part not in self._made:
            places = np.rint((self._steps + part / _PARTS) * _FINE).astype(np.intp)
            first, place = np.divmod(places, _FINE)
            out = np.zeros((_BLOCK, self.samples), np.float32)
            out[_ROWS, first[:, None] + _ORDER] = self._kernel[place]
            self._made[part] = out, np.ascontiguousarray(out.T)
        return self._made[part]


@lru_cache(16)
def _bands(scale: float, a: float) -> _Bands:
    return _Bands(scale, a)


def _mirrored(planes: Float, matrix: Matrix, size: tuple[int, int]) -> tuple[Float, int, int]:
    """Return planes with as much around them as is needed, and how much that is left and above."""
    x, y = move(matrix, corners(*size[::-1])).T
    height, width = planes.shape[1:]
    left, right = max(_SPARE - int(x.min()), 0), max(int(x.max()) + _SPARE - width, 0)
    top, bottom = max(_SPARE - int(y.min()), 0), max(int(y.max()) + _SPARE - height, 0)
    if max(left, right, top, bottom) == 0:
        return planes, 0, 0
    border = cv2.BORDER_REFLECT_101
    shape = (len(planes), height + top + bottom, width + left + right)
    around = np.empty(shape, np.float32)
    for plane, into in zip(planes, around, strict=True):
        cv2.copyMakeBorder(plane, top, bottom, left, right, border, dst=into)
    return around, left, top


class _Pass:
    """Where one pass takes values from: ``scale * place + slant * line + start``."""

    def __init__(self, scale: float, slant: float, start: float, a: float) -> None:
        self._scale = scale
        self._slant = slant
        self._start = start
        self.bands = _bands(round(scale, 7), a)

    def together(self, count: int, most: int) -> list[slice]:
        """Return which of `count` lines are made by one product."""
        step = min(int(_APART / max(abs(self._slant), 1e-9)), most)
        return [slice(n, min(n + step, count)) for n in range(0, count, step)]

    def starts(self, count: int, lines: list[slice], first: int = 0) -> list[list[tuple[int, int]]]:
        """Return for every block and part of the lines the first sample, and which band it takes.

        Args:
            count: places, of which each `_BLOCK` are a block.
            lines: parts of them.
            first: of the lines.
        """
        blocks = self._scale * np.arange(0, count, _BLOCK) + self._start
        middles = first + np.array([(part.start + part.stop - 1) / 2 for part in lines])
        at = np.rint((blocks[:, None] + self._slant * middles) * _PARTS).astype(np.intp)
        whole, part = np.divmod(at, _PARTS)
        pairs = np.stack([whole + _FIRST, part], axis=-1)
        return pairs.tolist()


def take(planes: Float, matrix: Matrix, size: tuple[int, int], keys: float = OPENCV) -> Float:
    """Return values between pixels.

    Args:
        planes: ``(C, H, W)``, finite: a product spreads what is not over its block.
        matrix: from pixels of the result to those of `planes`, see `suits`; what lies beyond is
            mirrored.
        size: width and height of the result.
        keys: parameter of the bicubic kernel: `OPENCV` keeps most detail, `TRUE` keeps slopes, and
            so places, true.

    Returns:
        ``(C, h, w)``.
    """
    matrix = matrix / matrix[2, 2]
    width, height = (-(-side // _BLOCK) * _BLOCK for side in size)
    planes, left, top = _mirrored(planes, matrix, (width, height))
    (a, b, c), (d, e, f) = matrix[:2] + np.array([[0, 0, left], [0, 0, top]])
    slant = d / a
    along, down = _Pass(a, b, c, keys), _Pass(e - slant * b, slant, f - slant * c, keys)
    moved = np.empty((len(planes), _BLOCK, planes.shape[2]), np.float32)
    out = np.empty((len(planes), height, width), np.float32)
    columns = down.together(planes.shape[2], _WIDE)
    rows = along.together(_BLOCK, _BLOCK)
    for y, starts in zip(range(0, height, _BLOCK), down.starts(height, columns), strict=True):
        for part, (start, band) in zip(columns, starts, strict=True):
            source = planes[:, start : start + down.bands.samples, part]
            np.matmul(down.bands.at(band)[0], source, out=moved[..., part])
        made = out[:, y : y + _BLOCK]
        across = along.starts(width, rows, y)
        for x, firsts in zip(range(0, width, _BLOCK), across, strict=True):
            for part, (start, band) in zip(rows, firsts, strict=True):
                source = moved[:, part, start : start + along.bands.samples]
                np.matmul(source, along.bands.at(band)[1], out=made[:, part, x : x + _BLOCK])
    return out[:, : size[1], : size[0]]
