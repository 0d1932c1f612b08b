"""Formats beyond those of cameras: written by other software, read to the bit, or refused."""

from __future__ import annotations

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

from panfocus.errors import InputError
from panfocus.io import find_frames, read_frame
from panfocus.io.formats import SUFFIXES, sniff
from panfocus.io.read import stored_values
from panfocus.io.stretch import to_sixteen
from tests.support.files import ICC, exif_block, photo, save

RGB = photo()
GREY = photo(channels=1)
DEEP = photo(dtype=np.uint16)
DEEP_GREY = photo(channels=1, dtype=np.uint16)


def read(tmp_path, data, suffix):
    infos, notes = find_frames([save(tmp_path, "frame" + suffix, data)])
    return read_frame(infos[0]), notes


def by_pillow(tmp_path, pixels, name, **options):
    path = tmp_path / name
    Image.fromarray(pixels).save(path, **options)
    return path.read_bytes()


def by_opencv(pixels, suffix):
    return cv2.imencode(suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()


@pytest.mark.parametrize("pixels", [RGB, GREY], ids=["rgb", "grey"])
@pytest.mark.parametrize("suffix", [".bmp", ".ppm"])
def test_eight_bits_come_back(tmp_path, pixels, suffix):
    frame, notes = read(tmp_path, by_pillow(tmp_path, pixels, "made" + suffix), suffix)
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert notes == []


@pytest.mark.parametrize("pixels", [DEEP, DEEP_GREY], ids=["rgb", "grey"])
def test_sixteen_bits_come_back(tmp_path, pixels):
    files = {
        ".pnm": by_opencv(pixels, ".pnm"),
        ".jp2": imagecodecs.jpeg2k_encode(pixels, level=0),
        ".jxl": imagecodecs.jpegxl_encode(pixels, lossless=True),
    }
    for suffix, data in files.items():
        np.testing.assert_array_equal(read(tmp_path, data, suffix)[0].pixels, pixels, suffix)


def test_plain_pnm_with_comments(tmp_path):
    data = b"P2 # by hand\n3 2\n# of 4 bits\n15\n0 1 15\n3 4 5\n"
    frame, _ = read(tmp_path, data, ".pgm")
    assert frame.pixels.tolist() == [[0, 17, 255], [51, 68, 85]]
    bits, _ = read(tmp_path, b"P1\n2 2\n01\n10\n", ".pbm")
    assert bits.pixels.tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("top", [1023, 4095, 1000])
def test_a_pnm_of_few_bits_fills_sixteen(tmp_path, top):
    values = (DEEP_GREY.astype(np.int64) * top // 65_535).astype(">u2")
    data = b"P5\n%d %d\n%d\n" % (*values.shape[::-1], top) + values.tobytes()
    frame, _ = read(tmp_path, data, ".pgm")
    assert frame.pixels.dtype == np.uint16
    np.testing.assert_array_equal(np.rint(frame.pixels / 65_535 * top), values)


@pytest.mark.parametrize("bits", [10, 12])
def test_ten_and_twelve_bits_of_avif_and_jpeg_2000_are_kept(tmp_path, bits):
    values = DEEP >> (16 - bits)
    top = (1 << bits) - 1
    avif = imagecodecs.avif_encode(values, level=100, bitspersample=bits)
    jp2 = imagecodecs.jpeg2k_encode(values, level=0, bitspersample=bits)
    np.testing.assert_array_equal(read(tmp_path, jp2, ".jp2")[0].pixels, to_sixteen(values, top))
    lossless, _ = read(tmp_path, avif, ".avif")
    assert lossless.pixels.dtype == np.uint16
    assert np.abs(lossless.pixels / 65_535 - values / top).max() < 2 / 255


@pytest.mark.parametrize("top", [511, 1000, 4095, 65_535])
def test_no_two_numbers_fall_together(top):
    spread = to_sixteen(np.arange(top + 1, dtype=np.uint16), top)
    assert spread[0] == 0
    assert spread[-1] == 65_535
    assert (np.diff(spread.astype(int)) > 0).all()


def test_avif_keeps_profile_and_turns_by_its_tag(tmp_path):
    data = by_pillow(tmp_path, RGB, "made.avif", quality=100, icc_profile=ICC, exif=exif_block(6))
    frame, _ = read(tmp_path, data, ".avif")
    assert frame.metadata.icc == ICC
    assert frame.metadata.exif is not None
    assert frame.pixels.shape == (RGB.shape[1], RGB.shape[0], 3)
    upright = np.rot90(RGB, -1)
    assert np.abs(frame.pixels.astype(int) - upright).mean() < 4


def test_jpeg_xl_keeps_exif_and_is_turned_once(tmp_path):
    plain = imagecodecs.jpegxl_encode(RGB, lossless=True, usecontainer=True)
    block = exif_block(1)
    box = (len(block) + 12).to_bytes(4, "big") + b"Exif" + bytes(4) + block
    frame, notes = read(tmp_path, plain + box, ".jxl")
    assert frame.metadata.exif is not None
    np.testing.assert_array_equal(frame.pixels, RGB)
    assert "sRGB" in notes[0]


def test_pictures_of_a_gif_are_frames(tmp_path):
    pictures = [Image.fromarray(np.full((20, 30, 3), v, np.uint8)) for v in (10, 100, 200)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    infos, notes = find_frames([tmp_path / "a.gif"])
    assert [int(read_frame(info).pixels.mean()) for info in infos] == [10, 100, 200]
    assert "palette" in notes[0]


def film(path, count, size=(64, 48)):
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    for number in range(count):
        out.write(np.full((size[1], size[0], 3), number, np.uint8))
    out.release()
    return path


def test_frames_of_a_film_are_taken_evenly(tmp_path):
    infos, notes = find_frames([film(tmp_path / "sweep.mp4", 130)])
    assert len(infos) == 44
    assert [info.page for info in infos[:3]] == [0, 3, 6]
    assert infos[1].name == "sweep.mp4 frame 4"
    levels = [float(read_frame(info).pixels.mean()) for info in infos]
    assert np.abs(np.array(levels) - [info.page for info in infos]).max() < 5
    assert "one of 3 is taken" in notes[0]
    assert len(find_frames([film(tmp_path / "short.mp4", 12)])[0]) == 12


def test_a_flattened_psd_of_both_depths(tmp_path):
    pytest.importorskip("psd_tools")
    from panfocus.frame import Metadata
    from panfocus.io.psd import write_psd
    from panfocus.io.psd_layers import LayeredPicture, PsdLayer

    for pixels in (RGB, GREY, DEEP):
        path = tmp_path / f"{pixels.dtype}{pixels.ndim}.psd"
        layers = iter([(pixels, None)])
        layered = LayeredPicture(pixels, [PsdLayer("frame")], layers)
        write_psd(path, layered, Metadata(icc=ICC))
        infos, notes = find_frames([path])
        frame = read_frame(infos[0])
        np.testing.assert_array_equal(frame.pixels, pixels)
        assert frame.metadata.icc == ICC
        assert "flattened" in notes[0]


def test_light_of_an_exr_is_marked_linear(tmp_path):
    exr = pytest.importorskip("OpenEXR")
    light = np.linspace(0, 1, 37 * 53 * 3, dtype=np.float32).reshape(37, 53, 3)
    header = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
    exr.File(header, {"RGB": light}).write(str(tmp_path / "a.exr"))
    frame = read_frame(find_frames([tmp_path / "a.exr"])[0][0])
    assert np.abs(frame.pixels / 65_535 - light).max() <= 0.5 / 65_535
    assert frame.metadata.icc is not None


def whole(tmp_path):
    """One sound file of each format that is made without an extra."""
    film(tmp_path / "a.mp4", 20)
    return {
        ".bmp": by_pillow(tmp_path, RGB, "a.bmp"),
        ".gif": by_pillow(tmp_path, GREY, "a.gif"),
        ".ppm": by_pillow(tmp_path, RGB, "a.ppm"),
        ".avif": by_pillow(tmp_path, RGB, "a.avif"),
        ".jp2": imagecodecs.jpeg2k_encode(RGB, level=0),
        ".j2k": imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="j2k"),
        ".jxl": imagecodecs.jpegxl_encode(RGB, lossless=True),
        ".mp4": (tmp_path / "a.mp4").read_bytes(),
    }


def test_what_is_cut_off_is_refused_by_name(tmp_path):
    for suffix, data in whole(tmp_path).items():
        assert sniff(data[:64]) == SUFFIXES[suffix]
        for length in (20, len(data) // 3, len(data) * 2 // 3):
            path = save(tmp_path, f"cut{length}{suffix}", data[:length])
            with pytest.raises(InputError) as caught:
                [read_frame(info) for info in find_frames([path])[0]]
            assert path.name in str(caught.value)


def test_one_kind_of_a_mixed_folder_is_taken(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("1.png", "2.bmp"):
        by_pillow(folder, RGB, name)
    by_pillow(folder, GREY, "all.gif")
    film(folder / "all.mp4", 5)
    infos, notes = find_frames([folder])
    assert [info.name for info in infos] == ["1.png", "2.bmp"]
    assert any("1 GIF file beside other pictures" in note for note in notes)
    assert any("1 video file " in note for note in notes)
    for path in (folder / "1.png", folder / "2.bmp", folder / "all.gif"):
        path.unlink()
    assert len(find_frames([folder])[0]) == 5


def test_light_comes_back_as_it_was(tmp_path):
    light = (RGB.astype(np.float32) / 255) ** 2.2 * 40
    files = {"a.pfm": light, "b.pfm": light[..., 1], "a.hdr": light}
    for name, pixels in files.items():
        data = by_opencv(pixels, name[1:])
        (info,), _ = find_frames([save(tmp_path, name, data)])
        found = stored_values(info)
        # a HDR has eight bits of the largest colour
        allowed = light.max(axis=-1, keepdims=True) / 128 if name == "a.hdr" else 0
        assert (np.abs(found - pixels) <= allowed).all(), name
        colours = read_frame(info).metadata.icc
        assert (colours is not None) == (pixels.ndim == 3)


def test_a_big_endian_pfm_begins_below(tmp_path):
    values = np.arange(6, dtype=">f4").reshape(2, 3)
    (info,), _ = find_frames([save(tmp_path, "a.pfm", b"Pf\n3 2\n1.0\n" + values.tobytes())])
    assert stored_values(info).tolist() == [[3, 4, 5], [0, 1, 2]]


def test_exposures_of_a_hdr_are_taken_back(tmp_path):
    light = np.full((9, 16, 3), 0.5, np.float32)
    data = by_opencv(light, ".hdr")
    told = data.replace(b"\n\n", b"\nEXPOSURE=4\nEXPOSURE= 0.5\n\n", 1)
    (info,), _ = find_frames([save(tmp_path, "a.hdr", told)])
    np.testing.assert_allclose(stored_values(info), 0.25)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("compression", [None, "tga_rle"])
def test_tga_comes_back(tmp_path, mode, compression):
    picture = Image.fromarray(RGB).convert(mode)
    picture.save(tmp_path / "a.tga", compression=compression)
    frame, notes = read(tmp_path, (tmp_path / "a.tga").read_bytes(), ".tga")
    wanted = picture.convert("RGB") if mode == "P" else picture
    np.testing.assert_array_equal(frame.pixels, np.asarray(wanted))
    assert frame.has_alpha == ("A" in mode)
    assert bool(notes) == (mode == "P")


@pytest.mark.parametrize(
    "data",
    [
        b"Pf\n3 2\n-1.0\n" + bytes(23),
        b"Pf\n3 2\nnan\n" + bytes(24),
        b"Pf\n0 2\n-1\n",
        b"#?RADIANCE\nEXPOSURE=0\n\n-Y 2 +X 3\n" + bytes(24),
        b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 2 +X 3\n" + bytes(24),
        b"#?RADIANCE\n\n+Y 2 +X 3\n" + bytes(24),
        b"#?RADIANCE\n\n-Y 2 +X 3\n" + bytes(9),
        b"#?RADIANCE\n",
        b"PF\n900000000 900000000\n-1\n",
        b"\0\0\2" + bytes(15),
    ],
)
def test_what_is_none_of_them_is_refused(tmp_path, data):
    with pytest.raises(InputError):
        read(tmp_path, data, ".tga" if data[:1] == b"\0" else ".pfm")


def test_a_cut_off_hdr_or_tga_is_refused(tmp_path):
    hdr = by_opencv(RGB.astype(np.float32), ".hdr")
    tga = by_pillow(tmp_path, RGB, "made.tga")
    for data, suffix in ((hdr, ".hdr"), (tga, ".tga")):
        with pytest.raises(InputError):
            read(tmp_path, data[: len(data) // 2], suffix)
