"""Strokes as records of JSON: the one door through which strokes come from outside."""

from __future__ import annotations

from typing import Any, cast

from panfocus.io.checked_json import Value, is_number
from panfocus.retouch.stroke import (
    FARTHEST,
    GAINS,
    KINDS,
    LARGEST_RADIUS,
    MOST_POINTS,
    OFFSETS,
    FrameSource,
    FusedSource,
    LevelMatch,
    Point,
    Sharpest,
    Source,
    Stroke,
    StrokeKind,
    SystemSource,
)

#: Strokes of a project, at most.
MOST_STROKES = 10_000
#: Frames of a stack, at most, as the index map counts them.
MOST_FRAMES = 65_535
_KEYS = (
    *("kind", "points", "source", "radius", "hardness", "opacity", "match_brightness"),
    *("gain", "offset"),
)


def stroke_from(value: Value) -> Stroke:
    """Return the stroke of a record, whoever has written it.

    Raises:
        InputError: anything is missing, unknown, of another kind, or out of bounds; it says where.

    Examples:
        >>> from panfocus.io.checked_json import parse_json
        >>> text = '{"kind": "brush", "points": [[1, 2]], "source": {"frame": 0}, "radius": 3}'
        >>> stroke_from(parse_json(text, "a page")).source
        FrameSource(number=0, chosen=None)
    """
    value.only(*_KEYS)
    kind = cast("StrokeKind", value.item("kind").choice(*KINDS))
    radius, hardness, opacity = (value.get(key) for key in ("radius", "hardness", "opacity"))
    matches = value.get("match_brightness")
    given: dict[str, Any] = {
        "radius": None if radius is None else radius.number(0, LARGEST_RADIUS),
        "hardness": None if hardness is None else hardness.number(0, 1),
        "opacity": None if opacity is None else opacity.number(0, 1),
        "match_brightness": None if matches is None else matches.truth(),
        "levels": _levels(value),
    }
    if kind == "brush" and radius is not None and not given["radius"] >= 0.05:
        radius.number(0.05, LARGEST_RADIUS)
    return Stroke(
        kind,
        _points(value.item("points"), 2 if kind == "rectangle" else MOST_POINTS, kind),
        _source(value.item("source")),
        **{name: one for name, one in given.items() if one is not None},
    )


def _points(value: Value, most: int, kind: StrokeKind) -> tuple[Point, ...]:
    listed = value.listed(most, least=2 if kind == "rectangle" else 1)
    out: list[Point] = []
    for n, raw in enumerate(listed):
        pair = cast("list[Any]", raw) if isinstance(raw, list) else []
        if len(pair) == 2 and all(is_number(v) and abs(v) <= FARTHEST for v in pair):
            out.append((float(pair[0]), float(pair[1])))
            continue
        expected = f"[x, y], numbers from {-FARTHEST:g} to {FARTHEST:g}"
        Value(cast("object", raw), value.file, f"{value.place}[{n}]", value.remedy).refuse(
            "a point is no place in the picture", expected
        )
    return tuple(out)


def _source(value: Value) -> Source:
    keys = value.names()
    kinds = [key for key in keys if key in ("frame", "system", "fused")]
    if len(kinds) != 1:
        value.refuse("the source of a stroke is not clear", "one of frame, system and fused")
    value.only(kinds[0], *(("chosen",) if kinds == ["frame"] else ()))
    named = value.item(kinds[0])
    if kinds == ["system"]:
        return SystemSource(named.text(200))
    if kinds == ["fused"]:
        if not named.truth():
            named.refuse("the source of a stroke is not clear", "true")
        return FusedSource()
    if named.raw == "sharpest":
        return Sharpest()
    chosen = value.get("chosen")
    word = None if chosen is None else chosen.choice("sharpest")
    return FrameSource(named.whole(0, MOST_FRAMES), "sharpest" if word else None)


def _levels(value: Value) -> LevelMatch | None:
    gain, offset = value.get("gain"), value.get("offset")
    if gain is None and offset is None:
        return None
    gains = [each.number(*GAINS) for each in value.item("gain").items(3, 1)]
    offsets = [each.number(*OFFSETS) for each in value.item("offset").items(3, 1)]
    if len(gains) != len(offsets):
        value.item("offset").refuse("the channels do not fit", f"{len(gains)} numbers")
    return LevelMatch(tuple(gains), tuple(offsets))


def stroke_to(stroke: Stroke) -> dict[str, Any]:
    """Return a stroke's record, from which `stroke_from` makes the same stroke again."""
    record: dict[str, Any] = {
        "kind": stroke.kind,
        "points": [list(point) for point in stroke.points],
        "source": _source_to(stroke.source),
        "radius": stroke.radius,
        "hardness": stroke.hardness,
        "opacity": stroke.opacity,
        "match_brightness": stroke.match_brightness,
    }
    if stroke.levels is not None:
        record["gain"], record["offset"] = list(stroke.levels.gain), list(stroke.levels.offset)
    return record


def _source_to(source: Source) -> dict[str, Any]:
    if isinstance(source, FrameSource):
        chosen = {} if source.chosen is None else {"chosen": source.chosen}
        return {"frame": source.number, **chosen}
    if isinstance(source, SystemSource):
        return {"system": source.name}
    return {"frame": "sharpest"} if isinstance(source, Sharpest) else {"fused": True}
