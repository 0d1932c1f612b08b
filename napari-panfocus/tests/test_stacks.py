"""From layers to stacks and back, without a window."""

import numpy as np
import pytest

from napari_panfocus.stacks import Stack, fused_layers

RNG = np.random.default_rng(3)


def scene(depths=4, height=48, width=64):
    """A stack whose columns are sharp in one plane each, and the sharp picture."""
    sharp = RNG.integers(0, 4096, (height, width)).astype(np.uint16)
    flat = np.full_like(sharp, 2048)
    focus = np.arange(width) * depths // width
    return np.stack([np.where(focus == z, sharp, flat) for z in range(depths)]), sharp


STACK, SHARP = scene()


def test_axes_are_named_from_the_layer():
    assert Stack(STACK, (1, 1, 1), 0).axes == "ZYX"
    assert Stack(np.zeros((2, 3, 4, 5, 6)), (1,) * 5, 2).axes == "TCZYX"
    assert Stack(np.zeros((2, 3, 4, 5, 6)), (1,) * 5, 0).axes == "ZTCYX"
    assert Stack(np.zeros((4, 5, 6, 3)), (1,) * 3, 0, is_rgb=True).axes == "ZYXS"
    with pytest.raises(ValueError, match="axes 0 to 0"):
        Stack(STACK, (1, 1, 1), 1).axes  # noqa: B018


def test_the_fused_layer_is_sharp_and_keeps_its_scale():
    layers = fused_layers(
        Stack(STACK, (0.5, 0.1, 0.2), 0), "cells", system="guided", maps=("depth", "index")
    )
    (image, about, kind), (index, *_), (depth, of_depth, _) = layers
    assert (kind, about["name"], about["scale"]) == ("image", "cells fused", [0.1, 0.2])
    inside = np.r_[4:12, 20:28, 36:44, 52:60]
    off = np.abs(image[:, inside].astype(int) - SHARP[:, inside]).mean()
    assert off < np.abs(SHARP.astype(int) - 2048).mean() / 3
    assert (index[:, inside] == np.arange(64)[inside] // 16).mean() > 0.9
    assert depth.max() == pytest.approx(1.5)
    assert index.shape == depth.shape
    assert of_depth["name"] == "cells depth"


@pytest.mark.parametrize("focus", [0, 1, 2])
def test_other_axes_stay_in_their_order(focus):
    data = np.stack([np.stack([STACK, STACK // 2]), np.stack([STACK + 1, STACK // 3])])  # TCZYX
    moved = np.moveaxis(data, 2, focus)
    ((image, about, _),) = fused_layers(Stack(moved, (1,) * 5, focus), "s", system="guided")
    assert image.shape == (2, 2, 48, 64)
    assert len(about["scale"]) == 4
    assert image[0, 1].mean() == pytest.approx(STACK.mean() / 2, rel=0.1)
    assert image[1, 0].mean() > image[0, 1].mean()


def test_colours_and_a_surface():
    colours = np.repeat((STACK >> 4).astype(np.uint8)[..., None], 3, axis=-1)
    layers = fused_layers(
        Stack(colours, (1, 1, 1), 0, is_rgb=True), "s", system="guided", surface=True
    )
    assert layers[0][0].shape == (48, 64, 3)
    assert layers[0][1]["rgb"]
    corners, faces, values = layers[1][0]
    assert len(corners) == len(values) == 48 * 64
    assert faces.max() == len(corners) - 1
    assert layers[1][2] == "surface"
