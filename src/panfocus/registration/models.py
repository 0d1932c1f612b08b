"""What may change between two frames: degrees of freedom, and the transforms that they span.

A model is a tuple of degrees of freedom. Each has one or two generators, 3x3 matrices ``B``: a
small step of size ``p`` is the transform ``I + p B``, in units (see `estimate.Space`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from panfocus.registration.options import FREEDOMS
from panfocus.registration.transforms import Matrix

Array = NDArray[np.float64]
#: Degrees of freedom, by name.
Model = tuple[str, ...]

_GENERATORS: dict[str, tuple[list[list[int]], ...]] = {
    "shift": ([[0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1], [0, 0, 0]]),
    "scale": ([[1, 0, 0], [0, 1, 0], [0, 0, 0]],),
    "rotate": ([[0, -1, 0], [1, 0, 0], [0, 0, 0]],),
    "shear": ([[1, 0, 0], [0, -1, 0], [0, 0, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 0]]),
    "perspective": ([[0, 0, 0], [0, 0, 0], [-1, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, -1, 0]]),
}
#: What each kind of transform may change.
KIND_FREEDOMS: dict[str, Model] = {
    "translation": ("shift",),
    "similarity": ("shift", "scale", "rotate"),
    "affine": ("shift", "scale", "rotate", "shear"),
    "homography": ("shift", "scale", "rotate", "shear", "perspective"),
}
#: All degrees of freedom.
RICHEST = KIND_FREEDOMS["homography"]


def kind_of(model: Model) -> str:
    """Return the simplest kind, of `transforms.LADDER`, that contains a model."""
    fits = [kind for kind, free in KIND_FREEDOMS.items() if set(model) <= set(free)]
    return fits[0] if model else "identity"


def ladder(kind: str, freedoms: Iterable[str]) -> tuple[Model, ...]:
    """Return the models to choose from, simple to rich.

    Args:
        kind: richest kind; "auto" chooses among all, a named kind is the only choice.
        freedoms: of `FREEDOMS`, what may change at all; perspective needs all of them.
    """
    free = set(freedoms)
    if free >= set(FREEDOMS):
        free.add("perspective")
    richest = RICHEST if kind == "auto" else KIND_FREEDOMS[kind]
    rungs = [tuple(f for f in richest[:n] if f in free) for n in range(1, len(richest) + 1)]
    rungs = [rung for n, rung in enumerate(rungs) if rung and rung not in rungs[:n]]
    return tuple(rungs) if kind == "auto" else tuple(rungs[-1:])


def without_bending(models: Sequence[Model]) -> tuple[Model, ...]:
    """Return of models those of small pictures, whose few patches say nothing of how they bend.

    Args:
        models: as of `ladder`; kept if none is left: then the user named it.
    """
    kept = tuple(m for m in models if not {"shear", "perspective"} & {*m})
    return kept or tuple(models)


@cache  # asked for hundreds of times a pair of frames
def generators(model: Model) -> Array:
    """Return a model's generators ``(P, 3, 3)``, not to be written to."""
    out = np.array([g for freedom in model for g in _GENERATORS[freedom]], np.float64)
    out.setflags(write=False)
    return out


@cache
def columns(model: Model) -> NDArray[np.intp]:
    """Return which of the generators of `RICHEST` are those of a model."""
    names = [freedom for freedom in RICHEST for _ in _GENERATORS[freedom]]
    return np.flatnonzero(np.isin(names, model))


def motions(model: Model, unit: Array) -> Array:
    """Return how points move per parameter.

    Args:
        model: P parameters.
        unit: points ``(K, 2)`` in units.

    Returns:
        ``(K, 2, P)``, units.
    """
    lifted = np.column_stack([unit, np.ones(len(unit))])
    moved = np.einsum("pij,kj->kip", generators(model), lifted)
    return moved[:, :2] - unit[:, :, None] * moved[:, 2:]


def increment(model: Model, parameters: Array) -> Matrix:
    """Return the matrix ``(3, 3)`` of a small step, in units."""
    return np.eye(3) + (parameters @ generators(model).reshape(-1, 9)).reshape(3, 3)


def parameters(model: Model, matrix: Matrix) -> Array:
    """Return the parameters ``(P,)`` of a small step, what the model lacks left out."""
    matrix = matrix / matrix[2, 2]
    flat = generators(model).reshape(-1, 9)
    step = (matrix - np.eye(3)).reshape(9)
    return (flat @ step) / np.square(flat).sum(axis=1)
