"""Photoshop's layers in a TIFF: read back by psdtags, tifffile, Pillow and psd-tools."""

import io as bytes_io
import shutil
import subprocess

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus import io
from panfocus.errors import OutputError
from panfocus.frame import Metadata
from panfocus.io import tiff_write
from panfocus.io.ifd import Tag
from panfocus.io.layered import write_layers
from panfocus.io.metadata import parse_exif
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.io.psd_layers import LayeredPicture, PsdLayer
from tests.support.files import ICC, exif_block, photo

LAYERS = 37724


def written(path, dtype, channels, metadata=Metadata(icc=ICC)):  # noqa: B008  it is frozen
    """Write two layers; return the picture, the one below it, and its mask."""
    has_alpha = channels in (2, 4)
    picture, below = (photo(31, 45, channels, dtype, seed) for seed in (1, 2))
    mask = photo(31, 45, 1, dtype, 5)
    layers = [PsdLayer("bełow", has_alpha, has_mask=True), PsdLayer("fused", has_alpha)]
    pixels = iter([(below, mask), (picture, None)])
    write_layers(path, LayeredPicture(picture, layers, pixels, has_alpha), metadata)
    return picture, below, mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_psdtags_reads_every_layer_and_mask(tmp_path, dtype, channels):
    psdtags = pytest.importorskip("psdtags")
    path = tmp_path / "a.tif"
    picture, below, mask = written(path, dtype, channels)
    found = psdtags.TiffImageSourceData.fromtiff(path)
    assert found.psdformat == psdtags.PsdFormat.BE32BIT
    names = [i.value for layer in found.layers for i in layer.info if i.key.value == b"luni"]
    assert names == ["bełow", "fused"]
    assert found.layers.has_transparency == (channels in (2, 4))
    for layer, pixels in zip(found.layers, (below, picture), strict=True):
        planes = [c.data for c in layer.channels if c.channelid.name != "USER_LAYER_MASK"]
        expected = pixels.reshape(31, 45, channels)
        assert len(planes) == channels
        for c, plane in enumerate(planes):
            assert np.array_equal(plane, expected[..., c])
    masks = [c.data for c in found.layers[0].channels if c.channelid.name == "USER_LAYER_MASK"]
    assert np.array_equal(masks[0], mask)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_psd_tools_reads_the_layers(tmp_path, dtype):
    layer_info = pytest.importorskip("psd_tools.psd.layer_and_mask").LayerInfo
    path = tmp_path / "a.tif"
    picture, below, mask = written(path, dtype, 3)
    with tifffile.TiffFile(path) as tif:
        value = bytes(tif.pages[0].tags[LAYERS].value)
    begin, key = value.split(b"\0", 1)[0], value[36:44]
    assert begin == b"Adobe Photoshop Document Data Block"
    assert key == (b"8BIMLayr" if dtype is np.uint8 else b"8BIMLr16")
    with bytes_io.BytesIO(value[44:]) as file:  # the length of a block and of layers are alike
        found = layer_info.read(file)
    assert [record.name for record in found.layer_records] == ["be?ow", "fused"]
    kind = np.dtype(dtype).newbyteorder(">")
    for number, expected in ((0, below), (1, picture)):
        for c in range(3):
            data = found.channel_image_data[number][c].data
            assert np.array_equal(np.frombuffer(data, kind).reshape(31, 45), expected[..., c])
    data = found.channel_image_data[0][3].data
    assert np.array_equal(np.frombuffer(data, kind).reshape(31, 45), mask)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_imagemagick_shows_every_layer(tmp_path, dtype):
    program = shutil.which("magick") or shutil.which("convert-im6.q16")
    if program is None:
        pytest.skip("ImageMagick is not installed")
    picture, below, _ = written(tmp_path / "a.tif", dtype, 3, Metadata())
    words = [program, "a.tif", "-depth", "16", "+adjoin", "%d.png"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    for number, expected in enumerate((picture, below, picture)):  # the picture, and two layers
        shown = cv2.imread(str(tmp_path / f"{number}.png"), cv2.IMREAD_UNCHANGED)[..., 2::-1]
        assert np.array_equal(in_sixteen_bits(shown), in_sixteen_bits(expected))


def in_sixteen_bits(pixels):
    return pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * 257


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_reader_shows_the_picture(tmp_path, dtype):
    path = tmp_path / "a.tif"
    picture, *_ = written(path, dtype, 3)
    assert np.array_equal(tifffile.imread(path), picture)
    if dtype is np.uint8:
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), picture)
    info = io.find_frames([str(path)])[0][0]
    assert np.array_equal(io.read_frame(info).pixels, picture)
    assert io.read_frame(info).metadata.icc == ICC
    assert is_made_by_panfocus(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_kept_in_the_order_of_the_file(tmp_path, order):
    path = tmp_path / "a.tif"
    written(path, np.uint8, 3, Metadata(exif=exif_block(order=order)))
    with tifffile.TiffFile(path) as tif:
        assert tif.byteorder == ">"
        exif = tif.pages[0].tags["ExifTag"].value
    assert exif["ISOSpeedRatings"] == 800
    assert ("MakerNote" in exif) == (order == ">")  # its numbers cannot be turned over
    info = io.find_frames([str(path)])[0][0]
    kept = parse_exif(io.read_frame(info).metadata.exif)
    assert kept.data(0x010F) == parse_exif(exif_block(order=order)).data(0x010F)


def test_more_than_a_tiff_can_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_write, "_MAX_BYTES", 10_000)
    with pytest.raises(OutputError, match=r"write \.psb"):
        written(tmp_path / "a.tif", np.uint8, 3)
    assert list(tmp_path.iterdir()) == []


def test_a_tiff_with_large_layers_is_read(tmp_path, monkeypatch):
    """Of a retoucher's TIFF the layers may be most of the file: they are not read."""
    monkeypatch.setattr("panfocus.io.ifd._MAX_VALUE", 2000)
    path = tmp_path / "a.tif"
    picture, *_ = written(path, np.uint8, 3, Metadata())
    info = io.find_frames([str(path)])[0][0]
    assert np.array_equal(io.read_frame(info).pixels, picture)
    assert Tag.LAYERS == LAYERS
