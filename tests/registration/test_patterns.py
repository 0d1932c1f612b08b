"""Stripes, checks and what shows next to nothing: registered or left alone, and always fused."""

import cv2
import numpy as np
import pytest

import panfocus

Y, X = np.mgrid[:96, :128]
PATTERNS = {
    # these vanish where they are shrunk: levels on which nothing shows
    "stripes of 4": X % 4 * 60,
    "stripes of 8": X % 8 * 28,
    "rows of 4": Y % 4 * 60,
    "checks of 1": (X + Y) % 2 * 255,
    "checks of 8": (X // 8 + Y // 8) % 2 * 255,
    "one value": np.full_like(X, 120),
    "one pixel": (X == 64) & (Y == 48),
    "one line": (X == 64) * 255,
    "a ramp": X * 2,
    "an edge": (X > 64) * 255,
}


@pytest.mark.parametrize("align", ["none", "auto", "translation", "homography", "local"])
@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_are_fused(name, align):
    sharp = np.asarray(PATTERNS[name], np.uint8)
    stack = np.stack([sharp, cv2.GaussianBlur(sharp, (0, 0), 2)])
    done = panfocus.fuse(stack, system="guided", align=align, keep_size=True)
    assert done.image.shape == sharp.shape


def test_stripes_that_do_not_move_are_not_moved():
    """What is open, such as a move along them, is no reason to resample."""
    sharp = np.asarray(np.tile(PATTERNS["stripes of 8"], (3, 3)), np.uint8)
    stack = np.stack([sharp, cv2.GaussianBlur(sharp, (0, 0), 2)])
    done = panfocus.fuse(stack, system="guided", align="homography", exposure="none", mode="select")
    assert ((done.image == stack[0]) | (done.image == stack[1])).all()
