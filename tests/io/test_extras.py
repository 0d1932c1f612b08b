"""Camera RAW and HEIC: developed alike, upright, with their metadata; and without the extras."""

from __future__ import annotations

import io
import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

import panfocus
from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io import develop_alike, find_frames, read_frame
from tests.support.files import exif_block, photo, save

needs_raw = pytest.importorskip("rawpy")
heif = pytest.importorskip("pillow_heif")


def write_dng(path, seed=0, neutral=(0.5, 1.0, 0.7), orientation=1, cfa=None):
    """A small uncompressed DNG with a Bayer pattern RG/GB."""

    def rational(values):
        return tuple(v for x in values for v in (round(x * 10_000), 10_000))

    if cfa is None:
        cfa = photo(120, 160, 1, np.uint16, seed) // 2
    tags = [
        (50706, "B", 4, b"\x01\x04\x00\x00", True),  # DNGVersion
        (50707, "B", 4, b"\x01\x01\x00\x00", True),
        (50708, "s", 0, "Panfocus Test", True),
        (271, "s", 0, "Panfocus", True),
        (272, "s", 0, "Test", True),
        (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True),  # CFARepeatPatternDim
        (33422, "B", 4, b"\x00\x01\x01\x02", True),
        (50714, "H", 1, 0, True),  # BlackLevel
        (50717, "H", 1, 65_535, True),
        (50721, "2i", 9, rational([1, 0, 0, 0, 1, 0, 0, 0, 1]), True),  # ColorMatrix1
        (50728, "2I", 3, rational(neutral), True),  # AsShotNeutral
        (50778, "H", 1, 21, True),
    ]
    tifffile.imwrite(path, cfa, photometric=32_803, extratags=tags, metadata=None, software=False)
    return path


def test_a_raw_is_developed_upright_with_its_exif(tmp_path):
    (info,), notes = find_frames([write_dng(tmp_path / "a.dng", orientation=6)])
    assert (info.height, info.width, info.channels, info.dtype) == (160, 120, 3, "uint16")
    assert any("camera RAW" in note for note in notes)
    frame = read_frame(info)
    assert frame.pixels.shape == (160, 120, 3)
    assert frame.metadata.exif is not None
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + frame.metadata.exif)
    assert exif[0x010F] == "Panfocus"
    assert exif.get(0x0112, 1) == 1


def test_one_white_balance_for_the_whole_stack(tmp_path):
    """Frames of the same sensor values are the same picture, whatever the camera thought."""
    write_dng(tmp_path / "a.dng", neutral=(0.5, 1.0, 0.7))
    write_dng(tmp_path / "b.dng", neutral=(0.9, 1.0, 0.4))
    infos, _ = find_frames([tmp_path])
    own = [read_frame(info).pixels for info in infos]
    assert not np.array_equal(*own)
    alike, notes = develop_alike(infos, 1, "srgb")
    pictures = [read_frame(info).pixels for info in alike]
    np.testing.assert_array_equal(*pictures)
    np.testing.assert_array_equal(pictures[1], own[1])
    assert "b.dng" in notes[0]


def test_linear_is_proportional_to_light(tmp_path):
    cfa = np.full((120, 160), 8000, np.uint16)
    write_dng(tmp_path / "a.dng", neutral=(1, 1, 1), cfa=cfa)
    write_dng(tmp_path / "b.dng", neutral=(1, 1, 1), cfa=cfa * 2)
    infos, _ = find_frames([tmp_path])
    linear, _ = develop_alike(infos, 0, "linear")
    one, two = (read_frame(info).pixels[20:-20, 20:-20].astype(float) for info in linear)
    np.testing.assert_allclose(two.mean((0, 1)), 2 * one.mean((0, 1)), rtol=1e-3)
    encoded, _ = develop_alike(infos, 0, "srgb")
    one, two = (read_frame(info).pixels[20:-20, 20:-20].astype(float) for info in encoded)
    assert (two.mean((0, 1)) < 1.6 * one.mean((0, 1))).all()


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_linear_light_carries_a_profile_by_which_it_looks_right(tmp_path, suffix):
    cfa = np.full((120, 160), 14_000, np.uint16)
    for n in range(2):
        write_dng(tmp_path / f"{n}.dng", neutral=(1, 1, 1), cfa=cfa)
    shown = []
    for tone in ("linear", "srgb"):
        result = panfocus.fuse(tmp_path, raw_tone=tone, bit_depth="8", system="guided")
        out = tmp_path / "out" / f"{tone}{suffix}"
        result.save(out)
        with Image.open(out) as image:
            icc = image.info.get("icc_profile")
            picture = image.convert("RGB")
            if icc:
                profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
                assert "Linear" in ImageCms.getProfileDescription(profile)
                srgb = ImageCms.createProfile("sRGB")
                picture = ImageCms.profileToProfile(picture, profile, srgb)
            shown.append((icc is not None, np.asarray(picture).astype(int)[30:-30, 30:-30]))
    assert [has for has, _ in shown] == [True, False]
    assert np.abs(shown[0][1] - shown[1][1]).max() <= 3


def test_raws_are_fused_from_the_command_line(tmp_path):
    sharp = photo(160, 200, 1, np.uint16, 5) // 2
    sharp = cv2.add(sharp, np.random.default_rng(1).integers(0, 9000, sharp.shape, np.uint16))
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    folder = tmp_path / "s"
    folder.mkdir()
    for n, half in enumerate((slice(0, 100), slice(100, None))):
        cfa = soft.copy()
        cfa[:, half] = sharp[:, half]
        write_dng(folder / f"{n}.dng", cfa=cfa)
    out = tmp_path / "o.tif"
    words = ["-s", "guided", "--raw-tone", "linear", "--index-map"]
    assert main(["fuse", str(folder), "-o", str(out), *words]) == 0
    assert tifffile.imread(out).dtype == np.uint16
    index = tifffile.imread(tmp_path / "o_index.tif")
    assert (index[:, :85] == 0).mean() > 0.9
    assert (index[:, 115:] == 1).mean() > 0.9


def test_a_cut_off_or_false_raw_is_refused_by_name(tmp_path):
    path = write_dng(tmp_path / "a.dng")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"a\.dng"):
        find_frames([path])
    with pytest.raises(InputError, match=r"b\.cr2"):
        find_frames([save(tmp_path, "b.cr2", b"no raw at all")])
    whole = write_dng(tmp_path / "c.dng")
    (info,), _ = find_frames([whole])
    whole.write_bytes(whole.read_bytes()[:-8000])
    with pytest.raises(InputError, match=r"c\.dng"):
        read_frame(info)


def test_raws_beside_jpegs_are_left_out_with_a_note(tmp_path):
    write_dng(tmp_path / "a.dng")
    Image.fromarray(photo()).save(tmp_path / "a.jpg")
    infos, notes = find_frames([tmp_path])
    assert [info.name for info in infos] == ["a.jpg"]
    assert any("1 camera RAW" in note for note in notes)


def heic_bytes(tmp_path, pixels, mode="RGB", **options):
    size = (pixels.shape[1], pixels.shape[0])
    path = tmp_path / "frame.heic"
    heif.from_bytes(mode=mode, size=size, data=pixels.tobytes()).save(path, **options)
    return path


def test_a_heic_is_read_with_its_metadata(tmp_path):
    pixels = cv2.GaussianBlur(photo(64, 96), (0, 0), 3)
    path = heic_bytes(tmp_path, pixels, quality=95, exif=exif_block(orientation=1))
    (info,), _ = find_frames([path])
    assert (info.height, info.width, info.channels, info.dtype) == (64, 96, 3, "uint8")
    frame = read_frame(info)
    assert np.abs(frame.pixels.astype(int) - pixels).mean() < 4
    assert frame.metadata.exif is not None


def test_a_heic_of_ten_bits_stays_deep(tmp_path):
    pixels = cv2.GaussianBlur(photo(64, 96, 3, np.uint16), (0, 0), 3)
    path = heic_bytes(tmp_path, pixels, mode="RGB;16", quality=95)
    (info,), _ = find_frames([path])
    assert info.dtype == "uint16"
    frame = read_frame(info)
    assert np.abs(frame.pixels.astype(int) - pixels).mean() < 4 * 257
    assert len(np.unique(frame.pixels)) > 256


def test_a_turned_heic_is_turned_once(tmp_path):
    pixels = cv2.GaussianBlur(photo(64, 96), (0, 0), 3)
    picture = heif.from_bytes(mode="RGB", size=(96, 64), data=pixels.tobytes())
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "t.heic", quality=95, exif=exif.tobytes())
    (info,), _ = find_frames([tmp_path / "t.heic"])
    frame = read_frame(info)
    assert frame.pixels.shape == (96, 64, 3)
    assert np.abs(frame.pixels.astype(int) - np.rot90(pixels, -1)).mean() < 4
    kept = Image.Exif()
    kept.load(b"Exif\0\0" + (frame.metadata.exif or b""))
    assert kept.get(0x0112, 1) == 1


def test_a_cut_off_heic_is_refused_by_name(tmp_path):
    path = heic_bytes(tmp_path, photo(64, 96), quality=90)
    data = path.read_bytes()
    (info,), _ = find_frames([path])
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError, match=r"frame\.heic"):
        read_frame(info)
    path.write_bytes(data[:40])
    with pytest.raises(InputError, match=r"frame\.heic"):
        find_frames([path])


@pytest.mark.parametrize(
    ("name", "modules", "extra"),
    [("a.dng", ["rawpy"], "raw"), ("frame.heic", ["pi_heif", "pillow_heif"], "heic")],
)
def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch, name, modules, extra):
    write_dng(tmp_path / "a.dng")
    heic_bytes(tmp_path, photo(64, 96))
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"panfocus\[{extra}\]"):
        find_frames([tmp_path / name])


def test_raws_beside_other_pictures_are_taken_when_preferred(tmp_path):
    for name in ("a.dng", "b.dng", "a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"not looked into here")
    from panfocus.io.folder import of_one_kind

    files = sorted(tmp_path.iterdir())
    taken, notes = of_one_kind(files, "shots", prefer_raw=True)
    assert [path.name for path in taken] == ["a.dng", "b.dng"]
    assert "2 other files beside camera RAWs in shots left out" in notes
    assert [path.name for path in of_one_kind(files, "shots")[0]] == ["a.jpg", "b.jpg"]
