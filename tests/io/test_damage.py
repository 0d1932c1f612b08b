"""A cut or damaged file is refused, or gives exactly the pixels of the whole one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from panfocus.errors import InputError
from panfocus.io import find_frames, read_frame
from tests.support.files import (
    foreign,
    photo,
    pillow,
    quick,
    read_bytes,
    save,
    tiff_bytes,
)

_GREY = photo(40, 56, 1)
_STACK = np.stack([photo(20, 30, 1, np.uint16, seed=s) for s in range(3)])
FILES = {
    "jpeg": (".jpg", foreign("JPEG")[0]),
    "jpeg-plain": (".jpg", pillow(photo(), "JPEG", quality=90)),
    "jpeg-progressive": (".jpg", pillow(photo(), "JPEG", quality=90, progressive=True)),
    "jpeg-grey": (".jpg", pillow(_GREY, "JPEG")),
    "jpeg-restarts": (".jpg", pillow(photo(), "JPEG", restart_marker_blocks=2)),
    "png": (".png", foreign("PNG8")[0]),
    "png16": (".png", foreign("PNG16")[0]),
    "webp": (".webp", pillow(photo(), "WEBP", quality=80)),
    "webp-lossless": (".webp", foreign("WebP")[0]),
    "tiff": (".tif", foreign("TIFF8")[0]),
    "tiff-pillow-lzw": (".tif", pillow(photo(), "TIFF", compression="tiff_lzw")),
    "tiff-pillow-deflate": (".tif", pillow(photo(), "TIFF", compression="tiff_adobe_deflate")),
    "tiff-zstd": (".tif", tiff_bytes(photo(), compression="zstd", rowsperstrip=8)),
    "tiff-lzw-stack": (".tif", tiff_bytes(_STACK, compression="lzw", predictor=True)),
    "tiff-tiled": (".tif", tiff_bytes(photo(), tile=(16, 16), compression="adobe_deflate")),
    "tiff-planar": (
        ".tif",
        tiff_bytes(np.moveaxis(photo(), -1, 0), photometric="rgb", planarconfig="separate"),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damage")


def all_frames(folder, data, suffix):
    infos, _ = find_frames([save(folder, "frame" + suffix, data)])
    return [read_frame(info).pixels for info in infos]


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_read(folder, name):
    suffix, data = FILES[name]
    assert all_frames(folder, data, suffix)


@pytest.mark.parametrize("name", FILES)
def test_cut_at_any_byte_is_refused_or_harmless(folder, name):
    suffix, data = FILES[name]
    whole = all_frames(folder, data, suffix)
    ends = {*range(len(data) - 30, len(data)), *range(0, len(data), max(1, len(data) // 150))}
    refused = 0
    for end in sorted(ends):
        try:
            part = all_frames(folder, data[:end], suffix)
        except InputError as error:
            assert "frame" + suffix in str(error)
            refused += 1
            continue
        assert len(part) == len(whole), f"pages lost in silence, cut at {end} of {len(data)}"
        for a, b in zip(part, whole, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"cut at {end} of {len(data)}")
    assert refused > 100


def test_a_tiff_without_its_last_strips_is_refused_before_decoding(folder):
    data = tiff_bytes(photo(), rowsperstrip=8)
    with pytest.raises(InputError, match="cut off"):
        find_frames([save(folder, "cut.tif", data[:-10])])


@pytest.mark.parametrize("name", FILES)
def test_zeros_in_place_of_the_end_are_refused_or_harmless(folder, name):
    """What an interrupted copy leaves: the right size, zeros from some byte on."""
    suffix, data = FILES[name]
    if suffix == ".tif" or name == "webp":
        pytest.skip("raw strips and lossy WebP carry nothing to tell zeros from data")
    whole = all_frames(folder, data, suffix)
    for share in (0.3, 0.6, 0.9, 0.99):
        keep = int(len(data) * share)
        try:
            part = all_frames(folder, data[:keep] + bytes(len(data) - keep), suffix)
        except InputError:
            continue
        np.testing.assert_array_equal(part[0], whole[0])


@quick
@given(name=st.sampled_from(sorted(FILES)), data=st.data())
@example(name="png", data=None)
def test_any_damage_is_an_input_error_or_a_picture(folder, name, data):
    """Flipped bytes may give other pixels, but never another exception."""
    suffix, content = FILES[name]
    broken = bytearray(content)
    if data is None:
        broken[60] ^= 0xFF
    else:
        for _ in range(data.draw(st.integers(1, 6))):
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        for pixels in all_frames(folder, bytes(broken), suffix):
            assert pixels.dtype in (np.uint8, np.uint16)
    except InputError:
        return


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("content", [b"", b"junk, not a picture at all", b"\xff\xd8\xff", b"II*\0"])
def test_junk_is_refused_by_name(tmp_path, suffix, content):
    path = save(tmp_path, "junk" + suffix, content)
    with pytest.raises(InputError, match="junk"):
        find_frames([path])


def test_a_jpeg_with_another_behind_it_is_read(tmp_path):
    """Phones append previews, depth or video behind the end marker."""
    data = pillow(photo(), "JPEG")
    first = read_bytes(tmp_path, data, ".jpg").pixels
    with_tail = read_bytes(tmp_path, data + pillow(photo(seed=9), "JPEG")[:700], ".jpg").pixels
    np.testing.assert_array_equal(first, with_tail)


def test_vanished_file_is_named(tmp_path):
    infos, _ = find_frames([save(tmp_path, "a.png", pillow(photo(), "PNG"))])
    infos[0].path.unlink()
    with pytest.raises(InputError, match=r"a\.png"):
        read_frame(infos[0])


@pytest.mark.parametrize("pixels", [photo(20, 20), photo(dtype=np.uint16), photo(channels=1)])
def test_a_file_that_changed_since_is_refused(tmp_path, pixels):
    tiff = tiff_bytes(photo(), photometric="rgb")
    infos, _ = find_frames([save(tmp_path, "a.tif", tiff)])
    kind = "rgb" if pixels.ndim == 3 else "minisblack"
    save(tmp_path, "a.tif", tiff_bytes(pixels, photometric=kind))
    with pytest.raises(InputError, match=r"a\.tif"):
        read_frame(infos[0])


def test_a_page_that_is_gone_is_refused(tmp_path):
    infos, _ = find_frames([save(tmp_path, "a.tif", tiff_bytes(_STACK))])
    save(tmp_path, "a.tif", tiff_bytes(_STACK[:2]))
    with pytest.raises(InputError, match="page 3"):
        read_frame(infos[2])
