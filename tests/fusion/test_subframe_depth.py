import cv2
import numpy as np
import pytest

import panfocus
from panfocus.fusion.subframe_depth import PeakDepth
from tests.conftest import texture


def tilted_plane(count, height=96, width=240, blur=0.6):
    """A plane tilted from left to right: its frames, and its depth in frames, ``(H, W)``."""
    sharp = texture(height, width, seed=1).astype(np.float32)
    depth = np.linspace(0.5, count - 1.5, width, dtype=np.float32)
    sigmas = np.arange(0, blur * count, 0.1)
    ladder = [sharp, *(cv2.GaussianBlur(sharp, (0, 0), s) for s in sigmas[1:])]
    frames = []
    for n in range(count):
        level = np.rint(np.abs(depth - n) * blur / 0.1).astype(int)
        columns = [ladder[min(k, len(ladder) - 1)][:, x] for x, k in enumerate(level)]
        frames.append(np.rint(np.stack(columns, axis=1)).astype(np.uint8))
    return np.stack(frames), np.broadcast_to(depth, (height, width))


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("count", [6, 12])
def test_a_tilted_plane_is_found_between_frames(count):
    frames, depth = tilted_plane(count)
    result = panfocus.fuse(frames, system="guided")
    fine, whole = rmse(result.depth, depth), rmse(result.index, depth)
    assert fine < 0.25
    assert fine < 0.6 * whole


def test_depth_has_its_unit():
    frames, _ = tilted_plane(6)
    in_frames = panfocus.fuse(frames, system="guided").depth
    in_um = panfocus.fuse(frames, system="guided", z_step_um=2.5).depth
    np.testing.assert_allclose(in_um, in_frames * 2.5, rtol=1e-5)


def test_a_gaussian_peak_is_found_exactly():
    centres = np.linspace(1, 5, 41, dtype=np.float32)[None]
    peak = PeakDepth()
    best = np.zeros_like(centres)
    for n in range(7):
        evidence = np.exp(-((centres - n) ** 2)).astype(np.float32)
        won = (evidence > best).astype(np.float32)
        best = np.maximum(best, evidence)
        peak.push(evidence, won)
    np.testing.assert_allclose(peak.depth(1e-9), centres, atol=1e-3)


def test_peaks_at_the_ends_and_in_flat_evidence_stay_at_their_frame():
    flat = np.ones((2, 2), np.float32)
    for evidence, expected in (([3, 2, 1], 0), ([1, 2, 3], 2), ([1, 1, 1], 0)):
        peak = PeakDepth()
        best = 0
        for e in evidence:
            peak.push(flat * e, flat * (e > best))
            best = max(best, e)
        np.testing.assert_array_equal(peak.depth(1e-6), flat * expected)


def test_edges_stay_where_the_picture_has_them():
    """Two planes five frames apart: no depth between them is made up at the working scale."""
    from dataclasses import replace

    sharp, soft = texture(128, 192, 1), cv2.GaussianBlur(texture(128, 192, 1), (0, 0), 4)
    frames = np.stack([soft] * 8)
    frames[1, :, :96], frames[6, :, 96:] = sharp[:, :96], sharp[:, 96:]
    system = panfocus.load_system("guided")
    system = replace(system, card=replace(system.card, working_pixels=4000))
    result = panfocus.fuse(frames, system=system)
    assert result.report.working_factor > 1
    between = (result.depth > 2) & (result.depth < 5)
    assert between.mean() < 0.03
