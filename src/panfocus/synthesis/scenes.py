"""Scenes with known truth: focal pairs and stacks rendered from sharp pictures.

Every kind is rendered in linear light with discs of confusion (`panfocus.synthesis.defocus`), then
clipped and encoded to 8 bit, so that the truth is exact: it is the same scene with every circle of
confusion at zero. A seed fixes everything.

Kinds:
    hard: two frames, complementary binary mask, no spread (what classical papers use).
    layers: two frames, a foreground object whose blur spreads over its background.
    depth: N frames through a smooth ramp of depth with occluding objects.
    hair: two frames, fine fibres that cross each other before a background.
    translucent: two frames, an object that lets light through; no frame has both in focus there.
    bokeh: two frames, lights far brighter than white behind a foreground.
    void: N frames, noisy, before a background that no frame has in focus; its truth is the
        least blurred, noise-free rendering.
    breathing: N frames of a depth scene that grow, shift and turn from frame to frame, as those
        of a lens that breathes on a tripod that gives; truth and index as the middle frame sees.
        It is moved as light falls on a sensor, before pixels are taken, so that all frames are
        equally sharp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.random import Generator

from panfocus.synthesis.breathing import breathing_scene
from panfocus.synthesis.focal_pairs import (
    bokeh_scene,
    hair_scene,
    hard_scene,
    layers_scene,
    translucent_scene,
)
from panfocus.synthesis.focal_stacks import depth_scene, void_scene
from panfocus.synthesis.scene import Byte, Scene

KINDS: dict[str, Callable[[Generator, Sequence[Byte]], Scene]] = {
    "hard": hard_scene,
    "layers": layers_scene,
    "hair": hair_scene,
    "translucent": translucent_scene,
    "depth": depth_scene,
    "bokeh": bokeh_scene,
    "void": void_scene,
}
#: Kinds whose frames must be aligned before their pixels can be compared with the truth.
MOVING_KINDS: dict[str, Callable[[Generator, Sequence[Byte]], Scene]] = {
    "breathing": breathing_scene
}
