"""Where all frames of a stack lie, from what pairs of them say.

Each link between two frames is a measured step with its covariance. All frames' transforms are
fitted to all links at once, by Gauss-Newton on the pose graph with robust weights (Olson and
Agarwal, "Inference on networks of mixtures for robust robot mapping", IJRR 2013, compare such
losses). Rails, microscopes and breathing lenses move by a smooth law; where enough steps are proven
and follow one, it carries the step that its own pixels say too little about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.registration.estimate import Space
from panfocus.registration.models import Model, increment, motions, parameters
from panfocus.registration.robust import corner_error, to_unit
from panfocus.registration.transforms import Matrix, chain, corners, normalised

Array = NDArray[np.float64]
#: Parameters beyond which a stack is chained from neighbour to neighbour, and not fitted at once.
_MANY = 1500
#: Standard deviation in pixels of the finest level that a law, and a proven step, cannot go below.
_LEAST = 0.02
#: Proven steps from which on a law is sought.
_FEWEST = 3
#: Proven steps from which on the law may be linear, and not constant.
_LINEAR = 5
#: By how much the variance of proven and of unproven steps falls short: on made stacks errors were
#: about 2.5 standard errors.
_HUMBLE, _DOUBTFUL = 6.0, 30.0
#: Standard deviation, in units, of a step of which nothing is known.
_UNKNOWN = 0.05


@dataclass(frozen=True)
class Link:
    """A measured step between two frames.

    Attributes:
        first: number of the frame whose coordinates the matrix takes.
        second: number of the frame that it takes them to.
        matrix: in units.
        covariance: ``(P, P)`` of the parameters of the model.
        is_proven: whether held-out pixels speak for it.
        rests: whether nothing moves between the frames.
    """

    first: int
    second: int
    matrix: Matrix
    covariance: Array
    is_proven: bool
    rests: bool = False


def solve(
    links: Sequence[Link], model: Model, reference: int, space: Space, factor: float
) -> tuple[list[Matrix], list[float]]:
    """Return the frames' matrices from the reference, in units, and corners' standard errors.

    Args:
        links: between neighbours, one each, in order, and any further.
        model: of all steps.
        reference: the frame that stays.
        space: of the frames.
        factor: pixels of full scale per pixel of the finest level.

    Returns:
        For every frame its matrix, and the standard error in pixels of full scale of the corner
        known worst.
    """
    unit = to_unit(corners(space.height, space.width), space)
    least = _LEAST * factor * space.to_unit[0, 0]
    floor = np.diag(np.square(least / np.abs(motions(model, unit)).max(axis=(0, 1))))
    links = [replace(link, covariance=link.covariance + floor) for link in links]
    links = _carried(links, model, floor)
    neighbours = [link for link in links if link.second == link.first + 1]
    placed = chain([link.matrix for link in neighbours], reference)
    size, count = len(floor), len(placed)
    if count * size > _MANY:
        spreads = _chained([link.covariance for link in neighbours], reference)
    else:
        placed, spreads = _fitted(links, model, placed, reference)
    return placed, [corner_error(model, spread, space) for spread in spreads]


def _chained(covariances: Sequence[Array], reference: int) -> list[Array]:
    out = [np.zeros_like(covariances[0]) for _ in range(len(covariances) + 1)]
    for n in range(reference, len(covariances)):
        out[n + 1] = out[n] + covariances[n]
    for n in range(reference - 1, -1, -1):
        out[n] = out[n + 1] + covariances[n]
    return out


def _fitted(
    links: Sequence[Link], model: Model, placed: list[Matrix], reference: int
) -> tuple[list[Matrix], list[Array]]:
    """Return matrices and covariances of a fit to all links at once."""
    count, size = len(placed), len(links[0].covariance)
    inverse = [np.linalg.inv(link.covariance) for link in links]
    normal = np.eye(count * size)
    for _ in range(8):
        normal = np.zeros((count * size, count * size))
        right = np.zeros(count * size)
        for link, information in zip(links, inverse, strict=True):
            step = placed[link.second] @ np.linalg.inv(placed[link.first])
            off = parameters(model, np.linalg.inv(link.matrix) @ step)
            squared = float(off @ information @ off) / size
            weight = information / (1 + squared / 9)
            i, j = (slice(n * size, (n + 1) * size) for n in (link.first, link.second))
            normal[i, i] += weight
            normal[j, j] += weight
            normal[i, j] -= weight
            normal[j, i] -= weight
            right[i] += weight @ off
            right[j] -= weight @ off
        own = slice(reference * size, (reference + 1) * size)
        normal[own, :] = 0
        normal[:, own] = 0
        normal[own, own] = np.eye(size)
        right[own] = 0
        change = np.asarray(np.linalg.solve(normal, right), np.float64).reshape(count, size)
        placed = [normalised(increment(model, p) @ m) for p, m in zip(change, placed, strict=True)]
        if np.abs(change).max() < 1e-7:
            break
    spread = np.asarray(np.linalg.inv(normal), np.float64)
    blocks = [spread[n : n + size, n : n + size] for n in range(0, count * size, size)]
    blocks[reference] = np.zeros((size, size))
    return placed, blocks


def _carried(links: Sequence[Link], model: Model, floor: Array) -> list[Link]:
    """Return the links, those between neighbours drawn to the law that the proven ones follow.

    Steps that scatter about the law by more than they are off hardly feel it; those that keep to
    it, and those that their own pixels do not tell, come to lie on it. Without a law an unproven
    step is believed less.
    """
    proven = [link for link in links if link.is_proven and link.second == link.first + 1]
    law = Law(proven, model, floor) if len(proven) >= _FEWEST else None
    out: list[Link] = []
    for link in links:
        loose = link.covariance * (_HUMBLE if link.is_proven else _DOUBTFUL)
        is_step = link.second == link.first + 1
        if law is None or not is_step or link.rests:
            out.append(link if link.is_proven else replace(link, covariance=loose))
            continue
        mean, spread = law.at(link.first)
        own, prior = np.linalg.inv(loose), np.linalg.inv(spread)
        measured = parameters(model, link.matrix)
        off = measured - mean
        if off @ np.linalg.inv(loose + spread) @ off > 9 * len(mean):
            # proven, it does not follow the law; else it is a measure of something else
            own, prior = (own, prior * 1e-6) if link.is_proven else (own * 1e-6, prior)
        both = np.asarray(np.linalg.inv(own + prior), np.float64)
        p = both @ (own @ measured + prior @ mean)
        out.append(replace(link, matrix=increment(model, p), covariance=both))
    return out


class Law:
    """What a step's parameters are by the number of its first frame: constant, or linear.

    A constant step makes scale and place linear in the frame's number, a linear one quadratic.
    """

    def __init__(self, links: Sequence[Link], model: Model, floor: Array) -> None:
        """Fit, robustly.

        Args:
            links: proven, at least two.
            model: of their steps.
            floor: covariance that no scatter goes below, ``(P, P)``.
        """
        number = np.array([link.first for link in links], np.float64)
        self._degree = 1 if len(number) >= _LINEAR else 0
        self._middle = float(number.mean())
        steps = np.array([parameters(model, link.matrix) for link in links])
        design = np.vander(number - self._middle, self._degree + 1)
        self._found = np.zeros((self._degree + 1, steps.shape[1]))
        scales = np.zeros(steps.shape[1])
        for k, values in enumerate(steps.T):
            least = np.sqrt(floor[k, k])
            weight = np.ones_like(values)
            for _ in range(8):
                root = np.sqrt(weight)
                line = _line(design * root[:, None], values * root)
                off = values - design @ line
                scale = 1.4826 * float(median(np.abs(off))) + least
                weight = 1 / np.square(1 + np.square(off / scale) / 6)
                self._found[:, k], scales[k] = line, scale
        # what steps are off by, as they are measured, is no departure from the law
        off = _HUMBLE * median(np.array([np.diag(link.covariance) for link in links]))
        self._spread = np.maximum(np.square(scales) - off, np.diag(floor))
        self._free = len(number) / max(len(number) - self._degree - 1, 1)
        self._inverse = np.asarray(np.linalg.pinv(design.T @ design), np.float64)

    def at(self, number: int) -> tuple[Array, Array]:
        """Return a step's parameters ``(P,)`` and their covariance ``(P, P)``."""
        row = np.vander([number - self._middle], self._degree + 1)[0]
        lever = 1 + float(row @ self._inverse @ row)
        return row @ self._found, np.diag(self._spread * self._free * lever)


def _line(design: Array, values: Array) -> Array:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], np.float64)


def unknown(model: Model) -> tuple[Matrix, Array]:
    """Return the step of which nothing is known, and its covariance."""
    size = len(parameters(model, np.eye(3)))
    return np.eye(3), np.eye(size) * _UNKNOWN**2
