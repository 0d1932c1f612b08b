import numpy as np
import pytest

from panfocus.synthesis.defocus import defocus
from panfocus.synthesis.layers import Layer, lay_over, over, render
from tests.conftest import texture

LIGHT = (texture(60, 80) / 255).astype(np.float32)
MATTE = np.tile(np.linspace(0, 1, 80, dtype=np.float32), (60, 1))


def test_a_sharp_foreground_hides_and_a_blurred_one_lets_through():
    matte = np.zeros((60, 80), np.float32)
    matte[:, 40:] = 1
    front = np.full((60, 80, 3), 0.9, np.float32)
    layers = [Layer(LIGHT, None, 1.0), Layer(front, matte, 0.0)]
    sharp = render(layers, [0, 0])
    np.testing.assert_allclose(sharp[:, 40:], 0.9, atol=1e-6)
    np.testing.assert_allclose(sharp[:, :40], LIGHT[:, :40], atol=1e-6)
    spread = render(layers, [0, 6])
    reached = np.abs(spread - sharp).max(axis=(0, 2)) > 1e-3
    assert reached[35:45].all()
    assert not reached[:33].any()
    assert not reached[47:].any()


@pytest.mark.parametrize("colour", [LIGHT, LIGHT[..., 0]], ids=["colour", "grey"])
def test_a_layer_in_focus_mixes_by_its_matte(colour):
    behind = colour[::-1]
    matte = MATTE if colour.ndim == 2 else MATTE[..., None]
    mixed = over(colour, MATTE, behind, lambda plane: plane)
    np.testing.assert_allclose(mixed, matte * colour + (1 - matte) * behind, atol=1e-6)


def test_layers_of_one_light_change_nothing_of_it():
    """Coverage and light are blurred alike: what is flat stays flat, whatever lies before it."""
    flat = np.full((60, 80, 3), 0.37, np.float32)
    layers = [Layer(flat, None, 1.0), Layer(flat, MATTE, 0.5), Layer(flat, MATTE[::-1], 0.0)]
    np.testing.assert_allclose(render(layers, [4.0, 2.5, 7.0]), 0.37, atol=1e-5)


def test_a_background_that_is_blurred_already_is_not_blurred_again():
    near = Layer(LIGHT[::-1], MATTE, 0.0)
    far = defocus(LIGHT, 3.0)
    whole = render([Layer(LIGHT, None, 1.0), near], [3.0, 2.0])
    np.testing.assert_array_equal(lay_over(far, [near], [2.0]), whole)
