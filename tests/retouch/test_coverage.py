"""Coverage: the largest over a stroke, from distances, the same at every scale."""

import importlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from panfocus.arrays.pixels import shrink
from panfocus.errors import UsageError
from panfocus.retouch import FrameSource, FusedSource, Region, Stroke, coverage, touched

WHOLE = Region(0, 0, 192, 160)
SOURCE = FrameSource(0)
#: The module, whose name the function hides.
cover = importlib.import_module("panfocus.retouch.coverage")


def by_hand(stroke, region):
    """Coverage at pixel centres, every segment against every pixel."""
    x, y = np.meshgrid(region.columns(), region.rows())
    points = [*stroke.points, stroke.points[-1]]
    best = np.full(x.shape, np.inf)
    for (ax, ay), (bx, by) in pairwise(points):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        t = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / (length or 1)
        t = np.clip(t, 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)))
    core = stroke.hardness * stroke.radius
    t = np.clip((best - core) / (stroke.radius - core), 0, 1)
    return 1 - 3 * t**2 + 2 * t**3


@pytest.mark.parametrize("hardness", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("count", [1, 2, 40])
def test_it_is_the_falloff_from_the_nearest_part(hardness, count):
    rng = np.random.default_rng(count)
    points = tuple(map(tuple, rng.uniform(20, 140, (count, 2)).tolist()))
    stroke = Stroke("brush", points, SOURCE, radius=20, hardness=hardness)
    assert np.abs(coverage(stroke, WHOLE) - by_hand(stroke, WHOLE)).max() < 0.03


def test_dabs_do_not_add_up():
    dot = Stroke("brush", ((80, 80),), SOURCE, radius=30, hardness=0.2)
    again = replace(dot, points=((80, 80),) * 50)
    near = replace(dot, points=tuple((80 + 0.01 * n, 80.0) for n in range(50)))
    alone = coverage(dot, WHOLE)
    assert np.array_equal(coverage(again, WHOLE), alone)
    assert np.abs(coverage(near, WHOLE) - alone).max() < 0.05
    crossing = replace(dot, points=((40, 80), (120, 80), (80, 40), (80, 120)))
    parts = [replace(dot, points=crossing.points[n : n + 2]) for n in range(3)]
    largest = np.max([coverage(part, WHOLE) for part in parts], axis=0)
    assert np.abs(coverage(crossing, WHOLE) - largest).max() < 1e-6


def test_points_that_are_drawn_slowly_change_nothing_to_be_seen():
    fast = Stroke("brush", ((30, 40), (150, 120)), SOURCE, radius=25, hardness=0.5)
    line = np.linspace(*fast.points, 5000)
    slow = replace(fast, points=tuple(map(tuple, line.tolist())))
    assert len(slow.segments) < 3000
    assert np.abs(coverage(slow, WHOLE) - coverage(fast, WHOLE)).max() < 1e-6


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("radius", [3, 12, 40])
@pytest.mark.parametrize("hardness", [0.0, 0.5, 1.0])
def test_a_preview_is_the_shrunk_coverage(scale, radius, hardness):
    points = ((50.3, 40.2), (110, 100.7), (150, 60))
    stroke = Stroke("brush", points, SOURCE, radius=radius, hardness=hardness)
    small = Region(0, 0, WHOLE.width // scale, WHOLE.height // scale, float(scale))
    difference = np.abs(coverage(stroke, small) - shrink(coverage(stroke, WHOLE), scale))
    assert difference.max() < 0.1
    assert difference.mean() < 0.004


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_rectangle_covers_the_share_of_a_pixel_that_lies_in_it(scale):
    stroke = Stroke("rectangle", ((100.5, 20.5), (39.25, 90)), SOURCE, radius=0)
    region = Region(0, 0, WHOLE.width // scale, WHOLE.height // scale, scale)
    cover = coverage(stroke, region)
    assert cover.sum() * scale**2 == pytest.approx((100.5 - 39.25) * (90 - 20.5), rel=1e-4)
    assert set(np.unique(cover)) - {0, 1} != set()
    if scale == 1:
        assert (cover[21:90, 40:101] == 1).all()
        assert cover[90, 60] == pytest.approx(0.5)


def test_a_soft_border_lies_inside_a_rectangle():
    stroke = Stroke("rectangle", ((20, 20), (120, 90)), SOURCE, radius=20, hardness=0.5)
    cover = coverage(stroke, WHOLE)
    assert (cover[31:80, 31:110] == 1).all()
    assert cover[55, 25] == pytest.approx(0.5, abs=0.01)
    assert cover[:19].max() == 0 and cover[55, 20] < 0.01


def test_hardness_is_the_share_that_is_covered_whole():
    for hardness in (0.25, 0.5, 0.75):
        stroke = Stroke("brush", ((80, 80),), SOURCE, radius=40, hardness=hardness)
        row = coverage(stroke, WHOLE)[80, 80:130]
        core = int(40 * hardness)
        assert (row[:core] == 1).all() and row[core + 2] < 1
        assert (row[41:] == 0).all() and row[38] > 0
        assert (np.diff(row) <= 0).all()


def test_a_part_is_a_part_of_the_whole():
    rng = np.random.default_rng(3)
    points = tuple(map(tuple, rng.uniform(0, 190, (30, 2)).tolist()))
    stroke = Stroke("brush", points, SOURCE, radius=9, hardness=0.5)
    whole = coverage(stroke, WHOLE)
    for region in (Region(5, 7, 60, 50), Region(63, 65, 100, 90), Region(191, 159, 1, 1)):
        assert np.array_equal(coverage(stroke, region), whole[region.slices])


def test_only_touched_tiles_are_told():
    stroke = Stroke("brush", ((10, 10), (70, 10)), FusedSource(), radius=4)
    assert touched([stroke], WHOLE, 64) == [Region(0, 0, 64, 64), Region(64, 0, 64, 64)]
    assert touched([replace(stroke, points=((-50, -50),))], WHOLE, 64) == []
    small = Region(0, 0, 24, 20, 8.0)
    assert touched([stroke], small, 16) == [Region(0, 0, 16, 16, 8.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "circle"},
        {"points": ()},
        {"kind": "rectangle"},
        {"points": ((0, float("nan")),)},
        {"points": ((1e9, 0),)},
        {"radius": 0},
        {"radius": float("inf")},
        {"hardness": 1.1},
        {"opacity": -0.1},
        {"opacity": True},
    ],
    ids=str,
)
def test_what_cannot_be_a_stroke_is_refused(wrong):
    good = {"kind": "brush", "points": ((1, 2),), "source": SOURCE}
    Stroke(**good)
    with pytest.raises(UsageError, match=r"(?s)of a stroke.*expected.*got"):
        Stroke(**{**good, **wrong})


def scribble(count, radius, hardness, spread=(0, 190)):
    rng = np.random.default_rng(count)
    points = tuple(map(tuple, rng.uniform(*spread, (count, 2)).tolist()))
    return Stroke("brush", points, SOURCE, radius=radius, hardness=hardness)


@pytest.mark.parametrize(("radius", "hardness"), [(12, 0.2), (4, 0.9), (400, 0.0), (0.3, 0.5)])
@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("spread", [(0, 190), (-1e6, 1e6)])
def test_a_line_that_is_drawn_covers_what_one_asked_segment_by_segment_does(
    monkeypatch, radius, hardness, scale, spread
):
    stroke = scribble(60, radius, hardness, spread)
    region = Region(0, 0, int(192 / scale), int(160 / scale), scale)
    exact = coverage(stroke, region)
    monkeypatch.setattr(cover, "_MOST", 0)
    drawn = coverage(stroke, region)
    soft = max(radius * (1 - hardness), scale)
    assert np.abs(drawn - exact).max() < 0.05 + 0.4 * scale / soft
    assert np.abs(drawn - exact).mean() < 0.03


def test_a_hundred_thousand_segments_are_not_asked_one_by_one(monkeypatch):
    """Work is counted, not time: pairs of a segment and a place."""
    asked = []
    squared = cover._squared

    def counted(ends, x, y):
        asked.append(len(ends) * np.broadcast(x, y).size)
        return squared(ends, x, y)

    monkeypatch.setattr(cover, "_squared", counted)
    for radius in (0.3, 6, 1000):
        asked.clear()
        made = coverage(scribble(100_000, radius, 0.0), WHOLE)
        assert made.max() > 0.8
        assert sum(asked) <= cover._MOST


def test_a_scribble_inside_of_which_all_is_covered_is_covered_exactly():
    assert (coverage(scribble(5000, 60, 0.9), Region(40, 40, 100, 100)) == 1).all()
