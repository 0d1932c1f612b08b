"""The refiner carries decisions of a reduced scale to full scale."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import shrink
from panfocus.systems import load_system
from panfocus.systems.refiner import CHANNELS, REACH, Refiner, evidence

SIDE = 320
WHOLE = slice(0, SIDE), slice(0, SIDE)


def blurred(picture, sigma=3.0):
    return cv2.GaussianBlur(picture, (0, 0), sigma)


@pytest.fixture(scope="module")
def hairy():
    """A pair in which thin lines are in focus in one frame and what is behind in the other."""
    rng = np.random.default_rng(0)
    behind = blurred(rng.random((SIDE, SIDE, 3), np.float32), 1.0)
    behind = np.clip((behind - 0.5) * 3 + 0.45, 0, 0.75)
    matte = np.zeros((SIDE, SIDE), np.float32)
    for x in range(20, SIDE, 26):
        cv2.line(matte, (x, 0), (x + int(rng.integers(-30, 30)), SIDE), 1, 2, cv2.LINE_AA)
    lines = np.full((SIDE, SIDE, 3), (0.05, 0.1, 0.2), np.float32)

    def over(ground, mask):
        return ground + (lines - ground) * mask[..., None]

    pictures = over(blurred(behind), matte), over(behind, blurred(matte)), over(behind, matte)
    near, far, truth = (np.rint(p * 255).astype(np.uint8) for p in pictures)
    return near, far, truth, matte


def psnr(picture, truth):
    return 10 * np.log10(255**2 / np.mean((picture.astype(float) - truth) ** 2))


def grey(picture):
    return picture.mean(axis=-1, dtype=np.float32) / np.float32(255)


def test_thin_things_that_a_reduced_scale_cannot_tell_are_found(hairy):
    near, far, truth, matte = hairy
    small = shrink((matte > 0.5).astype(np.float32), 4)
    weight = np.clip(enlarged(1 - small, 4, WHOLE), 0, 1)  # of what is far
    refined = Refiner()(grey(near), grey(far), weight)

    def mixed(w):
        return near + (far.astype(np.float32) - near) * w[..., None]

    assert psnr(mixed(refined), truth) > psnr(mixed(weight), truth) + 1


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_where_pictures_are_alike_weights_stay(weight):
    rng = np.random.default_rng(0)
    picture = blurred(rng.random((64, 64), np.float32), 1.5)
    same = np.full((64, 64), weight, np.float32)
    np.testing.assert_allclose(Refiner()(picture, picture, same), same, atol=1e-6)


def test_a_part_with_context_says_what_the_whole_says(hairy):
    near, far, _, matte = hairy
    weight = 1 - blurred(matte, 4.0)
    whole = Refiner()(grey(near), grey(far), weight)
    reach = 2 * 6 + REACH + REACH % 2
    read, core = np.s_[100 - reach : 164 + reach, 80 - reach : 144 + reach], np.s_[100:164, 80:144]
    part = Refiner()(*(np.ascontiguousarray(a[read]) for a in (grey(near), grey(far), weight)))
    np.testing.assert_allclose(part[reach:-reach, reach:-reach], whole[core], atol=1e-4)


def test_evidence_compares_detail():
    sharp = np.random.default_rng(0).random((40, 48), np.float32)
    soft = blurred(sharp)
    seen = evidence(soft, sharp, np.ones_like(sharp))
    assert seen.shape == (CHANNELS, 20, 24)
    assert seen[9:12].min() > 0
    assert seen[8].min() == 1
    other = evidence(sharp, soft, np.zeros_like(sharp))
    np.testing.assert_allclose(other[8:12], -seen[8:12], atol=1e-6)
    np.testing.assert_allclose(other[:4], seen[4:8], atol=1e-6)


def test_a_picture_that_is_decided_small_comes_nearer_to_the_truth(hairy):
    near, far, truth, _ = hairy
    options = {"align": "none", "spread": "off", "maps": True}
    made = {}
    for name, refined in (("as decided", False), ("refined", True)):
        system = load_system("dualpath")
        system._card = replace(system.card, working_pixels=SIDE**2 // 4, refined=refined)
        result = panfocus.fuse([near, far], system=system, **options)
        assert result.report.working_factor == 2
        made[name] = psnr(result.image, truth)
    assert made["refined"] > made["as decided"] + 0.4


def test_the_papers_own_systems_are_not_refined():
    for name in ("dualpath-paper", "drpl-paper"):
        assert load_system(name).refiner is None
    assert load_system("dualpath").refiner is not None
    assert load_system("dualpath", whole=True).refiner is None
