"""How each place of a frame is shifted against another, where one transform does not say it.

Neighbours of a focal stack differ in blur. So each is first blurred until it holds as little fine
detail as the other, place by place, and freed of mean and contrast; between what is left runs
dense inverse search. It is believed where both hold detail and the way back leads to where it came
from, and smooth elsewhere. What a change of blur feigns is then taken off patch by patch, by the
same measurement that whole frames are aligned with (`panfocus.registration.patches`).

dense flow:  T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast optical flow using dense inverse
             search", ECCV 2016
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.registration.patches import SIDE, Patches, compare
from panfocus.registration.pyramid import FLOOR, WINDOW

#: Sigmas by which frames are blurred to equal each other, pixels.
_BLURS = (1.0, 1.8, 3.0, 5.0)
#: Detail whose energy is compared: what a Gaussian of this sigma takes away.
_FINE = 1.5
#: Sigma over which energy is gathered.
_AROUND = 2.5
#: Grey levels of a feature per unit of normalised detail.
_CONTRAST = 40
#: Distance in pixels by which the way there and back may miss.
_MISS = 0.5
#: Sigma in pixels over which the flow is smooth.
_SMOOTH = 4.0
#: How much a place counts that the flow does not know.
_UNKNOWN = 0.02
#: Weight of what wider surroundings say against what a place says of itself.
_WIDER = 0.25
#: Inverse variance, per square pixel, with which a patch is held not to be off.
_PRIOR = 10.0
#: Most that the information of one patch counts.
_MOST = 200.0
#: Shift in pixels from which a patch is doubted.
_FAR = 1.5
#: Corrections by patches.
_CORRECTIONS = 2
_REST = np.eye(3)
_REPEAT = cv2.BORDER_REPLICATE


@dataclass(frozen=True)
class Grid:
    """The patches of a picture, a value each.

    Attributes:
        top: rows above the first patch.
        left: columns before it.
        rows: of patches.
        cols: of patches.
    """

    top: int
    left: int
    rows: int
    cols: int

    @classmethod
    def of(cls, height: int, width: int) -> Grid:
        """Return the grid on which `compare` measures a picture."""
        margin = 12
        rows = max((height - 2 * margin) // SIDE, 0)
        cols = max((width - 2 * margin) // SIDE, 0)
        return cls((height - rows * SIDE) // 2, (width - cols * SIDE) // 2, rows, cols)

    def numbers(self, patches: Patches) -> NDArray[np.intp]:
        """Return the place of each patch in the grid, row by row."""
        x, y = patches.at.T
        row = np.rint((y - self.top - (SIDE - 1) / 2) / SIDE)
        col = np.rint((x - self.left - (SIDE - 1) / 2) / SIDE)
        return np.asarray(row * self.cols + col, np.intp)

    def dense(self, values: Float, height: int, width: int) -> Float:
        """Return values ``(rows, cols[, C])`` between the patches' middles, ``(h, w[, C])``."""
        x = (np.arange(width, dtype=np.float32) - self.left - (SIDE - 1) / 2) / SIDE
        y = (np.arange(height, dtype=np.float32) - self.top - (SIDE - 1) / 2) / SIDE
        maps = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return np.asarray(
            cv2.remap(values, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
        )


def shifted(plane: Float, flow: Float, way: int = cv2.INTER_CUBIC) -> Float:
    """Return ``(h, w[, C])`` whose value at x is that of `plane` at ``x + flow(x)``."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    out = cv2.remap(plane, x + flow[..., 0], y + flow[..., 1], way, borderMode=_REPEAT)
    return np.asarray(out, np.float32)


def smoothed(plane: Float) -> Float:
    """Return luminance as patches are compared by."""
    return _gaussian(plane, 1.0)


def measured(fixed: Float, moving: Float, shown: Float) -> Patches:
    """Return what patches say of two frames, those that both show; arguments as of `find_flow`."""
    patches = compare(smoothed(fixed), smoothed(moving), _REST, 1)
    x, y = patches.at.astype(np.intp).T
    keep = shown[y, x] > 0
    names = ("at", "shift", "information", "remains", "number", "factor")
    return Patches(*(getattr(patches, name)[keep] for name in names))


def find_flow(fixed: Float, moving: Float, shown: Float, guess: Float) -> Float:
    """Return where a frame has what another shows.

    Args:
        fixed: ``(h, w)`` luminance, its range about [0, 1].
        moving: the same of another frame.
        shown: ``(h, w)``, 1 where both show the scene and 0 elsewhere.
        guess: ``(h, w, 2)`` where to begin.

    Returns:
        ``(h, w, 2)`` (x, y): what `fixed` shows at x, `moving` shows at ``x + flow(x)``.
    """
    flow, trust = _searched(fixed, moving, guess)
    flow = _filled(flow, trust * shown)
    for _ in range(_CORRECTIONS):
        flow = flow + _correction(fixed, shifted(moving, flow), shown)
    return flow


def _gaussian(plane: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _searched(fixed: Float, moving: Float, guess: Float) -> tuple[Float, Float]:
    """Return the flow of dense inverse search, and how far it is believed in [0, 1]."""
    first, second = (_feature(p) for p in _equalised(fixed, moving))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there = np.asarray(search.calc(first[0], second[0], guess.copy()), np.float32)
    back = np.asarray(search.calc(second[0], first[0], np.zeros_like(guess)), np.float32)
    miss = np.square(there + shifted(back, there, cv2.INTER_LINEAR)).sum(axis=2)
    detail = first[1] * shifted(second[1], there, cv2.INTER_LINEAR)
    return there, np.asarray(detail * np.exp(-miss / _MISS**2), np.float32)


def _equalised(one: Float, two: Float) -> tuple[Float, Float]:
    """Blur two frames, place by place, until neither holds more fine detail than the other."""
    ladders = [[p, *(_gaussian(p, sigma) for sigma in _BLURS)] for p in (one, two)]
    energies = [[_energy(p) for p in ladder] for ladder in ladders]
    least = np.minimum(energies[0][0], energies[1][0])
    blurred = [_at_energy(p, e, least) for p, e in zip(ladders, energies, strict=True)]
    return blurred[0], blurred[1]


def _energy(plane: Float) -> Float:
    """Return the logarithm of the energy of fine detail around each place."""
    fine = plane - _gaussian(plane, _FINE)
    return np.log(_gaussian(np.asarray(fine * fine, np.float32), _AROUND) + np.float32(1e-7))


def _at_energy(ladder: list[Float], energies: list[Float], wanted: Float) -> Float:
    """Return of a ladder of blurs what has the wanted energy, between two rungs mixed."""
    out = ladder[-1]
    for k in range(len(ladder) - 2, -1, -1):
        span = energies[k] - energies[k + 1] + np.float32(1e-6)
        share = np.clip((wanted - energies[k + 1]) / span, 0, 1)
        mixed = ladder[k] * share + ladder[k + 1] * (1 - share)
        out = np.where(energies[k + 1] < wanted, mixed, out)
    return np.asarray(out, np.float32)


def _feature(plane: Float) -> tuple[NDArray[np.uint8], Float]:
    """Return detail freed of mean and contrast, uint8, and how much of it there is in [0, 1]."""
    plane = _gaussian(plane, 1.0)
    mean = cv2.blur(plane, (WINDOW, WINDOW))
    power = cv2.blur(plane * plane, (WINDOW, WINDOW))
    variance = np.maximum(power - mean * mean, 0) + np.float32(FLOOR**2)
    detail = 128 + _CONTRAST * (plane - mean) / np.sqrt(variance)
    amount = np.asarray(1 - FLOOR**2 / variance, np.float32)
    return np.clip(detail, 0, 255).astype(np.uint8), amount


def _filled(flow: Float, trust: Float) -> Float:
    """Return a smooth flow that follows what is believed, and its surroundings elsewhere."""
    sums, weights = [flow * trust[..., None]], [trust]
    while min(weights[-1].shape) > 4:
        sums.append(np.asarray(cv2.pyrDown(sums[-1]), np.float32))
        weights.append(np.asarray(cv2.pyrDown(weights[-1]), np.float32))
    out = sums[-1] / (weights[-1][..., None] + np.float32(0.1 * _UNKNOWN))
    for total, weight in zip(sums[-2::-1], weights[-2::-1], strict=True):
        up = cv2.pyrUp(out, dstsize=(weight.shape[1], weight.shape[0]))
        out = (total + _WIDER * up) / (weight[..., None] + np.float32(_WIDER))
    counts = trust + np.float32(_UNKNOWN)
    total = _gaussian(np.asarray(out * counts[..., None], np.float32), _SMOOTH)
    even = total / _gaussian(counts, _SMOOTH)[..., None]
    return np.asarray(even, np.float32)


def _correction(fixed: Float, moving: Float, shown: Float) -> Float:
    """Return what patches, blind to focus, say that a flow is still off, ``(h, w, 2)``."""
    height, width = fixed.shape
    grid = Grid.of(height, width)
    if not grid.rows or not grid.cols:
        return np.zeros((height, width, 2), np.float32)
    patches = measured(fixed, moving, shown)
    doubt = 1 + np.square(patches.shift / _FAR).sum(axis=1)
    weight = patches.information / doubt[:, None, None]
    trace = np.einsum("kii->k", weight)
    weight = weight * np.minimum(1, _MOST / np.maximum(trace, 1e-9))[:, None, None]
    normal = np.zeros((grid.rows * grid.cols, 5), np.float32)
    number = grid.numbers(patches)
    normal[number, :3] = weight.reshape(-1, 4)[:, [0, 1, 3]]
    normal[number, 3:] = np.einsum("kij,kj->ki", weight, patches.shift)
    tent = np.array([[1, 2, 1], [2, 8, 2], [1, 2, 1]], np.float32) / 8
    planes = np.moveaxis(normal.reshape(grid.rows, grid.cols, 5), 2, 0)
    xx, xy, yy, bx, by = (
        np.asarray(cv2.filter2D(p, -1, tent, borderType=cv2.BORDER_CONSTANT), np.float32)
        for p in np.ascontiguousarray(planes)
    )
    xx, yy = xx + np.float32(_PRIOR), yy + np.float32(_PRIOR)
    area = xx * yy - xy * xy
    step = np.stack([(yy * bx - xy * by) / area, (xx * by - xy * bx) / area], axis=2)
    return grid.dense(np.asarray(step, np.float32), height, width)
