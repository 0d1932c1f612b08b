"""Layered scenes: how light from several depths adds up behind a lens, the one place for it.

A scene is a list of layers, far to near. Each is blurred by its own circle of confusion with its
matte premultiplied, and covers as much of what lies behind it as its blurred matte tells:

    over(C, m, B) = blur(C m) + (1 - blur(m)) B

with colour C and matte m of the layer and light B of all that lies behind. So a defocused
foreground spreads over its background and lets a part of it shine through (the defocus spread
effect that hard masks lack). With m = 1 in a part of the picture and 0 in the rest it is an opaque
object, with fractions a hair or a veil.

Benchmarks, made sets and training all photograph by this equation.

Arrays are float32, colour ``(H, W, C)`` or grey ``(H, W)``, in linear light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis.defocus import Aperture, defocus


@dataclass(frozen=True)
class Layer:
    """One plane of a scene.

    Attributes:
        colour: ``(H, W, C)`` linear light, known also where the matte is 0.
        matte: ``(H, W)`` coverage in [0, 1]; None for a background that covers everything.
        depth: where the plane lies, in any unit that the focus setting shares.
    """

    colour: Float
    matte: Float | None
    depth: float


def over(colour: Float, matte: Float, behind: Float, blur: Callable[[Float], Float]) -> Float:
    """Return the light of a layer before what lies behind it (the equation of this module).

    Args:
        colour: ``(H, W, C)`` or ``(H, W)``, of the layer.
        matte: ``(H, W)`` in [0, 1], of the layer.
        behind: light as `colour`, as the lens sees all that lies behind.
        blur: what the lens makes of the layer at its depth; linear, keeps flat areas.
    """

    def wide(coverage: Float) -> Float:
        return coverage if colour.ndim == coverage.ndim else coverage[..., None]

    light, cover = blur(colour * wide(matte)), blur(matte)
    return np.asarray(light + (1 - wide(cover)) * behind, np.float32)


def lay_over(
    behind: Float, layers: Sequence[Layer], radii: Sequence[float], aperture: Aperture = "disc"
) -> Float:
    """Photograph layers before a background that the lens has blurred already.

    Args:
        behind: linear light ``(H, W, C)``.
        layers: far to near; one without a matte hides all before it.
        radii: circle of confusion of each layer, in pixels.
        aperture: the shape of the circle.

    Returns:
        Linear light ``(H, W, C)``, not yet exposed.
    """
    for layer, radius in zip(layers, radii, strict=True):
        blur = partial(defocus, radius=radius, aperture=aperture)
        if layer.matte is None:
            behind = blur(layer.colour)
        else:
            behind = over(layer.colour, layer.matte, behind, blur)
    return behind


def render(layers: Sequence[Layer], radii: Sequence[float], aperture: Aperture = "disc") -> Float:
    """Photograph layers, each with its own circle of confusion; arguments as of `lay_over`.

    The first layer must have no matte: something is seen everywhere.
    """
    return lay_over(layers[0].colour, layers, radii, aperture)
