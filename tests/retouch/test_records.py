"""A stroke's record: there and back, and nothing wrong gets through."""

import json

import pytest

from panfocus.errors import InputError
from panfocus.io.checked_json import parse_json
from panfocus.retouch import (
    FrameSource,
    FusedSource,
    LevelMatch,
    Sharpest,
    Stroke,
    SystemSource,
    stroke_from,
    stroke_to,
)

STROKES = [
    Stroke("brush", ((1.25, -2), (3, 1e6 / 3)), FrameSource(3), radius=0.1, hardness=0),
    Stroke("brush", ((0, 0),), FrameSource(65_000, "sharpest"), opacity=0.25),
    Stroke("rectangle", ((1, 2), (3, 4)), SystemSource("guided"), radius=0),
    Stroke("brush", ((5, 5),), FusedSource()),
    Stroke("brush", ((5, 5),), Sharpest()),
    Stroke(
        "brush",
        ((5, 5),),
        FrameSource(1),
        match_brightness=True,
        levels=LevelMatch((1.1, 1, 0.9), (0.01, 0, -0.2)),
    ),
]
GOOD = {"kind": "brush", "points": [[1, 2]], "source": {"frame": 0}, "radius": 3}


def read(record):
    text = record if isinstance(record, str) else json.dumps(record)
    return stroke_from(parse_json(text, "a page"))


@pytest.mark.parametrize("stroke", STROKES, ids=lambda s: str(s.source))
def test_there_and_back(stroke):
    assert read(stroke_to(stroke)) == stroke


def test_what_is_left_out_is_as_by_default():
    assert read(GOOD) == Stroke("brush", ((1.0, 2.0),), FrameSource(0), radius=3)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kind": "lasso"}, "kind"),
        ({"kind": 3}, "kind"),
        ({"points": []}, "points"),
        ({"points": "1,2"}, "points"),
        ({"points": [[1, 2, 3]]}, r"points\[0\]"),
        ({"points": [[1, 2], [True, 2]]}, r"points\[1\]"),
        ({"points": [[1, "2"]]}, r"points\[0\]"),
        ({"points": [[1e300, 2]]}, r"points\[0\]"),
        ({"points": [[10**400, 2]]}, r"points\[0\]"),
        ({"points": [[0, 0]] * 100_001}, "points"),
        ({"radius": 0}, "radius"),
        ({"radius": -1}, "radius"),
        ({"radius": 1e9}, "radius"),
        ({"radius": "20"}, "radius"),
        ({"hardness": 2}, "hardness"),
        ({"opacity": [1]}, "opacity"),
        ({"match_brightness": 1}, "match_brightness"),
        ({"source": {}}, "source"),
        ({"source": {"frame": 1, "fused": True}}, "source"),
        ({"source": {"frame": -1}}, "source.frame"),
        ({"source": {"frame": 1.5}}, "source.frame"),
        ({"source": {"frame": 10**30}}, "source.frame"),
        ({"source": {"frame": "blurriest"}}, "source.frame"),
        ({"source": {"system": ""}}, "source.system"),
        ({"source": {"system": "a\u0000b"}}, "source.system"),
        ({"source": {"fused": False}}, "source.fused"),
        ({"source": {"frame": 1, "chosen": "by me"}}, "source.chosen"),
        ({"gain": [1.0]}, ""),
        ({"gain": [1, 1], "offset": [0]}, "offset"),
        ({"gain": [99], "offset": [0]}, r"gain\[0\]"),
        ({"colour": "red"}, ""),
        ({"kind": "rectangle", "points": [[0, 0]]}, "points"),
        ({"kind": "rectangle", "points": [[0, 0]] * 3}, "points"),
    ],
    ids=lambda v: str(v)[:60],
)
def test_what_is_wrong_is_told_in_a_sentence(change, where):
    with pytest.raises(InputError, match=f"(?s)where: a page.*{where}.*expected: .*got: ") as told:
        read({**GOOD, **change})
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"kind": "brush", "points": [[NaN, 1]], "source": {"frame": 0}}',
        '{"kind": "brush", "points": [[1, Infinity]], "source": {"frame": 0}}',
        '{"kind": "brush", "points": [[1e999, 0]], "source": {"frame": 0}}',
        "[" * 100_000,
        "\xff",
        "null",
        "[]",
        "3",
    ],
    ids=lambda t: t[:20],
)
def test_no_json_and_no_numbers_are_refused(text):
    with pytest.raises(InputError):
        read(text)
