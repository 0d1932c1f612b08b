"""Light that a near thing spreads over what lies behind: taken away where both frames tell."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.discs import disc
from panfocus.fusion.spread import changes
from panfocus.fusion.spread.edge import edge_of
from panfocus.fusion.spread.light import Blur, Encoding, brightest, grown, mean_where, total
from panfocus.fusion.spread.radius import clipped, radius_of
from panfocus.pipeline.volumes.choice import volume_settings
from panfocus.synthesis.focal_pairs import bokeh_scene, hard_scene, layers_scene
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte
from panfocus.synthesis.scene import encode, linear_of

SIZE = 208, 256


def photograph(seed, low=30, high=225, size=SIZE):
    """Return edges and detail of all scales, ``(H, W, 3)`` uint8."""
    rng = np.random.default_rng(seed)
    out = np.full((*size, 3), (low + high) // 2, np.uint8)
    for reach in np.geomspace(60, 2, 700):
        corners = rng.uniform(0, size[::-1]) + rng.normal(0, reach, (4, 2))
        hull = cv2.convexHull(np.rint(16 * corners).astype(np.int32))
        cv2.fillConvexPoly(out, hull, rng.integers(low, high, 3).tolist(), cv2.LINE_AA, 4)
    return out


def pair(seed, kind=layers_scene):
    """Return two frames of a bright thing before a dark background, and the truth."""
    back, front = photograph(10 * seed, 20, 120), photograph(10 * seed + 1, 90, 235)
    made = kind(np.random.default_rng(seed), [back, front])
    return made.frames, made.truth


def error(a, b):
    return float(np.square(a.astype(np.float64) - b)[8:-8, 8:-8].mean())


def decibels(before, after):
    return 10 * np.log10(before / after)


def both(frames, **options):
    """Return the fused picture as it is, and without spread light."""
    options = {"system": "guided", "align": "none", "exposure": "none", "maps": False} | options
    return [panfocus.fuse(frames, spread=way, **options).image for way in ("off", "mend")]


def bound(frames, truth):
    """Return the best that choosing pixels can do."""
    away = np.abs(frames.astype(np.int32) - truth).sum(axis=-1)
    return np.where((away[0] < away[1])[..., None], frames[0], frames[1])


@pytest.fixture(scope="module")
def scene():
    return pair(3)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_the_background_beside_a_near_thing_comes_nearer_to_the_truth(seed, system):
    frames, truth = pair(seed)
    off, mended = both(frames, system=system)
    assert decibels(error(off, truth), error(mended, truth)) > 1


def test_a_picture_passes_the_bound_of_choosing_pixels(scene):
    frames, truth = scene
    _, mended = both(frames, system="dualpath")
    assert error(mended, truth) < error(bound(frames, truth), truth)


def test_the_order_of_frames_does_not_matter(scene):
    frames, _ = scene
    _, mended = both(frames)
    _, turned = both(frames[::-1])
    differs = np.abs(mended.astype(int) - turned).max(axis=-1)
    assert np.mean(differs > 1) < 1e-3


def test_lights_beyond_white_do_no_harm():
    frames, truth = pair(4, bokeh_scene)
    off, mended = both(frames, system="dualpath")
    assert decibels(error(off, truth), error(mended, truth)) > -0.02


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_where_nothing_is_spread_nothing_is_lost(seed):
    frames, truth = pair(seed, hard_scene)
    off, mended = both(frames)
    assert error(mended, truth) < error(off, truth) + 0.05


@pytest.mark.parametrize("sigma", [3, 10])
def test_noise_does_no_harm(scene, sigma):
    frames, truth = scene
    noise = np.random.default_rng(0).normal(0, sigma, frames.shape)
    off, mended = both(np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8))
    assert decibels(error(off, truth), error(mended, truth)) > -0.03


def test_frames_that_do_not_fit_are_left_alone(scene):
    frames, _ = scene
    other = np.stack([frames[0], photograph(99)])
    off, mended = both(other)
    assert np.array_equal(off, mended)


def test_one_side_that_no_lens_explains_is_enough_to_leave_a_pair_alone(scene, monkeypatch):
    looked_at = []

    def counted(*args):
        looked_at.append(args)
        return radius_of(*args)

    monkeypatch.setattr("panfocus.fusion.spread.radius.radius_of", counted)
    both(np.stack([scene[0][0], photograph(99)]))
    assert len(looked_at) == 1
    looked_at.clear()
    both(scene[0])
    assert len(looked_at) == 2


@pytest.mark.parametrize("options", [{"mode": "select"}, {"system": "pyramid"}])
def test_what_takes_pixels_or_makes_pictures_is_as_it_was(scene, options):
    off, mended = both(scene[0], **options)
    assert np.array_equal(off, mended)


def test_frames_that_come_one_by_one_are_mended_too(scene):
    off, mended = both(scene[0])
    options = {"system": "guided", "align": "none", "exposure": "none", "maps": False}
    streamed = panfocus.fuse(iter(list(scene[0])), **options).image
    assert not np.array_equal(off, mended)
    assert np.array_equal(mended, streamed)


@pytest.mark.parametrize("way", ["grey", "16 bit", "12 in 16", "float"])
def test_every_kind_of_sample_gains_alike(scene, way):
    change = {
        "grey": lambda a: a[..., 1],
        "16 bit": lambda a: a.astype(np.uint16) * 257,
        "12 in 16": lambda a: a.astype(np.uint16) * 16,
        "float": lambda a: a.astype(np.float32) / 255,
    }[way]
    frames, truth = (change(each) for each in scene)
    off, mended = both(frames)
    assert off.dtype == mended.dtype == frames.dtype
    assert decibels(error(off, truth), error(mended, truth)) > 1


def test_opacity_is_left_alone(scene):
    opaque = np.full((2, *SIZE, 1), 255, np.uint8)
    off, mended = both(np.concatenate([scene[0], opaque], axis=-1))
    assert np.array_equal(off, mended)


def test_large_pictures_are_looked_at_smaller(monkeypatch):
    """The same gain, whatever scale the blurs are looked at."""
    back, front = (photograph(s, *r, (416, 512)) for s, r in ((5, (20, 120)), (6, (90, 235))))
    made = layers_scene(np.random.default_rng(8), [back, front])
    frames, truth = made.frames, made.truth
    off, mended = both(frames)
    monkeypatch.setattr("panfocus.fusion.spread.mending._LOOKED_AT", 416 * 512 // 4)
    _, smaller = both(frames)
    assert not np.array_equal(smaller, mended)
    assert decibels(error(off, truth), error(smaller, truth)) > 0.5


def test_tiles_leave_no_seams(scene, monkeypatch):
    _, whole = both(scene[0])
    monkeypatch.setattr(changes, "_TILE", 40)
    _, tiled = both(scene[0])
    assert np.array_equal(whole, tiled)


def test_the_report_tells_how_much_was_mended(scene):
    options = {"system": "guided", "align": "none", "exposure": "none", "maps": False}
    cases = ((scene[0], "mend"), (scene[0], "off"), ([*scene[0], scene[0][0]], "mend"))
    parts = [panfocus.fuse(f, spread=way, **options).report.mended_spread for f, way in cases]
    assert 0.005 < parts[0] < 0.5
    assert parts[1:] == [None, 0.0]


def test_scientific_stacks_keep_their_values_unless_asked():
    assert volume_settings().spread == "off"
    assert volume_settings(spread="mend").spread == "mend"


@pytest.mark.parametrize("radius", [2.0, 3.3, 5.0, 8.0])
def test_the_radius_of_a_blur_is_found_again(radius):
    """Within a twentieth; and nothing else is seen in it."""
    sharp = Encoding(255.0, 2.2).linear(photograph(7))
    blurred = np.clip(disc(sharp, radius), 0, 1)
    found = radius_of(sharp, blurred, np.ones(SIZE, np.float32), clipped(sharp, blurred))
    assert found.pixels[60:-60, 60:-60] == pytest.approx(radius, rel=0.05)
    assert found.unexplained.max() < 0.02


def wide_pair(radius, seed=5, size=(416, 512)):
    """Return two frames whose blurs have so many pixels, and the truth."""
    back, front = (photograph(s, *r, size) for s, r in ((seed, (20, 120)), (seed + 1, (90, 235))))
    layers = [
        Layer(linear_of(back), None, 1.0),
        Layer(linear_of(front), blob_matte(np.random.default_rng(seed), *size, 0.25, 0.5), 0.0),
    ]
    frames = [encode(render(layers, blurs)) for blurs in ([radius, 0], [0, radius])]
    return np.stack(frames), encode(render(layers, [0, 0]))


@pytest.mark.parametrize("radius", [18.0, 30.0])
def test_blurs_that_are_wider_than_can_be_told_are_looked_at_smaller(radius, monkeypatch):
    frames, truth = wide_pair(radius)
    off, mended = both(frames)
    gained = decibels(error(off, truth), error(mended, truth))
    assert gained > 1.5
    monkeypatch.setattr("panfocus.fusion.spread.mending.COARSER", (1,))
    _, once = both(frames)
    assert gained > decibels(error(off, truth), error(once, truth)) + 0.5


def test_small_pictures_are_mended_too():
    frames, truth = wide_pair(3.0, size=(88, 104))
    off, mended = both(frames)
    assert decibels(error(off, truth), error(mended, truth)) > 0.5


def test_narrow_blurs_are_looked_at_once(scene, monkeypatch):
    off, mended = both(scene[0])
    monkeypatch.setattr("panfocus.fusion.spread.mending.COARSER", (1,))
    assert np.array_equal(both(scene[0])[1], mended)
    assert not np.array_equal(off, mended)


def test_what_is_no_blur_stays_unexplained():
    sharp = Encoding(255.0, 2.2).linear(photograph(7))
    other = Encoding(255.0, 2.2).linear(photograph(8))
    found = radius_of(sharp, other, np.ones(SIZE, np.float32), clipped(sharp, other))
    assert found.unexplained.min() > 0.2


def test_a_region_too_small_to_judge_by_has_no_radius():
    sharp = Encoding(255.0, 2.2).linear(photograph(7))
    region = np.zeros(SIZE, np.float32)
    region[100:106, 100:106] = 1
    blurred = disc(sharp, 3.0)
    assert radius_of(sharp, blurred, region, clipped(sharp, blurred)) is None


def test_a_blur_that_changes_is_mixed_of_a_few():
    wide = np.linspace(2, 6, SIZE[1], dtype=np.float32)[None].repeat(SIZE[0], axis=0)
    blur = Blur.of(wide, np.ones(SIZE, bool))
    assert len(blur.radii) > 2
    assert list(blur.radii) == sorted(blur.radii)
    assert np.sum(blur.shares, axis=0) == pytest.approx(1, abs=1e-5)
    flat = np.ones((*SIZE, 3), np.float32)
    assert blur(flat)[20:-20, 20:-20] == pytest.approx(1, abs=1e-2)
    assert Blur.of(np.full(SIZE, 3, np.float32), np.ones(SIZE, bool)).shares is None


@pytest.mark.parametrize("wide", [1, 3])
def test_a_decision_that_keeps_background_is_put_right(wide):
    """The edge is found where colours change, not where the decision does."""
    picture = np.full((80, 120, 3), 0.2, np.float32)
    picture[:, :60] = 0.8
    decided = np.zeros((80, 120), np.float32)
    decided[:, : 60 + wide] = 1
    matte = edge_of(picture, decided).matte
    assert matte[40].sum() == pytest.approx(60, abs=0.6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_light_and_samples_are_each_others_inverse(dtype):
    top = 200 if dtype == np.uint8 else 0.5 if dtype == np.float32 else 4000
    samples = np.linspace(0, top, 50).astype(dtype).reshape(5, 10, 1)
    light = Encoding.of([samples.max()], is_linear=False)
    assert light.top == top
    assert light.linear(samples).max() == 1
    assert light.samples(light.linear(samples)) == pytest.approx(samples, abs=top * 1e-4)


def test_small_sums():
    values = np.random.default_rng(0).random((6, 8, 3)).astype(np.float32)
    assert total(values) == pytest.approx(values.sum(axis=-1), rel=1e-5)
    assert np.array_equal(brightest(values), values.max(axis=-1))
    half = np.zeros((6, 8), np.float32)
    half[:, :4] = 1
    mean = mean_where(values, half, 31)
    assert mean.shape == values.shape
    assert grown(values[..., :1], 2).shape == (12, 16, 1)


@pytest.mark.parametrize("radius", [1.25, 4.0, 4.6, 6.5, 8.4, 9.2, 13.0])
@pytest.mark.parametrize("shape", [(40, 33), (12, 70), (33, 41, 3), (33, 41, 1)])
def test_blurs_are_those_of_discs_whichever_way_they_are_made(
    radius: float, shape: tuple[int, ...]
):
    light = np.random.default_rng(7).random(shape, np.float32)
    radius = min(radius, min(shape[:2]) / 2 - 2)  # borders reflect once
    made = Blur((radius,), None)(light)
    assert made.shape == shape
    assert np.abs(made - disc(light, radius)).max() < 2e-6


def test_a_blur_of_several_radii_mixes_them_by_where_light_comes_from():
    light = np.random.default_rng(8).random((40, 50, 3), np.float32)
    share = np.tile(np.linspace(0, 1, 50, dtype=np.float32), (40, 1))
    made = Blur((3.0, 6.0), (1 - share, share))(light)
    parts = disc(light * (1 - share)[..., None], 3.0), disc(light * share[..., None], 6.0)
    assert np.abs(made - sum(parts)).max() < 2e-6
