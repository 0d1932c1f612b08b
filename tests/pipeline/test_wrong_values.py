"""Numbers that are none, arrays that are no pictures, systems that answer nonsense: in words."""

import json

import numpy as np
import pytest

import panfocus
from panfocus import io
from panfocus.batch.job import Job
from panfocus.batch.jobs import find_jobs
from panfocus.cli import main
from panfocus.errors import InputError, PanfocusError, SystemError_, UsageError
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import plan
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.slabs import slab_ranges
from panfocus.registration.alignment import Alignment
from panfocus.surface.mesh import build_surface
from panfocus.systems import Card
from tests.conftest import focal_pair
from tests.systems.test_network import write_tiny

PAIR = focal_pair(48, 64)[0]
FLOATS = PAIR.astype(np.float32) / 255


def facts(error):
    """What an error says, all five facts being there."""
    assert isinstance(error, PanfocusError)
    assert None not in (error.what, error.expected, error.got)
    return str(error)


def spoilt(value, frame=1):
    out = FLOATS.copy()
    out[frame, 3, 4] = value
    return out


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (spoilt(np.nan), "frame 1.*3 of .* NaN"),
        (spoilt(np.inf, 0), "frame 0.*NaN or infinite"),
        (spoilt(-np.inf), "frame 1.*NaN or infinite"),
        (spoilt(-1.0), "frame 1.*from -1 to"),
        (FLOATS * 255, r"frame 0.*frames / 255"),
        (FLOATS * 3, "frame 0.*0 is black, 1 is white"),
        (PAIR.astype(np.float64), "frame 0.*in \\[0, 1\\]"),
        (PAIR.astype(np.int16), "frame 0.*int16"),
        (PAIR.astype(np.int32), "frame 0.*int32"),
        (PAIR.astype(np.uint32), "frame 0.*uint32"),
        (PAIR.astype(np.int64), "frame 0.*int64"),
        (PAIR > 9, "frame 0.*bool"),
        (PAIR.astype(np.complex64), "frame 0.*complex64"),
        (PAIR.astype(object), "frame 0.*object"),
        ([[[1, 2], [3]], [[1, 2], [3]]], "picture.*frame 0"),
        (np.zeros((2, 0, 5), np.uint8), "frame 0.*at least one pixel"),
        (np.zeros((2, 5, 5, 0), np.uint8), "frame 0.*at least one pixel"),
        (np.zeros((2, 3, 5, 5, 3), np.uint8), "frame 0.*shape"),
        ([PAIR[0], PAIR[1][:40]], "frame 1.*shape"),
        ([PAIR[0], PAIR[1].astype(np.uint16)], "frame 1.*uint16"),
        ([PAIR[0], FLOATS[1]], "frame 1.*float32"),
        ([PAIR[0], PAIR[1][..., 0]], "frame 1.*shape"),
        ([PAIR[0]], "at least 2 frames"),
        ([], "at least 2 frames"),
        (np.zeros((0, 48, 64, 3), np.uint8), "at least 2 frames"),
        ([PAIR[0], None], "frame 1.*object"),
        (np.ma.masked_equal(PAIR, PAIR[0, 0, 0, 0]), "frame 0.*masked"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_pictures_are_refused_in_words(frames, said):
    for given in (frames, iter(frames)):
        with pytest.raises(InputError, match=f"(?s){said}") as caught:
            panfocus.fuse(given, system="guided")
        facts(caught.value)


@pytest.mark.parametrize("frames", [None, 5, b"ab", {"a": PAIR[0]}, object(), ["a.png", PAIR[0]]])
def test_what_holds_no_frames_is_refused(frames):
    with pytest.raises(UsageError, match="no frames") as caught:
        panfocus.fuse(frames)
    facts(caught.value)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ">f4"])
def test_other_floats_are_converted_and_it_is_said(dtype):
    result = panfocus.fuse(FLOATS.astype(dtype), system="guided")
    assert result.image.dtype == np.float32
    right = panfocus.fuse(FLOATS.astype(dtype).astype(np.float32), system="guided").image
    np.testing.assert_array_equal(result.image, right)
    said = [w for w in result.report.warnings if "float" in w]
    assert len(said) == (0 if dtype == ">f4" else 1)


def test_a_little_outside_is_cut_off_and_said_and_nothing_is_said_inside():
    result = panfocus.fuse(spoilt(1.02), system="guided")
    assert result.image.max() <= 1
    assert sum("cut off" in w for w in result.report.warnings) == 1
    assert not panfocus.fuse(FLOATS, system="guided").report.warnings


def test_byte_order_is_no_other_kind_of_number():
    wide = PAIR.astype(np.uint16) * 257
    right = panfocus.fuse(wide, system="guided").image
    got = panfocus.fuse(wide.astype(">u2"), system="guided").image
    np.testing.assert_array_equal(got, right)


class Own:
    """Answers whatever it is told to."""

    card = Card(name="own-thing", title="for tests")

    def __init__(self, answer):
        self.answer = answer

    def decide(self, frames):
        return self.answer(np.full(frames.shape[:3], 1 / len(frames), np.float32))


class OwnPicture:
    card = Card(name="own-thing", title="for tests", kind="picture")

    def __init__(self, answer):
        self.answer = answer

    def push(self, frame):
        self.frame = frame

    def finish(self):
        return self.answer(self.frame)


class OwnEvidence(Own):
    def evidence(self, luminance, factor):
        return self.answer(luminance[::factor, ::factor].astype(np.float32))


def put(value):
    def change(array):
        out = array.copy()
        out[(slice(None), 5, 7) if len(out) == 2 else (5, 7)] = value
        return out

    return change


BAD = {
    "nan": put(np.nan),
    "inf": put(np.inf),
    "negative": lambda a: -abs(a) - 1,
    "shape": lambda a: a[..., :-1],
    "scalar": lambda _a: 0.5,
    "none": lambda _a: None,
    "text": lambda _a: "abc",
    "ragged": lambda _a: [[1], [1, 2]],
    "complex": lambda a: a * 1j,
    "objects": lambda a: a.astype(object),
    "empty": lambda _a: np.zeros(0, np.float32),
}


@pytest.mark.parametrize("kind", [Own, OwnPicture, OwnEvidence])
@pytest.mark.parametrize("wrong", BAD)
def test_systems_that_answer_nonsense_are_named(kind, wrong):
    with pytest.raises(SystemError_, match="own-thing") as caught:
        panfocus.fuse(PAIR, system=kind(BAD[wrong]))
    facts(caught.value)


@pytest.mark.parametrize(
    "answer",
    [lambda w: w * 0, lambda w: w * 5, lambda w: w * 0.5, put(0.0), put(2.0), lambda w: w[:1]],
)
def test_weights_that_do_not_sum_to_one_are_refused(answer):
    with pytest.raises(SystemError_, match="own-thing"):
        panfocus.fuse(PAIR, system=Own(answer))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8, bool])
def test_weights_of_other_numbers_are_taken(dtype):
    def first(weights):
        out = np.zeros_like(weights)
        out[0] = 1
        return out.astype(dtype)

    result = panfocus.fuse(PAIR, system=Own(first), exposure="none")
    np.testing.assert_array_equal(result.image, PAIR[0])


def test_what_a_system_keeps_of_its_answer_stays_as_it_was():
    kept = np.full((2, 48, 64), 0.5, np.float32)
    opacity = np.full((2, 48, 64, 1), 255, np.uint8)
    opacity[0, :20] = 0
    panfocus.fuse(np.concatenate([PAIR, opacity], -1), system=Own(lambda _w: kept))
    assert (kept == 0.5).all()


def test_a_picture_of_255_is_refused_and_rings_are_cut_off():
    with pytest.raises(SystemError_, match="own-thing"):
        panfocus.fuse(PAIR, system=OwnPicture(lambda p: p * 255))
    result = panfocus.fuse(PAIR, system=OwnPicture(lambda p: p * 0 + 1.2))
    assert (result.image == 255).all()


def test_a_system_that_begins_nothing_is_named():
    class Nothing:
        card = Card(name="own-thing", title="for tests", kind="picture")

        def begin(self):
            return None

    with pytest.raises(SystemError_, match="own-thing") as caught:
        panfocus.fuse(PAIR, system=Nothing())
    facts(caught.value)


@pytest.mark.parametrize("system", [object(), 5, Own, {"card": 1}])
def test_what_is_no_system_is_refused(system):
    with pytest.raises(SystemError_, match="no system"):
        panfocus.fuse(PAIR, system=system)


def test_a_network_that_answers_another_shape_is_named(tmp_path, monkeypatch):
    folder = write_tiny(tmp_path / "tiny-1")
    system = panfocus.load_system(folder)
    with pytest.raises(SystemError_, match="tiny") as caught:
        system.infer(FLOATS, "no such answer")
    assert str(folder) in facts(caught.value)
    session = system._running.session
    for wrong in (
        np.zeros((2, 48, 63), np.float32),
        np.zeros((1, 48, 64), np.float32),
        np.full((2, 48, 64), np.nan, np.float32),
        np.zeros((2, 48, 64), np.int64),
        np.zeros((2, 1, 48, 64), np.float32),
    ):

        class Wrong:
            def run(self, *_args, wrong=wrong):
                return [wrong]

        monkeypatch.setattr(system._running, "_started", Wrong())
        with pytest.raises(SystemError_, match="tiny"):
            panfocus.fuse(PAIR, system=system)
    monkeypatch.setattr(system._running, "_started", session)
    assert panfocus.fuse(PAIR, system=system).image.shape == PAIR.shape[1:]


@pytest.mark.parametrize(
    "wrong",
    [{"multiple_of": 0}, {"max_frames": 1}, {"halo": -1}, {"halo": 1.5}, {"tile_pixels": 0},
     {"working_pixels": "many"}, {"kind": "other"}, {"multiple_of": None}],
)  # fmt: skip
def test_cards_that_cannot_be_are_refused(wrong):
    with pytest.raises(SystemError_, match=next(iter(wrong))):
        Card(name="x", title="x", **wrong)
    with pytest.raises(SystemError_, match=r"card\.json|x, "):
        Card.from_json(json.dumps({"name": "x", "title": "x", **wrong}), "card.json")


WRONG_SETTINGS = [
    *[("z_step_um", v) for v in (float("nan"), float("inf"), -float("inf"), 0, -1.5)],
    *[("z_step_um", v) for v in (1e300, 1e-300, "2", True)],
    *[("reference", v) for v in ("nan", "-1", "1.0", "", "²", "１", 1.5, None, True, -1)],
    *[("max_memory", v) for v in ("0", "nan", "-1", "inf", "", "0GiB", "9" * 400, 0, None, -5)],
    *[("threads", v) for v in (0, -1, 1.5, float("nan"), "2", 10**12, True)],
    *[("cull", v) for v in ("no", 1, None)],
    *[("keep_size", v) for v in ("false", 0)],
    *[("system", v) for v in ("", " ")],
    ("load_transforms", ""), ("align", "nan"), ("align", ""), ("mode", ""), ("mode", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS)
def test_settings_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError) as caught:
        make_settings(**{name: value})
    assert caught.value.got is not None
    with pytest.raises(UsageError):
        panfocus.fuse(PAIR, **{name: value})


@pytest.mark.parametrize("wrong", [{"z_step_um": float("nan")}, {"reference": "nan"}])
def test_settings_made_by_hand_are_checked_all_the_same(wrong, tmp_path):
    with pytest.raises(UsageError):
        plan([write_pair(tmp_path)], Options(**wrong))


def test_settings_of_numpy_and_numbers_for_frames_are_taken():
    made = make_settings(reference=1, z_step_um=np.float32(2), threads=np.int64(2), cull=np.False_)
    assert (made.reference, made.z_step_um, made.threads, made.cull) == ("1", 2.0, 2, False)
    json.dumps(panfocus.fuse(PAIR, system="guided", z_step_um=np.float64(2)).report.to_dict())


@pytest.mark.parametrize("reference", ["last", "1", "7"])
def test_frames_that_pass_once_take_no_other_reference_in_silence(reference):
    with pytest.raises(UsageError, match="where: reference"):
        panfocus.fuse(iter(PAIR), system="guided", reference=reference)


@pytest.mark.parametrize(
    ("size", "overlap"), [(0, 0), (-2, 1), (3, -1), (2.5, 1), (3, float("nan"))]
)
def test_slabs_that_cannot_be(size, overlap):
    with pytest.raises(UsageError):
        slab_ranges(9, size, overlap)


@pytest.mark.parametrize("pixel", [0, -1.0, float("nan"), float("inf")])
def test_pixels_without_size(pixel):
    depth = np.ones((48, 64), np.float32)
    with pytest.raises(UsageError, match="where: pixel_um"):
        build_surface(PAIR[0], depth, depth, pixel_um=pixel, is_length=True)


@pytest.mark.parametrize("quality", [0, 101, -1, 95.5, float("nan"), float("inf")])
def test_qualities_that_cannot_be(quality, tmp_path):
    with pytest.raises(UsageError):
        io.write_image(tmp_path / "x.jpg", PAIR[0], io.Metadata(), quality=quality)
    assert not list(tmp_path.iterdir())


def write_pair(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for n, frame in enumerate(PAIR):
        io.write_image(folder / f"f{n}.png", frame, io.Metadata())
    return folder


@pytest.mark.parametrize(
    "words",
    [["--z-step", "nan"], ["--z-step", "inf"], ["--z-step", "0"], ["--z-step", "-2"],
     ["--pixel-size", "nan"], ["--pixel-size", "inf"], ["--pixel-size", "0"],
     ["--reference", "nan"], ["--reference", "-1"], ["--reference", "7"],
     ["--max-memory", "0"], ["--max-memory", "nan"], ["--threads", "0"], ["--threads", "9" * 20],
     ["--quality", "0"], ["--quality", "nan"], ["--slab", "0", "0"], ["--slab", "-3", "1"],
     ["--system", ""], ["--reference", ""], ["--load-transforms", ""], ["--load-transforms="],
     ["--depth-map="], ["--json="], ["--axes", ""], ["--max-memory", ""], ["--align", ""]],
)  # fmt: skip
def test_the_command_line_refuses_what_cannot_be(words, tmp_path, capsys):
    folder = write_pair(tmp_path / "in")
    out = tmp_path / "out.png"
    assert main(["fuse", str(folder), "-o", str(out), "-s", "guided", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [["fuse", "", "-o", "x.png"], ["fuse", ".", "", "-o", "x.png"], ["fuse", ".", "-o", ""],
     ["fuse", ".", "--output="], ["fuse", " ", "-o", "x.png"], ["batch", "", "out"],
     ["batch", ".", ""], ["batch", "", ""], ["evaluate", "--data", "", "--out", "x"],
     ["metrics", "--fused", "", "--sources", "f0.png", "f1.png"], ["synthesize", "", "--out", "x"],
     ["fuse", ".", "-o", "x.png", "--mesh", ""], ["fuse", ".", "--align-only", ""]],
)  # fmt: skip
def test_an_empty_word_is_wrong_usage_and_nothing_is_fused(words, tmp_path, capsys, monkeypatch):
    write_pair(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main(words) == 2
    assert "variable" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_an_empty_name_in_python_is_wrong_usage_and_a_point_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(write_pair(tmp_path))
    for name in ("", ["", "f0.png"], " "):
        with pytest.raises(UsageError, match="empty"):
            panfocus.fuse(name, system="guided")
    assert panfocus.fuse(".", system="guided").image.shape == PAIR.shape[1:]
    assert main(["fuse", ".", "-o", "out.png", "-s", "guided"]) == 0


@pytest.mark.parametrize(
    "options",
    ["z_step_um=nan", "z_step_um=inf", "z_step_um=0", "z_step_um=-1", "z_step_um=", "threads=0",
     "threads=nan", "reference=nan", "reference=-1", "max_memory=0", "max_memory=nan",
     "cull=maybe", "keep_size=2", "maps=1", "system=", "load_transforms=", "'"],
)  # fmt: skip
def test_a_manifest_refuses_what_cannot_be(options, tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"name,inputs,options\na,a/*.png,{options}\n")
    with pytest.raises(UsageError, match="line 2"):
        find_jobs(manifest, tmp_path / "out", ending=".tif", template=Job("", (), tmp_path))


def test_a_manifest_means_what_it_says(tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text("name,inputs,options\na,a/*.png,keep_size=no cull=yes z-step=2\n")
    job = find_jobs(manifest, tmp_path / "o", ending=".tif", template=Job("", (), tmp_path))[0]
    assert dict(job.settings) == {"keep_size": False, "cull": True, "z_step_um": 2.0}


def transforms(tmp_path, **changes):
    frames = [
        {"name": f"f{n}", "kind": "identity", "status": "loaded", "gain": 0.0,
         "matrix": np.eye(3).tolist()} for n in range(2)
    ]  # fmt: skip
    given = {"format": "panfocus-transforms-1", "height": 48, "width": 64, "reference": 0,
             "frames": frames}  # fmt: skip
    matrix = changes.pop("matrix", None)
    if matrix is not None:
        frames[1]["matrix"] = matrix
    path = tmp_path / "t.json"
    path.write_text(json.dumps({**given, **changes}))
    return path


def matrix(**places):
    out = np.eye(3).tolist()
    for place, value in places.items():
        out[int(place[1])][int(place[2])] = value
    return out


@pytest.mark.parametrize(
    "changes",
    [
        *[{"matrix": matrix(**{place: value})}
          for place in ("m00", "m02", "m20", "m22") for value in (float("nan"), float("inf"))],
        {"matrix": matrix(m02=1e9)}, {"matrix": matrix(m02=-1e300)}, {"matrix": matrix(m00=1e12)},
        {"matrix": np.zeros((3, 3)).tolist()}, {"matrix": matrix(m00=0.0)},
        {"matrix": matrix(m22=0.0)}, {"matrix": matrix(m00=-1.0)}, {"matrix": [[1, 0], [0, 1]]},
        {"matrix": "abc"}, {"matrix": [[1, 0, 0], [0, 1], [0, 0, 1]]},
        {"matrix": [[{}] * 3] * 3},
        {"height": float("nan")}, {"height": float("inf")}, {"height": 0}, {"width": -64},
        {"height": 48.5}, {"height": "48"}, {"reference": 2}, {"reference": -1},
        {"reference": float("inf")}, {"frames": []}, {"frames": None}, {"frames": "ab"},
        {"frames": [1, 2]}, {"format": "other"}, {"height": 49}, {"width": 10**400},
        {"reference": 1, "matrix": matrix(m02=5.0)},
    ],
)  # fmt: skip
def test_transforms_that_are_none_are_refused(changes, tmp_path):
    path = transforms(tmp_path, **changes)
    with pytest.raises(InputError, match="transforms") as caught:
        panfocus.fuse(PAIR, system="guided", load_transforms=path)
    assert "t.json" in facts(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "5", "{", "[" * 100_000, '"x"', "\0"])
def test_transforms_files_that_are_none(text, tmp_path):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(InputError, match="transforms"):
        Alignment.load(path)


def test_transforms_of_another_number_of_frames(tmp_path):
    three = np.concatenate([PAIR, PAIR[:1]])
    with pytest.raises(InputError, match="3 frames"):
        panfocus.fuse(three, system="guided", load_transforms=transforms(tmp_path))


def test_a_matrix_means_the_same_at_any_scale(tmp_path):
    shifted = np.array(matrix(m02=4.0))
    once = Alignment.load(transforms(tmp_path, matrix=shifted.tolist())).frames[1].matrix
    twice = Alignment.load(transforms(tmp_path, matrix=(shifted * -2).tolist())).frames[1].matrix
    np.testing.assert_array_equal(once, twice)
