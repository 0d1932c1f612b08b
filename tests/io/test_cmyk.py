"""CMYK in JPEG and TIFF becomes RGB: by the profile in the file, or by a rule, and is told."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io import find_frames, read_frame
from tests.conftest import focal_stack

GRID = 5
INKS = np.random.default_rng(1).integers(0, 256, (40, 56, 4)).astype(np.uint8)
INKS = cv2.GaussianBlur(INKS, (0, 0), 3)
PLAIN = np.rint((255.0 - INKS[..., :3]) * (255.0 - INKS[..., 3:]) / 255).astype(np.uint8)


def profile():
    """A CMYK profile (lut8 to Lab) whose inks are duller than those of the rule."""
    cyan, magenta, yellow, black = np.meshgrid(*[np.linspace(0, 1, GRID)] * 4, indexing="ij")
    inks = np.stack([cyan, magenta, yellow], -1)
    rgb = (1 - 0.8 * inks) * (1 - 0.9 * black[..., None])
    lab = cv2.cvtColor(rgb.reshape(-1, 1, 3).astype(np.float32), cv2.COLOR_RGB2LAB)[:, 0]
    clut = np.rint(np.column_stack([lab[:, 0] * 2.55, lab[:, 1:] + 128])).astype(np.uint8)
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(65_536 * (n % 4 == 0) for n in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, GRID, 0]) + matrix
    table += 4 * ramp + clut.tobytes() + 3 * ramp
    head = bytearray(128)
    head[8:24] = struct.pack(">I", 0x02400000) + b"prtrCMYKLab "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", 63_190, 65_536, 54_061)  # D50
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    data = bytes(head) + tags + table
    return struct.pack(">I", len(data)) + data[4:]


ICC = profile()


def managed(inks):
    """What Pillow makes of inks by the profile."""
    made = ImageCms.profileToProfile(
        Image.fromarray(inks, "CMYK"),
        ImageCms.ImageCmsProfile(io.BytesIO(ICC)),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.asarray(made)


def read(path):
    infos, notes = find_frames([path])
    return read_frame(infos[0]), notes


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("icc", [ICC, None], ids=["profile", "rule"])
def test_a_tiff_becomes_rgb(tmp_path, depth, planar, icc):
    inks = INKS if depth == 8 else INKS.astype(np.uint16) * 257
    stored = inks if planar == "contig" else np.moveaxis(inks, -1, 0)
    how = {"photometric": "separated", "planarconfig": planar, "iccprofile": icc}
    tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(stored), **how)
    frame, notes = read(tmp_path / "a.tif")
    assert frame.pixels.dtype == inks.dtype
    eight = np.rint(frame.pixels / (1 if depth == 8 else 257)).astype(int)
    assert np.abs(eight - (PLAIN if icc is None else managed(INKS))).max() <= 1
    assert frame.metadata.icc is None
    assert ("without a profile" in notes[0]) == (icc is None)
    assert np.abs(managed(INKS).astype(int) - PLAIN).mean() > 5  # the profile says something else


@pytest.mark.parametrize("writer", ["Pillow", "tifffile", "tifffile, tiles"])
@pytest.mark.parametrize("icc", [ICC, None], ids=["profile", "rule"])
def test_jpegs_inside_a_tiff_become_rgb(tmp_path, writer, icc):
    path = tmp_path / "a.tif"
    if writer == "Pillow":
        picture = Image.fromarray(INKS, "CMYK")
        picture.save(path, compression="jpeg", quality=98, icc_profile=icc)
    else:
        how = {"tile": (32, 32)} if "tiles" in writer else {"rowsperstrip": 16}
        how |= {"compression": "jpeg", "compressionargs": {"level": 98}, "iccprofile": icc}
        tifffile.imwrite(path, INKS, photometric="separated", **how)
    frame, notes = read(path)
    wanted = PLAIN if icc is None else managed(INKS)
    assert np.abs(frame.pixels.astype(int) - wanted).mean() < 2
    assert "CMYK" in notes[0]


@pytest.mark.parametrize("transform", [0, 2])
def test_inks_that_a_jpeg_inside_a_tiff_says_are_ycck_are_refused(tmp_path, transform):
    """libtiff and libjpeg read another picture from them; a plain mark of Adobe's changes none."""
    plain, path = tmp_path / "a.tif", tmp_path / "b.tif"
    how = {"compression": "jpeg", "compressionargs": {"level": 98}, "photometric": "separated"}
    tifffile.imwrite(plain, INKS, **how)
    with tifffile.TiffFile(plain) as file:
        page = file.pages[0]
        (at,), (size,) = page.dataoffsets, page.databytecounts
        places = [page.tags[name].valueoffset for name in ("StripOffsets", "StripByteCounts")]
    data = bytearray(plain.read_bytes())
    mark = b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    data += data[at : at + 2] + mark + data[at + 2 : at + size]
    for place, value in zip(places, (len(data) - size - len(mark), size + len(mark)), strict=True):
        struct.pack_into("<I", data, place, value)
    path.write_bytes(data)
    if transform == 0:
        assert np.array_equal(read(path)[0].pixels, read(plain)[0].pixels)
        return
    with pytest.raises(InputError, match="YCCK"):
        read(path)


@pytest.mark.parametrize("icc", [ICC, None], ids=["profile", "rule"])
def test_a_jpeg_of_adobe_becomes_rgb(tmp_path, icc):
    path = tmp_path / "a.jpg"
    Image.fromarray(INKS, "CMYK").save(path, quality=100, subsampling=0, icc_profile=icc)
    frame, notes = read(path)
    wanted = PLAIN if icc is None else managed(INKS)
    assert frame.pixels.shape == wanted.shape
    assert np.abs(frame.pixels.astype(int) - wanted).mean() < 2
    assert "CMYK" in notes[0]


def test_a_jpeg_without_adobes_mark_holds_inks_as_they_are(tmp_path):
    file = io.BytesIO()
    Image.fromarray(INKS, "CMYK").save(file, "JPEG", quality=100, subsampling=0)
    data = file.getvalue()
    at = data.index(b"\xff\xee")
    (length,) = struct.unpack_from(">H", data, at + 2)
    (tmp_path / "a.jpg").write_bytes(data[:at] + data[at + 2 + length :])
    inverted = 255 - INKS.astype(float)
    wanted = (255 - inverted[..., :3]) * (255 - inverted[..., 3:]) / 255
    assert np.abs(read(tmp_path / "a.jpg")[0].pixels - wanted).mean() < 2


def test_a_stack_is_fused_and_told_once(tmp_path, capsys):
    frames, _ = focal_stack(3)
    for n, frame in enumerate(frames):
        Image.fromarray(frame).convert("CMYK").save(tmp_path / f"{n}.jpg", quality=98)
    assert main(["fuse", str(tmp_path), "-s", "guided", "-o", str(tmp_path / "o.png")]) == 0
    assert capsys.readouterr().err.count("CMYK") == 1
    assert np.asarray(Image.open(tmp_path / "o.png")).shape == frames[0].shape


def test_a_damaged_profile_and_further_inks_are_told(tmp_path):
    how = {"photometric": "separated", "iccprofile": ICC[:200]}
    tifffile.imwrite(tmp_path / "a.tif", INKS, **how)
    with pytest.raises(InputError):
        read(tmp_path / "a.tif")
    five = np.dstack([INKS, INKS[..., 0]])
    tifffile.imwrite(tmp_path / "b.tif", five, photometric="separated")
    with pytest.raises(InputError, match="CMYK with opacity"):
        read(tmp_path / "b.tif")
