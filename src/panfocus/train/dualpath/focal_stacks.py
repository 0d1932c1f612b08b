"""Made stacks of any number of frames, each focused at another depth.

OURS. A background whose depth is a ramp, a bump or far away, objects before it
(`panfocus.synthesis.layers`), lights beyond white; circles of confusion ``gain * |depth - focus|``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.synthesis import defocus as lens
from panfocus.synthesis.layers import Layer, lay_over
from panfocus.train.dualpath.ladder import LADDER, Ladder, along
from panfocus.train.dualpath.stack import MARGIN, MadeStack, differing, mirrored
from panfocus.train.synthesis import mattes
from panfocus.train.synthesis.blur import apertures, contrast
from panfocus.train.synthesis.camera import Developer, camera
from panfocus.train.synthesis.degradation import jpeg, noisy, rim
from panfocus.train.synthesis.drift import Drift, drifting
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources, front_of, source

#: Circle of confusion, pixels, from which on what is out of focus drifts in full.
FAR = 3.0


def stack(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> MadeStack:
    """Photograph one scene `count` times, focused at as many depths, in random order."""
    outer = size + 2 * MARGIN
    back, develop = camera(rng, source(rng, sources, outer, odds), odds)
    things = sorted(
        (thing(rng, sources, outer, develop, odds) for _ in range(int(rng.integers(0, 3)))),
        key=lambda t: -t.depth,
    )
    depth = ground(rng, outer)
    gain = float(3 * 5 ** rng.random())
    aperture = apertures(rng)
    foci = np.asarray(np.linspace(0, 1, count) + rng.uniform(-0.3, 0.3, count) / count)
    in_bright_field = rng.random() < odds.ringed
    if in_bright_field:
        things, depth = [], np.clip(depth, foci.min(), foci.max()).astype(np.float32)
    nearest = np.abs(depth - foci[:, None, None])
    radii = [gain * share * max(1.0, float(nearest.max())) for share in LADDER]
    by = contrast(rng) if in_bright_field else None
    ladder = Ladder.of(back, radii, aperture, by)
    least = np.maximum(depth - foci.max(), 0) * gain  # a background beyond all foci stays soft
    drifts = drifts_of(rng, outer, count, odds)
    best = nearest.min(0)  # the frame to take stays, even where it is not quite in focus
    shots = [
        develop(
            shoot(
                drift.bent(
                    ladder.at(gain * (depth - focus)),
                    np.minimum((near - best) * gain / FAR, 1),
                ),
                things,
                focus,
                gain,
                aperture,
                Drifting(drift, foci),
            )
        )
        for near, focus, drift in zip(nearest, foci, drifts, strict=True)
    ]
    sharpest = along(ladder.plain, radii, least)
    truth = develop(shoot(sharpest, things, None, gain, aperture))
    for item in things:
        hidden = np.asarray(item.matte) > 0.5
        nearest[:, hidden] = np.abs(item.depth - foci)[:, None]
    mask = (nearest == nearest.min(0)).astype(np.float32)
    mask /= mask.sum(0)
    return finished(rng, np.stack(shots), truth, mask, odds)


def finished(
    rng: np.random.Generator, shots: Float, truth: Float, mask: Float, odds: Odds
) -> MadeStack:
    """Cut the margin off, shuffle, mirror, and add the camera's flaws."""
    inner = np.s_[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    order = rng.permutation(len(shots))
    shots = np.moveaxis(shots, -1, 1)[order][inner]
    truth, mask = np.moveaxis(truth, -1, 0)[inner], mask[order][inner]
    if rng.random() < odds.shaded:
        best = mask[:, None] == mask.max(0)
        shots = np.where(best, shots, shots * rim(rng, mask.shape[-1]))
    shots, truth, mask, valid = mirrored(rng, [shots, truth, mask, differing(shots)])
    clean, sigma = shots, 0.0
    if rng.random() < odds.noise:
        sigma = 0.025 * rng.random()
        shots = np.stack([noisy(rng, s, sigma) for s in shots])
    if rng.random() < odds.jpeg:
        quality = int(rng.integers(70, 99))
        coded = [jpeg(np.moveaxis(s, 0, -1), quality) for s in shots]
        shots = np.moveaxis(np.stack(coded), -1, 1)
    shots = np.ascontiguousarray(shots, np.float32)
    return MadeStack(shots, truth, mask, valid, clean, np.asarray(sigma**2, np.float32))


class Drifting(NamedTuple):
    """How objects drift in a frame: those in full that another frame has in focus, `foci`."""

    drift: Drift
    foci: NDArray[np.float64]

    def of(self, depth: float, radius: float, gain: float) -> Drift:
        """Return the drift of an object with this circle of confusion."""
        least = float(np.abs(depth - self.foci).min()) * gain
        return self.drift.part(min((radius - least) / FAR, 1.0))


def drifts_of(rng: np.random.Generator, size: int, count: int, odds: Odds) -> list[Drift]:
    """Draw how each of `count` frames drifts where it is out of focus: all of a set, or none."""
    sure = replace(odds, moved=float(rng.random() < odds.moved))
    return [drifting(rng, size, sure) for _ in range(count)]


def thing(
    rng: np.random.Generator, sources: Sources, size: int, develop: Developer, odds: Odds
) -> Layer:
    """Draw an object with a picture of its own on it."""
    colour = develop.linearised(source(rng, sources, size, odds))
    matte = front_of(rng, mattes.procedural(rng, size), odds)
    return Layer(colour, matte, float(rng.uniform(0, 1)))


def ground(rng: np.random.Generator, size: int) -> Float:
    """Return the background's depth ``(size, size)``: a ramp, a bump, a plane, or far away."""
    kind = rng.random()
    if kind < 0.15:
        return np.full((size, size), rng.uniform(1.1, 2.2), np.float32)
    if kind < 0.3:
        return np.full((size, size), rng.uniform(0, 1), np.float32)
    cells = 2 if kind < 0.8 else 4
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    resized = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    low, high = (float(end) for end in np.sort(rng.uniform(-0.1, 1.1, 2)))
    rise = (resized - resized.min()) / max(float(np.ptp(resized)), 1e-6)
    return np.asarray(low + rise * (high - low), np.float32)


def shoot(  # noqa: PLR0917  a camera has as many knobs
    back: Float,
    things: Sequence[Layer],
    focus: float | None,
    gain: float,
    aperture: lens.Aperture,
    drifting_by: Drifting | None = None,
) -> Float:
    """Lay the objects over a background already blurred; all in focus for ``focus=None``."""
    radii = [0.0 if focus is None else abs(item.depth - focus) * gain for item in things]
    if drifting_by:
        drifts = (drifting_by.of(t.depth, r, gain) for t, r in zip(things, radii, strict=True))
        things = [drift.layer(item) for drift, item in zip(drifts, things, strict=True)]
    return lay_over(back, things, radii, aperture)
