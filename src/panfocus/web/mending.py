"""Strokes on an open stack: whose they are, what they are painted from, tiles with them on."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any, cast

import numpy as np

from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.retouch import (
    FrameSource,
    Layers,
    Region,
    Stroke,
    SystemSource,
    apply,
    fit_brightness,
    resolved,
    stroke_to,
)
from panfocus.retouch.brightness import surroundings
from panfocus.retouch.records import MOST_STROKES
from panfocus.retouch.stroke import FusedSource
from panfocus.web.pyramids import TILE, Byte, Pyramids, Viewable, size_at
from panfocus.web.results import Result

#: Tiles with strokes on them that are kept, so that a new stroke is put onto them alone.
_TILES = 192
#: Frames that are kept whole while strokes are measured on them.
_WHOLE = 2


@dataclass(frozen=True)
class Drawn:
    """A stroke and its name.

    Attributes:
        id: by which it is taken back.
        stroke: resolved and measured.
    """

    id: str
    stroke: Stroke

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        return {"id": self.id, **stroke_to(self.stroke)}


class DrawnStrokes:
    """The strokes of a stack, in their order.

    Pages add strokes and take back their own by name, so that what one page does never undoes what
    another has done.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.version = 0
        self._drawn: list[Drawn] = []
        self._tiles: OrderedDict[tuple[str, int, int, int], tuple[tuple[str, ...], Byte]]
        self._tiles = OrderedDict()

    @property
    def drawn(self) -> list[Drawn]:
        """All, in their order."""
        with self.lock:
            return list(self._drawn)

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The same without names."""
        return tuple(each.stroke for each in self.drawn)

    def add(self, stroke: Stroke) -> Drawn:
        """Put a stroke on top.

        Raises:
            UsageError: there are too many.
        """
        drawn = Drawn(secrets.token_hex(6), stroke)
        with self.lock:
            if len(self._drawn) >= MOST_STROKES:
                raise UsageError("there are too many strokes", expected=f"at most {MOST_STROKES}")
            self._drawn.append(drawn)
            self.version += 1
        return drawn

    def remove(self, id_: str) -> Stroke:
        """Take a stroke back.

        Raises:
            UsageError: it is not there any more.
        """
        with self.lock:
            for n, each in enumerate(self._drawn):
                if each.id == id_:
                    del self._drawn[n]
                    self.version += 1
                    return each.stroke
        raise UsageError("this stroke is not there any more", got=id_[:40])

    def put(self, strokes: Sequence[Stroke]) -> None:
        """Let these be the strokes, as of a project that was opened."""
        with self.lock:
            self._drawn = [Drawn(secrets.token_hex(6), stroke) for stroke in strokes]
            self.version += 1

    def tile(self, painted: Painted, level: int, column: int, row: int) -> Byte | None:
        """Return a tile of the picture with all strokes on it; None where there is none.

        Args:
            painted: the fused picture and what is painted from.
            level: 0 for full scale, each further one half of that.
            column: from the left.
            row: from the top.
        """
        region = painted.region(level, column, row)
        if region is None:
            return None
        touching = [each for each in self.drawn if each.stroke.touched(region) is not None]
        fused = painted.fused(region, level)
        if not touching:
            return fused
        key = (painted.key, level, column, row)
        ids = tuple(each.id for each in touching)
        with self.lock:
            known, made = self._tiles.get(key, ((), fused))
        rest = touching[len(known) :]
        if ids[: len(known)] != known or any(
            isinstance(d.stroke.source, FusedSource) for d in rest
        ):
            made, rest = fused, touching
        strokes = [each.stroke for each in rest]
        pixels = apply(strokes, region, Layers(made), painted).pixels if strokes else made
        out = cast("Byte", pixels)
        with self.lock:
            self._tiles[key] = (ids, out)
            self._tiles.move_to_end(key)
            while len(self._tiles) > _TILES:
                self._tiles.popitem(last=False)
        return out


@dataclass(frozen=True)
class Painted:
    """A fused picture on the screen, and what is painted onto it, in 8 bit at any level.

    Attributes:
        picture: the fused one.
        pyramids: that hold levels.
        frame: a frame by its number in the index map, in place.
        system: another system's result by its name.
    """

    picture: Viewable
    pyramids: Pyramids
    frame: Callable[[int], Viewable]
    system: Callable[[str], Viewable]

    @property
    def key(self) -> str:
        """Name of the fused picture."""
        return self.picture.key

    def region(self, level: int, column: int, row: int) -> Region | None:
        """Return what a tile shows; None where there is none."""
        height, width = size_at(self.picture, level)
        left, top = column * TILE, row * TILE
        if left >= width or top >= height:
            return None
        wide, high = min(TILE, width - left), min(TILE, height - top)
        return Region(left, top, wide, high, float(1 << level))

    def fused(self, region: Region, level: int) -> Byte:
        """Return a region of the fused picture."""
        whole = self.pyramids.level(self.picture, level)
        return np.ascontiguousarray(whole[region.slices])

    def layers(self, source: FrameSource | SystemSource, region: Region) -> Layers:
        """Return a region of a source."""
        is_frame = isinstance(source, FrameSource)
        picture = self.frame(source.number) if is_frame else self.system(source.name)
        whole = self.pyramids.level(picture, int(region.scale).bit_length() - 1)
        return Layers(np.ascontiguousarray(whole[region.slices]))


class Native:
    """The same with the numbers of the files, at full scale: what brightness is measured on.

    Args:
        result: that is painted onto.
        frame: a frame by its number in the index map, whole and in place.
        system: another system's picture by its name.
    """

    def __init__(
        self, result: Result, frame: Callable[[int], Pixels], system: Callable[[str], Pixels]
    ) -> None:
        self._result = result
        self._frame = frame
        self._system = system
        self._known: OrderedDict[int, Pixels] = OrderedDict()

    def layers(self, source: FrameSource | SystemSource, region: Region) -> Layers:
        """Return a region of a source."""
        if isinstance(source, SystemSource):
            pixels = self._system(source.name)
        else:
            if source.number not in self._known:
                self._known[source.number] = self._frame(source.number)
            self._known.move_to_end(source.number)
            while len(self._known) > _WHOLE:
                self._known.popitem(last=False)
            pixels = self._known[source.number]
        part = np.ascontiguousarray(pixels[region.slices])
        return Layers(part, has_alpha=part.ndim == 3 and part.shape[2] in (2, 4))

    def measured(self, stroke: Stroke, before: Sequence[Stroke]) -> Stroke:
        """Return a stroke with its frame named and its brightness measured.

        Raises:
            UsageError: the sharpest frame is wanted where no map tells which that is.
        """
        fusion = self._result.fusion
        if fusion.index is not None:
            stroke = resolved(stroke, np.asarray(fusion.index))
        _check_source(stroke, len(self._result.used))
        height, width = fusion.image.shape[:2]
        region = surroundings(stroke, Region(0, 0, width, height))
        if region is None or not stroke.match_brightness:
            return replace(stroke, match_brightness=False)
        fused = np.ascontiguousarray(fusion.image[region.slices])
        layers = Layers(fused, has_alpha=fused.ndim == 3 and fused.shape[2] in (2, 4))
        return fit_brightness(stroke, before, region, layers, self)


def _check_source(stroke: Stroke, count: int) -> None:
    source = stroke.source
    if isinstance(source, FrameSource) and source.number >= count:
        raise UsageError("there is no such frame", where="source", got=str(source.number + 1))
    if not isinstance(source, (FrameSource, SystemSource, FusedSource)):
        raise UsageError(
            "this result does not tell which frame is sharpest where",
            remedy="paint from a chosen frame",
        )
