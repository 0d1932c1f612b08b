"""Opacity that hides nothing changes nothing; opacity that hides anything keeps its part."""

import numpy as np
import pytest

import panfocus
from panfocus import io
from tests.conftest import focal_stack, texture
from tests.registration.test_registration import SIZE, photographed, similarity


def with_opacity(frames, value=255):
    return [np.dstack([f, np.full(f.shape[:2], value, f.dtype)]) for f in frames]


def noisy(frames):
    rng = np.random.default_rng(2)
    return [
        np.clip(np.rint(f + rng.normal(0, 4, f.shape)), 0, 255).astype(np.uint8) for f in frames
    ]


STILL = noisy(focal_stack(4, *SIZE)[0])
#: Of which a frame is made part by part.
MOVING = [photographed(texture(*SIZE), similarity(1 + 0.006 * (n - 2))) for n in range(4)]
GREY = [frame[..., 1] for frame in STILL]


@pytest.mark.parametrize(
    "frames", [STILL, STILL[:2], MOVING, GREY], ids="still pair moving grey".split()
)
@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_full_opacity_makes_the_same_picture(frames, system):
    plain = panfocus.fuse(frames, system=system)
    full = panfocus.fuse(with_opacity(frames), system=system)
    colours = plain.image if plain.image.ndim == 3 else plain.image[..., None]
    np.testing.assert_array_equal(full.image[..., :-1], colours)
    assert (full.image[..., -1] == 255).all()
    np.testing.assert_array_equal(full.depth, plain.depth)
    assert full.report.size["channels"] == full.image.shape[2]
    assert full.report.warnings == plain.report.warnings


def test_files_too(tmp_path):
    for n, frame in enumerate(with_opacity([f.astype(np.uint16) * 257 for f in STILL], 65535)):
        io.write_image(tmp_path / f"{n}.png", frame, io.Metadata())
    full = panfocus.fuse(tmp_path)
    plain = panfocus.fuse([f.astype(np.uint16) * 257 for f in STILL])
    np.testing.assert_array_equal(full.image[..., :3], plain.image)
    assert (full.image[..., 3] == 65535).all()


def test_one_pixel_that_is_seen_through_is_kept():
    frames = with_opacity(STILL)
    for frame in frames:
        frame[-1, -1, 3] = 0  # where no whole block of a reduced frame reaches
    image = panfocus.fuse(frames, system="guided").image
    assert image[-1, -1, 3] == 0
    assert (image[:-1, :-1, 3] == 255).all()
