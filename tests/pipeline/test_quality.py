import cv2
import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.pipeline.quality import keep, survey
from tests.conftest import blurred
from tests.fusion.test_subframe_depth import tilted_plane


@pytest.fixture(scope="module")
def good():
    """Eight frames through a tilted plane, with a little noise, ``(8, H, W)``."""
    frames, _ = tilted_plane(8, 192, 256)
    noise = np.random.default_rng(0).normal(0, 1, frames.shape[:3])
    grey = frames.mean(axis=-1) + noise
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def judge(frames):
    return [(f.number, f.kind) for f in survey(Frame(f"f{n}", g) for n, g in enumerate(frames))]


def test_a_good_stack_has_nothing_to_report(good):
    assert judge(good) == []


@pytest.mark.parametrize("number", [0, 3, 7])
def test_a_wholly_blurred_frame_is_found(good, number):
    frames = good.copy()
    frames[number] = blurred(frames[number], 6)
    assert judge(frames) == [(number, "blurred")]


@pytest.mark.parametrize("gain", [0.8, 1.2])
@pytest.mark.parametrize("number", [0, 4, 7])
def test_a_differently_exposed_frame_is_found(good, number, gain):
    frames = good.copy()
    frames[number] = np.clip(frames[number] * gain, 0, 255)
    assert judge(frames) == [(number, "exposure")]


@pytest.mark.parametrize("sigma", [0, 1.5])
def test_a_duplicate_is_found_also_with_other_noise(good, sigma):
    noise = np.random.default_rng(1).normal(0, sigma, good[3].shape)
    again = np.clip(np.rint(good[3] + noise), 0, 255).astype(np.uint8)
    assert judge([*good[:4], again, *good[4:]]) == [(4, "duplicate")]


def test_a_misplaced_frame_is_found_and_kept(good):
    order = [5, 0, 1, 2, 3, 4, 6, 7]
    found = survey(Frame(f"f{n}", good[n]) for n in order)
    assert [(f.name, f.kind) for f in found] == [("f5", "order")]
    assert "f4 and f6" in found[0].text
    assert keep(found, 8) == list(range(8))


@pytest.mark.parametrize(("first", "last"), [(-5, 5), (-2, 9), (-1, 6), (-3, 4)])
def test_what_is_blurred_alike_on_both_sides_of_the_scene_is_in_order(first, last):
    """A nearly flat scene looks alike from before its focus and from behind."""
    frames = [_focused_at(focus) for focus in np.linspace(first, last, 10)]
    kinds = [kind for _, kind in judge(frames)]
    assert "blurred" in kinds
    assert "order" not in kinds


def _focused_at(focus):
    """Return a photograph of things at two depths, 0 and 1, with the focus at another."""
    texture = np.random.default_rng(4).integers(0, 256, (192, 256)).astype(np.float32)
    near, far = (
        cv2.GaussianBlur(texture, (0, 0), 0.6 + 0.15 * abs(focus - depth)) for depth in (0, 1)
    )
    near[70:120, 90:160] = far[70:120, 90:160]
    return np.clip(np.rint(near), 0, 255).astype(np.uint8)


def test_the_order_may_be_reversed(good):
    assert judge(good[::-1]) == []


def test_a_frame_that_shows_the_void_least_blurred_is_kept():
    """Its fine detail is nothing, but its background is the best there is."""
    frames, _ = tilted_plane(5, 192, 256)
    soft = [cv2.GaussianBlur(frames[2], (0, 0), s) for s in (16, 14, 12, 10)]
    for n in range(4):
        soft[n][60:130, 60:130] = frames[n + 1][60:130, 60:130]
    last = cv2.GaussianBlur(frames[2], (0, 0), 5)
    greys = [f.mean(axis=-1).astype(np.uint8) for f in (*soft, last)]
    assert (4, "blurred") not in judge(greys)
    worse = cv2.GaussianBlur(greys[4], (0, 0), 20)
    assert (4, "blurred") in judge([*greys[:4], worse])


def test_sixteen_bits_are_judged_alike(good):
    frames = good.copy()
    frames[3] = blurred(frames[3], 6)
    assert judge(frames.astype(np.uint16) * 257) == judge(frames)


def test_too_few_frames_are_not_judged(good):
    assert judge([good[0], blurred(good[0], 6)]) == []


def test_two_frames_always_remain():
    flat = [np.full((64, 64), 100, np.uint8)] * 4
    findings = survey(Frame(str(n), f) for n, f in enumerate(flat))
    assert len(findings) == 3
    assert keep(findings, 4) == [0, 1, 2, 3]


def spoilt(good):
    frames = list(good)
    frames[3] = blurred(frames[3], 6)
    frames.insert(6, frames[5])
    return frames


def test_bad_frames_are_reported_and_fused_as_they_are_unless_culled(good):
    frames = spoilt(good)
    told = panfocus.fuse(frames, system="guided", align="none").report
    assert len(told.frames) == 9
    assert any("frame 3 is wholly blurred" in w for w in told.warnings)
    assert any("frame 6 is a duplicate" in w for w in told.warnings)
    culled = panfocus.fuse(frames, system="guided", cull=True)
    assert len(culled.report.frames) == 7
    assert sum(w.startswith("left out: frame") for w in culled.report.warnings) == 2
    clean = [f for n, f in enumerate(frames) if n not in (3, 6)]
    np.testing.assert_array_equal(culled.image, panfocus.fuse(clean, system="guided").image)


def test_files_are_culled_from_the_command_line(good, tmp_path, capsys):
    for n, frame in enumerate(spoilt(good)):
        Image.fromarray(frame).save(tmp_path / f"f{n}.png")
    out = tmp_path / "out" / "fused.png"
    assert main(["fuse", str(tmp_path), "-o", str(out), "-s", "guided", "--cull"]) == 0
    told = capsys.readouterr().err
    assert "7 frames fused" in told
    assert "f3.png is wholly blurred" in told


def test_what_is_read_once_cannot_be_culled(good):
    with pytest.raises(UsageError, match="only once"):
        panfocus.fuse((f for f in good), system="guided", cull=True)
