"""Files, globs, folders and multi-page TIFFs become frames in the right order, or a clear no."""

from __future__ import annotations

import numpy as np
import pytest

from panfocus.errors import InputError
from panfocus.io import check_frames, find_frames, read_frame
from tests.support.files import ICC, photo, pillow, save, tiff_bytes

PNG = pillow(photo(), "PNG")


def names(found):
    return [info.name for info in found[0]]


@pytest.fixture
def stack(tmp_path):
    for name in ("img10.png", "img2.png", "IMG1.png", "img1b.png"):
        save(tmp_path, name, PNG)
    return tmp_path


def test_folder_in_natural_order(stack):
    assert names(find_frames([stack])) == ["IMG1.png", "img1b.png", "img2.png", "img10.png"]


def test_glob_in_natural_order_and_files_as_given(stack):
    assert names(find_frames([f"{stack}/img*.png"])) == ["img1b.png", "img2.png", "img10.png"]
    files = [stack / "img10.png", str(stack / "img2.png")]
    assert names(find_frames(files)) == ["img10.png", "img2.png"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    assert names(find_frames([save(tmp_path, "a[1].png", PNG)])) == ["a[1].png"]


def test_other_files_in_a_folder_are_noted(stack):
    save(stack, "notes.txt", b"hello")
    save(stack, "IMG1.xmp", b"<x/>")
    save(stack, ".hidden.png", b"junk")
    (stack / "sub").mkdir()
    save(stack / "sub", "deep.png", PNG)
    infos, notes = find_frames([stack])
    assert len(infos) == 4
    assert len(notes) == 1 and "notes.txt" in notes[0] and "IMG1.xmp" in notes[0]


def test_an_earlier_output_can_be_left_out(stack):
    out = save(stack, "fused.png", PNG)
    assert "fused.png" not in names(find_frames([stack], exclude=[out]))
    assert "fused.png" not in names(find_frames([f"{stack}/*.png"], exclude=[out]))
    assert "fused.png" in names(find_frames([out], exclude=[out]))  # named by the user


def test_pages_of_a_tiff(tmp_path):
    pages = np.stack([photo(channels=1, dtype=np.uint16, seed=s) for s in range(12)])
    infos, notes = find_frames([save(tmp_path, "s.tif", tiff_bytes(pages))])
    assert notes == []
    assert [i.name for i in infos[:2]] == ["s.tif page 1", "s.tif page 2"]
    assert [i.page for i in infos] == list(range(12))
    check_frames(infos)
    for info, page in zip(infos, pages, strict=True):
        np.testing.assert_array_equal(read_frame(info).pixels, page)


def test_same_names_in_two_folders_are_told_apart(tmp_path):
    for folder in ("A", "B"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder, "1.png", PNG)
    found = names(find_frames([tmp_path / "A", tmp_path / "B"]))
    assert found == [str(tmp_path / "A" / "1.png"), str(tmp_path / "B" / "1.png")]


def test_the_same_file_twice_is_noted(tmp_path):
    path = save(tmp_path, "a.png", PNG)
    infos, notes = find_frames([path, path])
    assert names((infos, notes)) == ["a.png", "a.png"]
    assert "more than once" in notes[0]


def test_content_decides_and_is_noted(tmp_path):
    infos, notes = find_frames([save(tmp_path, "a.jpg", PNG)])
    assert infos[0].format == "PNG"
    assert "a.jpg is a PNG" in notes[0]
    np.testing.assert_array_equal(read_frame(infos[0]).pixels, photo())


def test_mixed_formats_are_noted(tmp_path):
    save(tmp_path, "a.png", PNG)
    save(tmp_path, "b.webp", pillow(photo(), "WEBP"))
    assert "PNG, WebP" in find_frames([tmp_path])[1][0]


def test_nothing_to_find(tmp_path):
    with pytest.raises(InputError, match="no picture"):
        find_frames([tmp_path])
    save(tmp_path, "readme.txt", b"")
    with pytest.raises(InputError, match=r"readme\.txt"):
        find_frames([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        find_frames([tmp_path / "missing.png"])
    with pytest.raises(InputError, match="no file matches"):
        find_frames([f"{tmp_path}/*.png"])
    with pytest.raises(InputError, match="no frames"):
        find_frames([])


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.CR2", tiff_bytes(photo()), "RAW"),
        ("a.bmp", b"BM123", "JPEG, PNG"),
    ],
)
def test_what_is_not_read_is_refused_with_a_way_out(tmp_path, name, content, word):
    with pytest.raises(InputError, match=word):
        find_frames([save(tmp_path, name, content)])


def odd_one(tmp_path, data, suffix=".png"):
    for i in range(3):
        save(tmp_path, f"f{i}.png", PNG)
    save(tmp_path, f"f1b{suffix}", data)
    infos, _ = find_frames([tmp_path])
    with pytest.raises(InputError) as caught:
        check_frames(infos)
    assert f"f1b{suffix}" in str(caught.value)
    return str(caught.value)


def test_odd_frames_are_named(tmp_path):
    assert "30x20" in odd_one(tmp_path, pillow(photo(20, 30), "PNG"))
    assert "grey" in odd_one(tmp_path, pillow(photo(channels=1), "PNG"))
    assert "alpha" in odd_one(tmp_path, pillow(photo(channels=4), "PNG"))
    assert "profile" in odd_one(tmp_path, pillow(photo(), "PNG", icc_profile=ICC))
    (tmp_path / "f1b.png").unlink()
    deep = tiff_bytes(photo(dtype=np.uint16))
    assert "16 bit" in odd_one(tmp_path, deep, ".tif")


def test_orientation_counts_for_the_size(tmp_path):
    exif = __import__("PIL.Image").Image.Exif()
    exif[274] = 8
    save(tmp_path, "a.jpg", pillow(photo(30, 40), "JPEG"))
    save(tmp_path, "b.jpg", pillow(photo(40, 30), "JPEG", exif=exif))
    check_frames(find_frames([tmp_path])[0])


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_are_refused(tmp_path, count):
    infos = [] if count == 0 else find_frames([save(tmp_path, "a.png", PNG)])[0]
    with pytest.raises(InputError, match="at least two"):
        check_frames(infos)


def test_headers_are_read_without_decoding(tmp_path):
    """The pixels may be damaged: only the decoder finds out."""
    cut = PNG[:-200]
    damaged = bytearray(PNG)
    damaged[-60] ^= 0xFF
    info = find_frames([save(tmp_path, "a.png", bytes(damaged))])[0][0]
    assert (info.height, info.width, info.channels, info.dtype) == (37, 53, 3, "uint8")
    with pytest.raises(InputError):
        read_frame(info)
    with pytest.raises(InputError):
        find_frames([save(tmp_path, "b.png", cut)])
