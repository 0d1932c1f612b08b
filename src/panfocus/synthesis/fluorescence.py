"""Fluorescence with known truth: isolated spots, and structures in optical sections.

On a dark ground with the noise of counted photons lie things that shine; how they are seen and
counted is told in `panfocus.synthesis.microscope`. A seed fixes everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.synthesis.microscope import Camera, CircleSpread, Optics


@dataclass(frozen=True)
class Sparse:
    """A Z-stack with the truth about it.

    Attributes:
        frames: ``(N, H, W[, 3])`` uint16.
        truth: ``(H, W)`` float32, expected counts with everything as it is in its own plane.
        ground: counts of the dark.
        places: ``(M, 2)`` row and column of every spot; none for structures.
        planes: ``(M,)`` the plane in which each spot is sharpest.
    """

    frames: NDArray[np.uint16]
    truth: Float
    ground: float
    places: NDArray[np.intp]
    planes: NDArray[np.intp]


def spot(size: tuple[int, int], row: float, column: float, sigma: float) -> Float:
    """Return a Gaussian spot of light ``(H, W)`` about a place, 1 in its middle."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / np.float32(2 * sigma**2))


def spots(
    rng: Generator,
    *,
    count: int = 12,
    planes: int = 8,
    size: tuple[int, int] = (128, 160),
    radii: tuple[float, float] = (0.5, 2.0),
    optics: Optics | None = None,
    camera: Camera | None = None,
    peak: float = 0.3,
) -> Sparse:
    """Return a stack of isolated spots, each in a plane of its own.

    Args:
        rng: of places, planes and noise.
        count: of spots.
        planes: of the stack.
        size: height and width.
        radii: least and largest radius of a spot, pixels.
        optics: of the microscope; widefield if not given.
        camera: behind it.
        peak: of the brightest spots, as a share of the camera's largest count; the faintest have
            0.4 of it.
    """
    optics, camera = optics or Optics(), camera or Camera()
    height, width = size
    places = _apart(rng, count, height, width)
    depths = rng.integers(0, planes, len(places))
    sharp = np.zeros((planes, height, width), np.float32)
    for (row, column), depth in zip(places, depths, strict=True):
        shape = spot(size, row, column, rng.uniform(*radii))
        sharp[depth] += np.float32(peak * camera.top * rng.uniform(0.4, 1.0)) * shape
    frames = _seen(rng, sharp, optics, camera)
    return Sparse(frames, _truth(sharp, camera), camera.ground, places, depths)


def structures(
    rng: Generator,
    *,
    count: int = 40,
    planes: int = 12,
    size: tuple[int, int] = (200, 260),
    optics: Optics | None = None,
    camera: Camera | None = None,
    peak: float = 0.6,
) -> Sparse:
    """Return a stack of bodies and filaments, each in a plane of its own; arguments as `spots`."""
    optics, camera = optics or Optics(CircleSpread(0.8), section=1.2), camera or Camera()
    height, width = size
    sharp = np.zeros((planes, height, width), np.float32)
    for _ in range(count):
        drawn = np.zeros(size, np.float32)
        x, y = int(rng.integers(10, width - 10)), int(rng.integers(10, height - 10))
        if rng.random() < 0.5:
            cv2.circle(drawn, (x, y), int(rng.integers(2, 9)), 1.0, -1, cv2.LINE_AA)
        else:
            turn, length = rng.uniform(0, np.pi), rng.uniform(20, 60)
            end = int(x + length * np.cos(turn)), int(y + length * np.sin(turn))
            cv2.line(drawn, (x, y), end, 1.0, 2, cv2.LINE_AA)
        drawn = cv2.GaussianBlur(drawn, (0, 0), 0.6) * rng.uniform(0.3, 1.0) * peak * camera.top
        depth = int(rng.integers(0, planes))
        np.maximum(sharp[depth], drawn.astype(np.float32), out=sharp[depth])
    none = np.zeros((0, 2), np.intp)
    frames = _seen(rng, sharp, optics, camera)
    return Sparse(frames, _truth(sharp, camera), camera.ground, none, none[:, 0])


def _apart(rng: Generator, count: int, height: int, width: int) -> NDArray[np.intp]:
    """Return up to `count` places ``(M, 2)`` that are clear of the border and of each other."""
    places: list[tuple[int, int]] = []
    for _ in range(50 * count):
        row, column = int(rng.integers(8, height - 8)), int(rng.integers(8, width - 8))
        if all((row - r) ** 2 + (column - c) ** 2 >= 12**2 for r, c in places):
            places.append((row, column))
        if len(places) == count:
            break
    return np.array(places, np.intp).reshape(-1, 2)


def _seen(rng: Generator, sharp: Float, optics: Optics, camera: Camera) -> NDArray[np.uint16]:
    """Return what the camera counts of light ``(N, H, W)``, each plane sharp in its own frame."""
    frames: list[NDArray[np.uint16]] = []
    for n in range(len(sharp)):
        light = np.zeros(sharp.shape[1:], np.float32)
        for k, plane in enumerate(sharp):
            if plane.any():
                light += optics.see(plane, abs(n - k))
        frames.append(camera.count(light, rng))
    return np.stack(frames)


def _truth(sharp: Float, camera: Camera) -> Float:
    return np.asarray(sharp.max(axis=0) + np.float32(camera.ground), np.float32)


def kept(scene: Sparse, picture: NDArray[np.uint16]) -> Float:
    """Return of every spot the share of its light that a picture keeps, ``(M,)``.

    The light is what 3 x 3 pixels hold above the dark around, against those of the plane in which
    the spot is sharpest; of three channels their mean.
    """

    def above(plane: NDArray[np.uint16], row: int, column: int) -> float:
        grey = plane.astype(np.float64)
        grey = grey.mean(axis=-1) if grey.ndim == 3 else grey
        around = grey[row - 6 : row + 7, column - 6 : column + 7]
        return float(grey[row - 1 : row + 2, column - 1 : column + 2].mean() - np.median(around))

    shares = [
        above(picture, row, column) / above(scene.frames[n], row, column)
        for (row, column), n in zip(scene.places, scene.planes, strict=True)
    ]
    return np.array(shares, np.float32)
