from dataclasses import replace

import cv2
import numpy as np

from panfocus.train import pictures
from panfocus.train.synthesis.sources import Sources, crop, source

from .test_pairs import PLAIN


def rng(seed=0):
    return np.random.default_rng(seed)


def test_sources_are_recoloured_and_sharpened(sources):
    def fine(odds):
        made = [source(rng(n), sources, 48, odds) for n in range(20)]
        return np.stack(made), np.mean([np.abs(m - cv2.blur(m, (3, 3))).mean() for m in made])

    plain, detail = fine(PLAIN)
    recoloured, _ = fine(replace(PLAIN, recoloured=1))
    assert not np.allclose(plain, recoloured)
    assert 0 <= recoloured.min() <= recoloured.max() <= 1
    assert fine(replace(PLAIN, crisp=1))[1] > 1.2 * detail


def test_crops_avoid_the_blurred_half():
    from skimage import data

    picture = np.ascontiguousarray(data.astronaut()[:240, 100:340])
    picture[:, 120:] = cv2.GaussianBlur(picture, (0, 0), 4)[:, 120:]
    held = pictures.Pictures([picture], [pictures.soft_areas(picture)], [""])
    careful = Sources(held)
    careless = Sources(held, sharp_only=False)

    def sharpness(sources):
        crops = (crop(rng(i), sources, 60) for i in range(12))
        return np.mean([np.abs(cv2.Laplacian(c, -1)).mean() for c in crops])

    assert sharpness(careful) > 1.2 * sharpness(careless)
