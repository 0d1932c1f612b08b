"""Soft bands between two depths of focus: mended where frames tell, left alone everywhere else."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.cli import main
from panfocus.frame import Frame
from panfocus.fusion.banding import NEAR, raised
from panfocus.fusion.evidence_fold import EvidenceFold
from panfocus.fusion.focus_curves import EVERY, FocusCurves
from panfocus.fusion.focus_peaks import peaks, trust
from panfocus.pipeline.volumes.choice import volume_settings
from panfocus.synthesis.focal_stacks import depth_scene
from panfocus.systems import load_system

SIZE = 192, 256


def photograph(seed):
    """Return edges and detail of all scales, ``(H, W, 3)`` uint8."""
    rng = np.random.default_rng(seed)
    out = np.full((*SIZE, 3), 128, np.uint8)
    for size in np.geomspace(60, 2, 700):
        corners = rng.uniform(0, SIZE[::-1]) + rng.normal(0, size, (4, 2))
        hull = cv2.convexHull(np.rint(16 * corners).astype(np.int32))
        cv2.fillConvexPoly(out, hull, rng.integers(30, 225, 3).tolist(), cv2.LINE_AA, 4)
    return out


def scene(seed, count, radius):
    """Return frames through a ramp of depth, and the truth."""
    made = depth_scene(
        np.random.default_rng(seed), [photograph(seed * 10 + k) for k in range(4)], count, radius
    )
    return made.frames, made.truth


def psnr(a, b):
    error = np.square(a.astype(np.float64) - b)[8:-8, 8:-8].mean()
    return 10 * np.log10(np.square(255 if a.dtype == np.uint8 else 65535) / error)


def both(frames, **options):
    """Return the fused picture without and with bands mended."""
    options = {"system": "guided", "align": "none", "exposure": "none", "maps": False} | options
    return (panfocus.fuse(frames, banding=way, **options).image for way in ("off", "mend"))


@pytest.fixture(scope="module")
def coarse():
    """Frames whose neighbours are so far apart that all are soft between two depths."""
    return scene(1, 6, 12.0)


def test_detail_between_depths_comes_nearer_to_the_truth(coarse):
    frames, truth = coarse
    off, mended = both(frames)
    assert psnr(mended, truth) > psnr(off, truth) + 0.2


def test_the_bundled_network_gains_too(coarse):
    frames, truth = coarse
    off, mended = both(frames, system="dualpath")
    assert psnr(mended, truth) > psnr(off, truth) + 0.2


def test_frames_that_are_near_to_each_other_lose_nothing():
    frames, truth = scene(2, 16, 6.0)
    off, mended = both(frames)
    assert psnr(mended, truth) > psnr(off, truth) - 0.02


def test_noise_is_not_taken_for_detail(coarse):
    frames, truth = coarse
    noise = np.random.default_rng(0).normal(0, 8, frames.shape)
    noisy = np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)
    off, mended = both(noisy)
    assert psnr(mended, truth) > psnr(off, truth) - 0.02


@pytest.mark.parametrize("order", [(3, 0, 5, 2, 1, 4), (0, 2, 1, 3, 5, 4), (5, 0, 4, 1, 3, 2)])
def test_frames_out_of_order_are_left_alone(coarse, order):
    off, mended = both(coarse[0][list(order)])
    assert np.array_equal(off, mended)


@pytest.mark.parametrize("chosen", [(0, 1, 2, 9, 10, 11), (0, 9, 10, 11), (0, 1, 2, 3, 11)])
def test_frames_that_are_unevenly_apart_lose_nothing(chosen):
    """A place in perfect focus seems to lie beside its frame, and is no softer than others."""
    frames, truth = scene(3, 12, 14.0)
    off, mended = both(frames[list(chosen)])
    assert psnr(mended, truth) > psnr(off, truth) - 0.02


def test_the_other_way_round_is_in_order_too(coarse):
    _, ahead = both(coarse[0], reference=0)
    _, back = both(coarse[0][::-1], reference=5)
    assert psnr(ahead, back) > 50


def test_pairs_and_equal_frames_are_left_alone(coarse):
    frames, _ = coarse
    off, mended = both(frames[[0, 5]])
    assert np.array_equal(off, mended)
    _, mended = both(frames[[2, 2, 2, 2]])
    assert np.array_equal(mended, frames[2])


@pytest.mark.parametrize("mode", ["select", "best-plane"])
def test_native_pixels_stay(coarse, mode):
    off, mended = both(coarse[0], mode=mode)
    assert np.array_equal(off, mended)


def test_maps_are_those_of_the_decision(coarse):
    plain, mended = (
        panfocus.fuse(coarse[0], system="guided", align="none", banding=way)
        for way in ("off", "mend")
    )
    assert not np.array_equal(plain.image, mended.image)
    for name in ("index", "depth", "confidence"):
        assert np.array_equal(getattr(plain, name), getattr(mended, name))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_numbers_of_every_kind_gain_alike(coarse, dtype):
    frames, truth = coarse
    scale = 257 if dtype is np.uint16 else np.float32(1 / 255)
    off, mended = both(frames.astype(dtype) * dtype(scale))
    assert mended.dtype == dtype
    off, mended = ((picture / scale).clip(0, 255) for picture in (off, mended))
    gained = psnr(np.rint(mended).astype(np.uint8), truth)
    assert gained > psnr(np.rint(off).astype(np.uint8), truth) + 0.2


def test_a_working_scale_of_its_own(coarse):
    """Large pictures are decided small, and mended at their own scale."""
    frames, truth = (np.stack([np.kron(f, np.ones((2, 2, 1), np.uint8)) for f in stack])
                     for stack in (coarse[0], coarse[1][None]))  # fmt: skip
    tall = [np.concatenate([f] * 6, axis=0) for f in frames]
    off, mended = both(tall, system="guided")
    assert off.shape[0] * off.shape[1] > 1_000_000
    truth = np.concatenate([truth[0]] * 6, axis=0)
    assert psnr(mended, truth) > psnr(off, truth)


def test_opacity_stays(coarse):
    opacity = np.full((*coarse[0].shape[:3], 1), 255, np.uint8)
    opacity[:, :40] = 100
    off, mended = both(np.concatenate([coarse[0], opacity], axis=-1))
    assert not np.array_equal(off, mended)
    assert np.array_equal(off[..., 3], mended[..., 3])


def test_a_frame_that_shows_nothing_changes_nothing(coarse):
    frames = list(coarse[0])
    _, mended = both(frames, reference=0)
    _, with_black = both([*frames[:3], np.zeros_like(frames[0]), *frames[3:]], reference=0)
    assert np.array_equal(with_black, mended)


def test_scientific_stacks_keep_their_values_unless_asked():
    assert volume_settings().banding == "off"
    assert volume_settings(banding="mend").banding == "mend"


def test_no_pixel_leaves_the_range_of_its_neighbours():
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 255, (64, 80, 3)).astype(np.uint8)
    share = np.full((64 // EVERY, 80 // EVERY), 5, np.float32)
    out = raised(picture, share, 1)
    box = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
    assert (out <= cv2.dilate(picture, box)).all()
    assert (out >= cv2.erode(picture, box)).all()
    assert not np.array_equal(out, picture)


def test_tiles_leave_no_seams(monkeypatch):
    picture = photograph(4)
    share = np.full((SIZE[0] // EVERY, SIZE[1] // EVERY), 0.5, np.float32)
    whole = raised(picture, share, 1)
    monkeypatch.setattr("panfocus.fusion.banding.TILE", 48)
    assert np.array_equal(raised(picture, share, 1), whole)


@pytest.mark.parametrize("peak", [1.6, 2.0, 2.4])
def test_a_parabola_is_found_again(peak):
    """Where a curve's peak lies, and how it bends."""
    frames = np.arange(5, dtype=np.float32)
    curve = (-0.7 * (frames - np.float32(peak)) ** 2).reshape(5, 1, 1)
    away, bend = (map_.ravel() for map_ in peaks(curve))
    assert away[2] == pytest.approx(peak - 2, abs=1e-6)
    assert bend[1:4] == pytest.approx(1.4, abs=1e-5)
    assert away[[0, 4]].tolist() == [0, 0]


@pytest.mark.parametrize(("count", "radius"), [(6, 8.0), (8, 8.0), (12, 14.0)])
def test_the_step_of_defocus_is_found_again(count, radius):
    """Within a fifth, of what was rendered: the radius that each frame adds to its neighbour's."""
    frames, _ = scene(5, count, radius)
    curves = FocusCurves(1)
    fold = EvidenceFold(load_system("guided"), 1)
    for n, frame in enumerate(frames):
        curves.push(Frame.of(n, frame))
        for decision in fold.push(Frame.of(n, frame)):
            curves.take(decision)
    radii, trust = curves.blur()
    assert radii.shape == trust.shape == tuple(side // EVERY for side in SIZE)
    assert curves.step() == pytest.approx(radius / (count - 1), rel=0.2)


def test_curves_with_one_peak_are_trusted_and_others_not():
    one = np.array([0, 1, 3, 2, 1], np.float32).reshape(5, 1, 1)
    zigzag = np.array([0, 3, 0, 3, 0], np.float32).reshape(5, 1, 1)
    assert trust(one).item() == 1
    assert trust(zigzag).item() == 0


def test_detail_is_measured_before_frames_are_moved(coarse):
    """Interpolation takes detail away, and must not pass for defocus."""
    curves = FocusCurves(1)
    asked = []

    class Moved(Frame):
        def measured(self, measure, factor):
            asked.append(factor)
            return super().measured(measure, factor)

    for n, frame in enumerate(coarse[0][:3]):
        curves.push(Moved.of(n, frame))
    assert len(asked) == 3


def test_the_report_tells_how_much_was_mended(coarse):
    options = {"system": "guided", "align": "none", "exposure": "none", "maps": False}
    parts = [
        panfocus.fuse(frames, banding=way, **options).report.mended_bands
        for frames, way in ((coarse[0], "mend"), (coarse[0], "off"), (coarse[0][[0, 5]], "mend"))
    ]
    assert 0.05 < parts[0] < 0.95
    assert parts[1:] == [None, None]


@pytest.mark.parametrize("way", ["mend", "off"])
def test_the_command_tells_of_a_step_that_is_too_large(coarse, tmp_path, capsys, monkeypatch, way):
    monkeypatch.setattr("panfocus.cli.fuse.MANY_BANDS", 0.05)
    for n, frame in enumerate(coarse[0]):
        cv2.imwrite(str(tmp_path / f"f{n}.png"), frame[..., ::-1])
    out = tmp_path / "out.png"
    assert main(["fuse", str(tmp_path), "-o", str(out), "-s", "guided", "--banding", way]) == 0
    told = capsys.readouterr().err
    assert ("a smaller step between frames" in told) == (way == "mend")
