"""The varied synthesis: hard composites, layers, whole blurs, all with many kinds of light."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.synthesis.layers import Layer, render
from panfocus.train.synthesis.blur import apertures, blur, radius
from panfocus.train.synthesis.camera import camera
from panfocus.train.synthesis.degradation import emptied, jpeg, noisy, shaded
from panfocus.train.synthesis.drift import drifting
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.samples import Sample, Shots, mixed, planes
from panfocus.train.synthesis.sources import MARGIN, Sources, front_of, shape, source


def varied(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Sample:
    """Make one sample of the varied synthesis, `size` pixels square."""
    outer = size + 2 * MARGIN
    make = layered if rng.random() < odds.layers else hard
    if rng.random() < odds.uniform:
        make = uniform
    scene = make(rng, sources, outer, odds)
    scene = Shots(*(a[MARGIN:-MARGIN, MARGIN:-MARGIN] for a in scene))
    scene = turned(rng, scene)
    if rng.random() < odds.shaded:
        scene = shaded(rng, scene)
    difference = np.asarray(np.abs(scene.first - scene.second).max(-1), np.float32)
    if rng.random() < odds.borders:
        scene = emptied(rng, scene)
    first, second = scene.first, scene.second
    clean = np.stack((planes(first), planes(second)))
    sigma = 0.025 * rng.random() if rng.random() < odds.noise else 0.0
    if sigma:
        first, second = noisy(rng, first, sigma), noisy(rng, second, sigma)
    if rng.random() < odds.jpeg:
        quality = int(rng.integers(70, 99))
        first, second = jpeg(first, quality), jpeg(second, quality)
    around = np.ones((9, 9), np.uint8)
    valid = np.asarray(cv2.dilate(difference, around) > 0.02, np.float32)
    pair, noise = (planes(first), planes(second)), np.asarray(sigma**2, np.float32)
    return Sample(*pair, planes(scene.truth), scene.mask, valid, clean, noise)


def hard(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Blur one picture, and cut sharp and blurred together along a matte, both ways."""
    encoded = source(rng, sources, size, odds)
    light, develop = camera(rng, encoded, odds)
    drift = drifting(rng, size, odds)
    blurred, other = (develop(blur(rng, drift(light), odds)) for _ in range(2))
    truth = develop(light)
    mask = np.asarray(shape(rng, sources, size, odds) > 0.5, np.float32)
    return Shots(mixed(truth, blurred, mask), mixed(other, truth, mask), truth, mask)


def uniform(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Return a sharp and a wholly blurred picture."""
    light, develop = camera(rng, source(rng, sources, size, odds), odds)
    truth = develop(light)
    soft = develop(blur(rng, drifting(rng, size, odds)(light), odds))
    return Shots(truth, soft, truth, np.ones((size, size), np.float32))


def layered(rng: np.random.Generator, sources: Sources, size: int, odds: Odds) -> Shots:
    """Photograph a foreground before a background, focused on the one and on the other.

    The truth is the same scene with every circle of confusion 0.
    """
    back = source(rng, sources, size, odds)
    front = source(rng, sources, size, odds) if rng.random() < odds.foreign else back
    back, develop = camera(rng, back, odds)
    front = develop.linearised(front)
    matte = front_of(rng, shape(rng, sources, size, odds), odds)
    far, near = Layer(back, None, 1.0), Layer(front, matte, 0.0)
    drift = drifting(rng, size, odds)
    # what is out of focus drifts: the background in the first shot, the foreground in the second
    off_far, off_near = drift.layer(far), drift.layer(near)
    aperture = apertures(rng)
    shots = (
        render(scene, radii, aperture)
        for scene, radii in (
            ((off_far, near), (radius(rng, odds), 0.0)),
            ((far, off_near), (0.0, radius(rng, odds))),
            ((far, near), (0.0, 0.0)),
        )
    )
    first, second, truth = (develop(shot) for shot in shots)
    return Shots(first, second, truth, matte)


def turned(rng: np.random.Generator, scene: Shots) -> Shots:
    """Swap, transpose and mirror at random; a swap turns the mask over."""
    if rng.random() < 0.5:
        scene = Shots(scene.second, scene.first, scene.truth, 1 - scene.mask)
    if rng.random() < 0.5:
        scene = Shots(*(a.swapaxes(0, 1) for a in scene))
    up, left = (-1 if rng.random() < 0.5 else 1 for _ in range(2))
    return Shots(*(a[::up, ::left] for a in scene))
