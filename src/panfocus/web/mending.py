"""Strokes on an open stack: whose they are, what they are painted from, tiles with them on."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import RLock
from typing import cast

import numpy as np
from numpy.typing import NDArray

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
)
from panfocus.retouch.brightness import surroundings
from panfocus.retouch.records import MOST_STROKES
from panfocus.retouch.stroke import FusedSource, Source
from panfocus.web.carried import Base, Carried, Carrier, Drawn
from panfocus.web.pyramids import TILE, Byte, Pyramids, Viewable, size_at
from panfocus.web.results import Result

#: Tiles with strokes on them that are kept, so that a new stroke is put onto them alone.
_TILES = 192
#: Strokes that were taken back and can be brought back.
_TAKEN_BACK = 256
#: Frames that are kept whole while strokes are measured on them.
_WHOLE = 2


class DrawnStrokes:
    """The strokes of a stack, in their order.

    Pages add strokes and take back their own by name, so that what one page does never undoes what
    another has done.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.version = 0
        self._drawn: list[Drawn] = []
        self._taken_back: OrderedDict[str, Drawn] = OrderedDict()
        self._carrier = Carrier()
        self._tiles: OrderedDict[tuple[str, int, int, int], tuple[tuple[str, ...], Byte]]
        self._tiles = OrderedDict()

    @property
    def drawn(self) -> list[Drawn]:
        """All, in their order."""
        with self.lock:
            return list(self._drawn)

    @property
    def count(self) -> int:
        """How many there are: told at once, even while one is measured."""
        return len(self._drawn)

    def on(self, result: Result, finish: Callable[[Drawn, Sequence[Drawn]], Drawn]) -> Carried:
        """Return all as they lie on a result; see `Carrier.to`."""
        with self.lock:
            return self._carrier.to(result, self._drawn, self.version, finish)

    def forget(self, result: str) -> None:
        """Forget how they lay on a result that is dropped."""
        with self.lock:
            self._carrier.forget(result)

    def add(self, stroke: Stroke, base: Base) -> Drawn:
        """Put a stroke on top.

        Args:
            stroke: resolved and measured.
            base: what its places and frames count in.

        Raises:
            UsageError: there are too many.
        """
        return self._put_on_top(Drawn(secrets.token_hex(6), stroke, base))

    def _put_on_top(self, drawn: Drawn) -> Drawn:
        with self.lock:
            if len(self._drawn) >= MOST_STROKES:
                raise UsageError("there are too many strokes", expected=f"at most {MOST_STROKES}")
            self._drawn.append(drawn)
            self.version += 1
        return drawn

    def remove(self, id_: str) -> None:
        """Take a stroke back.

        Raises:
            UsageError: it is not there any more.
        """
        with self.lock:
            for n, each in enumerate(self._drawn):
                if each.id == id_:
                    del self._drawn[n]
                    self.version += 1
                    self._taken_back[id_] = each
                    while len(self._taken_back) > _TAKEN_BACK:
                        self._taken_back.popitem(last=False)
                    return
        raise UsageError("this stroke is not there any more", got=id_[:40])

    def bring_back(self, id_: str) -> Drawn:
        """Put a stroke that was taken back on top again, where it was.

        Raises:
            UsageError: it is not known any more, or there are too many.
        """
        with self.lock:
            drawn = self._taken_back.get(id_)
            if drawn is None:
                raise UsageError("this stroke is not known any more", got=id_[:40])
            self._put_on_top(drawn)
            del self._taken_back[id_]
            return drawn

    def put(self, strokes: Sequence[Stroke], base: Base) -> None:
        """Let these be the strokes, as of a project that was opened."""
        with self.lock:
            self._drawn = [Drawn(secrets.token_hex(6), stroke, base) for stroke in strokes]
            self.version += 1

    def tile(
        self, carried: Carried, painted: Painted, level: int, column: int, row: int
    ) -> Byte | None:
        """Return a tile of the picture with strokes on it; None where there is none.

        Args:
            carried: the strokes as they lie on it.
            painted: the fused picture and what is painted from.
            level: 0 for full scale, each further one half of that.
            column: from the left.
            row: from the top.
        """
        region = painted.region(level, column, row)
        if region is None:
            return None
        touching = carried.touching(region)
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
        cover: where a frame shows anything, by its number; None for everywhere.
    """

    picture: Viewable
    pyramids: Pyramids
    frame: Callable[[int], Viewable]
    system: Callable[[str], Viewable]
    cover: Callable[[int], Viewable | None]

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
        level = int(region.scale).bit_length() - 1
        part = np.ascontiguousarray(self.pyramids.level(picture, level)[region.slices])
        return Layers(part, shown=self.shown(source, region))

    def shown(self, source: Source, region: Region) -> NDArray[np.bool_] | None:
        """Return where in a region a source shows anything; None for everywhere."""
        cover = self.cover(source.number) if isinstance(source, FrameSource) else None
        if cover is None:
            return None
        level = int(region.scale).bit_length() - 1
        return self.pyramids.level(cover, level)[region.slices] == 255


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
