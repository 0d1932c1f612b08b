import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import panfocus
from panfocus.errors import Cancelled, InputError, UsageError
from panfocus.frame import Frame
from panfocus.resources.memory import parse_size
from tests.conftest import focal_pair, focal_stack, psnr

SYSTEMS = ["guided", "guided-tenengrad", "guided-sf", "guided-variance", "pyramid"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_fused_picture_beats_every_frame(system, stack):
    frames, sharp = stack
    result = panfocus.fuse(frames, system=system)
    assert result.image.dtype == np.uint8
    assert result.image.shape == sharp.shape
    assert psnr(result.image, sharp) > max(psnr(f, sharp) for f in frames) + 6


@settings(max_examples=25, deadline=None)
@given(
    st.integers(16, 70),
    st.integers(16, 70),
    st.sampled_from([None, 1, 2, 3, 4, 5]),
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from(SYSTEMS),
    st.integers(2, 4),
)
def test_equal_frames_give_the_same_frame_bit_for_bit(  # noqa: PLR0917
    h, w, channels, dtype, system, count
):
    shape = (h, w) if channels is None else (h, w, channels)
    rng = np.random.default_rng(h * 100 + w)
    frame = rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    result = panfocus.fuse([frame] * count, system=system)
    np.testing.assert_array_equal(result.image, frame)


@settings(max_examples=15, deadline=None)
@given(st.integers(16, 60), st.integers(16, 60), st.sampled_from(["blend", "select"]))
def test_the_result_stays_between_its_frames(h, w, mode):
    frames = np.random.default_rng(h + 70 * w).integers(0, 256, (3, h, w, 3)).astype(np.uint8)
    image = panfocus.fuse(frames, system="guided", mode=mode).image
    assert (image >= frames.min(axis=0)).all()
    assert (image <= frames.max(axis=0)).all()


def test_select_takes_only_native_pixels_of_the_frame_it_names():
    frames, _ = focal_stack(5)
    frames = frames.astype(np.uint16) * 257 + 3
    result = panfocus.fuse(frames, system="guided", mode="select")
    picked = np.take_along_axis(frames, result.index[None, ..., None].astype(int), axis=0)[0]
    np.testing.assert_array_equal(result.image, picked)


def test_sixteen_bit_decides_as_eight_bit():
    frames, _ = focal_pair()
    small = panfocus.fuse(frames, system="guided")
    large = panfocus.fuse(frames.astype(np.uint16) * 257, system="guided")
    assert np.abs(large.image / 257.0 - small.image).max() <= 1


def test_maps_have_their_types_and_meaning(stack):
    frames, _ = stack
    result = panfocus.fuse(frames, system="guided", z_step_um=2.5)
    assert result.index.dtype == np.uint16
    assert result.depth.dtype == np.float32
    assert result.confidence.dtype == np.float32
    assert set(np.unique(result.index)) == set(range(5))
    assert result.confidence.min() >= 0
    assert result.confidence.max() <= 1
    assert np.abs(result.depth / 2.5 - result.index).mean() < 0.2
    shares = [f["share"] for f in result.report.frames]
    assert sum(shares) == pytest.approx(1)


def test_maps_can_be_left_out_without_changing_the_picture(stack):
    frames, _ = stack
    bare = panfocus.fuse(frames, system="guided", maps=False)
    assert bare.index is None
    assert bare.depth is None
    assert bare.confidence is None
    np.testing.assert_array_equal(bare.image, panfocus.fuse(frames, system="guided").image)


def test_a_generator_is_taken_frame_by_frame():
    frames, _ = focal_stack(5)
    alive = []

    def produce():
        for n in range(5):
            alive.append(n)
            yield frames[n].copy()

    result = panfocus.fuse(produce(), system="guided")
    np.testing.assert_array_equal(result.image, panfocus.fuse(frames, system="guided").image)
    assert alive == list(range(5))


def test_the_callers_arrays_are_not_touched():
    frames, _ = focal_pair()
    before = frames.copy()
    panfocus.fuse(frames, system="guided")
    np.testing.assert_array_equal(frames, before)


def test_transparent_pixels_lose():
    frames, _ = focal_pair()
    opacity = np.full((*frames.shape[:3], 1), 255, np.uint8)
    opacity[0, :40, :40] = 0
    rgba = np.concatenate([frames, opacity], axis=-1)
    result = panfocus.fuse(rgba, system="guided")
    assert result.image.shape[2] == 4
    assert (result.index[4:30, 4:30] == 1).mean() > 0.99


def test_float_frames_stay_float():
    frames, _ = focal_pair()
    result = panfocus.fuse(frames.astype(np.float32) / 255, system="guided")
    assert result.image.dtype == np.float32
    assert 0 <= result.image.min() <= result.image.max() <= 1


@pytest.mark.parametrize(("bits", "dtype"), [("8", np.uint8), ("16", np.uint16)])
def test_bit_depth_converts_full_range(bits, dtype):
    frames, _ = focal_pair()
    same = panfocus.fuse(frames, system="guided")
    other = panfocus.fuse(frames, system="guided", bit_depth=bits)
    assert other.image.dtype == dtype
    scale = 257 if bits == "16" else 1
    np.testing.assert_array_equal(other.image, same.image.astype(int) * scale)


def test_progress_is_told_and_cancel_is_heard(stack):
    frames, _ = stack
    told = []
    panfocus.fuse(frames, system="guided", progress=lambda *a: told.append(a))
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        panfocus.fuse(frames, system="guided", cancel=lambda: next(asked))


def test_the_report_is_json_and_names_what_ran(stack):
    import json

    frames, _ = stack
    report = panfocus.fuse(frames, system="guided").report.to_dict()
    assert json.loads(json.dumps(report)) == report
    assert report["system"]["name"] == "guided"
    assert report["versions"]["panfocus"] == panfocus.__version__
    assert report["timings_s"]["total"] > 0


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "no frames"),
        ([np.zeros((20, 20), np.uint8)], "one frame"),
        ([np.zeros((20, 20), np.uint8), np.zeros((20, 21), np.uint8)], "do not fit"),
        ([np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint16)], "do not fit"),
        ([np.zeros((20, 20), np.int64)] * 2, "kind of number"),
        ([np.zeros((20, 20, 3, 3), np.uint8)] * 2, "picture"),
        ([np.zeros((15, 20), np.uint8)] * 2, "too small"),
    ],
)
def test_unfit_frames_are_refused(frames, message):
    with pytest.raises(InputError, match=message):
        panfocus.fuse(frames, system="guided")


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "smear"},
        {"align": "magic"},
        {"bit_depth": "12"},
        {"reference": "best"},
        {"reference": "9"},
        {"max_memory": "much"},
        {"threads": 0},
        {"colour": "blue"},
    ],
)
def test_unknown_options_and_values_are_refused(options, stack):
    with pytest.raises(UsageError):
        panfocus.fuse(stack[0], **{"system": "guided", **options})


@pytest.mark.parametrize(
    ("text", "size"), [("auto", None), ("2GiB", 2**31), ("500M", 500 * 2**20), ("1.5 g", 3 * 2**29)]
)
def test_sizes_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(("pixels", "factor"), [(None, 1), (200 * 300, 1), (10_000, 3)])
def test_large_pictures_decide_at_a_working_scale(pixels, factor):
    from dataclasses import replace

    frames, sharp = focal_pair(200, 300)
    system = panfocus.load_system("guided")
    system = replace(system, card=replace(system.card, working_pixels=pixels))
    result = panfocus.fuse(frames, system=system)
    assert result.report.working_factor == factor
    assert result.index.shape == (200, 300)
    assert psnr(result.image, sharp) > max(psnr(f, sharp) for f in frames) + 6


class Darkest:
    """The README's example of a system of one's own."""

    card = panfocus.Card(name="darkest", title="the darkest frame wins")

    def decide(self, frames):
        grey = frames.mean(axis=-1)
        weights = (grey == grey.min(axis=0)).astype(np.float32)
        return weights / weights.sum(axis=0)


def test_a_system_of_ones_own(tmp_path, stack):
    from PIL import Image

    frames, _ = stack
    dark = np.stack([np.clip(frames[0].astype(int) + 20 * n, 0, 255) for n in (2, 0, 1)])
    result = panfocus.fuse(dark.astype(np.uint8), system=Darkest(), exposure="none")
    np.testing.assert_array_equal(result.image, frames[0])
    assert result.report.system["name"] == "darkest"
    for n, frame in enumerate(dark):
        Image.fromarray(frame.astype(np.uint8)).save(tmp_path / f"{n}.png")
    from_files = panfocus.fuse(tmp_path, system=Darkest(), exposure="none")
    np.testing.assert_array_equal(from_files.image, frames[0])


def test_frames_are_let_go_however_many_there_are():
    """The one in use and the one before it; nothing holds the first of them to the end.

    Until a third comes, they may be a pair, of which both are held.
    """
    held = []
    others = [o for o in gc.get_objects() if type(o) is Frame]  # that other tests still hold

    def look(_share, stage, _message):
        if stage == "fuse":
            frames = [o for o in gc.get_objects() if type(o) is Frame]  # proxies wake in isinstance
            own = [frame for frame in frames if not any(frame is other for other in others)]
            held.append(len({id(frame.pixels) for frame in own}))

    stack = focal_stack(2)[0]
    made = (stack[n % 2].copy() for n in range(8))
    panfocus.fuse(made, system="guided", exposure="none", progress=look)
    assert len(held) == 8
    assert max(held[:3]) <= 3
    assert max(held[3:]) <= 2
