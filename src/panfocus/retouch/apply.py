"""Put strokes onto any rectangle of a picture, at any scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.errors import UsageError
from panfocus.fusion.blend import mix
from panfocus.retouch.coverage import coverage
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import (
    FrameSource,
    FusedSource,
    LevelMatch,
    Sharpest,
    Stroke,
    SystemSource,
)


@dataclass(frozen=True)
class Layers:
    """A picture's pixels of one region, and what is known of them.

    Attributes:
        pixels: ``(h, w[, C])`` uint8, uint16 or float32.
        index: ``(h, w)`` uint16, which frame won; None where there is no such map.
        depth: ``(h, w)`` float32, in the unit of the fusion; or None.
        confidence: ``(h, w)`` float32 in [0, 1]; or None.
        has_alpha: whether the last channel is opacity.
        shown: ``(h, w)``, where a frame shows anything; None for everywhere. What it does not show
            cannot be painted.
    """

    pixels: Pixels
    index: NDArray[np.uint16] | None = None
    depth: Float | None = None
    confidence: Float | None = None
    has_alpha: bool = False
    shown: NDArray[np.bool_] | None = None

    def part(self, rows: slice, columns: slice) -> Layers:
        """Return a part of it, which looks into the same memory."""
        maps = (self.index, self.depth, self.confidence)
        index, depth, confidence = (None if m is None else m[rows, columns] for m in maps)
        shown = None if self.shown is None else self.shown[rows, columns]
        pixels = self.pixels[rows, columns]
        return replace(
            self, pixels=pixels, index=index, depth=depth, confidence=confidence, shown=shown
        )

    def copied(self) -> Layers:
        """Return it in memory of its own."""
        copies = {
            name: None if value is None else value.copy()
            for name, value in (
                ("index", self.index),
                ("depth", self.depth),
                ("confidence", self.confidence),
                ("shown", self.shown),
            )
        }
        return replace(self, pixels=self.pixels.copy(), **copies)


class StrokeSources(Protocol):
    """What strokes are painted from."""

    def layers(self, source: FrameSource | SystemSource, region: Region, /) -> Layers:
        """Return a region of a source: of the size, dtype and channels of the fused picture.

        Args:
            source: a frame, in place; or another system's result.
            region: at the scale of the picture that strokes are put onto.
        """
        ...


def apply(
    strokes: Sequence[Stroke], region: Region, fused: Layers, sources: StrokeSources
) -> Layers:
    """Return a region of the fused picture with strokes on it.

    Args:
        strokes: in the order in which they were drawn.
        region: which part of the picture, at which scale.
        fused: that part of the fused picture; left as it is.
        sources: asked only for what strokes cover.

    Returns:
        The same in memory of its own: dtype and channels kept; bit for bit the fused picture where
        no stroke covers it, and the source where one covers it whole. Maps that are there follow.

    Raises:
        UsageError: a stroke's source is the sharpest frame still, or its brightness not measured.
    """
    out = fused.copied()
    for stroke in strokes:
        paint(stroke, region, out, fused, sources)
    return out


def paint(
    stroke: Stroke, region: Region, below: Layers, fused: Layers, sources: StrokeSources
) -> None:
    """Put a stroke onto a region in place.

    Args:
        stroke: resolved and measured.
        region: of the picture.
        below: the picture there with all earlier strokes; painted over.
        fused: the picture there without any.
        sources: asked for what the stroke covers.

    Raises:
        UsageError: see `apply`.
    """
    part = stroke.touched(region)
    if part is None or stroke.opacity == 0:
        return
    cover = coverage(stroke, part)
    if not cover.any():
        return
    inside = part.slices_in(region)
    above = fitted(source_layers(stroke, part, fused.part(*inside), sources), stroke)
    _put(below.part(*inside), above, cover * np.float32(stroke.opacity))


def source_layers(stroke: Stroke, region: Region, fused: Layers, sources: StrokeSources) -> Layers:
    """Return a region of what a stroke is painted from.

    Args:
        stroke: whose source is asked.
        region: of the picture.
        fused: the fused picture there.
        sources: of all else.

    Raises:
        UsageError: its source is the sharpest frame, whichever that is.
    """
    if isinstance(stroke.source, FusedSource):
        return fused
    if isinstance(stroke.source, Sharpest):
        raise UsageError(
            "it is not known which frame a stroke is painted from",
            where="Stroke.source",
            expected="strokes that `resolved` has been through",
        )
    return sources.layers(stroke.source, region)


def fitted(layers: Layers, stroke: Stroke) -> Layers:
    """Return a source with the levels that were fitted to the picture around the stroke.

    Raises:
        UsageError: they are wanted and were not measured.
    """
    if not stroke.match_brightness:
        return layers
    if stroke.levels is None:
        raise UsageError(
            "the brightness of a stroke was not measured",
            where="Stroke.levels",
            expected="strokes that `fit_brightness` has been through",
        )
    pixels = with_levels(layers.pixels, stroke.levels, has_alpha=layers.has_alpha)
    return replace(layers, pixels=pixels)


def with_levels(pixels: Pixels, levels: LevelMatch, *, has_alpha: bool) -> Pixels:
    """Return pixels ``(h, w[, C])`` times gain plus offset, opacity as it is."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels
    end = colours.shape[-1] - has_alpha
    top = np.float32(white(pixels.dtype))
    gain = np.array(levels.gain, np.float32)
    offset = np.array(levels.offset, np.float32) * top
    made = colours[..., :end].astype(np.float32) * gain + offset
    if pixels.dtype.kind != "f":
        made = np.rint(np.clip(made, 0, top))
    out = colours.copy()
    out[..., :end] = made.astype(pixels.dtype)
    return out.reshape(pixels.shape)


def _put(below: Layers, above: Layers, weight: Float) -> None:
    """Mix a source into a part of the picture, in place."""
    if above.shown is not None:
        weight = np.where(above.shown, weight, np.float32(0))
    below.pixels[...] = _mixed(below, above, weight)
    chosen = weight >= 0.5
    for name in ("index", "depth", "confidence"):
        map_below, map_above = getattr(below, name), getattr(above, name)
        if map_below is not None and map_above is not None:
            np.copyto(map_below, map_above, where=chosen)


def _mixed(below: Layers, above: Layers, weight: Float) -> Pixels:
    if not below.has_alpha:
        return mix(below.pixels, above.pixels, weight)
    # a colour that is not seen must not shine through: colours count as far as they are opaque
    top = np.float32(white(below.pixels.dtype))
    under, over = (each.pixels[..., -1].astype(np.float32) / top for each in (below, above))
    share = weight * over
    total = (1 - weight) * under + share
    share = np.divide(share, total, out=weight.copy(), where=(total > 0) & (weight < 1))
    colours = mix(
        np.ascontiguousarray(below.pixels[..., :-1]),
        np.ascontiguousarray(above.pixels[..., :-1]),
        np.clip(share, 0, 1),
    )
    opacity = mix(
        np.ascontiguousarray(below.pixels[..., -1]),
        np.ascontiguousarray(above.pixels[..., -1]),
        weight,
    )
    return np.concatenate((colours, opacity[..., None]), axis=-1)
