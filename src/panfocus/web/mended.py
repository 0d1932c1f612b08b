"""What is seen of a result with strokes on it: tiles, maps, values, whole pictures made small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.pipeline.options import MapKind
from panfocus.retouch import FrameSource, Layers, Region, Stroke, SystemSource, apply, coverage
from panfocus.web import mendings
from panfocus.web.pictures import MapPicture, sampled
from panfocus.web.pyramids import TILE, Byte, Pyramids, size_at
from panfocus.web.requests import TileRequest
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack

#: Coverage from which a pixel of a map counts as the source's.
_HALF = 0.5


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
    if kind:
        made = _map_tile(stack, result, kind, wanted)
        return None if made is None else (made, True)
    painted = mendings.painted(stack, result, pyramids)
    shown = mendings.shown(stack, result)
    tile = stack.mending.tile(shown, painted, wanted.level, wanted.column, wanted.row)
    return None if tile is None else (tile, False)


def _map_tile(stack: OpenStack, result: Result, kind: str, wanted: TileRequest) -> Byte | None:
    picture = stack.picture(wanted.picture)
    if not isinstance(picture, MapPicture):
        return None
    height, width = size_at(picture, wanted.level)
    whole = Region(0, 0, width, height, float(1 << wanted.level))
    left, top = wanted.column * TILE, wanted.row * TILE
    if left >= width or top >= height:
        return None
    region = Region(left, top, min(TILE, width - left), min(TILE, height - top), whole.scale)
    strokes = [each.stroke for each in mendings.shown(stack, result).touching(region)]
    if not strokes:
        return None
    return picture.scale.draw(map_values(stack, result, _kind(kind), region, strokes))


def _kind(text: str) -> MapKind:
    return cast("MapKind", text)  # of a picture that there is


def map_values(
    stack: OpenStack, result: Result, kind: MapKind, region: Region, strokes: Sequence[Stroke]
) -> NDArray[np.float32]:
    """Return a map's values ``(h, w)`` in a region with strokes on it, as they are saved.

    Args:
        stack: open.
        result: that has the map.
        kind: of the map.
        region: at a level of the picture.
        strokes: as they lie on the result.
    """
    fused = sampled(getattr(result.fusion, kind), region)
    values = fused.copy()
    for stroke in strokes:
        part = stroke.touched(region)
        if part is None:
            continue
        above = _above(stack, result, kind, stroke, part)
        if above is None:
            continue
        inside = part.slices_in(region)
        if above is _FUSED:
            above = fused[inside]
        chosen = coverage(stroke, part) * np.float32(stroke.opacity) >= _HALF
        np.copyto(values[inside], above, where=chosen)
    return values


#: Stands for the map without any stroke.
_FUSED = np.zeros((), np.float32)


def _above(
    stack: OpenStack, result: Result, kind: MapKind, stroke: Stroke, part: Region
) -> NDArray[np.float32] | None:
    """Return what a stroke puts onto a map; None for nothing."""
    source = stroke.source
    if isinstance(source, FrameSource):
        step = result.options.z_step_um
        values = {
            "index": source.number,
            "depth": source.number * (1.0 if step is None else step),
            "confidence": 1.0,  # somebody has looked
        }
        return np.full((), values[kind], np.float32)
    if isinstance(source, SystemSource):
        values = getattr(mendings.other(stack, result, source.name).fusion, kind)
        return None if values is None else sampled(values, part)
    return _FUSED


def value_at(stack: OpenStack, result: Result, x: int, y: int) -> dict[str, Any]:
    """Return what picture and maps say of a pixel, strokes included.

    Colours are left out where strokes lie: they are those of the files, which would be read anew.
    """
    out = result.value(x, y)
    if not mendings.is_mended(stack, result):
        return out
    spot = Region(x, y, 1, 1)
    strokes = [each.stroke for each in mendings.shown(stack, result).touching(spot)]
    covers = [float(coverage(s, spot)[0, 0]) * s.opacity for s in strokes]
    if not any(cover > 0 for cover in covers):
        return out
    del out["rgb"]
    out["mended"] = max(covers) >= _HALF
    for kind in ("index", "depth", "confidence"):
        if getattr(result.fusion, kind) is None:
            continue
        value = float(map_values(stack, result, kind, spot, strokes)[0, 0])
        if kind == "index":
            out["frame"] = result.used[int(value)]
        else:
            out[kind] = round(value, 3) if np.isfinite(value) else None
    return out


def mended_level(stack: OpenStack, result: Result, level: int, pyramids: Pyramids) -> Byte:
    """Return a result's picture at a level with strokes on it."""
    picture = stack.result_picture(result)
    pixels = pyramids.level(picture, level)
    strokes = mendings.shown(stack, result).strokes
    if not strokes:
        return pixels
    region = Region(0, 0, pixels.shape[1], pixels.shape[0], float(1 << level))
    painted = mendings.painted(stack, result, pyramids)
    return np.asarray(apply(strokes, region, Layers(pixels), painted).pixels, np.uint8)


def mended_map(stack: OpenStack, result: Result, kind: MapKind) -> NDArray[Any]:
    """Return a whole map at full scale with strokes on it."""
    values = np.asarray(getattr(result.fusion, kind))
    strokes = mendings.shown(stack, result).strokes
    if not strokes:
        return values
    region = Region(0, 0, values.shape[1], values.shape[0])
    return map_values(stack, result, kind, region, strokes)
