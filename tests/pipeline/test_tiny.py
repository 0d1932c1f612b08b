"""Frames of a few pixels are refused in words, however they come."""

import numpy as np
import pytest

import panfocus
from panfocus.arrays.noise import noise_variance
from panfocus.errors import InputError, UsageError

SHAPES = [(1, 9), (9, 1), (1, 1), (2, 2), (1, 9, 3), (3, 500), (15, 40)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("align", ["auto", "none", "local", "homography"])
@pytest.mark.parametrize("come", [np.array, list, iter])
def test_tiny_frames_are_told_whatever_is_asked_of_them(shape, align, come):
    frames = np.random.default_rng(0).integers(0, 255, (3, *shape), np.uint8)
    with pytest.raises(InputError, match="too small to judge"):
        panfocus.fuse(come(frames), system="guided", align=align)


def test_tiny_frames_that_are_pushed_are_told():
    with pytest.raises(InputError, match="too small to judge"):
        with panfocus.StreamingFusion("guided") as stream:
            for _ in range(2):
                stream.push(np.zeros((1, 9), np.uint8))
            stream.finish()


def test_a_picture_without_a_block_has_no_noise_to_measure():
    assert noise_variance(np.ones((2, 300), np.float32)) == 0


def test_a_volume_without_planes_is_told():
    with pytest.raises(UsageError, match="the array is empty"):
        panfocus.fuse_volume(np.zeros((0, 24, 32), np.uint8), axes="ZYX", system="guided")
