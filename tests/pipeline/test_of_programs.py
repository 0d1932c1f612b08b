"""What a program hands over by mistake is told as what the command line is given."""

import numpy as np
import pytest

import panfocus
from panfocus.errors import InputError, PanfocusError, SystemError_, UsageError

FRAMES = np.random.default_rng(0).integers(0, 255, (3, 24, 32, 3), np.uint8)
ARRAY = np.array([1, 2])


def fuse(frames=FRAMES, **options):
    return panfocus.fuse(frames, **{"system": "guided", **options})


@pytest.mark.parametrize(
    ("name", "value"),
    [("align", ARRAY), ("align_dof", None), ("align_to", ARRAY), ("reference", ARRAY),
     ("device", ARRAY), ("max_memory", ARRAY), ("mode", None), ("load_transforms", "\0"),
     ("load_transforms", "\ud800"), ("dark", 3), ("progress", 3), ("cancel", "x")],
)  # fmt: skip
def test_options_of_another_kind_are_told(name, value):
    with pytest.raises(UsageError) as caught:
        fuse(**{name: value})
    assert "object" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("path", None), ("path", True), ("height_map", 3), ("mesh", 1.5), ("report", ARRAY),
     ("layers", object()), ("maps", None), ("maps", 3), ("quality", None),
     ("quality", float("nan")), ("quality", "90"), ("path", "a\0.png")],
)  # fmt: skip
def test_outputs_of_another_kind_are_told(tmp_path, monkeypatch, name, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        given = {"path": "out.png", name: value}
        fuse().save(given.pop("path"), **given)
    assert not list(tmp_path.iterdir())


def test_one_map_may_be_named_alone(tmp_path):
    fuse().save(tmp_path / "out.png", maps="depth")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png", "out_depth.tif"]


@pytest.mark.parametrize("value", [None, "720", float("nan"), ARRAY])
def test_sizes_of_animations_are_numbers(tmp_path, value):
    with pytest.raises(UsageError, match="animation size"):
        fuse().save(tmp_path / "a.png", rocking=tmp_path / "r.gif", animation_size=value)


def test_names_of_bytes_are_names(tmp_path):
    fuse().save(bytes(tmp_path / "out.png"))
    assert (tmp_path / "out.png").is_file()


@pytest.mark.parametrize("frames", [np.array(1), b"x", type, panfocus.Frame("a", FRAMES[0], False)])
def test_what_holds_no_frames_is_told(frames):
    with pytest.raises(UsageError, match="no frames"):
        fuse(frames)


@pytest.mark.parametrize("pixels", [None, 3, ARRAY, np.zeros((4, 4), complex), "x"])
def test_frames_of_the_caller_s_own_hold_pictures(pixels):
    with pytest.raises(InputError):
        fuse([panfocus.Frame("a", pixels, has_alpha=False)] * 2)


def test_few_numbers_that_are_shown_as_many_are_not_copied():
    endless = np.broadcast_to(np.uint8(7), (10**6, 10**6))
    for frames in ([endless, endless], iter([endless, endless])):
        with pytest.raises(InputError, match="more memory"):
            fuse(frames)


def test_the_memory_that_is_allowed_holds_for_arrays():
    frames = np.zeros((2, 600, 800), np.uint8)
    for given in (frames, iter(frames)):
        with pytest.raises(UsageError, match="more memory than is allowed"):
            fuse(given, max_memory="2M")
    assert fuse(frames, max_memory="2G").image.shape == (600, 800)


@pytest.mark.parametrize(
    ("name", "value"),
    [("axes", True), ("axes", 3), ("only", 3), ("slab", True), ("slab", 3), ("slab", (2, "x")),
     ("channel_names", 3), ("channel_names", "ab"), ("voxel_um", np.array(1)),
     ("guide_channel", object())],
)  # fmt: skip
def test_what_a_volume_is_given_is_looked_at(name, value):
    options = {"axes": "ZYX", "system": "guided", name: value}
    with pytest.raises(UsageError):
        panfocus.fuse_volume(FRAMES[..., 0], **options)


@pytest.mark.parametrize("shape", [(3, 0, 32), (3, 24, 0)])
def test_an_empty_volume_is_told(shape):
    with pytest.raises(UsageError, match="empty"):
        panfocus.fuse_volume(np.zeros(shape, np.uint8), axes="ZYX", system="guided")


@pytest.mark.parametrize("threads", [0, -1, "2", 1.5, True, 10**9])
def test_threads_of_a_system_are_a_number(threads):
    with pytest.raises(UsageError, match="threads"):
        panfocus.load_system("dualpath", threads=threads)


@pytest.mark.parametrize(
    "call",
    [lambda: panfocus.load_system(None), lambda: panfocus.load_system("guided", device=ARRAY),
     lambda: panfocus.plan(None, panfocus.Options()), lambda: panfocus.plan(["x.png"], None),
     lambda: panfocus.plan({"a": 1}, panfocus.Options()), lambda: panfocus.align([1]),
     lambda: panfocus.Project.read(None),
     lambda: panfocus.StreamingFusion("guided", preview_size="1024")],
)  # fmt: skip
def test_other_doors_tell_what_they_take(call):
    with pytest.raises(PanfocusError) as caught:
        call()
    assert caught.value.expected


@pytest.mark.parametrize("frames", [None, "x", FRAMES[0, ..., 0], np.zeros((2, 0, 0, 3), np.uint8)])
@pytest.mark.parametrize("system", ["guided", "dualpath"])
def test_a_system_that_is_asked_directly_tells_what_it_takes(system, frames):
    with pytest.raises(SystemError_, match="no frames"):
        panfocus.load_system(system, device="cpu").decide(frames)


def test_a_pyramid_takes_more_channels_than_opencv():
    frames = np.repeat(FRAMES[..., :1], 200, axis=3)
    many = fuse(frames, system="pyramid").image
    one = fuse(FRAMES[..., 0], system="pyramid").image
    np.testing.assert_array_equal(many, np.repeat(one[..., None], 200, axis=2))


@pytest.mark.parametrize("pattern", [5, b"{z}.tif", ["{z}.tif"], None.__class__])
def test_a_pattern_that_is_no_text_is_told(pattern, tmp_path):
    with pytest.raises(UsageError, match="does not tell planes apart"):
        panfocus.fuse_volume(tmp_path, pattern=pattern)


def test_memory_that_is_no_array_is_told():
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    for one in (memoryview(frames), memoryview(bytes(12))):
        with pytest.raises(UsageError, match="no frames"):
            panfocus.fuse(one, system="guided")
