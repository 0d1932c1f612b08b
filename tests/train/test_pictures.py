import cv2
import numpy as np

from panfocus.train import pictures


def test_blurred_edges_are_found_and_sharp_ones_are_not():
    from skimage import data

    sharp = np.ascontiguousarray(data.camera()[100:300, 150:350, None].repeat(3, 2))
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), np.uint8)
    assert pictures.soft_areas(sharp).mean() < 0.1 * pictures.soft_areas(blurred).mean()
