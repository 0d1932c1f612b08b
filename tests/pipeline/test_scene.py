"""Whether pictures are of one scene: never doubted of a stack, seen of a folder of many scenes."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.pipeline.scene import SceneLikeness
from tests.conftest import blurred, focal_pair, focal_stack, texture
from tests.support.passed import Passed

WARNING = "one scene"
SHARP = texture(240, 320, 5)


def is_torn(frames):
    scene = SceneLikeness()
    for frame in frames:
        grey = frame if frame.ndim == 2 else frame.mean(-1)
        scene.add(np.asarray(grey, np.float32))
    return scene.is_torn()


def magnified(picture, factor, shift=(0, 0), turn=0):
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, factor)
    matrix[:, 2] += shift
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def noisy(frames, sigma, seed=0):
    rng = np.random.default_rng(seed)
    return [np.clip(f + rng.normal(0, sigma, f.shape), 0, 255) for f in frames]


def sections(count, spots, size=2.0, floor=10, seed=0):
    """Optically sectioned fluorescence: every plane has spots of its own."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        plane = np.zeros((256, 256), np.float32)
        at = rng.integers(0, 256, (2, spots))
        plane[at[0], at[1]] = rng.uniform(0.3, 1, spots) * 255 * 2 * np.pi * size**2
        plane = cv2.GaussianBlur(plane, (0, 0), size)
        out.append(np.clip(plane + floor + rng.normal(0, 3, plane.shape), 0, 255))
    return out


STACKS = {
    "pair": focal_pair(240, 320)[0],
    "stack": focal_stack(8, 160, 240)[0],
    "heavy defocus": [SHARP, blurred(SHARP, 20)],
    "all blurred": [blurred(SHARP, 12), blurred(SHARP, 20)],
    "breathing": [magnified(SHARP, 1 + 0.03 * n) for n in range(5)],
    "much breathing, two": [SHARP, magnified(blurred(SHARP, 6), 1.1)],
    "shift": [SHARP, magnified(SHARP, 1, (25, -18))],
    "turned": [SHARP, magnified(SHARP, 1, turn=3)],
    "exposure": [SHARP, SHARP / 8, np.clip(SHARP * 1.6, 0, 255)],
    "gamma": [SHARP, 255 * (SHARP / 255.0) ** 2.2],
    "inverted": [SHARP, 255 - SHARP],
    "black frame": [SHARP, SHARP * 0, SHARP],
    "black frame of two": [SHARP, SHARP * 0],
    "constant": [SHARP * 0 + 90] * 3,
    "noise": noisy([blurred(SHARP, 4), blurred(SHARP, 8)], 40),
    "noise frame among two": [SHARP, *noisy([SHARP * 0 + 128], 20)],
    "someone walks": [SHARP, np.concatenate([SHARP[:, :220], texture(240, 100, 9)], 1)],
    "two stacks in a row": [*focal_stack(3, 160, 240)[0], *focal_stack(3, 160, 240, 9)[0]],
    "few spots": sections(6, 8),
    "spots": sections(12, 40),
    "many spots": sections(6, 400),
    "large spots": sections(6, 20, 8.0),
    "dark spots in bright field": [255 - plane for plane in sections(6, 40)],
    "two planes of spots": sections(2, 40),
    "empty planes": [*sections(5, 0), *sections(1, 40)],
    "one frame": [SHARP],
    "no frame": [],
}


@pytest.mark.parametrize("kind", STACKS)
def test_a_stack_is_never_doubted(kind):
    assert not is_torn(STACKS[kind])


@pytest.mark.parametrize("count", [2, 3, 5, 9, 20])
@pytest.mark.parametrize("seed", [0, 100])
def test_pictures_of_many_scenes_are_known(count, seed):
    assert is_torn([texture(240, 320, seed + n) for n in range(count)])
    assert is_torn([blurred(texture(120, 160, seed + n), 2) for n in range(count)])


def test_fuse_tells_of_many_scenes_and_goes_on():
    result = panfocus.fuse([texture(96, 128, n) for n in range(4)], system="guided")
    assert sum(WARNING in w for w in result.report.warnings) == 1
    assert not any(WARNING in w for w in panfocus.fuse(focal_pair()[0]).report.warnings)


@pytest.mark.parametrize("align_to", ["neighbour", "reference"])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_frames_that_can_only_be_gone_through_may_hold_another_scene(at, align_to):
    frames = [np.roll(f, n, axis=1) for n, f in enumerate(focal_stack(5, 160, 240)[0])]
    other = (np.indices((160, 240)).sum(axis=0) // 20 % 2 * 90).astype(np.uint8)
    frames[at] = np.repeat(other[..., None], 3, axis=2)  # of another brightness, too
    settings = {"system": "guided", "align": "auto", "align_to": align_to}
    listed = panfocus.fuse(frames, **settings)
    passed = panfocus.fuse(Passed(frames), **settings)
    np.testing.assert_array_equal(passed.image, listed.image)
