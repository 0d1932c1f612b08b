"""Lossless formats give back every bit; other software reads what is written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from panfocus.errors import UsageError
from panfocus.io import Metadata, to_depth, write_image
from tests.support.files import photo, pictures, quick, read_one, save


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("roundtrip")


@quick
@given(pixels=pictures(), suffix=st.sampled_from([".png", ".tif", ".TIFF"]))
def test_png_and_tiff_keep_every_bit(folder, pixels, suffix):
    path = folder / f"out{suffix}"
    assert write_image(path, pixels, Metadata(), overwrite=True) == []
    frame = read_one(path)
    assert frame.pixels.dtype == pixels.dtype
    assert frame.pixels.flags.c_contiguous
    assert frame.has_alpha == (pixels.ndim == 3 and pixels.shape[2] in (2, 4))
    np.testing.assert_array_equal(frame.pixels, pixels)


@quick
@given(pixels=pictures(channels=(3, 4), dtypes=(np.uint8,)))
def test_webp_at_quality_100_keeps_every_bit(folder, pixels):
    path = folder / "out.webp"
    write_image(path, pixels, Metadata(), quality=100, overwrite=True)
    frame = read_one(path)
    # libwebp drops an alpha that is opaque everywhere
    expected = pixels if frame.has_alpha or pixels.shape[2] == 3 else pixels[..., :3]
    np.testing.assert_array_equal(frame.pixels, expected)


def test_grey_webp_says_that_it_became_rgb(tmp_path):
    pixels = photo(channels=1)
    notes = write_image(tmp_path / "a.webp", pixels, Metadata(), quality=100)
    assert "grey" in notes[0]
    frame = read_one(tmp_path / "a.webp")
    np.testing.assert_array_equal(frame.pixels, np.dstack([pixels] * 3))
    both = np.dstack([pixels, pixels[::-1]])
    write_image(tmp_path / "b.webp", both, Metadata(), quality=100)
    np.testing.assert_array_equal(read_one(tmp_path / "b.webp").pixels, both[..., [0, 0, 0, 1]])


@quick
@given(pixels=pictures())
def test_other_software_reads_our_png(folder, pixels):
    path = folder / "theirs.png"
    write_image(path, pixels, Metadata(), overwrite=True)
    theirs = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    ours = np.atleast_3d(pixels)[..., order]  # OpenCV has no grey with alpha
    np.testing.assert_array_equal(np.atleast_3d(theirs), ours)
    with Image.open(path) as image:
        image.verify()  # all checksums


@quick
@given(pixels=pictures())
def test_other_software_reads_our_tiff(folder, pixels):
    path = folder / "theirs.tif"
    write_image(path, pixels, Metadata(), overwrite=True)
    np.testing.assert_array_equal(tifffile.imread(path).reshape(pixels.shape), pixels)
    if pixels.dtype == np.uint8:
        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [100, 95, 60])
def test_jpeg_is_what_pillow_decodes_and_near_the_original(tmp_path, channels, quality):
    pixels = photo(64, 83, channels)
    path = tmp_path / "a.jpg"
    assert write_image(path, pixels, Metadata(), quality=quality) == []
    frame = read_one(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(frame.pixels, np.asarray(image))
    error = np.abs(frame.pixels.astype(int) - pixels)
    assert error.mean() < {100: 0.6, 95: 2.5, 60: 8}[quality]


def test_strided_pixels_and_one_channel_in_front_are_written_right(tmp_path):
    pixels = photo(40, 60, 4, np.uint16)
    view = pixels[::2, ::-3, :3]
    for suffix in (".png", ".tif"):
        write_image(tmp_path / f"a{suffix}", view, Metadata())
        np.testing.assert_array_equal(read_one(tmp_path / f"a{suffix}").pixels, view)
    write_image(tmp_path / "b.png", pixels[..., :1], Metadata())
    np.testing.assert_array_equal(read_one(tmp_path / "b.png").pixels, pixels[..., 0])


def test_every_png_filter_decodes(tmp_path, monkeypatch):
    """The filter is chosen per picture; whichever is chosen must be undone exactly."""
    from panfocus.io import png_write

    for dtype in (np.uint8, np.uint16):
        for channels in (1, 2, 3, 4):
            pixels = photo(33, 29, channels, dtype)
            for kind in range(4):
                monkeypatch.setattr(png_write, "_choose_filter", lambda *_args, kind=kind: kind)
                path = save(tmp_path, "a.png", b"".join(png_write.encode(pixels, Metadata())))
                np.testing.assert_array_equal(read_one(path).pixels, pixels)


def test_blocks_of_rows_join_without_seam(tmp_path):
    pixels = photo(700, 400, 3)  # several blocks of a PNG, one strip and more of a TIFF
    wide = np.tile(pixels, (1, 3, 1))
    for suffix in (".png", ".tif"):
        write_image(tmp_path / f"a{suffix}", wide, Metadata())
        np.testing.assert_array_equal(read_one(tmp_path / f"a{suffix}").pixels, wide)


@given(values=st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_depth_conversion_rounds_and_inverts(values):
    deep = np.array(values, np.uint16)
    shallow = to_depth(deep, "uint8")
    np.testing.assert_array_equal(shallow, np.rint(deep / 257).astype(np.uint8))
    np.testing.assert_array_equal(to_depth(to_depth(shallow, "uint16"), "uint8"), shallow)
    assert to_depth(deep, "uint16") is deep


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, pixels):
    with pytest.raises(UsageError):
        write_image(tmp_path / "a.png", pixels, Metadata())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_out_of_range_is_refused(tmp_path, quality):
    with pytest.raises(UsageError):
        write_image(tmp_path / "a.jpg", photo(), Metadata(), quality=quality)
