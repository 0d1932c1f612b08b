"""What a stroke is: where it goes, how it covers, and what it takes its pixels from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError
from panfocus.retouch.region import Box, Region

StrokeKind = Literal["brush", "rectangle"]
KINDS: tuple[StrokeKind, ...] = get_args(StrokeKind)
#: Bounds of what a stroke may be, in pixels of full scale and points.
MOST_POINTS = 100_000
FARTHEST = 1e7
LARGEST_RADIUS = 1e5
#: Bounds of fitted brightness: factor, and share of white.
GAINS = (0.5, 2.0)
OFFSETS = (-0.25, 0.25)
#: Points nearer to each other than this share of the radius are one: what that changes is less than
#: a 250th of the way from the line to the edge.
_MERGE = 1 / 256

Point = tuple[float, float]


@dataclass(frozen=True)
class FrameSource:
    """A frame of the stack.

    Attributes:
        number: from 0, as the index map counts.
        chosen: "sharpest" where the index map has named it; None where somebody has.
    """

    number: int
    chosen: Literal["sharpest"] | None = None


@dataclass(frozen=True)
class Sharpest:
    """The frame that the index map names under the stroke's first point; see `resolved`."""


@dataclass(frozen=True)
class SystemSource:
    """Another system's result of the same registered stack.

    Attributes:
        name: of `list_systems`.
    """

    name: str


@dataclass(frozen=True)
class FusedSource:
    """The fused picture before any stroke: an eraser."""


Source = FrameSource | Sharpest | SystemSource | FusedSource


@dataclass(frozen=True)
class LevelMatch:
    """How a source's levels are taken to those of the picture around a stroke.

    Attributes:
        gain: factor of each colour channel; one for grey.
        offset: added after it, in shares of white.
    """

    gain: tuple[float, ...]
    offset: tuple[float, ...]


@dataclass(frozen=True)
class Stroke:
    """A stroke over the fused picture; places in its pixels at full scale, centres whole.

    Attributes:
        kind: "brush" or "rectangle".
        points: ``(x, y)`` that a brush goes through, or two opposite corners of a rectangle.
        source: what is painted.
        radius: of the brush, > 0; of a rectangle the width of its border, which lies inside it.
        hardness: share of the radius that is covered whole, [0, 1].
        opacity: of the stroke, [0, 1].
        match_brightness: whether the source is fitted to the picture around the stroke.
        levels: what that fit has found; None where it was not measured yet.

    Raises:
        UsageError: a value is outside of these bounds.

    Examples:
        >>> dot = Stroke("brush", ((10, 10),), FrameSource(2), radius=4)
        >>> dot.box
        (6, 6, 14, 14)
    """

    kind: StrokeKind
    points: tuple[Point, ...]
    source: Source
    radius: float = 20.0
    hardness: float = 0.7
    opacity: float = 1.0
    match_brightness: bool = False
    levels: LevelMatch | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _cannot_be("kind", " or ".join(KINDS), self.kind)
        wanted = (2, 2) if self.kind == "rectangle" else (1, MOST_POINTS)
        if not wanted[0] <= len(self.points) <= wanted[1]:
            raise _cannot_be("points", f"{wanted[0]} to {wanted[1]}", len(self.points))
        if not all(_is_within(v, -FARTHEST, FARTHEST) for point in self.points for v in point):
            raise _cannot_be("points", f"numbers from {-FARTHEST:g} to {FARTHEST:g}", "others")
        least = 0.0 if self.kind == "rectangle" else 0.05
        if not _is_within(self.radius, least, LARGEST_RADIUS):
            raise _cannot_be("radius", f"{least:g} to {LARGEST_RADIUS:g} pixels", self.radius)
        for name in ("hardness", "opacity"):
            if not _is_within(getattr(self, name), 0, 1):
                raise _cannot_be(name, "0 to 1", getattr(self, name))

    @cached_property
    def box(self) -> Box:
        """What it may cover: left, top, right, bottom in pixels of full scale."""
        xs, ys = zip(*self.points, strict=True)
        reach = self.radius if self.kind == "brush" else 0
        return min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach

    @cached_property
    def segments(self) -> NDArray[np.float64]:
        """The parts of a brush's line ``(M, 4)``, x, y to x, y; one point is a part, too."""
        kept = [self.points[0]]
        for point in self.points[1:]:
            if math.dist(point, kept[-1]) > _MERGE * self.radius:
                kept.append(point)
        line = np.array([*kept, self.points[-1]], np.float64)
        return np.hstack([line[:-1], line[1:]])

    def touched(self, region: Region) -> Region | None:
        """Return the part of a region that it may cover; None where it does not reach it."""
        left, top, right, bottom = self.box
        # a pixel is covered as far as its edge, half of it beyond its centre
        half = region.scale / 2
        return region.within((left - half, top - half, right + half, bottom + half))


def _is_within(value: object, low: float, high: float) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return low <= value <= high  # NaN is not


def _cannot_be(name: str, expected: str, got: object) -> UsageError:
    return UsageError(
        f"this cannot be the {name} of a stroke",
        where=f"Stroke.{name}",
        expected=expected,
        got=str(got),
    )


def resolved(stroke: Stroke, index: NDArray[np.uint16], scale: float = 1.0) -> Stroke:
    """Return a stroke whose source is a number where it was the sharpest frame.

    Args:
        stroke: any; those that name their source are given back as they are.
        index: ``(H, W)``, which frame won, of the whole picture at a scale.
        scale: pixels of full scale that one of the map is wide.
    """
    if not isinstance(stroke.source, Sharpest):
        return stroke
    x, y = stroke.points[0]
    row, column = (int(np.floor((place + 0.5) / scale)) for place in (y, x))
    row, column = (min(max(n, 0), m - 1) for n, m in zip((row, column), index.shape, strict=True))
    return replace(stroke, source=FrameSource(int(index[row, column]), chosen="sharpest"))
