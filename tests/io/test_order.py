"""The order of frames: of names, of a counter that rolls over, of EXIF times one can rely on."""

from __future__ import annotations

import random

import pytest
from PIL import Image

from panfocus import io
from panfocus.io import find_frames
from panfocus.io.ifd import ASCII, Block, Entry, Tag
from panfocus.io.ifd_pack import pack
from tests.support.files import photo

PIXELS = photo(24, 32)


def text(value):
    data = value.encode() + b"\0"
    return Entry(ASCII, len(data), data)


def shoot(folder, name, time=None, subsec=None, *, model="EOS R5", software=None):
    """Write a frame with the times of EXIF."""
    root = {271: text("Canon"), 272: text(model), 306: text("2026:06:01 00:00:00")}
    inner = {}
    if software is not None:
        root[305] = text(software)
    if time is not None:
        full = ":" in time[4:5] or "-" in time[4:5] or time.startswith(" ")
        inner[0x9003] = text(time if full else f"2026:05:17 {time}")
    if subsec is not None:
        inner[0x9291] = text(subsec)
    if inner:
        root[Tag.EXIF_IFD] = inner
    metadata = io.Metadata(exif=pack(Block("<", dict(sorted(root.items())))))
    io.write_image(folder / name, PIXELS, metadata)
    return folder / name


def order(*inputs):
    infos, notes = find_frames([str(i) for i in inputs])
    return [info.path.stem for info in infos], notes


ROLLED = ["IMG_9998", "IMG_9999", "IMG_0001", "IMG_0002"]


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_a_counter_that_rolls_over_is_put_right_by_times(tmp_path, ending):
    for n, stem in enumerate(ROLLED):
        shoot(tmp_path, f"{stem}.{ending}", f"10:00:0{n}")
    for given in (tmp_path, tmp_path / f"*.{ending}"):
        names, notes = order(given)
        assert names == ROLLED
        assert len(notes) == 1
        assert "EXIF" in notes[0]
        assert f"IMG_9998.{ending}" in notes[0]


@pytest.mark.parametrize(
    "stems",
    [
        ROLLED,
        ["DSC_9999", "DSC_0001"],
        ["_MG_9997", "_MG_9998", "_MG_9999", "_MG_0000", "_MG_0001"],
        ["DSC09999", "DSC00001", "DSC00002"],
        ["IMGP9990", "IMGP9995", "IMGP0003"],
        ["IMG_9999-edit", "IMG_0001-edit"],
        ["img_9999", "IMG_0001"],
    ],
)
@pytest.mark.parametrize("time", [None, "10:00:00", "0000:00:00 00:00:00"])
def test_a_counter_that_rolls_over_is_seen_without_times(tmp_path, stems, time):
    for stem in random.Random(1).sample(stems, len(stems)):
        shoot(tmp_path, f"{stem}.png", time)
    names, notes = order(tmp_path)
    assert names == stems
    assert len(notes) == 1
    assert "rolls over" in notes[0]


@pytest.mark.parametrize(
    "stems",
    [
        ["P1000999", "P1010001"],
        ["IMG_0001", "IMG_0002", "IMG_9000"],  # far from rolling over
        ["IMG_0001", "IMG_5000", "IMG_9999"],  # two gaps: nobody knows
        ["IMG_0001", "DSC_9999"],
        ["0001", "0002", "0003"],
        ["f1", "f2", "f10"],
        ["IMG_1", "IMG_9999"],
    ],
)
def test_other_names_stay_in_natural_order(tmp_path, stems):
    for stem in stems:
        shoot(tmp_path, f"{stem}.png")
    names, notes = order(tmp_path)
    assert names == (stems if stems[1] != "DSC_9999" else stems[::-1])
    assert not notes


def test_times_and_names_that_agree_say_nothing(tmp_path):
    for n in range(12):
        shoot(tmp_path, f"f{n}.jpg", f"10:00:{n:02}", "50")
    assert order(tmp_path) == ([f"f{n}" for n in range(12)], [])


def test_renamed_frames_are_ordered_by_fractions_of_a_second(tmp_path):
    for stem, fraction in (("a", "9"), ("b", "05"), ("c", "75"), ("d", "1")):
        shoot(tmp_path, f"{stem}.jpg", "10:00:00", fraction)
    names, notes = order(tmp_path)
    assert names == ["b", "d", "c", "a"]
    assert len(notes) == 1


def test_a_burst_within_a_second_rolls_over_between_others(tmp_path):
    times = ["10:00:00", "10:00:01", "10:00:01", "10:00:01"]
    for stem, time in zip(["IMG_9998", "IMG_9999", "IMG_0001", "IMG_0002"], times, strict=True):
        shoot(tmp_path, f"{stem}.jpg", time)
    assert order(tmp_path)[0] == ROLLED


UNSURE = {
    "all equal": [{"time": "10:00:00"}] * 3,
    "one missing": [{"time": "10:00:02"}, {"time": "10:00:01"}, {}],
    "never set": [{"time": "0000:00:00 00:00:00"}, {"time": "10:00:01"}, {"time": "10:00:00"}],
    "before cameras": [{"time": f"1970:01:01 00:00:0{3 - n}"} for n in range(3)],
    "nonsense": [{"time": "2026:99:99 10:00:00"}, {"time": "10:00:01"}, {"time": "10:00:00"}],
    "blank": [{"time": "    :  :     :  :  "}, {"time": "10:00:01"}, {"time": "10:00:00"}],
    "two cameras": [
        {"time": "10:00:02"}, {"time": "10:00:01", "model": "Other"}, {"time": "10:00:00"},
    ],
    "edited": [
        {"time": "10:00:02", "software": "an editor"}, {"time": "10:00:01"}, {"time": "10:00:00"},
    ],
    "some fractions": [
        {"time": "10:00:00", "subsec": "9"}, {"time": "10:00:00", "subsec": "1"},
        {"time": "10:00:00"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSURE)
def test_times_that_cannot_be_relied_on_change_nothing(tmp_path, kind):
    for n, facts in enumerate(UNSURE[kind]):
        shoot(tmp_path, f"f{n}.jpg", **facts)
    assert order(tmp_path) == (["f0", "f1", "f2"], [])


def test_named_files_keep_the_order_given_with_a_note_where_times_disagree(tmp_path):
    paths = [shoot(tmp_path, f"f{n}.jpg", f"10:00:0{n}") for n in range(3)]
    names, notes = order(*paths[::-1])
    assert names == ["f2", "f1", "f0"]
    assert len(notes) == 1
    assert "order given" in notes[0]
    assert order(*paths) == (["f0", "f1", "f2"], [])


def test_each_folder_is_ordered_by_itself(tmp_path):
    for n, stem in enumerate(["IMG_9999", "IMG_0001"]):
        shoot(tmp_path / "b", f"{stem}.jpg", f"09:00:0{n}")
        shoot(tmp_path / "a", f"{stem}.jpg", f"10:00:0{n}")
    names, notes = order(tmp_path / "a", tmp_path / "b")
    assert names == ["IMG_9999", "IMG_0001"] * 2
    assert len(notes) == 2


def test_times_as_other_programs_write_them(tmp_path):
    for stem, time in (("a", "2026:05:17 10:00:01"), ("b", "2026:05:17 10:00:00")):
        exif = Image.Exif()
        exif[0x8769] = {0x9003: time}
        made = Image.fromarray(PIXELS)
        made.save(tmp_path / f"{stem}.jpg", exif=exif.tobytes())
    assert order(tmp_path)[0] == ["b", "a"]


@pytest.mark.parametrize(
    "names",
    [
        ["2.jpg", "10.JPG", "1.jpg"],
        ["IMG_0099.png", "img_100.png", "IMG_0098.png"],
        ["b.jpg", "A.jpg", "c.jpg"],
        ["1.jpg", "01.jpg", "002.jpg"],
        ["a1.jpg", "b1.jpg", "a10.jpg", "a2.jpg"],
        ["A-lytro_01.jpg", "B-lytro_01.jpg"],
        ["x_1.jpg", "x-3.jpg", "X2.jpg", "10.jpg", "9.jpg", "xa_1.jpg"],
        ["x-2.jpg", "x2.jpg"],
        ["1.jpg", "1.png"],
        ["2 b.jpg", "10 a.jpg", "2 a.jpg"],
    ],
)
def test_plain_names_go_the_short_way_to_the_same_order(names):
    """What natsort says, whether it had to be asked or not."""
    from pathlib import Path

    from natsort import natsort_keygen, ns

    from panfocus.io.order import in_natural_order

    key = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)
    paths = [Path("/here 3/b") / name for name in names]
    expected = sorted(paths, key=lambda p: (key(str(p)), str(p)))
    for seed in range(5):
        shuffled = random.Random(seed).sample(paths, len(paths))
        assert in_natural_order(shuffled) == expected
