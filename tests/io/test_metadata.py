"""EXIF, ICC, XMP and resolution survive every pair of formats, upright and without stale parts."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from panfocus.errors import InputError
from panfocus.io import Metadata, find_frames, read_frame, to_depth, write_image
from panfocus.io.fit import check_frames
from panfocus.io.ifd import Block, Entry, Tag
from panfocus.io.ifd_pack import pack
from panfocus.io.metadata import clean_exif, parse_exif
from tests.support.files import (
    DPI,
    ICC,
    KINDS,
    MAKER_NOTE,
    SUFFIX,
    XMP,
    exif_block,
    foreign,
    photo,
    pillow,
    read_bytes,
    read_one,
    save,
    with_png_chunks,
)


def by_others(path):
    """(exif tags, icc, xmp, dpi) of a file, by Pillow or tifffile."""
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages[0]
            tags = {tag.code: tag.value for tag in page.tags}
            return tags, tags.get(34675), tags.get(700), page.get_resolution("INCH")
    with Image.open(path) as image:
        exif = image.getexif()
        dpi = image.info.get("dpi")
        if path.suffix == ".webp":
            dpi = (float(exif[282]), float(exif[283]))
        xmp = image.info.get("xmp")
        return dict(exif), image.info.get("icc_profile"), xmp, dpi


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_every_pair_of_formats_keeps_all(tmp_path, source, target):
    data, pixels = foreign(source)
    frame = read_bytes(tmp_path, data, SUFFIX[source])
    np.testing.assert_array_equal(frame.pixels, pixels)
    depth = "uint16" if target.endswith("16") else "uint8"
    out = tmp_path / f"out{SUFFIX[target]}"
    assert write_image(out, to_depth(frame.pixels, depth), frame.metadata) == []

    exif, icc, xmp, dpi = by_others(out)
    assert exif[271].rstrip("\0") == "Panmaker"
    assert exif.get(274, 1) == 1
    assert bytes(icc) == ICC
    assert b'dc:creator="Ann"' in bytes(xmp)
    assert b'tiff:Orientation="1"' in bytes(xmp)
    assert b"4000" not in bytes(xmp)
    assert dpi == pytest.approx(DPI, abs=0.02)

    again = read_one(out).metadata
    assert again.icc == ICC
    assert again.xmp == bytes(xmp)
    assert again.dpi == DPI
    if not source.startswith("TIFF"):
        inner = parse_exif(again.exif).root
        assert isinstance(inner[Tag.EXIF_IFD][Tag.MAKER_NOTE], Entry)
        assert inner[Tag.EXIF_IFD][Tag.MAKER_NOTE].data == MAKER_NOTE
        assert inner[Tag.GPS_IFD][1].data == b"N\0"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once_and_reset(tmp_path, kind, orientation):
    data, pixels = foreign(kind, orientation)
    frame = read_bytes(tmp_path, data, SUFFIX[kind])
    image = Image.fromarray(np.zeros(pixels.shape[:2], np.uint8))
    image.getexif()[274] = orientation
    expected = np.dstack(
        [
            np.asarray(ImageOps.exif_transpose(_plane(pixels[..., c], orientation)))
            for c in range(pixels.shape[2])
        ]
    )
    np.testing.assert_array_equal(frame.pixels, expected)
    assert frame.pixels.flags.c_contiguous
    assert b"T" * 40 not in frame.metadata.exif  # the thumbnail would show the unfused frame
    for target in KINDS:
        depth = "uint16" if target.endswith("16") else "uint8"
        out = tmp_path / f"out-{target}{SUFFIX[target]}"
        write_image(out, to_depth(frame.pixels, depth), frame.metadata)
        tags, *_ = by_others(out)
        assert tags.get(274, 1) == 1
        assert read_one(out).pixels.shape == expected.shape


def _plane(plane, orientation):
    image = Image.fromarray(plane.astype(np.int32))
    image.getexif()[274] = orientation
    return image


def test_header_gives_the_upright_size(tmp_path):
    from panfocus.io import find_frames

    data, pixels = foreign("JPEG", 6)
    info = find_frames([save(tmp_path, "a.jpg", data)])[0][0]
    assert (info.width, info.height) == pixels.shape[:2]
    assert read_frame(info).pixels.shape == (info.height, info.width, 3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_clean_exif_keeps_the_maker_note_in_place_and_drops_what_is_stale(order):
    block = exif_block(6, order=order)
    clean = clean_exif(block)
    assert clean.orientation == 6
    root = parse_exif(clean.data).root
    assert struct.unpack(order + "H", root[274].data) == (1,)
    assert 0x0100 not in root
    assert not {0xA002, 0xA003} & root[Tag.EXIF_IFD].keys()
    note = root[Tag.EXIF_IFD][Tag.MAKER_NOTE]
    assert (note.data, note.offset) == (MAKER_NOTE, 400)
    assert b"TTTT" not in clean.data
    assert clean_exif(clean.data).data == clean.data


def test_jpeg_tells_its_own_size_in_exif(tmp_path):
    frame = read_bytes(tmp_path, foreign("JPEG", 6)[0], ".jpg")
    write_image(tmp_path / "out.jpg", frame.pixels[:20], frame.metadata)
    with Image.open(tmp_path / "out.jpg") as image:
        inner = image.getexif().get_ifd(0x8769)
        assert (inner[0xA002], inner[0xA003]) == image.size == (37, 20)


@pytest.mark.parametrize("target", ["JPEG", "TIFF8", "WebP", "PNG8"])
def test_big_endian_exif_survives(tmp_path, target):
    data, _ = foreign("JPEG", exif=exif_block(3, order=">"))
    frame = read_bytes(tmp_path, data, ".jpg")
    out = tmp_path / f"out{SUFFIX[target]}"
    write_image(out, frame.pixels, frame.metadata, quality=100)
    again = read_one(out)
    assert parse_exif(again.metadata.exif).root[271].data == b"Panmaker\0"
    if target != "JPEG":
        np.testing.assert_array_equal(again.pixels, frame.pixels)


def test_big_endian_tiff_keeps_16_bit_pixels(tmp_path):
    frame = read_bytes(tmp_path, foreign("PNG16", exif=exif_block(order=">"))[0], ".png")
    write_image(tmp_path / "out.tif", frame.pixels, frame.metadata)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), frame.pixels)
    assert (tmp_path / "out.tif").read_bytes()[:2] == b"MM"


def test_exif_of_nothing_but_stale_or_empty_parts_is_left_out():
    block = Block()
    block.put(0x0100, 4, 4000)
    block.root[Tag.EXIF_IFD] = {Tag.PIXEL_WIDTH: block.root[0x0100]}
    assert clean_exif(pack(block)).data is None


@pytest.mark.parametrize(
    ("kind", "value"), [(9, b"\xff" * 4), (11, b"\0\0\xc0\x7f"), (8, b"\xff" * 4)]
)
@pytest.mark.parametrize("tag", [0x0112, 0x8769])
def test_tags_of_a_senseless_kind_do_not_fail(kind, value, tag):
    """Negative offsets, and numbers that are none, in place of Orientation and the Exif pointer."""
    block = bytearray(exif_block(6))
    row = block.index(struct.pack("<H", tag), 8)
    block[row + 2 : row + 12] = struct.pack("<HI", kind, 1) + value
    assert clean_exif(bytes(block)).data is not None


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damaged_exif_never_fails_and_never_turns_twice(data):
    block = bytearray(exif_block(6))
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(block[: data.draw(st.integers(0, len(block)))])
    clean = clean_exif(cut)
    if clean.data is not None:
        assert clean_exif(clean.data).orientation == 1
        assert clean_exif(clean.data).data is not None


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        b"\0" * 9,
        struct.pack(">IIB", 0, 0, 1),
        struct.pack(">IIB", 0xFFFFFFFF, 1, 1),
        struct.pack(">IIB", 3000, 3000, 7),
    ],
)
def test_broken_resolution_of_a_png_does_not_fail(tmp_path, chunk):
    pixels = photo()
    frame = read_bytes(tmp_path, with_png_chunks(pillow(pixels, "PNG"), [(b"pHYs", chunk)]), ".png")
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert frame.metadata.dpi is None


def test_zero_density_of_a_jpeg_does_not_fail(tmp_path):
    data = bytearray(pillow(photo(), "JPEG"))
    data[13:18] = struct.pack(">BHH", 1, 0, 0)
    assert read_bytes(tmp_path, bytes(data), ".jpg").metadata.dpi is None


def test_unequal_resolution_turns_with_the_picture(tmp_path):
    exif = exif_block(6)
    data = pillow(photo(), "JPEG", exif=b"Exif\0\0" + exif, dpi=(300, 150))
    assert read_bytes(tmp_path, data, ".jpg").metadata.dpi == (150, 300)
    chunks = [(b"pHYs", struct.pack(">IIB", 11811, 5906, 1)), (b"eXIf", exif)]
    data = with_png_chunks(pillow(photo(), "PNG"), chunks)
    assert read_bytes(tmp_path, data, ".png").metadata.dpi == (150, 300)


def test_broken_profile_chunk_is_left_out(tmp_path):
    data = with_png_chunks(pillow(photo(), "PNG"), [(b"iCCP", b"x\0\0junk")])
    assert read_bytes(tmp_path, data, ".png").metadata.icc is None


def _huge_exif():
    block = parse_exif(exif_block())
    block.put_bytes(37510, 7, bytes(70_000))
    return pack(block)


def test_large_profile_and_metadata_that_do_not_fit_a_jpeg(tmp_path):
    icc = ICC[:128] + np.random.default_rng(0).bytes(150_000)
    metadata = Metadata(exif=_huge_exif(), icc=icc, xmp=b"x" * 70_000)
    notes = write_image(tmp_path / "a.jpg", photo(), metadata)
    assert len(notes) == 2 and "EXIF" in notes[0] and "XMP" in notes[1]
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["icc_profile"] == icc
    assert read_one(tmp_path / "a.jpg").metadata.icc == icc


def _written_with(tmp_path, *profiles):
    paths = [tmp_path / f"{n}.tif" for n in range(len(profiles))]
    for path, icc in zip(paths, profiles, strict=True):
        write_image(path, photo(), Metadata(icc=icc))
    return find_frames(paths)[0]


@pytest.mark.parametrize("at", [4, 24, 35, 40, 80, 84, 99])
def test_profiles_that_tell_another_time_or_program_are_alike(tmp_path, at):
    again = ICC[:at] + bytes([ICC[at] ^ 7]) + ICC[at + 1 :]
    check_frames(_written_with(tmp_path, ICC, again))


@pytest.mark.parametrize("at", [12, 20, 64, 68, 200, len(ICC) - 9])
def test_profiles_of_other_colours_are_not_alike(tmp_path, at):
    other = ICC[:at] + bytes([ICC[at] ^ 7]) + ICC[at + 1 :]
    with pytest.raises(InputError, match="ICC colour profile"):
        check_frames(_written_with(tmp_path, ICC, other))


def test_profile_for_other_channels_is_left_out_with_a_note(tmp_path):
    for suffix in (".png", ".tif", ".jpg"):
        notes = write_image(tmp_path / f"a{suffix}", photo(channels=1), Metadata(icc=ICC))
        assert "profile" in notes[0]
        assert read_one(tmp_path / f"a{suffix}").metadata.icc is None
    # grey becomes RGB in a WebP, so an RGB profile is right there
    assert len(write_image(tmp_path / "a.webp", photo(channels=1), Metadata(icc=ICC))) == 1
    assert read_one(tmp_path / "a.webp").metadata.icc == ICC


def test_gamma_of_a_png_is_kept_or_told(tmp_path):
    linear = struct.pack(">I", 100_000)
    data = with_png_chunks(pillow(photo(), "PNG"), [(b"gAMA", linear)])
    frame = read_bytes(tmp_path, data, ".png")
    assert write_image(tmp_path / "b.png", frame.pixels, frame.metadata) == []
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["gamma"] == 1.0
    assert "gamma" in write_image(tmp_path / "b.tif", frame.pixels, frame.metadata)[0]


def test_stack_descriptions_are_not_passed_on(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([photo(channels=1)] * 3), imagej=True)
    from panfocus.io import find_frames

    frame = read_frame(find_frames([path])[0][1])
    write_image(tmp_path / "out.tif", frame.pixels, frame.metadata)
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert 270 not in tiff.pages[0].tags
        assert not tiff.is_imagej


def test_xmp_is_reset_in_element_form_too(tmp_path):
    xmp = XMP.replace(b' tiff:Orientation="6"', b"").replace(
        b"<exif:", b"<tiff:Orientation>8</tiff:Orientation><exif:", 1
    )
    frame = read_bytes(tmp_path, pillow(photo(), "JPEG", xmp=xmp), ".jpg")
    assert b"<tiff:Orientation>1</tiff:Orientation>" in frame.metadata.xmp
    assert b"PixelXDimension" not in frame.metadata.xmp
