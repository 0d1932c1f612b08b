import numpy as np
import pytest

from panfocus.arrays.pixels import floats
from panfocus.frame import Frame
from panfocus.fusion import fold as fold_module
from panfocus.fusion.blend import weighted_sum
from panfocus.fusion.composite import Composer
from panfocus.fusion.fold import DecisionFold, make_fold, sharpness
from panfocus.fusion.refinement import Refine
from panfocus.systems import Card, load_system
from panfocus.systems.long_stacks import ManyWeights
from tests.conftest import blurred, focal_pair, focal_stack, texture


class Brightest:
    """Decides by brightness, softly; takes any number of frames."""

    def __init__(self, limit=None):
        self.card = Card(name="brightest", title="test", max_frames=limit)
        self.calls = []

    def decide(self, frames):
        self.calls.append(len(frames))
        grey = frames.mean(axis=-1)
        weights = np.exp(20 * (grey - grey.max(axis=0)))
        return (weights / weights.sum(axis=0)).astype(np.float32)


def run(fold, frames, composer):
    steps = []
    for n, frame in enumerate(frames):
        steps += list(fold.push(Frame.of(n, np.ascontiguousarray(frame))))
    steps += list(fold.finish())
    for step in steps:
        composer.apply(step)
    return composer


def test_one_group_gives_the_weighted_sum():
    frames = np.random.default_rng(0).random((5, 20, 24, 3)).astype(np.float32)
    system = Brightest()
    composer = run(DecisionFold(system, 1, group=5), frames, Composer(1))
    expected = weighted_sum(frames, system.decide(frames))
    np.testing.assert_allclose(composer.picture, expected, atol=1e-5)


def test_index_is_the_largest_weight_and_depth_its_mean():
    frames = np.random.default_rng(0).random((5, 20, 24, 3)).astype(np.float32)
    system = Brightest()
    composer = run(DecisionFold(system, 1, group=5), frames, Composer(1))
    weights = system.decide(frames)
    top = np.sort(weights, axis=0)
    clear = top[-1] - top[-2] > 1e-3
    np.testing.assert_array_equal(composer.index[clear], weights.argmax(axis=0)[clear])
    depth = np.einsum("nhw,n->hw", weights, np.arange(5))
    np.testing.assert_allclose(composer.depth, depth, atol=1e-4)


@pytest.mark.parametrize("group", [2, 3, 4])
@pytest.mark.parametrize("operand", ["best", "fused"])
def test_a_system_for_few_frames_folds_many(group, operand):
    frames, _ = focal_stack(6)

    class Sharpest(Brightest):
        def decide(self, frames):
            self.calls.append(len(frames))
            return load_system("guided").decide(frames)

    system = Sharpest(limit=group)
    fold = DecisionFold(system, 1, group=group, operand=operand)
    composer = run(fold, frames, Composer(1))
    assert max(system.calls) <= group
    strips = np.linspace(0, 120, 7).astype(int)
    for n in range(6):
        inner = composer.index[:, strips[n] + 6 : strips[n + 1] - 6]
        assert (inner == n).mean() > 0.97


def test_steps_come_in_the_order_of_the_frames():
    fold = make_fold(Brightest(limit=2), 1)
    frames = np.random.default_rng(0).random((4, 16, 16, 3)).astype(np.float32)
    numbers = [
        step.frame.number for n, f in enumerate(frames) for step in fold.push(Frame.of(n, f))
    ] + [step.frame.number for step in fold.finish()]
    assert numbers == [0, 1, 2, 3]


def test_the_margin_is_low_where_frames_tie():
    flat = np.full((40, 40, 3), 120, np.uint8)
    frames, _ = focal_pair(40, 80)
    sure = make_fold(load_system("guided"), 1)
    unsure = make_fold(load_system("guided"), 1)
    run(sure, frames, Composer(1, refine=Refine()))
    run(unsure, [flat, flat], Composer(1, refine=Refine()))
    assert sure.margin().mean() > 0.8
    assert unsure.margin().max() < 0.05


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(97, 131), (400, 421)])
def test_tiles_of_the_composer_leave_no_seam(monkeypatch, factor, shape):
    """The same picture with tiles of any size: what a tile sees reaches far enough."""
    sharp = texture(*shape, seed=3)
    mask = texture(*shape, seed=4, channels=1) > 128
    frames = np.stack(
        [
            np.where(mask[..., None], sharp, blurred(sharp)),
            np.where(mask[..., None], blurred(sharp), sharp),
        ]
    )
    pictures = []
    for tile in (10_000, 64):
        monkeypatch.setattr("panfocus.fusion.composite.TILE", tile)
        fold = make_fold(load_system("guided"), factor)
        composer = run(fold, frames, Composer(factor, refine=Refine()))
        pictures.append(composer.picture)
        assert composer.index.max() == 1
    difference = np.abs(pictures[0].astype(int) - pictures[1].astype(int))
    # float32 sums in another order may round one grey level otherwise
    assert difference.max() <= 1


def test_swapping_two_frames_swaps_their_weights():
    frames, _ = focal_pair(100, 140)
    indices, pictures = [], []
    for order in (frames, frames[::-1]):
        composer = run(make_fold(load_system("guided"), 1), order, Composer(1, refine=Refine()))
        indices.append(composer.index)
        pictures.append(composer.picture.astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert (indices[0] == 1 - indices[1]).mean() > 0.999


def test_sharpness_is_that_of_the_whole_picture(monkeypatch):
    grey = texture(100, 90, seed=2)[..., 0]
    whole = sharpness(grey)
    monkeypatch.setattr(fold_module, "_BAND", 7 * 90)
    assert sharpness(grey) == pytest.approx(whole, rel=1e-12)


def test_sharpness_falls_with_blur_and_ignores_depth():
    grey = texture(64, 64, channels=1)
    assert sharpness(grey) > 2 * sharpness(blurred(grey))
    assert sharpness(grey.astype(np.uint16) * 257) == pytest.approx(sharpness(grey), rel=1e-3)


class Native(Brightest):
    """The same, that takes numbers as files have them."""

    takes_native = True

    def __init__(self):
        super().__init__()
        self.seen = []

    def decide(self, frames):
        self.seen.append(frames.dtype)
        return super().decide(floats(frames))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_system_that_takes_native_numbers_gets_them_and_decides_alike(dtype):
    rng = np.random.default_rng(0)
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (rng.random((5, 24, 32, 3)) * top).astype(dtype)
    system = Native()
    told = []
    for each in (system, Brightest()):
        fold = DecisionFold(each, 1, group=3)
        steps = [s for n, p in enumerate(pixels) for s in fold.push(Frame.of(n, p))]
        steps += fold.finish()
        told.append(np.stack([step.alpha for step in steps]))
    assert set(system.seen) == {np.dtype(dtype)}
    np.testing.assert_array_equal(*told)


class Many(Native):
    """The same, that compares many frames at once in bytes."""

    compares_many = True

    def decide_many(self, frames):
        self.calls.append(("many", len(frames)))
        weights = Brightest().decide(floats(np.stack(frames)))
        small = np.stack([weight[::4, ::4] for weight in weights])
        return ManyWeights(np.rint(weights * 255).astype(np.uint8), small)


def folded(system, pixels, **options):
    fold = DecisionFold(system, 1, group=4, **options)
    return run(fold, pixels, Composer(1))


def test_many_frames_are_decided_between_as_one_group():
    pixels = np.random.default_rng(0).integers(0, 256, (21, 24, 32, 3)).astype(np.uint8)
    system = Many()
    picture = folded(system, pixels, many=100).picture
    assert system.calls == [("many", 21)]
    one = run(DecisionFold(Native(), 1, group=21), pixels, Composer(1)).picture
    np.testing.assert_allclose(picture.astype(int), one.astype(int), atol=8)
    assert np.abs(picture.astype(int) - one).mean() < 1


def test_more_than_can_be_held_meet_what_was_fused_of_those_before():
    pixels = np.random.default_rng(0).integers(0, 256, (21, 24, 32, 3)).astype(np.uint8)
    system = Many()
    composer = folded(system, pixels, many=10)
    assert system.calls[0] == ("many", 10)
    assert system.calls[1] == ("many", 10), "nine more, and the picture of the first ten"
    best = pixels.mean(axis=-1).argmax(axis=0)
    assert (composer.index == best).mean() > 0.85


def test_frames_that_are_read_again_are_mixed_like_those_that_are_held():
    pixels = np.random.default_rng(0).integers(0, 256, (21, 24, 32, 3)).astype(np.uint8)
    told = folded(Many(), pixels, many=10, again=lambda n: Frame.of(n, pixels[n]))
    held = folded(Many(), pixels, many=10)
    np.testing.assert_array_equal(told.picture, held.picture)
    np.testing.assert_array_equal(told.index, held.index)


def test_a_system_that_will_not_compare_many_sees_groups():
    class Unwilling(Many):
        def decide_many(self, frames):
            return None

    pixels = np.random.default_rng(0).integers(0, 256, (9, 24, 32, 3)).astype(np.uint8)
    system = Unwilling()
    picture = folded(system, pixels, many=100).picture
    assert system.calls == [4, 4, 3]
    np.testing.assert_array_equal(picture, folded(Native(), pixels).picture)
