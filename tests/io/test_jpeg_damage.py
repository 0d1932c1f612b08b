"""A JPEG that is damaged inside is refused by name; with `lenient` it is read, and it is said."""

from __future__ import annotations

from dataclasses import replace

import cv2
import imagecodecs
import numpy as np
import pytest
from click.testing import CliRunner

import panfocus
from panfocus.cli.app import app
from panfocus.errors import InputError
from panfocus.io import find_frames, read_frame, read_reduced
from tests.support.files import pillow, save


def scene(seed=0, height=480, width=640):
    """A photograph-like picture whose compressed data are large beside 2 KiB."""
    rng = np.random.default_rng(seed)
    out = np.full((height, width, 3), 120, np.float32)
    for sigma, gain in ((0.7, 25), (2.5, 70), (12, 300)):
        out += gain * cv2.GaussianBlur(rng.standard_normal(out.shape), (0, 0), sigma)
    return np.clip(out, 0, 255).astype(np.uint8)


KINDS = {
    "baseline": {"quality": 92},
    "fine-colour": {"quality": 95, "subsampling": 0},
    "own-tables": {"quality": 92, "optimize": True},
    "progressive": {"quality": 92, "progressive": True},
    "restarts": {"quality": 92, "restart_marker_rows": 2},
    "grey": {"quality": 95},
}


@pytest.fixture(scope="module", params=KINDS)
def good(request):
    picture = scene()[..., 0] if request.param == "grey" else scene()
    return pillow(picture, "JPEG", **KINDS[request.param])


def places(data, count=40, seed=1):
    """Starts of sectors inside the compressed data of a file."""
    begin, end = data.rindex(b"\xff\xda") if data.count(b"\xff\xda") == 1 else 700, len(data) - 2600
    first = data.index(b"\xff\xda") + 20
    rng = np.random.default_rng(seed)
    return [int(p) // 512 * 512 for p in rng.integers(max(begin, first) + 512, end, count)]


def is_read(folder, data):
    (info,), _ = find_frames([save(folder, "frame.jpg", data)])
    try:
        read_frame(info)
    except InputError as error:
        assert "frame.jpg" in str(error)
        assert "copy the file again" in str(error)
        assert "lenient=True" in str(error)
        return False
    return True


def test_two_kib_of_zeros_are_refused(tmp_path, good):
    damaged = [good[:p] + bytes(2048) + good[p + 2048 :] for p in places(good)]
    assert [d for d in damaged if is_read(tmp_path, d)] == []


def test_another_sector_of_the_file_is_refused(tmp_path, good):
    targets, sources = places(good), places(good, seed=2)
    damaged = [
        good[:p] + good[q : q + 2048] + good[p + 2048 :]
        for p, q in zip(targets, sources, strict=True)
        if abs(p - q) >= 2048
    ]
    assert len(damaged) > 30
    assert [d for d in damaged if is_read(tmp_path, d)] == []


def test_a_sector_of_another_file_is_nearly_always_refused(tmp_path, good):
    """What is left fits by chance to the bit; nothing in the file tells then."""
    other = pillow(scene(7), "JPEG", quality=90)
    at = len(other) // 3
    damaged = [good[:p] + other[at : at + 2048] + good[p + 2048 :] for p in places(good)]
    assert sum(is_read(tmp_path, d) for d in damaged) <= 4


def test_what_is_cut_out_or_closed_early_is_refused(tmp_path, good):
    middle = len(good) // 2
    assert not is_read(tmp_path, good[:middle] + b"\xff\xd9")
    assert not is_read(tmp_path, good[:middle] + good[middle + 512 :])
    assert not is_read(tmp_path, good[:middle])


def test_lenient_reads_it_and_says_so(tmp_path, good):
    at = places(good)[0]
    path = save(tmp_path, "frame.jpg", good[:at] + bytes(2048) + good[at + 2048 :])
    (info,), _ = find_frames([path])
    frame = read_frame(replace(info, lenient=True))
    assert frame.pixels.shape[:2] == (480, 640)
    assert any("damaged" in note for note in frame.notes)
    whole = read_frame(replace(find_frames([save(tmp_path, "g.jpg", good)])[0][0], lenient=True))
    assert whole.notes == ()


def tail_of(data, tail):
    return data[:-2] + tail + data[-2:]


GOOD = {
    "padding": lambda d: tail_of(d, bytes(300)),
    "padding-ff": lambda d: tail_of(d, b"\xff" * 40),
    "motion photo": lambda d: d + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 20,
    "second picture": lambda d: d + d,
    "preview in front": lambda d: d[:2] + b"\xff\xe2\x40\x02" + d[: 0x4000] + d[2:],
    "zeros behind": lambda d: d + bytes(4096),
    "twice behind": lambda d: d + d[1024:4096] * 2,
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_files_of_cameras_are_read_without_a_word(tmp_path, good, name):
    (plain,), _ = find_frames([save(tmp_path, "plain.jpg", good)])
    (info,), notes = find_frames([save(tmp_path, "frame.jpg", GOOD[name](good))])
    frame = read_frame(info)
    assert (*frame.notes, *notes) == ()
    np.testing.assert_array_equal(frame.pixels, read_frame(plain).pixels)


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
def test_every_subsampling_is_read(tmp_path, subsampling):
    data = imagecodecs.jpeg8_encode(scene(), level=90, subsampling=subsampling)
    (info,), _ = find_frames([save(tmp_path, "a.jpg", data)])
    np.testing.assert_array_equal(read_frame(info).pixels, imagecodecs.jpeg8_decode(data))


def odd_subsampling():
    """A grey 64 x 64 picture of 3 x 1 luma blocks to a chroma block, written bit by bit."""
    data = pillow(np.full((64, 64, 3), 128, np.uint8), "JPEG", subsampling=0, quality=90)
    start = data.index(b"\xff\xda")
    head = bytearray(data[: start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")])
    head[data.index(b"\xff\xc0") + 11] = 3 << 4 | 1
    bits = ("001010" * 3 + "0000" * 2) * 3 * 8
    bits += "1" * (-len(bits) % 8)
    return bytes(head) + int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\xff\xd9"


def test_a_subsampling_that_nobody_names_is_read(tmp_path):
    (info,), _ = find_frames([save(tmp_path, "odd.jpg", odd_subsampling())])
    assert (read_frame(info).pixels == 128).all()


@pytest.mark.parametrize("repeat", [1, 2, 3, 5, 8])
def test_pictures_that_repeat_themselves_or_are_flat_are_no_damage(tmp_path, repeat):
    tile = scene(3, 64, 64)
    pictures = [
        np.tile(tile[: 64 // repeat * 1 or 1, : 8 * repeat], (40, 40 // repeat, 1)),
        np.zeros((900, 1200, 3), np.uint8),
        np.repeat(np.repeat(scene(4, 40, 40), 24, 0), 24, 1),
    ]
    for picture in pictures:
        for options in KINDS.values():
            data = pillow(picture, "JPEG", **options)
            (info,), _ = find_frames([save(tmp_path, "a.jpg", data)])
            assert read_frame(info).notes == ()


def test_a_reduced_picture_is_that_of_others(tmp_path, good):
    (info,), _ = find_frames([save(tmp_path, "a.jpg", good)])
    for factor, colour, grey in (
        (2, cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
        (4, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
        (8, cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    ):
        frame, reached = read_reduced(info, factor)
        theirs = cv2.imdecode(np.frombuffer(good, np.uint8), colour if info.channels == 3 else grey)
        assert reached == factor
        theirs = theirs[..., ::-1] if info.channels == 3 else theirs
        np.testing.assert_array_equal(frame.pixels, theirs)


@pytest.fixture
def damaged_stack(tmp_path):
    good = [pillow(scene(s), "JPEG", quality=92) for s in (0, 0, 0)]
    at = places(good[1])[0]
    good[1] = good[1][:at] + bytes(2048) + good[1][at + 2048 :]
    for n, data in enumerate(good):
        save(tmp_path, f"{n}.jpg", data)
    return tmp_path


def test_fuse_refuses_or_goes_on_as_told(damaged_stack):
    out = damaged_stack / "o" / "out.png"
    words = ["fuse", str(damaged_stack), "-o", str(out), "-s", "guided"]
    refused = CliRunner().invoke(app, words)
    assert isinstance(refused.exception, InputError)
    assert "1.jpg" in str(refused.exception)
    assert not out.exists()
    told = CliRunner().invoke(app, [*words, "--lenient"])
    assert told.exit_code == 0, told.output
    assert "note: 1.jpg: the compressed data are damaged" in told.stderr
    assert told.stderr.count("are damaged") == 1
    result = panfocus.fuse(damaged_stack, lenient=True, system="guided")
    assert any("1.jpg" in warning for warning in result.report.warnings)


def test_a_batch_goes_on_as_told(damaged_stack, tmp_path_factory):
    out = tmp_path_factory.mktemp("batch")
    stacks = tmp_path_factory.mktemp("stacks")
    damaged_stack.rename(stacks / "s1")
    words = ["batch", str(stacks), str(out), "-s", "guided", "--workers", "0"]
    assert CliRunner().invoke(app, words).exit_code == 1
    assert CliRunner().invoke(app, [*words, "--lenient"]).exit_code == 0
    assert "1.jpg: the compressed data are damaged" in (out / "report.json").read_text()
