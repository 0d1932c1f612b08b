"""A focus measure of your own as a system: fine detail against coarse.

panfocus fuse --plugin examples/own_system.py --system dog shots/ -o fused.tif
panfocus evaluate --plugin examples/own_system.py --systems dog,guided --data DATA --out OUT
"""

import cv2
import numpy as np

from panfocus import Card
from panfocus.systems import FocusMeasureSystem, register_system


def difference_of_gaussians(luminance):
    """Return the energy of detail of 1 to 2 pixels: ``(H, W)`` of any dtype to float32."""
    grey = luminance.astype(np.float32)
    return np.square(cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 2.0))


@register_system("dog")
def dog():
    """Make the system: the measure, pooled and refined as that of `guided` is."""
    card = Card(name="dog", title="difference of Gaussians, guided filter")
    return FocusMeasureSystem(card, difference_of_gaussians)
