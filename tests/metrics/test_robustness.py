"""No picture makes a metric fail or return NaN."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panfocus.metrics import METRICS, evaluate_all
from panfocus.metrics.structural import q_y

RANGES = {
    "EN": (0, 8),
    "Q_MI": (0, 2),
    "Q_NCIE": (0, 1),
    "Q_SCD": (-2, 2),
    "Q_G": (0, 0.9748),
    "Q_W": (-1, 1),
    "Q_S": (-1, 1),
    "Q_C": (-1, 1),
    "Q_Y": (-1, 1),
    "Q_CB": (0, 1),
    "Q_FMI": (0, 1),
    "MEF_SSIM": (0, 1),
    "SSIM": (-1, 1),
}
KINDS = ("black", "white", "grey", "noise", "clipped", "half", "ramp", "dot", "checks")


def draw(kind, shape, seed):
    """One picture of a kind that is known to break a formula somewhere."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    return {
        "black": lambda: np.zeros(shape),
        "white": lambda: np.full(shape, 255),
        "grey": lambda: np.full(shape, rng.integers(1, 255)),
        "noise": lambda: rng.integers(0, 256, shape),
        "clipped": lambda: np.clip(rng.normal(255, 40, shape), 0, 255),
        "half": lambda: np.where(columns < shape[1] // 2, 255, rng.integers(0, 256, shape)),
        "ramp": lambda: columns * 255 // shape[1],
        "dot": lambda: (rows == shape[0] // 2) * (columns == shape[1] // 2) * 255,
        "checks": lambda: (rows + columns) % 2 * 255,
    }[kind]().astype(np.uint8)


@st.composite
def stacks(draw_):
    """Two or three sources, a fused picture and a reference, of one odd little size."""
    shape = draw_(st.tuples(st.integers(16, 45), st.integers(16, 45)))
    count = draw_(st.integers(4, 5))
    kinds = draw_(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count))
    pictures = [draw(kind, shape, i) for i, kind in enumerate(kinds)]
    if draw_(st.booleans()):
        pictures = [np.stack([p, p // 2, 255 - p], axis=2) for p in pictures]
    depth = draw_(st.sampled_from(["uint8", "uint16", "float"]))
    if depth == "uint16":
        return [p.astype(np.uint16) * 256 for p in pictures]
    return [p / 255 for p in pictures] if depth == "float" else pictures


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stacks())
def test_any_pictures_give_numbers_in_range(pictures):
    *sources, fused, reference = pictures
    values = evaluate_all(sources, fused, reference)
    for name, value in values.items():
        assert isinstance(value, float), name
        assert math.isfinite(value) or name == "PSNR", f"{name} = {value}"
        low, high = RANGES.get(name, (-math.inf, math.inf))
        assert low - 1e-9 <= value <= high + 1e-9, f"{name} = {value}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_fused_with_itself_is_as_good_as_can_be(kind):
    picture = draw(kind, (37, 50), 1)
    values = evaluate_all([picture, picture], picture, picture)
    for name in ("Q_W", "Q_S", "Q_C", "Q_Y", "Q_CB", "Q_VIFF", "Q_FMI", "MEF_SSIM", "SSIM"):
        assert values[name] == pytest.approx(1, abs=1e-6), name
    assert values["Q_CV"] == 0
    assert values["GMSD"] == 0
    assert values["Q_MI"] == pytest.approx(2)


def test_the_guard_of_q_y_is_needed():
    """Flat areas of other grey levels: the bare formula divides noise by noise."""
    levels = np.repeat(np.arange(0, 250, 10, dtype=np.uint8), 12)[None].repeat(60, axis=0)
    sources = [levels, np.minimum(levels + np.uint8(3), 255)]
    fused = levels + np.uint8(1)
    guarded, bare = (q_y(sources, fused, guarded=g) for g in (True, False))
    assert -1 <= guarded <= 1
    assert abs(guarded - bare) > 0.01


def test_every_metric_is_drawn():
    pictures = [draw("noise", (40, 40), i) for i in range(4)]
    assert set(evaluate_all(pictures[:2], pictures[2], pictures[3])) == set(METRICS)
