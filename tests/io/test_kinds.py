"""Every kind of pixel that photographs come in: read right, converted with a note, or refused."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.errors import InputError
from panfocus.io import find_frames, png, read_frame
from tests.support.files import photo, pillow, png_chunk, save, tiff_bytes


def read(tmp_path, data, suffix):
    infos, notes = find_frames([save(tmp_path, "frame" + suffix, data)])
    frame = read_frame(infos[0])
    assert frame.has_alpha == infos[0].has_alpha == (infos[0].channels in (2, 4))
    return frame.pixels, notes


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw"},
        {"compression": "lzw", "predictor": True},
        {"compression": "adobe_deflate", "predictor": True},
        {"compression": "zstd"},
        {"compression": "packbits"},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 16)},
        {"rowsperstrip": 5},
        {"planarconfig": "separate"},
    ],
    ids=str,
)
def test_tiff_of_every_make(tmp_path, channels, dtype, options):
    pixels = photo(channels=channels, dtype=dtype)
    stored = pixels
    if options.get("planarconfig"):
        if channels == 1:
            pytest.skip("one channel has no planes")
        stored = np.moveaxis(pixels, -1, 0)
    photometric = "rgb" if channels > 2 else "minisblack"
    extra = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
    if channels == 2 and "planarconfig" not in options:
        extra["planarconfig"] = "contig"
    data = tiff_bytes(stored, photometric=photometric, metadata=None, **options, **extra)
    got, notes = read(tmp_path, data, ".tif")
    np.testing.assert_array_equal(got, pixels)
    assert notes == []


def test_jpeg_in_tiff(tmp_path):
    pixels = photo(64, 64)
    data = tiff_bytes(pixels, photometric="rgb", compression="jpeg", metadata=None)
    got, _ = read(tmp_path, data, ".tif")
    assert np.abs(got.astype(int) - pixels).mean() < 4


def test_inverted_grey_is_turned_round(tmp_path):
    for dtype in (np.uint8, np.uint16):
        pixels = photo(channels=1, dtype=dtype)
        got, notes = read(tmp_path, tiff_bytes(~pixels, photometric="miniswhite"), ".tif")
        np.testing.assert_array_equal(got, pixels)
        assert "inverted" in notes[0]


def test_premultiplied_alpha_is_made_straight(tmp_path):
    pixels = photo(channels=4)
    pixels[..., 3] = np.linspace(0, 255, pixels.shape[1]).astype(np.uint8)
    alpha = pixels[..., 3:] / 255
    stored = pixels.copy()
    stored[..., :3] = np.rint(pixels[..., :3] * alpha)
    data = tiff_bytes(stored, photometric="rgb", extrasamples=["assocalpha"])
    got, notes = read(tmp_path, data, ".tif")
    assert "alpha" in notes[0]
    opaque = pixels[..., 3] >= 64
    error = np.abs(got.astype(int) - pixels)[opaque]
    assert error.max() <= 2  # half a step of the stored value, at a quarter of alpha
    np.testing.assert_array_equal(got[..., 3], pixels[..., 3])


@pytest.mark.parametrize("mode", ["P", "1"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_palette_and_one_bit_are_converted_with_a_note(tmp_path, mode, kind):
    image = Image.fromarray(photo()).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    got, notes = read(tmp_path, buffer.getvalue(), ".png" if kind == "PNG" else ".tif")
    expected = np.asarray(image.convert("RGB" if mode == "P" else "L"))
    np.testing.assert_array_equal(got, expected)
    if (mode, kind) != ("1", "TIFF"):
        assert len(notes) == 1


def test_transparent_colour_of_a_png_becomes_alpha(tmp_path):
    pixels = photo()
    colour = tuple(int(v) for v in pixels[3, 4])
    got, _ = read(tmp_path, pillow(pixels, "PNG", transparency=colour), ".png")
    assert got.shape[2] == 4
    np.testing.assert_array_equal(got[..., :3], pixels)
    assert got[3, 4, 3] == 0


def test_interlaced_png(tmp_path):
    """Adam7 by hand: Pillow and OpenCV cannot write it."""
    import struct
    import zlib

    from tests.support.files import png_chunk

    pixels = photo(21, 13)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    raw = b""
    for top, left, down, right in [*passes, (1, 0, 2, 1)]:
        part = pixels[top::down, left::right]
        raw += b"".join(b"\0" + row.tobytes() for row in part if row.size)
    header = struct.pack(">IIBBBBB", 13, 21, 8, 2, 0, 0, 1)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    data += png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b"")
    np.testing.assert_array_equal(read(tmp_path, data, ".png")[0], pixels)


def test_webp_with_alpha_and_grey_jpeg(tmp_path):
    pixels = photo(channels=4)
    got, _ = read(tmp_path, pillow(pixels, "WEBP", lossless=True, exact=True), ".webp")
    np.testing.assert_array_equal(got, pixels)
    grey, _ = read(tmp_path, pillow(photo(channels=1), "JPEG"), ".jpg")
    assert grey.ndim == 2


def test_rgb_stored_as_rgb_in_a_jpeg(tmp_path):
    data = pillow(photo(), "JPEG", keep_rgb=True)
    np.testing.assert_array_equal(read(tmp_path, data, ".jpg")[0], Image.open(io.BytesIO(data)))


def test_complex_numbers_in_a_tiff_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"frame\.tif"):
        read(tmp_path, tiff_bytes(np.zeros((8, 9), np.complex64)), ".tif")


def test_channels_as_pages_are_refused(tmp_path):
    data = np.zeros((2, 2, 9, 8), np.uint8)
    for options in ({"imagej": True}, {"ome": True}):
        content = tiff_bytes(data, metadata={"axes": "ZCYX"}, **options)
        with pytest.raises(InputError, match="channel"):
            read(tmp_path, content, ".tif")


def test_stack_in_one_page_is_refused(tmp_path):
    data = np.zeros((4, 16, 16), np.uint8)
    for options in ({"truncate": True}, {"volumetric": True, "tile": (4, 16, 16)}):
        with pytest.raises(InputError, match="page"):
            read(tmp_path, tiff_bytes(data, photometric="minisblack", **options), ".tif")


def test_previews_in_a_tiff_are_not_frames(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(photo(), photometric="rgb")
        tiff.write(photo(10, 12), photometric="rgb", subfiletype=1)
        tiff.write(photo(seed=4), photometric="rgb")
    infos, _ = find_frames([path])
    assert [(i.page, i.width) for i in infos] == [(0, 53), (2, 53)]
    np.testing.assert_array_equal(read_frame(infos[1]).pixels, photo(seed=4))


def test_animated_webp_is_refused(tmp_path):
    buffer = io.BytesIO()
    frames = [Image.fromarray(photo(seed=s)) for s in range(2)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="animation"):
        read(tmp_path, buffer.getvalue(), ".webp")


def test_16_bit_png_in_colour_against_opencv(tmp_path):
    pixels = photo(dtype=np.uint16)
    data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(read(tmp_path, data, ".png")[0], pixels)


def interlaced(pixels):
    """Return a PNG of pixels ``(H, W, C)`` in the seven passes of Adam7, none filtered."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    bits = 8 * pixels.itemsize
    rows = b""
    for y, x, down, along in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4),
                              (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:  # fmt: skip
        for row in pixels[y::down, x::along].astype(pixels.dtype.newbyteorder(">")):
            rows += b"\0" + row.tobytes()
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour, 0, 0, 1)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return png.SIGNATURE + b"".join(png_chunk(kind, data) for kind, data in chunks)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_interlaced_png_is_read_without_a_word_of_libpng(tmp_path, capfd, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (41, 53, channels), np.uint8)
    path = save(tmp_path, "a.png", interlaced(pixels))
    read = read_frame(find_frames([path])[0][0]).pixels
    np.testing.assert_array_equal(read.reshape(pixels.shape), pixels)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_interlaced_png_of_16_bits_is_read(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 65536, (41, 53, channels), np.uint16)
    path = save(tmp_path, "a.png", interlaced(pixels))
    read = read_frame(find_frames([path])[0][0]).pixels
    np.testing.assert_array_equal(read.reshape(pixels.shape), pixels)


@pytest.mark.parametrize("left", [60, 300, -40])
def test_an_interlaced_png_that_is_cut_off_is_refused(tmp_path, left):
    pixels = np.random.default_rng(0).integers(0, 256, (41, 53, 3), np.uint8)
    path = save(tmp_path, "a.png", interlaced(pixels)[:left])
    with pytest.raises(InputError, match="cannot be read"):
        read_frame(find_frames([path])[0][0])
