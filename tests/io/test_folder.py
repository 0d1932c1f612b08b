"""What lies in a folder and is no frame: left out with a word, or an error that names it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest
import tifffile

import panfocus
from panfocus import io
from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io import find_frames
from tests.conftest import focal_stack
from tests.support.files import photo, pillow, save, tiff_bytes

PNG = pillow(photo(), "PNG")
STACK = focal_stack(3, 48, 64)[0]


@pytest.fixture
def shots(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(STACK):
        io.write_image(folder / f"IMG_{n}.png", frame, io.Metadata())
    return folder


def found(*inputs):
    infos, notes = find_frames([str(i) for i in inputs])
    return [info.path.name for info in infos], "\n".join(notes)


FRAMES = ["IMG_0.png", "IMG_1.png", "IMG_2.png"]


def fuse_into(folder, name, *words):
    assert main(["fuse", str(folder), "-o", str(folder / name), "-s", "guided", "-q", *words]) == 0


@pytest.mark.parametrize("name", ["fused.jpg", "IMG_9.png", "a.webp", "out.tif"])
def test_an_earlier_result_is_no_frame_in_folders_and_patterns(shots, name):
    fuse_into(shots, name)
    for given in (shots, shots / "*.*", shots.parent / "**" / "*.*", shots / "*"):
        names, notes = found(given)
        assert names == FRAMES
        assert name in notes
        assert "\n" not in notes


def test_all_that_a_run_writes_is_no_frame(shots):
    fuse_into(
        shots, "out.tif", "--depth-map", "--index-map", "--confidence-map",
        "--height-map", str(shots / "height.png"), "--slab", "2", "1",
        "--mesh", str(shots / "mesh.ply"), "--json", str(shots / "report.json"),
    )  # fmt: skip
    fuse_into(shots, "p.png", "--depth-map", str(shots / "p_depth.png"),
              "--index-map", str(shots / "elsewhere.png"))  # fmt: skip
    assert found(shots)[0] == FRAMES
    fuse_into(shots, "again.tif")
    np.testing.assert_array_equal(
        panfocus.fuse(STACK, system="guided").image, tifffile.imread(shots / "again.tif")
    )


def test_a_result_that_is_named_is_a_frame_and_it_is_said(shots):
    fuse_into(shots, "fused.png")
    names, notes = found(shots / "IMG_0.png", shots / "fused.png")
    assert names == ["IMG_0.png", "fused.png"]
    assert "fused.png" in notes
    assert found(*sorted(shots.glob("IMG_*")))[1] == ""


def test_a_folder_of_results_alone_says_so(shots):
    fuse_into(shots, "fused.png")
    for frame in shots.glob("IMG_*"):
        frame.unlink()
    for given in (shots, shots / "*.png"):
        with pytest.raises(InputError, match=r"(?s)fused\.png.*name files one by one"):
            find_frames([given])


def test_aligned_frames_are_frames(shots, tmp_path):
    assert main(["fuse", str(shots), "--align-only", str(tmp_path / "aligned"), "-q"]) == 0
    assert found(tmp_path / "aligned") == (FRAMES, "")


@pytest.mark.parametrize("kind", ["depth", "index", "confidence"])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_maps_of_versions_without_a_mark_are_known_by_name_and_kind(shots, kind, ending):
    path = shots / f"out_{kind}.{ending}"
    is_float = ending == "tif" and kind != "index"
    values = np.ones((48, 64), np.float32 if is_float else np.uint16)
    if ending == "tif":
        tifffile.imwrite(path, values)
    else:
        save(shots, path.name, pillow(values, "PNG"))
    if not is_float:  # beside its picture only
        assert len(found(shots)[0]) == 4
        save(shots, "out.jpg", pillow(photo(48, 64), "JPEG"))
        assert found(shots)[0] == [*FRAMES, "out.jpg"]
    else:
        assert found(shots)[0] == FRAMES
    assert path.name in found(shots)[1]


def test_floats_of_other_names_are_frames(shots):
    tifffile.imwrite(shots / "IMG_3.tif", np.ones((48, 64), np.float32))
    assert "IMG_3.tif" in [info.name for info in find_frames([shots])[0]]


def test_sixteen_bit_frames_named_like_maps_are_frames(tmp_path):
    deep = photo(channels=1, dtype=np.uint16)
    save(tmp_path, "a_index.tif", tiff_bytes(deep))
    save(tmp_path, "b_index.tif", tiff_bytes(deep))
    save(tmp_path, "a_depth.png", PNG)
    names, notes = found(tmp_path)
    assert names == ["a_depth.png", "a_index.tif", "b_index.tif"]
    assert "left out" not in notes


def folder_like_a_frame(path):
    path.mkdir()


def broken_link(path):
    path.symlink_to(path.with_name("gone.png"))


def link_to_itself(path):
    path.symlink_to(path)


def socket_file(path):
    here = Path.cwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def device(path):
    path.symlink_to("/dev/null")


ODD = {
    "folder": folder_like_a_frame, "link": broken_link, "loop": link_to_itself,
    "pipe": os.mkfifo, "socket": socket_file, "device": device,
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_what_is_named_like_a_frame_and_is_none_is_left_out_with_a_note(shots, kind):
    odd = shots / "IMG_7.jpg"
    ODD[kind](odd)
    for given in (shots, shots / "*", shots / "IMG_*"):
        names, notes = found(given)
        assert names == FRAMES
        assert "IMG_7.jpg" in notes
        assert notes.count("\n") == 0
    result = panfocus.fuse(shots, system="guided")
    assert any("IMG_7.jpg" in w for w in result.report.warnings)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link", "loop"])
def test_what_is_no_file_is_an_error_where_it_is_named(shots, kind):
    odd = shots / "IMG_7.jpg"
    ODD[kind](odd)
    with pytest.raises(InputError, match=r"IMG_7\.jpg") as caught:
        find_frames([shots / "IMG_0.png", odd])
    assert caught.value.remedy is not None


@pytest.mark.parametrize("name", ["IMG_7.png", "IMG_7.jpg", "IMG_7.tif", "IMG_7.webp"])
def test_an_empty_picture_is_an_error_by_name(shots, name):
    (shots / name).touch()
    for given in (shots, shots / "*"):
        with pytest.raises(InputError, match=r"IMG_7\."):
            find_frames([given])


def test_a_frame_that_cannot_be_opened_is_an_error_by_name(shots, monkeypatch):
    (shots / "IMG_1.png").chmod(0)
    if os.access(shots / "IMG_1.png", os.R_OK):  # nothing is closed to root
        real = type(shots).open

        def opens(path, *args, **kwargs):
            if path.name == "IMG_1.png":
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(type(shots), "open", opens)
    for given in (shots, shots / "*.png", shots / "IMG_1.png"):
        with pytest.raises(InputError, match=r"(?s)IMG_1\.png.*Permission denied"):
            find_frames([given])


def test_what_machines_leave_beside_pictures_is_no_frame(shots):
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "._IMG_1.png",
        "desktop.ini",
        "IMG_1.xmp",
        ".hidden.png",
    ):
        (shots / name).write_bytes(b"\0\5\26\7")
    for name in ("@eaDir/IMG_0.png/SYNOPHOTO_THUMB_XL.jpg", "__MACOSX/._IMG_0.png",
                 "__MACOSX/IMG_0.png", "P.lrdata/0/a.jpg", "#recycle/IMG_0.png"):  # fmt: skip
        path = shots / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    assert found(shots)[0] == FRAMES
    names, notes = found(shots / "**" / "*.*g")
    assert names == FRAMES
    assert "thumbnails" in notes


def test_a_folder_of_a_machine_is_read_when_it_is_named(tmp_path):
    folder = tmp_path / "@eaDir" / "shots"
    folder.mkdir(parents=True)
    for n in range(2):
        save(folder, f"{n}.png", PNG)
    assert found(folder) == (["0.png", "1.png"], "")
    assert found(folder / "*.png") == (["0.png", "1.png"], "")
