"""Decisions of a reduced scale are refined where frames compete, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from panfocus.arrays.pixels import shrink
from panfocus.frame import Frame
from panfocus.fusion.boundaries import Boundaries
from panfocus.fusion.composite import Composer
from panfocus.fusion.decision import Decision
from panfocus.fusion.weight_changes import WeightChange, WeightChanges, changed

FACTOR = 2
SIDE = 512
WHOLE = slice(0, SIDE), slice(0, SIDE)
#: The decision of the reduced scale: the right half, and a soft pixel beside it.
HALF = np.zeros((SIDE // FACTOR, SIDE // FACTOR), np.float32)
HALF[:, SIDE // FACTOR // 2 :] = 1
HALF[:, SIDE // FACTOR // 2 - 1] = 0.5


def pictures(low=10, high=200, dtype=np.uint8):
    rng = np.random.default_rng(0)
    return [rng.integers(low, high, (SIDE, SIDE, 3)).astype(dtype) for _ in range(2)]


def decision(pixels, number=1, alpha=HALF, **told):
    frame = Frame.of(number, pixels)
    return Decision(frame, alpha, seen=shrink(pixels, FACTOR), **told)


def one(below, above, weight):
    """Refine so that the frame is taken whole."""
    return np.ones_like(weight)


def changes_of(below, above, refine=one, *, in_the_dark=False, **told):
    boundaries = Boundaries(refine, FACTOR, in_the_dark=in_the_dark)
    first = decision(below, 0, np.ones_like(HALF))
    boundaries.begin(first)
    return boundaries.changes(decision(above, **told), below, lambda _: None)


def area(changes):
    return sum(c.by.size for c in changes.within(WHOLE)) / SIDE**2


def composed(below, above, refine, **told):
    composer = Composer(FACTOR, boundaries=Boundaries(refine, FACTOR))
    composer.apply(decision(below, 0, np.ones_like(HALF)))
    composer.apply(decision(above, **told))
    return composer


def test_only_cells_near_what_is_unclear_are_looked_at():
    changes = changes_of(*pictures())
    assert 0.05 < area(changes) < 0.4
    assert not changes.within((slice(0, SIDE), slice(0, 64)))
    assert not changes.within((slice(0, SIDE), slice(SIDE - 64, SIDE)))


def test_what_is_refined_is_what_is_mixed_and_told():
    below, above = pictures()
    composer = composed(below, above, one)
    middle = slice(SIDE // 2 - 3, SIDE // 2 + 1)  # what enlarging makes of the soft pixel
    np.testing.assert_array_equal(composer.picture[:, middle], above[:, middle])
    np.testing.assert_array_equal(composer.picture[:, :64], below[:, :64])
    assert composer.index is not None
    assert (composer.index[:, middle] == 1).all()


def test_weights_that_stay_leave_the_picture_as_it_was():
    below, above = pictures()
    plain = Composer(FACTOR)
    plain.apply(decision(below, 0, np.ones_like(HALF)))
    plain.apply(decision(above))
    same = composed(below, above, lambda _below, _above, weight: weight)
    np.testing.assert_array_equal(same.picture, plain.picture)


def test_the_refiner_sees_what_was_fused_so_far_and_the_frame():
    below, above = pictures()
    seen = []

    def look(one, other, weight):
        seen.append((one.shape, float(one.mean()), float(other.mean()), float(weight.mean())))
        return weight

    changes_of(below // 2, above, look)
    assert seen
    for shape, dark, light, _ in seen:
        assert all(side % 2 == 0 for side in shape)
        assert dark == pytest.approx(light / 2, rel=0.1)


@pytest.mark.parametrize(
    "told",
    [
        {"left": np.zeros_like(HALF)},  # frames after it will cover it
        {"kept": np.ones_like(HALF)},  # the guard decided
        {"choice": 1 - HALF},  # frames are averaged
    ],
)
def test_weights_that_are_not_to_change_do_not(told):
    below, above = pictures()
    refined = composed(below, above, one, **told)
    plain = composed(below, above, lambda _below, _above, weight: weight, **told)
    np.testing.assert_array_equal(refined.picture, plain.picture)


def test_frames_that_look_alike_are_not_looked_at():
    below, _ = pictures()
    assert area(changes_of(below, below + np.uint8(1))) == 0


def test_lights_and_what_is_near_stays_as_it_was_decided():
    below, above = pictures()
    above[250:256, 250:256] = 255
    by = np.zeros((SIDE, SIDE), np.float32)
    for change in changes_of(below, above, in_the_dark=True).within(WHOLE):
        by[change.part] += change.by
    soft = slice(253, 256)
    assert not by[250:256, soft].any()
    assert by[200:220, soft].min() > 0.3


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: replace(frame, has_alpha=True),
        lambda frame: frame.covered(np.full((SIDE, SIDE), 255, np.uint8)),
        lambda frame: replace(frame, guide=frame.pixels[..., 0]),
    ],
)
def test_frames_that_the_refiner_does_not_know_are_left(change):
    below, above = pictures()
    boundaries = Boundaries(one, FACTOR)
    boundaries.begin(decision(below, 0, np.ones_like(HALF)))
    other = decision(above)
    other = replace(other, frame=change(other.frame))
    assert area(boundaries.changes(other, below, lambda _: None)) == 0
    assert area(boundaries.changes(decision(above, 2), below, lambda _: None)) == 0


def test_on_a_dark_ground_nothing_is_refined_unless_a_guard_keeps_faint_spots():
    below, above = pictures(0, 50)
    below[100:110, 100:110] = above[400:410, 400:410] = 255
    assert area(changes_of(below, above)) == 0
    assert area(changes_of(below, above, in_the_dark=True)) > 0


def test_dim_frames_are_shown_as_bright_as_others():
    below, above = pictures(40 * 16, 160 * 16, np.uint16)
    brightest = []

    def look(one, _other, weight):
        brightest.append(one.max())
        return weight

    changes_of(below, above, look)
    assert min(brightest) > 0.5


def test_changes_are_found_by_the_tiles_that_they_touch():
    part = slice(64, 192), slice(0, 64)
    changes = WeightChanges([WeightChange(part, np.full((128, 64), 0.5, np.float32))], 64)
    assert len(changes.within((slice(0, 100), slice(0, 10)))) == 1
    assert not changes.within((slice(0, 64), slice(0, 64)))
    tile = slice(32, 96), slice(32, 96)
    out = changed(np.full((64, 64), 0.75, np.float32), tile, changes.within(tile))
    np.testing.assert_array_equal(out[32:, :32], 1)
    np.testing.assert_array_equal(out[:32], 0.75)


def test_a_change_beside_a_tile_changes_nothing_in_it():
    part = slice(0, 128), slice(70, 128)
    changes = WeightChanges([WeightChange(part, np.ones((128, 58), np.float32))], 64)
    tile = slice(0, 32), slice(32, 66)
    beside = changes.within(tile)
    assert beside
    np.testing.assert_array_equal(changed(np.zeros((32, 34), np.float32), tile, beside), 0)


def test_what_is_looked_at_ends_in_no_step():
    below, above = pictures()
    above[:, 320:] = below[:, 320:]
    by = np.zeros((SIDE, SIDE), np.float32)
    half = np.full_like(HALF, 0.5)
    for change in changes_of(below, above, alpha=half).within(WHOLE):
        by[change.part] += change.by
    row = by[SIDE // 2]
    assert row[:300].min() == row.max() == 0.5
    assert not row[340:].any()
    assert np.abs(np.diff(row)).max() < 0.15


def test_a_clear_decision_stays_whatever_is_seen():
    below, above = pictures()
    composer = composed(below, above, one)
    clear = SIDE // 2 - 3
    np.testing.assert_array_equal(composer.picture[:, :clear], below[:, :clear])


def test_a_boundary_between_two_pixels_of_the_decision_is_looked_at():
    below, above = pictures()
    hard = np.where(HALF > 0.5, 1, 0).astype(np.float32)
    assert area(changes_of(below, above, alpha=hard)) > 0.05
    # but not where frames after it leave nothing of both sides
    left = np.zeros_like(HALF)
    left[: SIDE // FACTOR // 2] = 1
    changes = changes_of(below, above, alpha=hard, left=left)
    assert changes.within((slice(0, 200), slice(0, SIDE)))
    assert not changes.within((slice(352, SIDE), slice(0, SIDE)))


def test_parts_are_small_and_little_is_read_around_them():
    below, above = pictures()
    read = []

    def look(one, _other, weight):
        read.append(one.size)
        return weight

    changes = changes_of(below, above, look, alpha=np.full_like(HALF, 0.5))
    refined = [c.by.size for c in changes.within(WHOLE)]
    assert max(read) <= 100_000
    assert sum(read) < 1.2 * sum(refined)
