"""Time and memory stay in bounds, whatever a file's header says."""

import io
import json
import struct

import numpy as np
import pytest
import tifffile

from panfocus.errors import InputError
from panfocus.io import find_frames, folder, read_frame, tiff_chain
from panfocus.io.ifd import DirectoryError, Entry
from panfocus.io.refused import unreadable
from panfocus.io.volumes.ome import OmeError, parse
from panfocus.io.volumes.open import open_volume
from tests.support.files import photo, save, tiff_bytes


def test_the_pages_of_a_file_are_walked_once(tmp_path, monkeypatch):
    """Once to find them and once to read them: for every page, time grows with the square."""
    count = 60
    frames = np.stack([photo(16, 20, 1, seed=n) for n in range(count)])
    path = save(tmp_path, "pages.tif", tiff_bytes(frames, photometric="minisblack"))
    steps = []
    real = tiff_chain.next_directory
    monkeypatch.setattr(tiff_chain, "next_directory", lambda *a: steps.append(1) or real(*a))
    infos, _ = find_frames([path])
    for info, frame in zip(infos, frames, strict=True):
        np.testing.assert_array_equal(read_frame(info).pixels, frame)
    assert len(steps) == 2 * count


def test_a_file_that_was_written_anew_is_walked_anew(tmp_path):
    one, other = photo(16, 20, 1, seed=1), photo(16, 20, 1, seed=2)
    path = save(tmp_path, "a.tif", tiff_bytes(one))
    (info,), _ = find_frames([path])
    np.testing.assert_array_equal(read_frame(info).pixels, one)
    path.unlink()
    save(tmp_path, "a.tif", bytes(64) and tiff_bytes(other))
    np.testing.assert_array_equal(read_frame(info).pixels, other)


def test_a_table_of_millions_of_strips_is_refused_before_it_is_read(tmp_path):
    """A sparse file of 256 MiB that is one table: its numbers would take 2 GiB as Python's."""
    count = 2**26 - 4096
    single = [(256, 100), (257, 100), (258, 8), (262, 1), (277, 1), (278, 1)]
    rows = [(tag, 4, 1, value) for tag, value in single]
    rows = sorted([*rows, (273, 4, count, 4096), (279, 4, count, 4096)])
    table = b"".join(struct.pack("<HHII", *row) for row in rows)
    path = tmp_path / "sparse.tif"
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<IH", 8, len(rows)) + table + bytes(4))
        file.truncate(2**28)
    with pytest.raises(InputError, match=r"tag 273 claims"):
        find_frames([path])
    with pytest.raises(DirectoryError, match="numbers"):
        Entry(4, 2**21 + 1, b"").numbers("<")


@pytest.mark.parametrize("offset", [2**60 + 1, 2**63, 2**64 - 1])
def test_offsets_that_no_file_has_are_damage(tmp_path, offset):
    data = bytearray(tiff_bytes(photo(), bigtiff=True))
    struct.pack_into("<Q", data, 8, offset)
    path = save(tmp_path, "a_depth.tif", bytes(data))
    with pytest.raises(InputError, match="cut off or damaged"):
        find_frames([path])
    save(tmp_path, "a.tif", tiff_bytes(photo()))
    assert folder.sift([path, tmp_path / "a.tif"], "here")[0]


def test_numbers_of_thousands_of_digits_are_none(tmp_path):
    text = "ImageJ=1\nimages=" + "9" * 5000 + "\nslices=" + "9" * 5000
    tifffile.imwrite(tmp_path / "a.tif", photo(16, 20, 1), description=text, metadata=None)
    find_frames([tmp_path / "a.tif"])


XML = '<OME><Image ID="Image:0"><Pixels SizeX="{}"/></Image></OME>'


@pytest.mark.parametrize(
    ("xml", "what"),
    [
        ('<!DOCTYPE l [<!ENTITY e SYSTEM "file:///etc/hostname">]><OME>&e;</OME>', "entities"),
        ('<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><OME>&b;</OME>', "entities"),
        ("<OME>" + "<a>" * 500 + "</a>" * 500 + "</OME>", "deep"),
        ("<OME", "no sound XML"),
    ],
)
def test_xml_that_does_more_than_tell_is_refused(xml, what):
    with pytest.raises(OmeError, match=what):
        parse(xml)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SizeZ", "9" * 5000), ("SizeT", "²"), ("SizeC", "1e9"), ("SizeZ", "-1"), ("SizeX", "")],
)
def test_sizes_in_ome_xml_are_whole_numbers(tmp_path, name, value):
    import re

    out = io.BytesIO()
    planes = np.zeros((2, 16, 16), np.uint16)
    tifffile.imwrite(out, planes, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    out.seek(0)
    with tifffile.TiffFile(out) as file:
        text = re.sub(rf'{name}="\d+"', f'{name}="{value}"', file.pages.first.description)
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, planes, photometric="minisblack", description=text.encode(), metadata=None
    )
    with pytest.raises(InputError, match="OME-XML cannot be believed"):
        open_volume(path)


def lay_zarr(path, about, shape=(2, 16, 16)):
    (path / "0").mkdir(parents=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    (path / ".zattrs").write_text(json.dumps(about))
    facts = {"zarr_format": 2, "shape": shape, "chunks": [1] * len(shape), "dtype": "<u2",
             "compressor": None, "fill_value": 0, "order": "C", "filters": None}  # fmt: skip
    (path / "0/.zarray").write_text(json.dumps(facts))


def scales(**change):
    axes = [{"name": a, "type": "space"} for a in "zyx"]
    return {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}], **change}]}


ODD = (None, True, -1, 1.5, "x", [1], [None], {"a": 1}, [[]], [{}], 10**40)
ABOUT = {
    "multiscales": lambda v: {"multiscales": v},
    "axes": lambda v: scales(axes=v),
    "datasets": lambda v: scales(datasets=v),
    "path": lambda v: scales(datasets=[{"path": v}]),
    "steps": lambda v: scales(coordinateTransformations=v),
    "scale": lambda v: scales(coordinateTransformations=[{"type": "scale", "scale": v}]),
    "omero": lambda v: {**scales(), "omero": v},
    "channels": lambda v: {**scales(), "omero": {"channels": v}},
    "ome": lambda v: {"ome": v},
    "plate": lambda v: {"plate": v},
}


@pytest.mark.parametrize("place", ABOUT)
@pytest.mark.parametrize("value", ODD, ids=lambda v: repr(v)[:12])
def test_attributes_of_wrong_kinds_are_told_in_plain_words(tmp_path, place, value):
    pytest.importorskip("zarr")
    lay_zarr(tmp_path / "a.zarr", ABOUT[place](value))
    try:
        open_volume(tmp_path / "a.zarr")
    except InputError as error:
        text = str(error)
        assert "a.zarr" in text
        for words in ("NoneType", "subscript", "object", "indices", "convert", "'int'", "<class"):
            assert words not in text


@pytest.mark.parametrize("path", ["../b", "a/../../b", ".", ""])
def test_paths_of_attributes_do_not_lead_out(tmp_path, path):
    pytest.importorskip("zarr")
    lay_zarr(tmp_path / "a.zarr", scales(datasets=[{"path": path}]))
    with pytest.raises(InputError, match="inside the Zarr"):
        open_volume(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("zyx", (10**9, 16, 16)),
        ("tzyx", (10**9, 2, 16, 16)),
        ("czyx", (10**9, 2, 16, 16)),
    ],
)
def test_more_planes_than_any_file_has_are_refused(tmp_path, axes, shape):
    pytest.importorskip("zarr")
    lay_zarr(tmp_path / "a.zarr", scales(axes=[{"name": a} for a in axes]), shape)
    with pytest.raises(InputError, match="more planes than can be fused"):
        open_volume(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("error", "is_damage"),
    [
        (ValueError("the file is cut off"), True),
        (NotImplementedError("COMPRESSION.JPEG2000"), False),
        (ValueError("<COMPRESSION.LERC: 34887> requires the 'lerc' package"), False),
        (ImportError("could not import name 'jetraw'"), False),
        (MemoryError(), False),
        (KeyError("x"), True),
    ],
)
def test_only_what_is_damaged_is_to_be_copied_again(error, is_damage):
    told = unreadable("a.tif", error)
    assert ("copy the file again" in told.remedy) == is_damage
    assert "'x'" not in told.got


def test_of_two_frames_that_differ_neither_is_blamed(tmp_path):
    save(tmp_path, "a.tif", tiff_bytes(photo(20, 30)))
    save(tmp_path, "b.tif", tiff_bytes(photo(20, 31)))
    from panfocus.io import check_frames

    infos, _ = find_frames([tmp_path / "a.tif", tmp_path / "b.tif"])
    with pytest.raises(InputError, match="neither kind is the usual one") as caught:
        check_frames(infos)
    assert "a.tif" in caught.value.where
    assert "b.tif" in caught.value.where
    assert "30x20" in caught.value.got
    assert "31x20" in caught.value.got
    with pytest.raises(InputError, match="frames differ in size") as caught:
        check_frames([*infos, infos[0]])
    assert caught.value.where == "b.tif"
