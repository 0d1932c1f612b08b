"""Strips that are unpacked straight into the picture, as tifffile unpacks them."""

import io
from unittest.mock import patch

import numpy as np
import pytest
import tifffile

from panfocus.io import tiff, tiff_samples, tiff_strips
from tests.support.files import photo, pillow, tiff_bytes

KINDS = {
    "deflate": {"compression": "zlib"},
    "old-deflate": {"compression": "deflate"},
    "lzw": {"compression": "lzw"},
    "zstd": {"compression": "zstd"},
    "differences": {"compression": "zlib", "predictor": 2},
    "lzw-differences": {"compression": "lzw", "predictor": 2},
    "whole": {"compression": "zlib", "rowsperstrip": 4096},
    "a-row": {"compression": "zlib", "rowsperstrip": 1},
}
#: What is left to tifffile.
OTHERS = {
    "tiles": {"compression": "zlib", "tile": (16, 16)},
    "plain": {},
    "packbits": {"compression": "packbits"},
}


def pixels_of(channels, dtype):
    pixels = photo(dtype=dtype)
    return {1: pixels[..., 0], 3: pixels, 4: np.dstack([pixels, pixels[..., :1]])}[channels].copy()


def straight(path):
    """Read a page, and tell whether tifffile had any part in it."""
    with patch.object(tifffile, "TiffFile", side_effect=AssertionError):
        return tiff.read_page(path, 0)[0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_in_strips_is_what_was_written(kind, channels, dtype, order, tmp_path):
    pixels = pixels_of(channels, dtype)
    options = {"rowsperstrip": 7, **KINDS[kind]}
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    path = tmp_path / "page.tif"
    path.write_bytes(tiff_bytes(pixels, byteorder=order, **options, **extra))
    found = straight(path)
    assert found.dtype == pixels.dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_pages_are_left_to_tifffile(kind, tmp_path):
    pixels = photo()
    path = tmp_path / "page.tif"
    path.write_bytes(tiff_bytes(pixels, **OTHERS[kind]))
    with pytest.raises(AssertionError):
        straight(path)
    np.testing.assert_array_equal(tiff.read_page(path, 0)[0], pixels)


def test_pages_of_planes_signed_and_real_numbers_are_left_to_tifffile(tmp_path):
    path = tmp_path / "page.tif"
    planes = np.moveaxis(photo(), -1, 0)
    for pixels, options in (
        (planes, {"photometric": "rgb", "planarconfig": "separate"}),
        (photo()[..., 0].astype(np.int16), {}),
        (photo()[..., 0].astype(np.float32), {}),
    ):
        path.write_bytes(tiff_bytes(pixels, compression="zlib", **options))
        with pytest.raises(AssertionError):
            straight(path)


def test_the_colours_of_a_palette_and_an_inverted_grey_are_those_of_tifffile(tmp_path):
    path = tmp_path / "page.tif"
    grey = photo()[..., 0]
    path.write_bytes(tiff_bytes(grey, photometric="miniswhite", compression="zlib"))
    np.testing.assert_array_equal(straight(path), ~grey)
    from PIL import Image

    few = Image.fromarray(photo()).quantize(16)
    buffer = io.BytesIO()
    few.save(buffer, "TIFF", compression="tiff_adobe_deflate")
    path.write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(tiff.read_page(path, 0)[0], np.asarray(few.convert("RGB")))


@pytest.mark.parametrize("harm", ["cut", "garbage", "long"])
def test_a_strip_that_is_not_as_it_should_be_is_left_to_tifffile(harm, tmp_path):
    pixels = photo()
    data = bytearray(tiff_bytes(pixels, compression="zlib", rowsperstrip=8))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset, size = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    if harm == "garbage":
        data[offset + size // 2 : offset + size // 2 + 8] = b"\xff" * 8
    elif harm == "cut":
        data[offset : offset + size] = bytes(size)
    else:  # more rows in a strip than its directory says
        import zlib

        longer = zlib.compress(bytes(pixels[:1].nbytes * 20))
        assert len(longer) <= size
        data[offset : offset + size] = longer.ljust(size, b"\0")
    path = tmp_path / "page.tif"
    path.write_bytes(data)
    asked = []

    def strips(file, block, _read=tiff_strips.strips_page):
        asked.append(_read(file, block))
        return asked[-1]

    with patch.object(tiff_samples, "strips_page", strips):
        try:
            tiff.read_page(path, 0)
        except Exception as error:
            assert not isinstance(error, AssertionError)
    assert asked == [None]


def test_a_page_of_another_program_is_read(tmp_path):
    path = tmp_path / "page.tif"
    for compression in ("tiff_lzw", "tiff_adobe_deflate"):
        path.write_bytes(pillow(photo(), "TIFF", compression=compression))
        np.testing.assert_array_equal(straight(path), photo())
