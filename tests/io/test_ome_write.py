"""A picture called .ome.tif is an OME-TIFF."""

from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.io import Metadata, pixel_um, read_frame, write_image, write_map
from panfocus.io.find import find_frames
from panfocus.io.ome_write import ome_xml
from panfocus.io.provenance import is_made_by_panfocus
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(4, 48, 64)


def pixels_of(path):
    """Return attributes of Pixels, and of its only channel."""
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        root = ElementTree.fromstring(file.ome_metadata)
    pixels = next(e for e in root.iter() if e.tag.endswith("}Pixels"))
    channel = next(e for e in pixels if e.tag.endswith("}Channel"))
    return pixels.attrib, channel.attrib


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_kind_of_picture(tmp_path, dtype, channels):
    shape = (48, 64, channels) if channels > 1 else (48, 64)
    pixels = np.random.default_rng(channels).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    path = tmp_path / "a.ome.tif"
    write_image(path, pixels, Metadata(), pixel_um=(0.5, 0.25), is_result=True)
    with tifffile.TiffFile(path) as file:
        np.testing.assert_array_equal(file.series[0].asarray(), pixels)
        assert file.series[0].axes == ("YXS" if channels > 1 else "YX")
    told, channel = pixels_of(path)
    assert (told["SizeX"], told["SizeY"], told["SizeC"]) == ("64", "48", str(channels))
    assert (told["PhysicalSizeX"], told["PhysicalSizeY"]) == ("0.25", "0.5")
    assert told["Type"] == np.dtype(dtype).name
    assert channel["SamplesPerPixel"] == str(channels)
    assert is_made_by_panfocus(path)
    assert pixel_um(path) == (0.5, 0.25)
    (info,), _ = find_frames([path])  # and it can be read again as a frame
    np.testing.assert_array_equal(read_frame(info).pixels, pixels)


def test_maps_are_too(tmp_path):
    depth = np.linspace(0, 3, 48 * 64, dtype=np.float32).reshape(48, 64)
    write_map(tmp_path / "d.ome.tif", depth)
    told, _ = pixels_of(tmp_path / "d.ome.tif")
    assert told["Type"] == "float"
    assert "PhysicalSizeX" not in told
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "d.ome.tif"), depth)
    write_map(tmp_path / "d.tif", depth)
    with tifffile.TiffFile(tmp_path / "d.tif") as file:
        assert not file.is_ome


def test_what_a_camera_says_goes_into_it(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    exif = Image.Exif()
    exif[270] = 'a <fly> & "more"'
    exif[271] = "Maker"
    for n, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"{n}.tif", exif=exif)
    out = tmp_path / "f.ome.tif"
    assert main(["fuse", str(folder), "-o", str(out), "-s", "guided", "--pixel-size", "0.5"]) == 0
    with tifffile.TiffFile(out) as file:
        assert file.pages.first.tags["Make"].value == "Maker"
        said = next(e for e in ElementTree.fromstring(file.ome_metadata).iter()
                    if e.tag.endswith("}Description"))  # fmt: skip
    assert said.text == 'a <fly> & "more"'
    assert pixels_of(out)[0]["PhysicalSizeX"] == "0.5"


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_a_stack_that_tells_the_size_of_its_pixels_hands_it_on(tmp_path, kind):
    path = tmp_path / "s.tif"
    grey = FRAMES[..., 0]
    if kind == "imagej":
        about = {"axes": "ZYX", "unit": "nm", "spacing": 500}
        tifffile.imwrite(path, grey, imagej=True, metadata=about, resolution=(1 / 325, 1 / 250))
    else:
        about = {"axes": "ZYX", "PhysicalSizeX": 0.325, "PhysicalSizeY": 250}
        tifffile.imwrite(path, grey, ome=True, metadata=about | {"PhysicalSizeYUnit": "nm"})
    assert pixel_um(path) == pytest.approx((0.25, 0.325))
    fusion = panfocus.fuse(path, system="guided")
    fusion.save(tmp_path / "o.ome.tif", maps={"depth": tmp_path / "d.ome.tif"})
    for name in ("o", "d"):
        told, _ = pixels_of(tmp_path / f"{name}.ome.tif")
        assert float(told["PhysicalSizeX"]) == pytest.approx(0.325)
        assert float(told["PhysicalSizeY"]) == pytest.approx(0.25)


def test_other_files_say_nothing(tmp_path):
    Image.fromarray(FRAMES[0]).save(tmp_path / "a.tif", dpi=(300, 300))
    assert pixel_um(tmp_path / "a.tif") is None
    (tmp_path / "b.tif").write_bytes(b"II*\0")
    assert pixel_um(tmp_path / "b.tif") is None
    assert ome_xml(tmp_path / "a.tif", FRAMES[0]) is None


def test_letters_that_xml_has_not(tmp_path):
    text = ome_xml(tmp_path / 'a"\x01<.ome.tif', FRAMES[0], description=b"x\x00\x01y\0")
    root = ElementTree.fromstring(text)
    assert root[0].attrib["Name"] == 'a"\ufffd<'
    before = ome_xml(tmp_path / "a.ome.tif", FRAMES[0], description=b"<?xml ...")
    assert b"Description" not in before
