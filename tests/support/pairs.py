"""Focal pairs that several tests begin with."""

import cv2
import numpy as np


def halves(picture):
    """A pair sharp on the left, and on the right."""
    blurred = cv2.GaussianBlur(picture, (0, 0), 3)
    half = picture.shape[1] // 2
    first, second = picture.copy(), blurred.copy()
    first[:, half:], second[:, half:] = blurred[:, half:], picture[:, half:]
    return np.stack((first, second))
