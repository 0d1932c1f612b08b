"""Fit a stroke's levels to the picture around it, so that what is painted shows no edge.

In a ring around the stroke, source and picture are compared where both show the same: blurred
within the ring, since they differ in focus; and by a line per colour channel, picture = gain *
source + offset, from which pairs that lie far off are taken out (iteratively reweighted least
squares, Tukey's biweight). A ring without contrast does not tell gain from offset: the gain is
drawn towards 1 by `_PRIOR`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float, Pixels
from panfocus.retouch.apply import Layers, StrokeSources, apply, source_layers
from panfocus.retouch.coverage import coverage
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import GAINS, OFFSETS, FusedSource, LevelMatch, Stroke

#: Width of the ring: a share of the radius, and at least so many pixels of full scale.
_WIDTH, _LEAST_WIDTH = 0.5, 8.0
#: Blur within the ring, as a share of its width. This and the prior below are MEASURED,
#: benchmarks/stroke_brightness.py.
_BLUR = 0.12
#: Standard deviation of levels, in shares of white, at which a gain is believed by half.
_PRIOR = 0.02
#: Pixels of the ring below which nothing is fitted, and above which some are left out.
_LEAST, _MOST = 24, 200_000
_ROUNDS = 6
#: Residuals beyond so many deviations do not count; and the deviation that is noise anyway.
_TUKEY, _NOISE = 4.685, 1e-3


def surroundings(stroke: Stroke, whole: Region) -> Region | None:
    """Return the part of a picture that a stroke's fit looks at; None outside of it."""
    return _wider(stroke).touched(whole)


def fit_brightness(
    stroke: Stroke, before: Sequence[Stroke], region: Region, fused: Layers, sources: StrokeSources
) -> Stroke:
    """Return a stroke with its levels measured, where it asks for that.

    Args:
        stroke: any.
        before: strokes that were drawn before it, measured.
        region: `surroundings` of the stroke in the picture.
        fused: that part of the fused picture.
        sources: what strokes are painted from.

    Returns:
        The same stroke; its levels do nothing where the ring is too small to tell.
    """
    if not stroke.match_brightness or isinstance(stroke.source, FusedSource):
        return stroke
    picture = apply(before, region, fused, sources)
    return fit_to(stroke, region, picture, source_layers(stroke, region, fused, sources))


def fit_to(stroke: Stroke, region: Region, picture: Layers, source: Layers) -> Stroke:
    """Return a stroke with its levels measured between a picture and the stroke's source.

    Args:
        stroke: whose levels are wanted.
        region: `surroundings` of the stroke in the picture.
        picture: that part of it, with all earlier strokes.
        source: that part of what the stroke is painted from.
    """
    ring = _ring(stroke, region)
    if source.shown is not None:
        ring &= source.shown
    found = _levels(picture.pixels, source.pixels, ring, _blur_of(stroke, region))
    end = len(found) - picture.has_alpha
    gains, offsets = zip(*found[:end], strict=True)
    return replace(stroke, levels=LevelMatch(gains, offsets))


def _width(stroke: Stroke) -> float:
    return max(_WIDTH * stroke.radius, _LEAST_WIDTH)


def _wider(stroke: Stroke) -> Stroke:
    """Return the stroke with its ring, hard."""
    width = _width(stroke)
    if stroke.kind == "brush":
        return replace(stroke, radius=stroke.radius + width, hardness=1.0)
    (x0, y0), (x1, y1) = stroke.points
    corners = (
        (min(x0, x1) - width, min(y0, y1) - width),
        (max(x0, x1) + width, max(y0, y1) + width),
    )
    return replace(stroke, points=corners, radius=0.0, hardness=1.0)


def _ring(stroke: Stroke, region: Region) -> NDArray[np.bool_]:
    return (coverage(_wider(stroke), region) > 0.5) & (coverage(stroke, region) == 0)


def _blur_of(stroke: Stroke, region: Region) -> float:
    return max(_BLUR * _width(stroke) / region.scale, 0.5)


def _levels(
    picture: Pixels, source: Pixels, ring: NDArray[np.bool_], sigma: float
) -> list[tuple[float, float]]:
    """Return gain and offset for each channel."""
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    if np.count_nonzero(ring) < _LEAST:
        return [(1.0, 0.0)] * channels
    there = np.flatnonzero(ring)
    there = there[:: -(-len(there) // _MOST)]
    x, y = (
        _blurred(each, ring, sigma).reshape(-1, channels)[there].astype(np.float64)
        for each in (source, picture)
    )
    return [_line(x[:, c], y[:, c]) for c in range(channels)]


def _blurred(pixels: Pixels, ring: NDArray[np.bool_], sigma: float) -> Float:
    """Return levels in shares of white ``(h, w, C)``, blurred within the ring alone."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels
    weight = ring.astype(np.float32)
    sums: Float = colours.astype(np.float32) / np.float32(white(pixels.dtype))
    sums *= weight[..., None]
    shares: Float = np.maximum(_spread(weight, sigma), np.float32(1e-6))
    return np.asarray(_spread(sums, sigma).reshape(colours.shape) / shares[..., None], np.float32)


def _spread(values: Float, sigma: float) -> Float:
    """Return values blurred; none come from beyond the border."""
    out = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(out, np.float32)


def _line(source: NDArray[np.float64], picture: NDArray[np.float64]) -> tuple[float, float]:
    """Return gain and offset of the line that most pairs lie on, within bounds."""
    gain, offset = 1.0, float(median(picture - source))
    for _ in range(_ROUNDS):
        away = picture - gain * source - offset
        deviation = max(1.4826 * float(median(np.abs(away))), _NOISE)
        weight = np.maximum(1 - (away / (_TUKEY * deviation)) ** 2, 0) ** 2
        total = float(weight.sum())
        x, y = (float(weight @ each) / total for each in (source, picture))
        spread = float(weight @ (source - x) ** 2) / total
        shared = float(weight @ ((source - x) * (picture - source - y + x))) / total
        gain = min(max(1 + shared / (spread + _PRIOR**2), GAINS[0]), GAINS[1])
        offset = y - gain * x
    return gain, min(max(offset, OFFSETS[0]), OFFSETS[1])
