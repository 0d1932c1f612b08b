"""Moves by products of band matrices: where places are, what waves keep, and what cannot be so."""

import cv2
import numpy as np
import pytest

from panfocus.registration import two_pass
from panfocus.registration.two_pass import suits, take
from tests.registration.test_registration import similarity

SIZE = (150, 260)


def places(matrix, size):
    """Where a transform takes the pixels of a picture, (2, H, W)."""
    y, x = np.mgrid[: size[0], : size[1]]
    moved = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return moved[:2].reshape(2, *size)


@pytest.mark.parametrize("degrees", [0, 0.03, -0.15, 0.29])
@pytest.mark.parametrize("scale", [0.97, 1, 1.02])
@pytest.mark.parametrize("size", [(48, 96), (100, 130), (7, 200)])
def test_places_are_met_within_a_fiftieth_of_a_pixel(degrees, scale, size):
    matrix = similarity(scale, degrees, (13.3, 12.7), size)
    assert suits(matrix)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    made = take(np.dstack([x, y]), matrix, size[::-1]).transpose(1, 0, 2)
    inside = places(matrix, size)
    deep = (inside > 10).all(axis=0) & (inside[0] < SIZE[1] - 11) & (inside[1] < SIZE[0] - 11)
    assert deep.any()
    assert np.abs(made - inside)[:, deep].max() < 1 / 50


def test_the_kernel_is_that_of_cosines_of_every_distance():
    taps = np.arange(two_pass._TAPS) + two_pass._FIRST
    frequency = (np.arange(48) + 0.5) * two_pass._FLAT / 48
    strength = 1 / np.square(frequency + two_pass._EVEN)

    def likeness(apart):
        return np.cos(2 * np.pi * apart[..., None] * frequency) @ strength

    pull = 1e6 * strength.sum()
    places = np.arange(two_pass._FINE) / two_pass._FINE
    among = likeness(np.subtract.outer(taps, taps)) + pull
    right = likeness(np.subtract.outer(taps, places)) + pull
    weights = np.linalg.solve(among, right).T
    weights /= weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(two_pass._kernel(), weights, rtol=0, atol=1e-7)


def test_waves_up_to_the_flat_end_are_moved_as_they_are():
    x = np.arange(SIZE[1]) * np.ones((SIZE[0], 1))
    for cycles, most in ((0.1, 0.005), (0.3, 0.01), (0.43, 0.025)):
        wave, wanted = (np.cos(2 * np.pi * cycles * (x + s)).astype(np.float32) for s in (0, 0.5))
        made = take(wave[..., None], similarity(shift=(0.5, 0), size=SIZE), SIZE[::-1])[:, 0]
        assert np.abs(made - wanted)[20:-20, 20:-20].max() < most


def test_what_lies_beyond_is_mirrored():
    plane = cv2.GaussianBlur(np.random.default_rng(3).random(SIZE, np.float32), (0, 0), 1)
    matrix = similarity(1.01, 0.1, (-30.4, 25.6), SIZE)
    pad = 80
    around = np.pad(plane, pad, "reflect")
    inside = np.array([[1, 0, pad], [0, 1, pad], [0, 0, 1]], np.float64) @ matrix
    made, wanted = (
        take(p[..., None], m, SIZE[::-1]) for p, m in ((plane, matrix), (around, inside))
    )
    # products may round places the other way
    assert np.abs(made - wanted).max() < 0.01


@pytest.mark.parametrize(
    "matrix",
    [
        similarity(1.0, 0.6),
        similarity(0.7),
        similarity(1.3),
        np.array([[1, 0, 0], [0, 1, 0], [1e-6, 0, 1]]),
        np.array([[1, 0, 0], [0.02, 1, 0], [0, 0, 1]]),
        np.array([[-1, 0, 100], [0, 1, 0], [0, 0, 1.0]]),
    ],
)
def test_what_turns_or_bends_is_left_to_others(matrix):
    assert not suits(matrix)


@pytest.mark.parametrize("size", [(30, 30), (20, 500), (400, 20)])
def test_parts_larger_and_smaller_than_the_planes_are_made(size):
    plane = np.random.default_rng(3).random(SIZE, np.float32)
    for shift in ((0.5, 0.5), (200, 100), (-300, -200)):
        made = take(plane[..., None], similarity(0.9, 0.25, shift, size), size[::-1])
        assert made.shape == (size[0], 1, size[1])
        assert np.isfinite(made).all()
        assert -0.8 < made.min() < made.max() < 1.8
