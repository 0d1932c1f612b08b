"""The second opinion on networks, and frames that show nothing."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import panfocus
from panfocus.arrays.pixels import luminance
from panfocus.guard import Blanks
from panfocus.guard.guard import Guard
from panfocus.synthesis.fluorescence import kept, spots, structures
from panfocus.synthesis.microscope import Camera, CircleSpread, Optics
from panfocus.systems import Card, load_system
from tests.conftest import blurred, focal_pair, focal_stack, psnr

#: A network is what its card says has one.
NETWORK = Card(name="wrong", title="test", model="model.onnx")


class Darkest:
    """Takes the darkest frame: what a network does that never saw a microscope."""

    card = NETWORK

    def decide(self, frames):
        grey = frames.mean(axis=-1)
        weights = (grey == grey.min(axis=0)).astype(np.float32)
        return weights / weights.sum(axis=0)


class Blurred:
    """Takes the frame with least detail."""

    card = NETWORK

    def decide(self, frames):
        detail = [
            load_system("guided").evidence(np.ascontiguousarray(f[..., 0]), 1) for f in frames
        ]
        least = np.argmin(detail, axis=0)
        return (least == np.arange(len(frames))[:, None, None]).astype(np.float32)


class Pairs(Darkest):
    card = replace(NETWORK, max_frames=2)


class Sharpest:
    card = NETWORK

    def decide(self, frames):
        return load_system("guided").decide(frames)


def fuse(frames, system, **options):
    return panfocus.fuse(frames, system=system, exposure="none", **options)


def light(scene, image):
    """Share of the structures' light above the ground that a picture keeps."""
    there = scene.truth > scene.ground + 50
    return (image[there].astype(float) - scene.ground).sum() / (
        scene.truth[there] - scene.ground
    ).sum()


# optical sections


@pytest.mark.parametrize("section", [0.8, 1.2, 2.0, 3.5])
@pytest.mark.parametrize("system", [Darkest, Pairs])
def test_the_light_of_optical_sections_is_kept(section, system):
    scene = structures(np.random.default_rng(0), optics=Optics(CircleSpread(0.8), section))
    assert light(scene, fuse(scene.frames, system(), guard="off").image) < 0.5
    fusion = fuse(scene.frames, system())
    guided = light(scene, fuse(scene.frames, "guided").image)
    assert light(scene, fusion.image) > max(guided, 0.88)
    assert fusion.report.guard["sectioned"]


@pytest.mark.parametrize(
    "camera",
    [Camera(ground=1500), Camera(top=65535, gain=8), Camera(channels=3), Camera(ground=0)],
    ids=["bright ground", "16 bit", "colour", "no ground"],
)
def test_sections_are_told_whatever_the_camera(camera):
    scene = structures(np.random.default_rng(1), camera=camera)
    image = fuse(scene.frames, Darkest()).image
    brightest = scene.frames.max(axis=0)
    image, brightest = (luminance(picture).astype(float) for picture in (image, brightest))
    top = brightest >= np.quantile(brightest, 0.95)
    assert image[top].mean() > 0.85 * brightest[top].mean()


def test_the_bundled_system_keeps_the_light_of_sections():
    scene = structures(np.random.default_rng(2), size=(128, 160), count=20)
    assert light(scene, fuse(scene.frames, None).image) > 0.9


def test_what_was_mended_is_told_and_less_sure():
    scene = structures(np.random.default_rng(3))
    plain, mended = (fuse(scene.frames, Darkest(), guard=g) for g in ("off", "auto"))
    assert plain.report.guard is None
    facts = mended.report.to_dict()["guard"]
    assert json.loads(json.dumps(facts)) == facts
    assert 0.01 < facts["share"] <= 1
    (note,) = [w for w in mended.report.warnings if "wrong took darker frames" in w]
    assert f"{facts['share']:.0%}" in note
    assert "\n" not in note
    assert mended.confidence.mean() < plain.confidence.mean()
    assert mended.confidence.min() <= 0.25


def test_once_sections_were_told_later_groups_are_sections_too():
    """The last two planes alone would not tell: they show nothing new."""
    scene = structures(np.random.default_rng(4), planes=9)
    guard = Guard("wrong")
    frames = (scene.frames[..., None] / 4095).astype(np.float32)
    weights = guard.check(frames[:8], Darkest().decide(frames[:8]), first=True)
    so_far = np.einsum("nhwc,nhw->hwc", frames[:8], weights)
    pair = np.stack([so_far, frames[8]])
    mended = guard.check(pair, Darkest().decide(pair), first=False)
    bright = so_far > 0.2
    after = np.einsum("nhwc,nhw->hwc", pair, mended)
    assert after[bright].mean() >= 0.98 * so_far[bright].mean()


# spots


SCENES = list(
    itertools.product(
        ("gaussian", "disc"),
        (None, 1.0),
        (
            Camera(ground=0),
            Camera(ground=100),
            Camera(top=65535, gain=4, ground=200),
            Camera(channels=3, ground=20),
        ),
        (1, 12, 50),
    )
)


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_no_spot_is_lost(number):
    aperture, section, camera, count = SCENES[number]
    scene = spots(
        np.random.default_rng(number),
        count=count,
        optics=Optics(CircleSpread(1.2, aperture), section),
        camera=camera,
    )
    assert len(scene.places) == count
    assert kept(scene, fuse(scene.frames, Darkest()).image).min() > 0.9


def test_faint_spots_are_kept_through_groups():
    scene = spots(np.random.default_rng(5), planes=20, peak=0.06)
    assert kept(scene, fuse(scene.frames, Darkest(), guard="off").image).min() < 0.2
    fusion = fuse(scene.frames, Darkest())
    assert kept(scene, fusion.image).min() > 0.85


def test_lost_spots_are_counted():
    """One spot of nine is taken from another plane; the picture is right elsewhere."""
    scene = spots(np.random.default_rng(6), count=9, optics=Optics(CircleSpread(1.2, "disc")))
    row, column = scene.places[0]

    class LosesOne(Sharpest):
        def decide(self, frames):
            weights = super().decide(frames)
            part = weights[:, row - 5 : row + 6, column - 5 : column + 6]
            part[...] = 0
            part[(scene.planes[0] + 4) % 8] = 1
            return weights

    fusion = fuse(scene.frames, LosesOne())
    assert kept(scene, fuse(scene.frames, LosesOne(), guard="off").image)[0] < 0.5
    assert kept(scene, fusion.image).min() > 0.9
    assert 1 <= fusion.report.guard["spots"] <= 3
    assert any("spot" in w and "brightest" in w for w in fusion.report.warnings)


def test_eight_bit_noise_does_not_average_a_spot_away():
    scene = spots(np.random.default_rng(7), camera=Camera(read_noise=40, top=4095), peak=0.15)
    frames = (scene.frames >> 4).astype(np.uint8)
    image = fuse(frames, Sharpest()).image
    assert kept(replace(scene, frames=frames), image).min() > 0.85


# photographs


def light_in_the_dark():
    """A bright light, sharp in the first frame; a clipped disc in the second; texture beside it."""
    pair, _ = focal_pair(256, 320, channels=1)
    sharp, soft = (np.ascontiguousarray(frame) for frame in pair)
    for frame in (sharp, soft):
        frame[:, 160:] = 4
    y, x = np.mgrid[:256, :320]
    distance = np.hypot(y - 128, x - 240)
    sharp[distance <= 2] = 255
    soft[distance <= 40] = 255
    return np.stack([sharp, soft])


def test_the_disc_of_a_light_is_no_light_that_was_lost():
    frames = light_in_the_dark()

    class First(Sharpest):
        def decide(self, frames):
            weights = super().decide(frames)
            weights[:, :, 160:] = np.array([1, 0], np.float32)[:, None, None]
            return weights

    mended, plain = (fuse(frames, First(), guard=g) for g in ("auto", "off"))
    np.testing.assert_array_equal(mended.image, plain.image)
    assert mended.report.guard["nearness"] < 1


@pytest.mark.parametrize("count", [2, 8, 11])
def test_a_right_decision_stays_as_it_is(count):
    frames, _ = focal_stack(count, 128, 40 * count)
    mended, plain = (fuse(frames, Sharpest(), guard=g) for g in ("auto", "off"))
    np.testing.assert_array_equal(mended.image, plain.image)
    np.testing.assert_array_equal(mended.confidence, plain.confidence)
    assert mended.report.warnings == plain.report.warnings
    assert mended.report.guard["share"] == 0
    assert mended.report.guard["nearness"] < 0.6


def test_a_decision_that_takes_the_blurred_frames_is_guideds():
    frames, truth = focal_stack(4, 128, 200)
    fusion = fuse(frames, Blurred())
    assert psnr(fusion.image, truth) > psnr(fuse(frames, "guided").image, truth) - 1
    assert fusion.report.guard["detail"]
    assert any("guided decided" in w for w in fusion.report.warnings)


def test_of_the_users_own_systems_networks_are_guarded_and_a_card_may_say_no():
    frames, _ = focal_stack(4, 128, 200)
    for card in (replace(NETWORK, model=None), replace(NETWORK, guard=False)):
        system = Blurred()
        system.card = card
        assert fuse(frames, system).report.guard is None
    assert Card.from_json(NETWORK.to_json(), "here").guard


# frames that show nothing

NOTHING = {
    "black": lambda f, r: np.zeros_like(f),
    "white": lambda f, r: np.full_like(f, 255),
    "grey": lambda f, r: np.full_like(f, 128),
    "nearly black": lambda f, r: np.clip(r.normal(4, 4, f.shape), 0, 255).astype(np.uint8),
    "noise on grey": lambda f, r: np.clip(r.normal(128, 3, f.shape), 0, 255).astype(np.uint8),
    "no flash": lambda f, r: f // 40,
    "overexposed": lambda f, r: np.clip(f.astype(int) * 8, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("place", [0, 2, 5])
@pytest.mark.parametrize("what", NOTHING)
@pytest.mark.parametrize("system", ["guided", "pyramid", None])
def test_a_frame_that_shows_nothing_changes_nothing(what, place, system):
    frames = list(focal_stack(5, 96, 160)[0])
    odd = NOTHING[what](frames[0], np.random.default_rng(0))
    good = panfocus.fuse(frames, system=system, maps=False)
    with_odd = [*frames[:place], odd, *frames[place:]]
    fusion = panfocus.fuse(with_odd, system=system, maps=False)
    np.testing.assert_array_equal(fusion.image, good.image)
    (note,) = [w for w in fusion.report.warnings if "shows nothing and was left out" in w]
    assert f"frame {place} " in note


@pytest.mark.parametrize("mode", ["select", "best-plane"])
def test_nor_does_it_in_other_modes(mode):
    frames = list(focal_stack(5, 96, 160)[0])
    noise = np.random.default_rng(0).normal(6, 6, frames[0].shape)
    odd = np.clip(noise, 0, 255).astype(np.uint8)
    good = panfocus.fuse(frames, mode=mode, system="guided").image
    for place in (0, 3, 5):
        stack = [*frames[:place], odd, *frames[place:]]
        np.testing.assert_array_equal(panfocus.fuse(stack, mode=mode, system="guided").image, good)


def test_many_empty_planes_leave_one_note_and_the_index_right():
    frames, _ = focal_stack(3, 96, 160)
    empty = np.zeros_like(frames[0])
    stack = [empty] * 9 + list(frames) + [empty] * 9
    fusion = fuse(stack, "guided")
    assert set(np.unique(fusion.index)) == {9, 10, 11}
    assert sum("left out" in w for w in fusion.report.warnings) == 1
    assert [f["share"] for f in fusion.report.frames[:9]] == [0] * 9
    assert len(fusion.report.frames) == 21


def test_a_plane_of_a_channel_that_has_one_is_the_picture():
    plane = structures(np.random.default_rng(0), planes=2).frames[0]
    stack = [plane * 0, plane * 0, plane, plane * 0]
    for mode, system in itertools.product(("blend", "select", "best-plane"), ("guided", None)):
        np.testing.assert_array_equal(fuse(iter(stack), system, mode=mode).image, plane)


def test_where_no_frame_shows_anything_one_of_them_is_the_picture():
    stack = [np.full((32, 40), value, np.uint8) for value in (7, 7, 9)]
    for system in ("guided", "pyramid"):
        fusion = fuse(stack, system)
        assert set(np.unique(fusion.image)) == {7}
        assert not any("left out" in w for w in fusion.report.warnings)


@pytest.mark.parametrize("side", ["left", "below"])
@pytest.mark.parametrize("noise", [0, 4])
def test_a_frame_that_is_half_black_counts_where_it_is_not(side, noise):
    frames, truth = focal_stack(5, 128, 200)
    half = frames[2].copy()
    part = half[:, :80] if side == "left" else half[64:]
    part[...] = np.abs(np.random.default_rng(0).normal(0, noise, part.shape)).astype(np.uint8)
    good = psnr(fuse(frames, "guided").image, truth)
    stack = [*frames[:4], half, frames[4]]
    assert psnr(fuse(stack, "guided").image, truth) > good - 0.3
    # a network sees the edge of the black part, and pays for it beside it
    assert psnr(fuse(stack, None).image, truth) > good - 3.5


def test_dim_and_sparse_planes_show_something():
    """A single spot is content, however dark the rest of its plane."""
    scene = spots(np.random.default_rng(8), count=3, planes=6)
    blanks = Blanks()
    assert [blanks.judge(f"{n}", f) for n, f in enumerate(scene.frames)] == ["take"] * 6


def test_a_blurred_photograph_shows_something():
    frames, truth = focal_stack(3, 96, 160)
    blanks = Blanks()
    for n, frame in enumerate([*frames, blurred(truth, 12), truth // 3]):
        assert blanks.judge(f"{n}", luminance(frame)) == "take"


def test_off_takes_all_as_it_is():
    frames = [*focal_stack(3, 96, 160)[0], np.zeros((96, 160, 3), np.uint8)]
    fusion = fuse(frames, Darkest(), guard="off")
    assert fusion.image.max() == 0
    with pytest.raises(panfocus.errors.UsageError, match="guard"):
        fuse(frames, "guided", guard="on")


@pytest.mark.parametrize("radius", [9, 20, 30])
def test_a_light_on_a_smooth_dark_ground_is_no_section(radius):
    """All that has detail is the light and the rim of its disc, and the disc is brighter."""
    sharp = np.full((192, 256), 30, np.uint8)
    soft = sharp.copy()
    y, x = np.mgrid[:192, :256]
    distance = np.hypot(y - 96, x - 128)
    sharp[distance <= 3] = 255
    soft[distance <= radius] = 255
    rng = np.random.default_rng(radius)
    frames = np.stack([sharp, soft]) + rng.integers(0, 3, (2, 192, 256))
    frames = np.clip(frames, 0, 255).astype(np.uint8)
    fusion = fuse(frames, Darkest(), void="off")
    assert not fusion.report.guard["sectioned"]
    assert fusion.image[96 + radius - 4, 128] < 60


def test_a_small_fusion_does_not_import_masked_arrays():
    """NumPy's median does, which costs a small pair a tenth of its time."""
    code = (
        "import sys, numpy as np, panfocus\n"
        "frames = np.random.default_rng(0).random((2, 64, 64, 3)).astype(np.float32)\n"
        "panfocus.fuse(frames, system='guided')\n"
        "assert 'numpy.ma' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
