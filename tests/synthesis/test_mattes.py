import cv2
import numpy as np
import pytest

from panfocus.synthesis.mattes import blob_matte, hair_matte


def test_a_matte_covers_about_what_was_asked():
    matte = blob_matte(np.random.default_rng(0), 200, 300, 0.3, 0.5)
    assert matte.mean() == pytest.approx(0.3, abs=0.02)
    assert 0 <= matte.min() <= matte.max() <= 1


def test_fibres_are_finer_than_what_a_blob_has():
    matte = hair_matte(np.random.default_rng(0), 200, 240)
    blob = blob_matte(np.random.default_rng(0), 200, 240, float(matte.mean()), 0.3)
    wide = [cv2.erode(m, np.ones((3, 3), np.uint8)).mean() / m.mean() for m in (matte, blob)]
    assert wide[0] < 0.45  # what is left one pixel further in
    assert wide[1] > 0.7
    assert ((matte > 0.05) & (matte < 0.95)).any()
