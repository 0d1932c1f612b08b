"""What is seen of a result with strokes on it: tiles, maps, values, whole pictures made small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.pipeline.options import MAP_KINDS, MapKind
from panfocus.retouch import FrameSource, Layers, Region, Stroke, SystemSource, apply, coverage
from panfocus.web import mendings
from panfocus.web.carried import Carried
from panfocus.web.mending import Painted
from panfocus.web.pictures import sampled
from panfocus.web.pyramids import Byte, Pyramids
from panfocus.web.requests import TileRequest
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack

#: Coverage from which a pixel of a map counts as the source's.
_HALF = 0.5
#: Confidence from which a map is seen whole where it fades.
_SURE = np.float32(0.25)


@dataclass(frozen=True)
class Mended:
    """A result with the strokes of its stack on it, as it is seen.

    Attributes:
        stack: open.
        result: of the stack.
        pyramids: that hold pictures.
    """

    stack: OpenStack
    result: Result
    pyramids: Pyramids

    @cached_property
    def carried(self) -> Carried:
        """The strokes that are seen."""
        return mendings.shown(self.stack, self.result)

    @cached_property
    def painted(self) -> Painted:
        """What strokes are put onto, and painted from."""
        return mendings.painted(self.stack, self.result, self.pyramids)

    def tile(self, wanted: TileRequest) -> Byte | None:
        """Return a tile of the picture; None where there is none."""
        place = wanted.level, wanted.column, wanted.row
        return self.stack.mending.tile(self.carried, self.painted, *place)

    def map_tile(self, kind: MapKind, wanted: TileRequest) -> Byte | None:
        """Return a tile of a map in colours; None where no stroke lies, and where there is none."""
        region = self.painted.region(wanted.level, wanted.column, wanted.row)
        if region is None or kind not in self.result.scales:
            return None
        strokes = [each.stroke for each in self.carried.touching(region)]
        if not strokes:
            return None
        return self.result.scales[kind].draw(self.values(kind, region, strokes))

    def values(self, kind: MapKind, region: Region, strokes: Sequence[Stroke]) -> Float:
        """Return a map's values ``(h, w)`` in a region with strokes on it, as they are saved.

        Args:
            kind: of the map.
            region: at a level of the picture.
            strokes: as they lie on the result.
        """
        fused = sampled(getattr(self.result.fusion, kind), region)
        out = fused.copy()
        for stroke in strokes:
            part = stroke.touched(region)
            if part is None:
                continue
            inside = part.slices_in(region)
            above = self._above(kind, stroke, part, fused[inside])
            chosen = coverage(stroke, part) * np.float32(stroke.opacity) >= _HALF
            there = self.painted.shown(stroke.source, part)
            np.copyto(out[inside], above, where=chosen if there is None else chosen & there)
        return out

    def _above(self, kind: MapKind, stroke: Stroke, part: Region, fused: Float) -> Float:
        """Return what a stroke puts onto a map."""
        source = stroke.source
        if isinstance(source, FrameSource):
            values = {
                "index": source.number,
                "depth": self._depth_of(source.number),
                "confidence": 1.0,  # somebody has looked
            }
            return np.full((), values[kind], np.float32)
        if isinstance(source, SystemSource):
            other = mendings.other(self.stack, self.result, source.name)
            values = getattr(other.fusion, kind)
            return fused if values is None else sampled(values, part)
        return fused

    def _depth_of(self, number: int) -> float:
        """Return where a frame lies, in the unit of the depth map."""
        report = self.result.fusion.report
        if report.depth_unit != "µm":
            return float(number)
        step = report.settings["z_step_um"]
        if step is not None:
            return float(number * step)
        return self.stack.frames.place_um(self.result.used[number]) or 0.0

    def map_level(self, kind: MapKind, level: int) -> Byte:
        """Return a map in colours at a level.

        Args:
            kind: of a map that there is.
            level: 0 for full scale, each further one half of that.
        """
        high, wide = (-(-side >> level) for side in self.result.fusion.image.shape[:2])
        region = Region(0, 0, wide, high, float(1 << level))
        return self.result.scales[kind].draw(self.values(kind, region, self.carried.strokes))

    def value(self, x: int, y: int) -> dict[str, Any]:
        """Return what picture and maps say of a pixel.

        Colours are left out where strokes lie: those are of the files, which would be read anew.
        """
        out = self.result.value(x, y)
        spot = Region(x, y, 1, 1)
        strokes = [each.stroke for each in self.carried.touching(spot)]
        covers = [float(coverage(s, spot)[0, 0]) * s.opacity for s in strokes]
        if not any(cover > 0 for cover in covers):
            return out
        del out["rgb"]
        out["mended"] = max(covers) >= _HALF
        for kind in self.result.scales:
            value = float(self.values(kind, spot, strokes)[0, 0])
            if kind == "index":
                out["frame"] = self.result.used[int(value)]
            else:
                out[kind] = round(value, 3) if np.isfinite(value) else None
        return out

    def level(self, level: int) -> Byte:
        """Return the picture at a level."""
        pixels = self.pyramids.level(self.stack.result_picture(self.result), level)
        strokes = self.carried.strokes
        if not strokes:
            return pixels
        region = Region(0, 0, pixels.shape[1], pixels.shape[0], float(1 << level))
        return np.asarray(apply(strokes, region, Layers(pixels), self.painted).pixels, np.uint8)

    def map(self, kind: MapKind) -> Float:
        """Return a whole map at full scale.

        Args:
            kind: of a map that there is.
        """
        values = np.asarray(getattr(self.result.fusion, kind), np.float32)
        strokes = self.carried.strokes
        region = Region(0, 0, values.shape[1], values.shape[0])
        return self.values(kind, region, strokes) if strokes else values


def faded(
    stack: OpenStack, pyramids: Pyramids, wanted: TileRequest, tile: Byte
) -> NDArray[np.uint8]:
    """Return a tile of a map ``(h, w, 4)``, whose last channel says how much of it is seen.

    Args:
        stack: open.
        pyramids: that hold pictures.
        wanted: which tile.
        tile: of a map of a result, ``(h, w, 3)``.
    """
    result = stack.result(wanted.picture.partition("-")[0])
    mended = Mended(stack, result, pyramids)
    region = mended.painted.region(wanted.level, wanted.column, wanted.row)
    if region is None or result.fusion.confidence is None:
        return np.dstack([tile, np.full(tile.shape[:2], 255, np.uint8)])
    strokes = [each.stroke for each in mended.carried.touching(region)]
    share = np.clip(mended.values("confidence", region, strokes) / _SURE, 0, 1)
    return np.dstack([tile, np.rint(share * 255).astype(np.uint8)])


def mended_tile(
    stack: OpenStack, pyramids: Pyramids, wanted: TileRequest
) -> tuple[Byte, bool] | None:
    """Return a tile of a result or of one of its maps with strokes on it; None where it has none.

    Args:
        stack: open.
        pyramids: that hold pictures.
        wanted: which tile.

    Returns:
        The tile, and whether its colours mean numbers.
    """
    id_, _, kind = wanted.picture.partition("-")
    result = stack.results.get(id_)
    if result is None or not mendings.is_mended(stack, result):
        return None
    mended = Mended(stack, result, pyramids)
    if not kind:
        tile = mended.tile(wanted)
        return None if tile is None else (tile, False)
    for known in MAP_KINDS:
        if known == kind:
            tile = mended.map_tile(known, wanted)
            return None if tile is None else (tile, True)
    return None
