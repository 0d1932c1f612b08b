"""What the definitions promise: analytic values, directions, numbers of sources, clear errors."""

import math

import cv2
import numpy as np
import pytest

from panfocus.errors import InputError, UsageError
from panfocus.metrics import METRICS, Grey, boundary_f, evaluate_all, mask_iou, metric

RNG = np.random.default_rng(5)
#: Odd sides, no multiple of 8 or 16, not square.
SCENE = cv2.GaussianBlur(RNG.integers(0, 256, (83, 101), np.uint8), (0, 0), 1.2)
SCENE = cv2.normalize(SCENE, None, 0, 255, cv2.NORM_MINMAX)

#: F = A = B, from the formulas.
IDENTITY = {
    "Q_MI": 2.0,
    "Q_G": 0.9994 / (1 + math.exp(-7.5)) * 0.9879 / (1 + math.exp(-4.4)),
    "Q_W": 1.0,
    "Q_S": 1.0,
    "Q_E": 1.0,
    "Q_C": 1.0,
    "Q_Y": 1.0,
    "Q_CB": 1.0,
    "Q_CV": 0.0,
    "Q_VIFF": 1.0,
    "Q_FMI": 1.0,
    "MEF_SSIM": 1.0,
    "Q_SCD": 0.0,
    "SSIM": 1.0,
    "GMSD": 0.0,
    "PSNR": math.inf,
}


def halves(scene=SCENE, sigma=3.0):
    """A pair with one half each out of focus."""
    blurred = cv2.GaussianBlur(scene, (0, 0), sigma)
    a, b = scene.copy(), scene.copy()
    middle = scene.shape[1] // 2
    a[:, :middle] = blurred[:, :middle]
    b[:, middle:] = blurred[:, middle:]
    return a, b


@pytest.mark.parametrize(("name", "value"), IDENTITY.items())
@pytest.mark.parametrize("sources", [1, 2, 3, 5])
def test_equal_pictures(name, value, sources):
    row = metric(name)
    if not row.fits(sources, has_reference=True):
        pytest.skip("not defined for this number of sources")
    assert row([SCENE] * sources, SCENE, SCENE) == pytest.approx(value, rel=1e-6, abs=1e-9)


def test_q_ncie_of_equal_pictures():
    """All correlations equal H / 8 for K pictures: the eigenvalues are known."""
    h = metric("EN")([], SCENE) / 8
    for n in (2, 3):
        k = n + 1
        share = np.array([1 + n * h, *([1 - h] * n)]) / k
        share = share[share > 0]
        expected = 1 + float((share * np.log2(share)).sum()) / 8
        assert metric("Q_NCIE")([SCENE] * n, SCENE) == pytest.approx(expected, rel=1e-9)


SOURCE_METRICS = [row.name for row in METRICS.values() if row.takes == "sources"]
#: These prefer the picture below to the truth, or see no difference, which docs/metrics.md says.
LED_ASTRAY = {"Q_TE", "Q_SCD"}


@pytest.mark.parametrize("name", [n for n in SOURCE_METRICS if n not in LED_ASTRAY])
def test_truth_beats_a_blurred_fusion(name):
    row, sources = metric(name), halves()
    sign = 1 if row.better == "higher" else -1
    blurred = cv2.GaussianBlur(SCENE, (0, 0), 3.0)
    assert sign * row(sources, SCENE) > sign * row(sources, blurred)


@pytest.mark.parametrize("name", ["PSNR", "SSIM", "GMSD"])
def test_less_noise_is_better(name):
    row = metric(name)
    sign = 1 if row.better == "higher" else -1
    noise = RNG.normal(size=SCENE.shape)
    strong, weak = (np.clip(SCENE + k * noise, 0, 255).astype(np.uint8) for k in (20, 4))
    assert sign * row([], weak, SCENE) > sign * row([], strong, SCENE)


@pytest.mark.parametrize("name", SOURCE_METRICS)
def test_order_of_two_sources_does_not_matter(name):
    row, (a, b) = metric(name), halves()
    assert row([a, b], SCENE) == pytest.approx(row([b, a], SCENE), rel=1e-9)


@pytest.mark.parametrize("name", SOURCE_METRICS)
def test_a_source_given_twice_counts_twice_or_is_refused(name):
    row, (a, b) = metric(name), halves()
    if row.pairs_only:
        with pytest.raises(UsageError, match="two sources only"):
            row([a, b, b], SCENE)
        return
    more = row([a, a, b, b], SCENE)
    assert math.isfinite(more)
    if name not in ("Q_NCIE",):
        assert more == pytest.approx(row([a, b], SCENE), rel=1e-9)


def test_q_mi_of_plain_formula():
    """Two grey levels each: the joint table can be written down."""
    a = np.zeros((16, 16), np.uint8)
    a[:, 8:] = 255
    f = np.zeros((16, 16), np.uint8)
    f[:, 4:] = 255
    h_a, h_f = 1.0, -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    joint = -(2 * 0.25 * math.log2(0.25) + 0.5 * math.log2(0.5))
    expected = 4 * (h_a + h_f - joint) / (h_a + h_f)
    assert metric("Q_MI")([a], f) == pytest.approx(expected, rel=1e-12)


def test_psnr_of_a_known_error():
    worse = SCENE.astype(np.int16)
    worse = np.where(worse > 100, worse - 5, worse + 5).astype(np.uint8)
    assert metric("PSNR")([], worse, SCENE) == pytest.approx(20 * math.log10(255 / 5), rel=1e-12)


def test_block_padding_of_q_cv_counts_the_missing_rows_as_zeros():
    """Below the last full block nothing differs: its mean square is taken over 256 places."""
    a = np.zeros((20, 32), np.uint8)
    a[:, ::2] = 255
    exact = metric("Q_CV")([a], a)
    assert exact == 0


# pictures --------------------------------------------------------------------------------------


def test_colour_is_rounded_to_whole_levels():
    colour = RNG.integers(0, 256, (16, 16, 3), np.uint8)
    expected = np.floor(colour @ np.array([0.298936, 0.587043, 0.114021]) + 0.5)
    assert np.array_equal(Grey.of(colour).plane, expected)
    same = np.repeat(SCENE[..., None], 3, axis=2)
    assert np.array_equal(Grey.of(same).plane, SCENE)


@pytest.mark.parametrize("name", METRICS)
def test_depths_agree(name):
    """16 bits and floating point carry the same picture; only grey levels in between differ."""
    row, (a, b) = metric(name), halves()
    value = row([a, b], SCENE, a)

    def deep(picture):
        return picture.astype(np.uint16) * 257

    def real(picture):
        return picture / 255

    for convert in (deep, real):
        other = row([convert(a), convert(b)], convert(SCENE), convert(a))
        assert other == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((15, 40), np.uint8), "too small"),
        (np.zeros((40, 40, 4), np.uint8), "one grey or RGB"),
        (np.zeros(40, np.uint8), "one grey or RGB"),
        (np.zeros((40, 40), np.int32), "range"),
        (np.full((40, 40), 2.0), "must lie in"),
        (np.full((40, 40), np.nan), "must lie in"),
        (np.zeros((0, 40), np.uint8), "too small"),
    ],
)
def test_unfit_pictures_are_refused(picture, words):
    with pytest.raises(InputError, match=words):
        evaluate_all([picture, picture], picture)


def test_sizes_must_agree():
    with pytest.raises(InputError, match=r"source 1"):
        evaluate_all([SCENE, SCENE[:-1]], SCENE)
    with pytest.raises(InputError, match=r"reference"):
        evaluate_all([SCENE, SCENE], SCENE, SCENE[:-1])


def test_calls_that_cannot_be():
    with pytest.raises(UsageError, match="at least one source"):
        evaluate_all([], SCENE)
    with pytest.raises(UsageError, match="no metric of this name"):
        evaluate_all([SCENE, SCENE], SCENE, names=["Q_X"])
    with pytest.raises(UsageError, match="reference"):
        evaluate_all([SCENE, SCENE], SCENE, names=["PSNR"])


def test_evaluate_all_takes_what_is_defined():
    three = evaluate_all([SCENE] * 3, SCENE)
    assert set(METRICS) - set(three) == {"Q_SCD", "Q_C", "Q_Y", "PSNR", "SSIM", "GMSD"}
    assert list(evaluate_all([SCENE] * 2, SCENE, SCENE)) == list(METRICS)
    assert list(evaluate_all([SCENE] * 2, SCENE, names=["Q_W", "EN"])) == ["Q_W", "EN"]


def test_sources_may_be_one_array():
    a, b = halves()
    assert metric("Q_W")(np.stack([a, b]), SCENE) == metric("Q_W")([a, b], SCENE)


def test_pictures_are_left_as_they_were():
    a, b = halves()
    grey = [Grey.of(p) for p in (a, b, SCENE)]
    before = [g.plane.copy() for g in grey]
    evaluate_all(grey[:2], grey[2], grey[0])
    assert all(np.array_equal(g.plane, p) for g, p in zip(grey, before, strict=True))


# masks -----------------------------------------------------------------------------------------


def square(top, left, side=20):
    mask = np.zeros((64, 64), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_mask_iou():
    assert mask_iou(square(10, 10), square(10, 10)) == 1
    assert mask_iou(square(10, 10), square(10, 20)) == pytest.approx(200 / 600)
    assert mask_iou(square(0, 0), square(40, 40)) == 0
    assert mask_iou(np.zeros((8, 8)), np.zeros((8, 8))) == 1


def test_boundary_f_knows_its_tolerance():
    truth = square(20, 20)
    assert boundary_f(truth, truth) == 1
    assert boundary_f(square(22, 20), truth, tolerance=2) == 1
    assert boundary_f(square(22, 20), truth, tolerance=1) < 0.8
    assert boundary_f(square(0, 0), square(40, 40), tolerance=2) == 0
    empty = np.zeros((64, 64), bool)
    assert boundary_f(empty, empty) == 1
    assert boundary_f(empty, truth) == 0


def test_boundary_f_of_frame_indices():
    labels = np.repeat(np.arange(4), 16)[None].repeat(64, axis=0)
    assert boundary_f(labels, labels[:, ::-1], tolerance=1) == 1
    assert boundary_f(labels // 2, labels, tolerance=0) == pytest.approx(2 / (1 + 3))


def test_masks_of_other_sizes_are_refused():
    with pytest.raises(InputError):
        mask_iou(square(0, 0), np.zeros((8, 8)))
    with pytest.raises(InputError):
        boundary_f(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)))
    with pytest.raises(UsageError):
        boundary_f(square(0, 0), square(0, 0), tolerance=-1)
