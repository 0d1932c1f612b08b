"""Registration: what is found, what is refused, and that nothing is touched without need."""

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.arrays.pixels import luminance, shrink
from panfocus.errors import InputError, UsageError
from panfocus.registration.accept import register
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.estimate import apart_places
from panfocus.registration.pyramid import make_detail, reduction
from panfocus.registration.transforms import (
    Crop,
    chain,
    common_field,
    corner_shift,
    is_plausible,
    move,
    scale_and_turn,
)
from panfocus.registration.warp import cover
from tests.conftest import focal_pair, focal_stack, psnr, texture

SIZE = (256, 320)


def similarity(scale=1.0, turn=0.0, shift=(0.0, 0.0), size=SIZE):
    """Matrix about the picture's middle."""
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    angle = np.deg2rad(turn)
    part = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    out = np.eye(3)
    out[:2, :2] = part
    out[:2, 2] = centre - part @ centre + shift
    return out


def photographed(picture, matrix):
    """The frame that shows at ``matrix (x, y)`` what the picture shows at (x, y)."""
    size = (picture.shape[1], picture.shape[0])
    flags = cv2.INTER_LANCZOS4
    return cv2.warpPerspective(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)


def detail(picture):
    height, width = picture.shape[:2]
    factor = reduction(height, width)
    return make_detail(shrink(luminance(picture), factor), factor, height, width)


def error(found, true, size=SIZE):
    """Pixels by which the worst corner is off."""
    return corner_shift(np.linalg.inv(true) @ found, *size)


def moving_pair(matrix, size=SIZE, sigma=1.5):
    """Two frames of one scene, each blurred in the other's sharp half, the second moved."""
    sharp = texture(*size)
    soft = cv2.GaussianBlur(sharp, (0, 0), sigma)
    half = size[1] // 2
    left, right = sharp.copy(), sharp.copy()
    left[:, half:], right[:, :half] = soft[:, half:], soft[:, :half]
    return left, photographed(right, matrix)


@pytest.mark.parametrize(
    ("scale", "turn", "shift"),
    [(1, 0, (2.3, -1.6)), (1.006, 0, (0, 0)), (1, 0.4, (0, 0)), (0.98, -1.5, (9.5, 6.25))],
)
def test_scale_turn_and_shift_of_a_defocused_pair_are_recovered(scale, turn, shift):
    true = similarity(scale, turn, shift)
    step = register(*map(detail, moving_pair(true)), "auto")
    assert step.status == "aligned"
    assert error(step.matrix, true) < 0.15
    found_scale, found_turn = scale_and_turn(step.matrix)
    assert abs(found_scale - scale) < 4e-4
    assert abs(found_turn - turn) < 0.03


@pytest.mark.parametrize("kind", ["affine", "homography"])
def test_richer_kinds_recover_what_a_similarity_cannot(kind):
    true = similarity(1, 0, (1.5, 1))
    true[0, 1] += 0.01
    if kind == "homography":
        true[2, 0] = 2e-5
    frames = [detail(p) for p in moving_pair(true)]
    assert error(register(*frames, kind).matrix, true) < 0.25
    assert error(register(*frames, "similarity").matrix, true) > 0.6


@pytest.mark.parametrize("kind", ["auto", "translation", "similarity", "affine", "homography"])
def test_frames_in_place_stay_in_place(kind):
    frames, _ = focal_pair(*SIZE)
    step = register(detail(frames[0]), detail(frames[1]), kind)
    assert (step.kind, step.status) == ("identity", "in place")
    np.testing.assert_array_equal(step.matrix, np.eye(3))


def test_the_named_kind_is_not_exceeded():
    frames = [detail(p) for p in moving_pair(similarity(1.002, 0, (3, 2)))]
    step = register(*frames, "translation")
    assert step.kind == "translation"
    np.testing.assert_array_equal(step.matrix[:2, :2], np.eye(2))
    assert register(*frames, "similarity").kind == "similarity"


def test_a_shift_is_called_a_shift():
    step = register(*map(detail, moving_pair(similarity(shift=(1.5, -0.75)))), "auto")
    assert step.kind == "translation"


def test_who_judges_by_himself_gets_the_fit_without_proof():
    """A small picture has too few blocks to prove a movement that is there all the same."""
    first, second = (f[:96, :96] for f in moving_pair(similarity(shift=(0.9, 0.5))))
    frames = [detail(first), detail(cv2.GaussianBlur(second, (0, 0), 3))]
    assert register(*frames, "auto").status == "in place"
    step = register(*frames, "auto", is_apart=True)
    assert step.status == "aligned"
    assert np.allclose(step.matrix[:2, 2], (0.9, 0.5), atol=0.25)


@pytest.mark.parametrize("kind", ["auto", "homography"])
def test_content_that_does_not_match_is_not_aligned(kind):
    step = register(detail(texture(*SIZE, seed=1)), detail(texture(*SIZE, seed=2)), kind)
    assert step.kind == "identity"


def test_flat_frames_have_no_detail():
    flat = detail(np.full((*SIZE, 3), 90, np.uint8))
    assert register(flat, flat, "auto").status == "no detail"


def test_sixteen_bit_frames_of_a_small_range_are_aligned():
    true = similarity(1.004, 0.1, (1, 2))
    dim = [p.astype(np.uint16) + 300 for p in moving_pair(true)]
    assert error(register(*map(detail, dim), "auto").matrix, true) < 0.15


def test_large_frames_are_measured_small():
    size = (900, 1200)
    assert reduction(*size) > 1
    true = similarity(1.003, 0.1, (4.4, -3.3), size)
    step = register(*map(detail, moving_pair(true, size, 2.5)), "auto")
    assert error(step.matrix, true, size) < 0.2


def test_chaining_composes_outwards_from_the_reference():
    steps = [similarity(1.01, 0.2, (n, 1)) for n in range(4)]
    placed = chain(steps, 2)
    np.testing.assert_array_equal(placed[2], np.eye(3))
    np.testing.assert_allclose(placed[4], steps[3] @ steps[2])
    np.testing.assert_allclose(steps[0] @ placed[0], placed[1], atol=1e-9)
    np.testing.assert_allclose(steps[1] @ placed[1], np.eye(3), atol=1e-9)


def test_the_common_field_lies_inside_every_frame():
    matrices = [similarity(0.97, 0.6, (3.2, -4.1)), similarity(1.02, -0.3, (-2, 5))]
    field = common_field(matrices, *SIZE)
    inside = np.array(
        [[x, y] for x in (field.left, field.right - 1) for y in (field.top, field.bottom - 1)],
        np.float64,
    )
    for matrix in matrices:
        moved = move(matrix, inside)
        assert (moved >= -0.02).all()
        assert (moved <= np.array(SIZE[::-1]) - 0.98).all()
    assert field.area > 0.85 * SIZE[0] * SIZE[1]


@pytest.mark.parametrize(
    "matrix",
    [np.diag([-1.0, 1, 1]), similarity(3), similarity(shift=(400, 0)), np.full((3, 3), np.nan)],
)
def test_impossible_transforms_are_recognised(matrix):
    assert is_plausible(similarity(1.05, 3, (20, 10)), *SIZE)
    assert not is_plausible(matrix, *SIZE)


def test_cover_tells_what_a_frame_does_not_show():
    whole = Crop(0, SIZE[0], 0, SIZE[1])
    shown = cover(similarity(shift=(10, 0)), whole, *SIZE)
    assert (shown[:, -9:] == 0).all()
    assert (shown[:, :-11] == 255).all()
    assert cover(np.eye(3), whole, *SIZE) is None


def breathing_stack(count=5, height=240, width=300, seed=3):
    """Frames each sharp in a strip, growing and drifting about the middle one; and the truth."""
    frames, sharp = focal_stack(count, height, width, seed)
    rng = np.random.default_rng(seed)
    matrices = []
    for n in range(-(count // 2), count - count // 2):
        drift = rng.uniform(-2, 2, 2), rng.uniform(-0.2, 0.2)
        true = similarity(1 + 0.006 * n, drift[1], drift[0], (height, width))
        matrices.append(true if n else np.eye(3))
    moved = [photographed(f, m) for f, m in zip(frames, matrices, strict=True)]
    return np.stack(moved), sharp, matrices


@pytest.fixture(scope="module")
def breathing():
    return breathing_stack()


def cut(picture, border=16):
    return picture[border:-border, border:-border]


@pytest.mark.parametrize("align_to", ["neighbour", "reference"])
def test_a_breathing_stack_is_fused_almost_as_if_its_motion_were_known(
    breathing, align_to, tmp_path
):
    frames, sharp, matrices = breathing
    known = Alignment(
        *sharp.shape[:2],
        2,
        tuple(Placed(str(n), m, "similarity", "known") for n, m in enumerate(matrices)),
    )
    known.save(tmp_path / "known.json")
    result = panfocus.fuse(frames, system="guided", align="auto", align_to=align_to, keep_size=True)
    for placed, true in zip(result.transforms.frames, matrices, strict=True):
        assert error(placed.matrix, true, sharp.shape[:2]) < 0.35
    best = panfocus.fuse(
        frames, system="guided", load_transforms=tmp_path / "known.json", keep_size=True
    ).image
    as_is = panfocus.fuse(frames, system="guided", align="none").image
    assert psnr(cut(result.image), cut(sharp)) > psnr(cut(best), cut(sharp)) - 0.8
    assert psnr(cut(result.image), cut(sharp)) > psnr(cut(as_is), cut(sharp)) + 8


def test_the_result_is_cropped_to_what_all_frames_show(breathing):
    frames, sharp, _ = breathing
    result = panfocus.fuse(frames, system="guided", align="auto")
    field = result.report.cropped_to
    rows, cols = slice(field["top"], field["bottom"]), slice(field["left"], field["right"])
    assert result.image.shape == sharp[rows, cols].shape
    assert result.image.shape != sharp.shape
    assert result.report.size["height"] == result.image.shape[0]
    assert psnr(result.image[8:-8, 8:-8], sharp[rows, cols][8:-8, 8:-8]) > 30


def test_keeping_the_size_never_takes_pixels_that_a_frame_does_not_have():
    sharp = texture(200, 240)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    # the second frame is sharp everywhere, but does not show the last 30 columns
    matrix = similarity(shift=(30, 0), size=(200, 240))
    result = panfocus.fuse(
        [soft, photographed(sharp, matrix)],
        system="guided",
        align="auto",
        reference="first",
        keep_size=True,
    )
    assert result.report.frames[1]["align"]["status"] == "aligned"
    assert result.image.shape == sharp.shape
    assert (result.index[:, -26:] == 0).all()
    assert (result.index[:, 4:-40] == 1).mean() > 0.95


@pytest.mark.parametrize("kind", ["auto", "homography"])
def test_a_registered_stack_is_fused_bit_for_bit_as_without_alignment(kind):
    frames, _ = focal_stack(5, 160, 200)
    plain = panfocus.fuse(frames, system="guided", align="none", exposure="none")
    aligned = panfocus.fuse(frames, system="guided", align=kind)
    np.testing.assert_array_equal(aligned.image, plain.image)
    assert not any(f["align"]["resampled"] for f in aligned.report.frames)
    assert aligned.report.cropped_to is None


def test_frames_that_come_one_by_one_are_aligned_to_the_first(breathing):
    frames, sharp, matrices = breathing
    result = panfocus.fuse((f for f in frames), system="guided", align="auto")
    assert result.image.shape == sharp.shape
    assert result.report.frames[0]["align"]["status"] == "reference"
    for placed, matrix in zip(result.transforms.frames, matrices, strict=True):
        true = matrix @ np.linalg.inv(matrices[0])
        assert error(placed.matrix, true, sharp.shape[:2]) < 0.6


def test_frames_that_share_too_little_keep_their_size_with_a_note():
    frames = (
        Placed("a", np.eye(3), "identity", "reference"),
        Placed("b", similarity(shift=(200, 150)), "translation", "loaded"),
    )
    assert Alignment(*SIZE, 0, frames).common() is None


def test_transforms_go_through_a_file_unchanged(breathing, tmp_path):
    frames, _, _ = breathing
    first = panfocus.fuse(frames, system="guided", align="auto")
    file = tmp_path / "t.json"
    first.transforms.save(file)
    again = panfocus.fuse(frames, system="guided", load_transforms=file)
    np.testing.assert_array_equal(again.image, first.image)
    for one, two in zip(first.transforms.frames, again.transforms.frames, strict=True):
        np.testing.assert_array_equal(one.matrix, two.matrix)
    assert again.report.frames[0]["align"]["status"] == "loaded"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "panfocus-transforms-1"}', '{"format": "other"}'],
)
def test_a_file_that_holds_no_transforms_is_refused(tmp_path, text):
    file = tmp_path / "t.json"
    file.write_text(text)
    with pytest.raises(InputError, match="transforms"):
        Alignment.load(file)


def test_transforms_of_another_stack_are_refused(breathing, tmp_path):
    frames, _, _ = breathing
    file = tmp_path / "t.json"
    panfocus.fuse(frames[:3], system="guided", align="auto").transforms.save(file)
    with pytest.raises(InputError, match="another kind of stack"):
        panfocus.fuse(frames, system="guided", load_transforms=file)
    with pytest.raises(UsageError, match="how many frames"):
        panfocus.fuse((f for f in frames), system="guided", load_transforms=file)


@pytest.mark.parametrize("options", [{"align": "magic"}, {"align_to": "moon"}, {"exposure": "up"}])
def test_unknown_ways_to_align_are_refused(options):
    with pytest.raises(UsageError):
        panfocus.fuse(focal_pair()[0], system="guided", **options)


@pytest.mark.parametrize("size", [(16, 16), (16, 90), (33, 47)])
def test_tiny_frames_do_no_harm(size):
    frames = np.random.default_rng(1).integers(0, 256, (3, *size)).astype(np.uint8)
    result = panfocus.fuse(frames, system="guided", align="homography")
    assert result.image.shape == size


def test_what_is_not_a_number_does_no_harm():
    frames, _ = focal_pair(*SIZE)
    odd = frames.astype(np.float32) / 255
    odd[1, 5:9, 5:9] = np.nan
    assert register(detail(odd[0]), detail(odd[1]), "auto").kind == "identity"


def test_the_command_line_writes_aligned_frames_and_transforms(breathing, tmp_path, capsys):
    from PIL import Image

    from panfocus.cli import main

    frames, sharp, _ = breathing
    shots, out, file = tmp_path / "shots", tmp_path / "out", tmp_path / "t.json"
    shots.mkdir()
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(shots / f"f{n}.png")
    words = [str(shots), "--align-only", str(out), "--save-transforms", str(file), "--keep-size"]
    assert main(["fuse", *words]) == 0
    assert sorted(p.name for p in out.iterdir()) == [f"f{n}.png" for n in range(len(frames))]
    with Image.open(out / "f2.png") as middle:
        np.testing.assert_array_equal(np.asarray(middle), frames[2])
    with Image.open(out / "f0.png") as moved:
        aligned = cut(np.asarray(moved))
    assert psnr(aligned, cut(sharp)) > psnr(cut(frames[0]), cut(sharp)) + 1
    assert len(Alignment.load(file).frames) == len(frames)
    assert main(["fuse", *words]) == 1  # exists
    assert main(["fuse", str(shots), "--align-only", str(shots), "--overwrite"]) == 1
    assert main(["fuse", str(shots)]) == 2
    capsys.readouterr()


def test_places_of_the_coarse_search_that_are_the_same_are_followed_once():
    pixel = 0.01
    near, far = np.eye(3), np.eye(3)
    far[0, 2] = 3 * pixel
    same = near.copy()
    same[1, 2] += pixel / 50
    assert [np.abs(m - near).max() for m in apart_places([near, same, far, near], pixel)] == [
        0,
        pytest.approx(3 * pixel),
    ]
