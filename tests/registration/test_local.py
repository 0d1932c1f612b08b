"""Local registration: parallax is taken away, and nothing is touched where there is none."""

import json

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.cli import main
from panfocus.io import Metadata, find_frames, read_frame, write_image
from panfocus.pipeline.plan import plan
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.sources import ArrayStack
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.flow import find_flow
from panfocus.registration.local import (
    WORKING_PIXELS,
    LocalShifts,
    local_bytes,
    local_factor,
)
from panfocus.registration.local_proof import proven
from panfocus.registration.local_warp import apply_shifts, shifted_cover
from panfocus.registration.stack import locate
from panfocus.registration.transforms import Crop
from tests.conftest import focal_stack, psnr, texture
from tests.registration.test_registration import breathing_stack

SIZE = (320, 400)
#: By how much the near thing is shifted in each frame against what lies behind it, (x, y).
SHIFTS = ((-6.0, 3.5), (0.0, 0.0), (5.0, 2.5), (9.5, -4.0))
WHOLE = Crop(0, SIZE[0], 0, SIZE[1])
STILL = np.eye(3)


def moved(picture, shift):
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    size = (picture.shape[1], picture.shape[0])
    border = cv2.BORDER_REFLECT_101
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=border)


@pytest.fixture(scope="module")
def parallax():
    """Frames of something near before a background, of which each sees it elsewhere; the truth."""
    back, front = (texture(*SIZE, seed=s).astype(np.float32) for s in (1, 2))
    matte = np.zeros(SIZE, np.float32)
    cv2.circle(matte, (190, 150), 95, 1.0, -1, cv2.LINE_AA)
    frames = []
    for n, shift in enumerate(SHIFTS):
        far, near = (s * 1.0 + 1e-3 for s in (len(SHIFTS) - 1 - n, n))
        lit, cover = (moved(p, shift) for p in (front * matte[..., None], matte))
        lit, cover = (cv2.GaussianBlur(p, (0, 0), near) for p in (lit, cover))
        frame = lit + (1 - cover[..., None]) * cv2.GaussianBlur(back, (0, 0), far)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    truth = front * matte[..., None] + (1 - matte[..., None]) * back
    return frames, np.clip(np.rint(truth), 0, 255).astype(np.uint8)


def inner(picture):
    return picture[20:-20, 20:-20]


def fused(frames, align, **options):
    asked = {"system": "guided", "reference": 1, "keep_size": True, **options}
    return panfocus.fuse(frames, align=align, **asked)


def gain(frames, truth, **options):
    """Decibels by which local registration brings the picture nearer to the truth."""
    with_, without = (fused(frames, a, **options).image for a in ("local", "auto"))
    return psnr(inner(with_), inner(truth)) - psnr(inner(without), inner(truth))


def test_parallax_is_taken_away(parallax):
    assert gain(*parallax) > 4


@pytest.mark.parametrize("kind", ["grey", "16 bit", "opacity", "float"])
def test_frames_of_any_kind_are_shifted(parallax, kind):
    frames, truth = parallax
    change = {
        "grey": lambda p: p[..., 1].copy(),
        "16 bit": lambda p: p.astype(np.uint16) * 257,
        "opacity": lambda p: np.dstack([p, np.full_like(p[..., 0], 255)]),
        "float": lambda p: p.astype(np.float32) / np.float32(255),
    }[kind]
    made = [change(p) for p in frames]
    if kind == "float":
        pictures = [fused(made, a).image * 255 for a in ("local", "auto")]
        scores = [psnr(inner(np.rint(p).astype(np.uint8)), inner(truth)) for p in pictures]
        assert scores[0] > scores[1] + 4
    else:
        assert gain(made, change(truth)) > 4
    if kind == "opacity":
        assert fused(made, "local").image[..., 3].min() == 255


def test_frames_that_pass_once_are_shifted_too(parallax):
    frames, truth = parallax
    in_order = [frames[n] for n in (1, 0)]
    pictures = [
        panfocus.fuse(iter(in_order), system="guided", align=a).image for a in ("local", "auto")
    ]
    scores = [psnr(inner(p), inner(truth)) for p in pictures]
    assert scores[0] > scores[1] + 3


def test_frames_that_one_transform_aligns_are_left_to_it():
    for frames in (focal_stack(4, *SIZE)[0], breathing_stack(4, *SIZE)[0]):
        local, auto = (fused(frames, a) for a in ("local", "auto"))
        assert np.array_equal(local.image, auto.image)
        assert local.report.registration["shifted_locally"] == 0


def test_where_nothing_is_shifted_pixels_are_those_of_the_transform_alone(parallax):
    frames = parallax[0]
    stack = ArrayStack(frames)
    whole, local = (
        locate(stack, make_settings(align=a, reference=1, keep_size=True), lambda n, name: None)
        for a in ("auto", "local")
    )
    frame = list(stack.frames())[3]
    alone, shifted = whole.place(3, frame).pixels, local.place(3, frame).pixels
    changed = (alone != shifted).any(axis=2)
    assert 0.1 < changed.mean() < 0.9
    shifts = local.local[3]
    assert shifts is not None
    moves = (np.abs(shifts.values).max(axis=2) > 0).astype(np.uint8)
    near = cv2.resize(cv2.dilate(moves, np.ones((3, 3), np.uint8)), SIZE[::-1])
    assert not changed[near == 0].any()
    assert (near == 0).mean() > 0.1
    assert local.local[1] is None
    assert [s is None for s in local.part(range(1, 3)).local] == [True, local.local[2] is None]


def test_the_truth_of_a_defocused_flow_is_found():
    sharp = texture(*SIZE, seed=3, channels=1).astype(np.float32) / 255
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    true = np.stack([3 * np.sin(y / 60), 2 * np.cos(x / 80)], axis=2)
    # what is at x in `fixed` is at x + true(x) in `moving`
    moving = cv2.GaussianBlur(sharp, (0, 0), 2.0)
    fixed = cv2.remap(sharp, x + true[..., 0], y + true[..., 1], cv2.INTER_LANCZOS4)
    shown = np.ones(SIZE, np.float32)
    flow = find_flow(fixed, moving, shown, np.zeros((*SIZE, 2), np.float32))
    off = inner(np.hypot(*np.moveaxis(flow - true, 2, 0)))
    assert np.median(off) < 0.12
    kept = proven(flow, fixed, moving, fixed, shown)
    assert (np.abs(kept).max(axis=2) > 0).mean() > 0.5
    # the same flow between frames that do not move is not believed
    assert not proven(flow, moving, moving, moving, shown).any()


def whole_shift(shift, largest=3.0):
    values = np.zeros((SIZE[0] // 2, SIZE[1] // 2, 2), np.float16)
    values[:, :100] = shift
    return LocalShifts(2, values, largest)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_shifts_by_whole_pixels_move_pixels_as_they_are(dtype):
    pixels = texture(*SIZE).astype(dtype) / (255 if dtype == np.float32 else 1)
    pixels = pixels.astype(dtype)
    placed = pixels.copy()
    out = apply_shifts(placed, pixels, STILL, WHOLE, whole_shift((3, -2)))
    np.testing.assert_allclose(
        out[10:-10, 10:180].astype(np.float64), pixels[8:-12, 13:183], atol=1e-4
    )
    assert np.array_equal(out[:, 210:], pixels[:, 210:])
    assert np.array_equal(placed, pixels)


def test_what_lies_beyond_the_frame_is_not_shown():
    shown = shifted_cover(None, STILL, WHOLE, whole_shift((-5, 0)), SIZE)
    assert shown is not None
    assert (shown[:, :4] == 0).all()
    assert (shown[:, 5:] == 255).all()
    assert shifted_cover(None, STILL, WHOLE, whole_shift((5, 0)), SIZE) is None


def test_shifts_near_the_border_are_made_from_mirrored_pixels():
    pixels = texture(*SIZE)
    out = apply_shifts(pixels, pixels, STILL, WHOLE, whole_shift((-3, 0)))
    assert np.array_equal(out[:, 0], pixels[:, 3])


def test_large_frames_are_compared_small():
    assert local_factor(400, 600) == 1
    for height, width in ((1536, 2048), (3000, 4000), (4000, 6000), (8000, 12000)):
        factor = local_factor(height, width)
        assert height * width <= WORKING_PIXELS * factor**2
    # what frames take meanwhile is a small part of them
    one, many = (local_bytes(count, 3000, 4000) for count in (1, 101))
    assert (many - one) / 100 < 0.1 * 3000 * 4000 * 3


def test_saved_transforms_tell_of_local_shifts(parallax, tmp_path):
    fusion = fused(parallax[0], "local")
    fusion.transforms.save(tmp_path / "t.json")
    told = json.loads((tmp_path / "t.json").read_text())
    assert "align local" in told["local"]
    assert max(frame["local_shift_px"] for frame in told["frames"]) > 3
    assert fusion.report.frames[3]["align"]["local_shift_px"] > 3
    loaded = fused(parallax[0], "local", load_transforms=tmp_path / "t.json")
    assert np.array_equal(loaded.image, fusion.image)
    whole = fused(parallax[0], "auto")
    assert "local" not in json.loads(whole.transforms.to_json())
    assert "local_shift_px" not in whole.report.frames[3]["align"]


def test_the_line_tells_of_local_shifts_even_where_no_frame_moves_as_a_whole():
    from panfocus.registration.summary import summarise

    frames = (
        Placed("a", STILL, "identity", "reference", local_px=0.0),
        Placed("b", STILL, "identity", "in place", local_px=4.25),
    )
    line = summarise(Alignment(100, 200, 0, frames)).line()
    assert line == "aligned 2 of 2 frames, parts of 1 by up to 4.2 px more"


@pytest.fixture
def shots(parallax, tmp_path):
    folder = tmp_path / "shots"
    for n, frame in enumerate(parallax[0]):
        write_image(folder / f"{n}.tif", frame, Metadata())
    return folder


def test_the_command_line_and_its_slabs_shift_locally(shots, tmp_path, capsys):
    words = ["fuse", str(shots), "-o", str(tmp_path / "o.tif"), "-s", "guided"]
    assert main([*words, "--align", "local", "--slab", "3", "1"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "parts of" in line]
    assert len(told) == 1
    assert len(list(tmp_path.glob("o_slab*.tif"))) == 2


def test_a_manifest_may_ask_for_it(shots, tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"name,inputs,options\no,{shots},align=local\n")
    out = tmp_path / "out"
    assert main(["batch", str(manifest), str(out), "-s", "guided", "--workers", "1"]) == 0
    by_hand = panfocus.fuse(shots, system="guided", align="local")
    made = read_frame(find_frames([out / "o.tif"])[0][0]).pixels
    assert np.array_equal(made, by_hand.image)


def test_its_memory_is_planned(shots):
    needs = [
        plan([shots], make_settings(system="guided", align=a)).memory_bytes
        for a in ("auto", "local")
    ]
    assert needs[1] - needs[0] == local_bytes(4, *SIZE)
