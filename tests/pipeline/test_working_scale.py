"""Large pictures are decided small, or at full scale where that is asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import panfocus
from panfocus.pipeline.memory import fusion_memory
from panfocus.pipeline.options import Options
from panfocus.systems import load_system

#: Above the 3 million pixels at which `guided` decides.
_HEIGHT, _WIDTH = 1600, 2000
_PLAIN: dict[str, Any] = {
    "align": "none", "exposure": "none", "spread": "off", "void": "off", "maps": False
}  # fmt: skip


@cache
def _pair() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what is sharp everywhere, and two frames, each sharp in parts."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 256, (_HEIGHT, _WIDTH), np.uint8)
    truth = cv2.GaussianBlur(truth, (0, 0), 0.8)
    soft = cv2.GaussianBlur(truth, (0, 0), 3)
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH]
    near = (np.sin(rows / 9) + np.sin(columns / 11)) > 0
    first, second = np.where(near, truth, soft), np.where(near, soft, truth)
    return truth, first.astype(np.uint8), second.astype(np.uint8)


def _missed(working_scale: str) -> tuple[float, int]:
    truth, *frames = _pair()
    made = panfocus.fuse(frames, system="guided", working_scale=working_scale, **_PLAIN)
    error = np.square(made.image.astype(np.float64) - truth).mean()
    return float(error), made.report.working_factor


def test_full_scale_follows_edges_that_a_reduced_one_cannot() -> None:
    reduced, factor = _missed("auto")
    full, one = _missed("full")
    assert (factor, one) == (2, 1)
    assert full < 0.8 * reduced


def test_small_pictures_are_the_same_at_either() -> None:
    frames = [frame[:300, :400] for frame in _pair()[1:]]
    made = [
        panfocus.fuse(frames, system="guided", working_scale=scale, **_PLAIN).image
        for scale in ("auto", "full")
    ]
    assert np.array_equal(*made)


def test_full_scale_is_reckoned_with_in_memory() -> None:
    def needed(scale: Any) -> int:
        settings = Options(working_scale=scale, max_memory="16GiB")
        size = {"height": 4000, "width": 6000, "channels": 3, "itemsize": 1}
        return fusion_memory(load_system("dualpath"), settings, count=2, **size)

    # weights, margins and copies of each frame, in floats
    assert needed("full") - needed("auto") > 2 * 4000 * 6000 * 4 * 3


def test_what_is_no_scale_is_refused() -> None:
    with pytest.raises(panfocus.UsageError, match="working_scale"):
        panfocus.fuse(_pair()[1:], working_scale="half")  # type: ignore[arg-type]
