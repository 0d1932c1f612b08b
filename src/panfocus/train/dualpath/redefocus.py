"""Re-defocus: exact labels from defocused pictures alone.

OURS. A picture that is itself out of focus in places is blurred once more, by masks and circles
of confusion that we draw. Which frame was blurred less is then known exactly, and so is the
picture before: the target. No sharp picture and no annotated mask enters: shapes are procedural
(`panfocus.train.mattes`). Sets fused by a classical system serve as sources too: they hold more
detail than any frame. Where the source holds no detail, blurring it again changes nothing and
there is nothing to learn: such places are left out of the loss on masks (`valid`), give no
gradient to the loss on pictures, and crops that lie in them are drawn again (`detail_of`).

Pairs come from `panfocus.train.synthesis.varied`; this file adds stacks of any number of frames:
a background whose depth is a ramp, a bump or far away, objects before it, lights beyond white,
each frame focused at another depth, circles of confusion ``gain * |depth - focus|``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import fuse
from panfocus.synthesis import defocus as lens
from panfocus.synthesis.layers import Layer, lay_over
from panfocus.systems.network import PAD
from panfocus.train import mattes, synthesis
from panfocus.train.dualpath import fluorescence
from panfocus.train.dualpath.misfire import misfired
from panfocus.train.dualpath.stack import MadeStack, differing, mirrored
from panfocus.train.levels import Picture, luminance
from panfocus.train.pairs import Material
from panfocus.train.pictures import Pictures, soft_areas
from panfocus.train.shelf import masks_beside
from panfocus.train.synthesis import Developer, Drift, Odds, Sources

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]

#: Pixels made around a stack and cut off again.
MARGIN = 12
#: Circles of confusion, as shares of the largest, between which a ramp's blur is interpolated.
LADDER = (0.0, 0.06, 0.14, 0.26, 0.45, 0.7, 1.0)
#: Circle of confusion, pixels, from which on what is out of focus drifts in full.
FAR = 3.0
#: Share of the sets whose pictures end before the network's field does, and by less than what.
PADDED = 0.4
STRIDE = 16
#: Grey levels of finest detail below which a place has nothing to lose by being blurred.
DETAIL = 4.0


def sources_of(pictures: Sequence[Picture]) -> Sources:
    """Wrap defocused pictures RGB ``(H, W, 3)`` so that crops with detail are preferred."""
    lacking = masks_beside(pictures, lambda p: np.maximum(soft_areas(p), flat_areas(p)))
    names = [f"frame {n}" for n in range(len(pictures))]
    return Sources(Pictures(list(pictures), lacking, names))


def fused(material: Material, system: str) -> list[Picture]:
    """Fuse every real set: pictures that are sharper than any of their frames.

    Nothing new enters: they are made of the defocused frames themselves, by a system that no
    truth has taught either.

    Args:
        material: whose sets are fused.
        system: name of a system.
    """
    results = (fuse(list(s.frames), system=system, maps=False) for s in material.sets)
    return [cast("Picture", result.image) for result in results]


def flat_areas(picture: Picture) -> Byte:
    """Mark places ``(H, W)`` without any fine detail: 255 there, else 0."""
    grey = luminance(picture)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 0.8))
    around = cv2.dilate(fine, np.ones((25, 25), np.uint8))
    return np.asarray(around < DETAIL, np.uint8) * np.uint8(255)


def batch(
    sources: Sources,
    size: int,
    count: int,
    key: tuple[int, int],
    positions: range,
    *,
    odds: Odds,
) -> MadeStack:
    """Make the sets of `count` frames at `positions` of a batch; `key` is (seed, step)."""
    made: list[MadeStack] = []
    for position in positions:
        rng = np.random.default_rng((*key, position))
        one = scene(rng, sources, size, count, odds)
        made.append(padded(rng, one) if rng.random() < PADDED else one)
    return MadeStack(*(np.stack(arrays) for arrays in zip(*made, strict=True)))


def scene(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> MadeStack:
    """Make one set of any kind: fluorescence, a pair of photographs, a stack of them."""
    # odds of 0 draw nothing: samples of recipes without these kinds stay as they were
    if odds.fluorescent and rng.random() < odds.fluorescent:
        return fluorescence.stack(rng, sources, size, count, odds)
    if count == 2 and rng.random() < 0.85:
        made = as_stack(synthesis.varied(rng, sources, size, odds))
    else:
        made = stack(rng, sources, size, count, odds)
    return misfired(rng, made) if odds.misfired and rng.random() < odds.misfired else made


def padded(rng: np.random.Generator, made: MadeStack) -> MadeStack:
    """Push the pictures up and left by less than a network's stride, and leave grey behind.

    A network takes sides of certain multiples only; what is missing is filled with `PAD`, and the
    picture then ends before the network's field does, on two of its sides.
    """
    down, across = (int(n) for n in rng.integers(0, STRIDE, 2))

    def pushed(array: Float, value: float) -> Float:
        out = np.full_like(array, value)
        height, width = array.shape[-2:]
        out[..., : height - down, : width - across] = array[..., down:, across:]
        return out

    values = made._replace(
        frames=pushed(made.frames, PAD),
        truth=pushed(made.truth, PAD),
        clean=pushed(made.clean, PAD),
    )
    return values._replace(mask=pushed(made.mask, 1 / len(made.mask)), valid=pushed(made.valid, 0))


def as_stack(sample: synthesis.Sample) -> MadeStack:
    """Write a pair as a set of two frames."""
    frames = np.stack((sample.first, sample.second))
    masks = np.stack((sample.mask, 1 - sample.mask))
    return MadeStack(frames, sample.truth, masks, sample.valid, sample.clean, sample.noise)


class Ladder(NamedTuple):
    """A background ``(H, W, 3)`` at growing circles of confusion, to blur each pixel by its own.

    Attributes:
        radii: the circles, pixels, from 0.
        plain: ``(R, H, W, 3)``.
        rings: what defocus before the background's depth adds, and behind it takes away; or None.
    """

    radii: Sequence[float]
    plain: Float
    rings: Float | None

    @classmethod
    def of(
        cls,
        back: Float,
        radii: Sequence[float],
        aperture: lens.Aperture,
        by: np.float32 | None,
    ) -> Ladder:
        """Blur `back`; in bright field, `by` tells how much contrast it gains (`Odds.ringed`)."""
        plain = np.stack([lens.defocus(back, r, aperture) for r in radii])
        if by is None:
            return cls(radii, plain, None)
        rings = [by * synthesis.ring(soft, r) for soft, r in zip(plain, radii, strict=True)]
        return cls(radii, plain, np.stack(rings))

    def at(self, offset: Float) -> Float:
        """Return the picture for signed circles of confusion ``(H, W)``."""
        soft = along(self.plain, self.radii, np.abs(offset))
        if self.rings is None:
            return soft
        added = along(self.rings, self.radii, np.abs(offset))
        return np.maximum(soft + np.sign(offset)[..., None] * added, 0)


def stack(
    rng: np.random.Generator, sources: Sources, size: int, count: int, odds: Odds
) -> MadeStack:
    """Photograph one scene `count` times, focused at as many depths, in random order."""
    outer = size + 2 * MARGIN
    back, develop = synthesis.camera(rng, synthesis.source(rng, sources, outer, odds), odds)
    things = sorted(
        (thing(rng, sources, outer, develop, odds) for _ in range(int(rng.integers(0, 3)))),
        key=lambda t: -t.depth,
    )
    depth = ground(rng, outer)
    gain = float(3 * 5 ** rng.random())
    aperture = synthesis.apertures(rng)
    foci = np.asarray(np.linspace(0, 1, count) + rng.uniform(-0.3, 0.3, count) / count)
    in_bright_field = rng.random() < odds.ringed
    if in_bright_field:
        things, depth = [], np.clip(depth, foci.min(), foci.max()).astype(np.float32)
    nearest = np.abs(depth - foci[:, None, None])
    radii = [gain * share * max(1.0, float(nearest.max())) for share in LADDER]
    by = synthesis.contrast(rng) if in_bright_field else None
    ladder = Ladder.of(back, radii, aperture, by)
    least = np.maximum(depth - foci.max(), 0) * gain  # a background beyond all foci stays soft
    drifts = drifting(rng, outer, count, odds)
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
        shots = np.where(best, shots, shots * synthesis.rim(rng, mask.shape[-1]))
    shots, truth, mask, valid = mirrored(rng, [shots, truth, mask, differing(shots)])
    clean, sigma = shots, 0.0
    if rng.random() < odds.noise:
        sigma = 0.025 * rng.random()
        shots = np.stack([synthesis.noisy(rng, s, sigma) for s in shots])
    if rng.random() < odds.jpeg:
        quality = int(rng.integers(70, 99))
        coded = [synthesis.jpeg(np.moveaxis(s, 0, -1), quality) for s in shots]
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


def drifting(rng: np.random.Generator, size: int, count: int, odds: Odds) -> list[Drift]:
    """Draw how each of `count` frames drifts where it is out of focus: all of a set, or none."""
    sure = replace(odds, moved=float(rng.random() < odds.moved))
    return [synthesis.drifting(rng, size, sure) for _ in range(count)]


def thing(
    rng: np.random.Generator, sources: Sources, size: int, develop: Developer, odds: Odds
) -> Layer:
    """Draw an object with a picture of its own on it."""
    colour = develop.linearised(synthesis.source(rng, sources, size, odds))
    matte = synthesis.front_of(rng, mattes.procedural(rng, size), odds)
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


def along(ladder: Float, blurs: Sequence[float], wanted: Float) -> Float:
    """Blur each pixel by its own circle ``wanted (H, W)``, between the steps of a ladder."""
    place = np.interp(wanted, blurs, np.arange(len(blurs))).astype(np.float32)
    out = np.zeros(ladder.shape[1:], np.float32)
    for k, rung in enumerate(ladder):
        share = np.maximum(1 - np.abs(place - k), 0)
        if share.any():
            out += share[..., None] * rung
    return out


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
