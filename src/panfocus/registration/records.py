"""A registration as a record of JSON: where frames lie, how bright they are, what is shown."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from panfocus.io.checked_json import Value
from panfocus.registration.alignment import Alignment
from panfocus.registration.curves import Curve, CurveShape
from panfocus.registration.flicker import LINES
from panfocus.registration.placing import Registration
from panfocus.registration.transforms import Crop

#: Bounds of what a record may hold.
_MOST_FRAMES = 65_535
_MOST_LOG = 10.0
_FARTHEST = 10_000_000
_STATUS = 300


def registration_to(registration: Registration) -> dict[str, Any]:
    """Return a registration's record, from which `registration_from` makes the same again."""
    return {
        "transforms": json.loads(registration.alignment.to_json()),
        "curves": [None if curve is None else _curve_to(curve) for curve in registration.curves],
        "crop": asdict(registration.field),
    }


def registration_from(value: Value) -> Registration:
    """Return the registration of a record, whoever has written it.

    Raises:
        InputError: it is not what `registration_to` makes; it says where.
    """
    value.only("transforms", "curves", "crop")
    transforms = value.item("transforms")
    alignment = Alignment.of_record(transforms.raw, f"{value.file}: {transforms.place}")
    count = len(alignment.frames)
    told = list(transforms.item("frames").items(_MOST_FRAMES))
    frames = tuple(
        replace(
            placed,
            status=facts.item("status").text(_STATUS),
            gain=facts.item("gain").number(-1e9, 1e9),
        )
        for placed, facts in zip(alignment.frames, told, strict=True)
    )
    curves = [
        None if curve.raw is None else _curve_from(curve)
        for curve in value.item("curves").items(count, count)
    ]
    crop = _crop_from(value.item("crop"), alignment.whole())
    return Registration(replace(alignment, frames=frames), curves, crop)


def _crop_from(value: Value, whole: Crop) -> Crop:
    value.only("top", "bottom", "left", "right")
    top, left = (value.item(key).whole(-_FARTHEST, _FARTHEST) for key in ("top", "left"))
    bottom = value.item("bottom").whole(top + 1, top + 2 * (whole.bottom - whole.top))
    right = value.item("right").whole(left + 1, left + 2 * (whole.right - whole.left))
    return Crop(top, bottom, left, right)


def _curve_to(curve: Curve) -> dict[str, Any]:
    return {
        "log": curve.log.tolist(),
        "knee": curve.shape.knee,
        "linear": curve.shape.linear,
        **({} if curve.lines is None else {"lines": curve.lines.tolist()}),
        **({} if curve.white == 1 else {"white": curve.white}),
    }


def _curve_from(value: Value) -> Curve:
    value.only("log", "knee", "linear", "lines", "white")
    logs = [each.number(-_MOST_LOG, _MOST_LOG) for each in value.item("log").items(4, 1)]
    shape = CurveShape(value.item("knee").number(0, 0.99), value.item("linear").truth())
    lines, top = value.get("lines"), value.get("white")
    white = 1.0 if top is None else top.number(0.001, 1)
    if lines is None:
        return Curve(np.array(logs), shape, white=white)
    each = [one.number(-_MOST_LOG, _MOST_LOG) for one in lines.items(LINES, LINES)]
    return Curve(np.array(logs), shape, np.array(each), white)
