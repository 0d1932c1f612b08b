"""Spots that systems lose which measure every frame alone, and that filters would wash out."""

import itertools

import numpy as np
import pytest

import panfocus
from panfocus.guard.spot_watch import SpotWatch
from panfocus.synthesis.fluorescence import kept, spots
from panfocus.synthesis.microscope import Camera, CircleSpread, Optics
from panfocus.systems import load_system
from tests.conftest import focal_stack

FAINT = Camera(top=65535, gain=4, ground=200)
SCENES = list(
    itertools.product(
        ("gaussian", "disc"), (None, 1.0), (FAINT, Camera(channels=3, ground=20)), (50, 110)
    )
)


def fuse(frames, system="guided", **options):
    return panfocus.fuse(frames, system=system, exposure="none", **options)


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_measures_lose_no_spot(number):
    aperture, section, camera, seed = SCENES[number]
    scene = spots(
        np.random.default_rng([seed, number]),
        count=50,
        optics=Optics(CircleSpread(1.2, aperture), section),
        camera=camera,
        peak=0.06,
    )
    assert kept(scene, fuse(scene.frames).image).min() > 0.88


def test_what_was_lost_is_told_and_less_sure():
    scene = spots(
        np.random.default_rng(3), count=50, optics=Optics(CircleSpread(1.2, "disc")), peak=0.06
    )
    plain, mended = (fuse(scene.frames, guard=g) for g in ("off", "auto"))
    assert kept(scene, plain.image).min() < 0.6
    assert plain.report.guard is None
    count = mended.report.guard["spots"]
    assert count > 0
    assert any(f"guided lost {count} spot" in w for w in mended.report.warnings)
    changed = (plain.image != mended.image) & (plain.index != mended.index)
    assert mended.confidence[changed].mean() < plain.confidence[changed].mean()


@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_spots_are_kept_where_decisions_are_made_at_a_reduced_scale(system):
    """The filter that carries them to full scale must not carry neighbours into a spot."""
    scene = spots(
        np.random.default_rng(71),
        count=40,
        planes=5,
        size=(1760, 1760),
        optics=Optics(CircleSpread(1.2), 1.0),
        camera=Camera(ground=50),
        peak=0.2,
    )
    fusion = fuse(scene.frames, system, maps=False)
    assert fusion.report.working_factor == 2
    assert kept(scene, fusion.image).min() > 0.9


@pytest.mark.parametrize("count", [2, 7])
def test_photographs_are_as_they_were(count):
    frames, _ = focal_stack(count, 160, 48 * count)
    watched, plain = (fuse(frames, guard=g) for g in ("auto", "off"))
    np.testing.assert_array_equal(watched.image, plain.image)
    np.testing.assert_array_equal(watched.confidence, plain.confidence)
    assert watched.report.warnings == plain.report.warnings


def test_nothing_is_looked_at_once_the_ground_is_lit():
    rng = np.random.default_rng(0)
    watch = SpotWatch("guided")
    bright = rng.uniform(0.2, 0.9, (2, 64, 64)).astype(np.float32)
    for grey in bright:
        watch.check(grey, np.ones_like(grey))
    assert watch.is_over


def test_planes_that_show_nothing_end_no_watch():
    """A stack that begins before the specimen does."""
    rng = np.random.default_rng(0)
    watch = SpotWatch("guided")
    for _ in range(4):
        grey = rng.normal(0.05, 0.01, (64, 64)).astype(np.float32)
        watch.check(grey, np.ones_like(grey))
    assert not watch.is_over


def test_a_system_of_the_users_own_is_watched_if_it_asks():
    scene = spots(
        np.random.default_rng(3), count=50, optics=Optics(CircleSpread(1.2, "disc")), peak=0.06
    )

    class Own:
        card = load_system("guided").card

        def evidence(self, luminance, factor):
            return load_system("guided").evidence(luminance, factor)

        def decide(self, frames):
            return load_system("guided").decide(frames)

    assert fuse(scene.frames, Own()).report.guard is None
    own = Own()
    own.keeps_spots = True
    assert fuse(scene.frames, own).report.guard["spots"] > 0
