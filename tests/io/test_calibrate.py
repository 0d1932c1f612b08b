"""Flat field, dark frame and hot pixels: taken away in light, whatever the numbers are."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

import panfocus
from panfocus import io
from panfocus.cli import main
from panfocus.errors import InputError, UsageError
from panfocus.io.calibrate import calibrated
from panfocus.io.icc import is_linear, linear_profile
from panfocus.pipeline.project import Project
from tests.conftest import focal_stack

HEIGHT, WIDTH = 96, 128
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def shade(channels):
    """Vignetting with a fleck of dust."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    out = 1 - 0.6 * (((y / HEIGHT - 0.5) ** 2 + (x / WIDTH - 0.5) ** 2) / 0.5)
    out[30:36, 40:46] *= 0.7
    return out[..., None].repeat(channels, axis=2)


def dark(channels):
    return np.full((HEIGHT, WIDTH, channels), 0.02) + np.linspace(0, 0.02, WIDTH)[:, None]


def encoded(light):
    low = light <= 0.0031308
    return np.where(low, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def numbers(light, dtype, is_encoded):
    top = np.iinfo(dtype).max
    return np.rint(np.clip(encoded(light) if is_encoded else light, 0, 1) * top).astype(dtype)


def save(path, pixels, profile=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(pixels).save(path)
        return
    kind = "minisblack" if pixels.shape[2] == 1 else "rgb"
    pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    tifffile.imwrite(path, pixels, photometric=kind, iccprofile=profile, metadata=None)


def scene(channels):
    """Two frames of light, of at most half of white."""
    found, _ = focal_stack(2, HEIGHT, WIDTH)
    return [frame[..., :channels] / 510 for frame in found]


#: Name, channels, dtype, profile, whether the numbers are encoded.
KINDS = [
    ("{}.tif", 1, np.uint16, None, False),
    ("{}.tif", 3, np.uint16, None, False),
    ("{}.tif", 3, np.uint16, SRGB, True),
    ("{}.tif", 3, np.uint8, linear_profile(), False),
    ("{}.png", 3, np.uint8, None, True),
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_is_the_scene(tmp_path, kind):
    name, channels, dtype, profile, is_encoded = kind
    even, covered = shade(channels), dark(channels)
    for n, light in enumerate(scene(channels)):
        pixels = numbers(light * even + covered, dtype, is_encoded)
        save(tmp_path / "in" / name.format(n), pixels, profile)
    flat, lid = tmp_path / name.format("flat"), tmp_path / name.format("dark")
    save(flat, numbers(0.6 * even + covered, dtype, is_encoded), profile)
    save(lid, numbers(covered, dtype, is_encoded), profile)
    infos, _ = io.find_frames([tmp_path / "in"])
    made, notes, held = calibrated(infos, str(flat), str(lid))
    assert ("encoded as sRGB" if is_encoded else "proportional to light") in notes[0]
    assert held == (2 * 4 + np.dtype(dtype).itemsize) * HEIGHT * WIDTH * channels
    for info, light in zip(made, scene(channels), strict=True):
        pixels = io.read_frame(info).pixels.reshape(HEIGHT, WIDTH, channels)
        assert pixels.dtype == dtype
        expected = numbers(light * even.mean(axis=(0, 1)), dtype, is_encoded)
        apart = np.abs(pixels.astype(int) - expected)
        # dark corners have few numbers to come back from
        most = (12 if is_encoded else 3) if dtype is np.uint8 else 400
        assert apart.max() <= most
        assert apart.mean() <= (0.8 if dtype is np.uint8 else 6)
        raw = io.read_frame(infos[0]).pixels.reshape(HEIGHT, WIDTH, channels)
        assert np.abs(raw.astype(int) - expected).mean() > 3 * apart.mean() + 2


def write(folder, frames, **more):
    for n, frame in enumerate(frames):
        save(folder / f"{n}.tif", numbers(frame, np.uint16, False), **more)


@pytest.fixture
def shots(tmp_path):
    write(tmp_path / "shots", [light * shade(3) for light in scene(3)])
    return tmp_path / "shots"


def test_a_folder_is_averaged_and_what_lies_beside_frames_is_none(shots, capsys):
    rng = np.random.default_rng(0)
    fields = [0.6 * shade(3) + rng.normal(0, 0.05, (HEIGHT, WIDTH, 3)) for _ in range(8)]
    write(shots.parent / "flats", fields)
    save(shots / "flat.tif", numbers(fields[0], np.uint16, False))
    errors = []
    for flat in (shots / "flat.tif", shots.parent / "flats"):
        if flat.is_dir():
            (shots / "flat.tif").unlink()
        out = shots.parent / f"{flat.stem}.tif"
        words = ["--flat-field", str(flat), "-s", "guided", "--align", "none"]
        assert main(["fuse", str(shots), "-o", str(out), *words]) == 0
        assert "2 frames fused" in capsys.readouterr().err
        made = tifffile.imread(out)
        flat_scene = np.maximum(*[f * shade(3).mean(axis=(0, 1)) for f in scene(3)])
        errors.append(np.abs(made / 65535 - flat_scene).mean())
    assert errors[1] < errors[0]


def test_frames_are_calibrated_where_the_sensor_had_them(tmp_path):
    """A flat field that the camera has turned otherwise fits all the same."""
    light = scene(3)[0]
    skew = shade(3).copy()
    skew[:, :40] *= 0.5  # the same neither way round
    stored = numbers(light * skew, np.uint16, False)
    for n in range(2):
        tag = [(274, 3, 1, 6, True)]
        tifffile.imwrite(tmp_path / f"{n}.tif", stored, photometric="rgb", extratags=tag)
    save(tmp_path / "flat" / "f.tif", numbers(0.6 * skew, np.uint16, False))
    infos, _ = io.find_frames([tmp_path / "0.tif", tmp_path / "1.tif"])
    assert (infos[0].height, infos[0].width) == (WIDTH, HEIGHT)
    made, *_ = calibrated(infos, str(tmp_path / "flat"))
    pixels = io.read_frame(made[0]).pixels
    expected = np.rot90(numbers(light * skew.mean(axis=(0, 1)), np.uint16, False), -1)
    assert np.abs(pixels.astype(int) - expected).mean() < 10


def test_opacity_stays(tmp_path):
    clear = np.dstack(
        [numbers(scene(3)[0] * shade(3), np.uint8, True), np.full((HEIGHT, WIDTH), 9)]
    )
    for n in range(2):
        Image.fromarray(clear.astype(np.uint8)).save(tmp_path / f"{n}.png")
    save(tmp_path / "flat" / "f.png", numbers(0.6 * shade(3), np.uint8, True))
    infos, _ = io.find_frames([tmp_path / "0.png", tmp_path / "1.png"])
    made, *_ = calibrated(infos, str(tmp_path / "flat"))
    pixels = io.read_frame(made[0]).pixels
    assert (pixels[..., 3] == 9).all()
    assert np.abs(pixels[..., :3].astype(int) - clear[..., :3]).mean() > 5


def test_hot_pixels_are_mended_in_every_frame(tmp_path):
    found, _ = focal_stack(4, HEIGHT, WIDTH)
    clean = [(frame // 3 + 40).astype(np.uint8) for frame in found]
    for n, frame in enumerate(clean):
        spoilt = frame.copy()
        spoilt[50, 60] = 255
        save(tmp_path / "s" / f"{n}.png", spoilt)
        save(tmp_path / "c" / f"{n}.png", frame)
    options = {"system": "guided", "align": "none", "exposure": "none"}
    made = panfocus.fuse(tmp_path / "s", hot_pixels="auto", **options)
    assert any("3 hot or dead samples found and mended" in w for w in made.report.warnings)
    expected = panfocus.fuse(tmp_path / "c", **options).image
    apart = np.abs(made.image.astype(int) - expected)
    assert apart.max() < 60
    assert panfocus.fuse(tmp_path / "s", **options).image[50, 60].max() == 255
    pair = [tmp_path / "s" / "0.png", tmp_path / "s" / "1.png"]
    told = panfocus.fuse(pair, hot_pixels="auto", **options).report.warnings
    assert any("not told from detail in 2 frames" in w for w in told)


def test_a_dark_frame_tells_of_hot_pixels_and_is_not_taken_away_twice(tmp_path):
    covered = dark(3)
    covered[50, 60] = 0.5
    frames = [np.full((HEIGHT, WIDTH, 3), 0.3) + covered for _ in range(2)]
    write(tmp_path / "s", frames)
    save(tmp_path / "dark.tif", numbers(covered, np.uint16, False))
    infos, _ = io.find_frames([tmp_path / "s"])
    made, *_ = calibrated(infos, None, str(tmp_path / "dark.tif"), "auto")
    pixels = io.read_frame(made[0]).pixels
    assert np.abs(pixels / 65535 - 0.3).max() < 0.005


@pytest.mark.parametrize(
    ("shape", "value", "told"),
    [
        ((HEIGHT, WIDTH + 2, 3), 0.5, "130 x 96"),
        ((HEIGHT, WIDTH, 1), 0.5, "grey"),
        ((HEIGHT, WIDTH, 3), 0.0, "no light"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(shots, capsys, shape, value, told):
    flat = shots.parent / "flat.tif"
    save(flat, numbers(np.full(shape, value), np.uint16, False))
    words = ["--flat-field", str(flat), "-o", str(shots.parent / "o.tif"), "-s", "guided"]
    assert main(["fuse", str(shots), *words]) == 1
    said = capsys.readouterr().err
    assert "--flat-field" in said
    assert told in said
    assert not (shots.parent / "o.tif").exists()


def test_what_is_no_file_of_photographs_is_refused(shots, tmp_path):
    arrays = [np.zeros((32, 32), np.uint8)] * 2
    with pytest.raises(UsageError, match="taken as they are"):
        panfocus.fuse(arrays, system="guided", hot_pixels="auto")
    with pytest.raises(UsageError, match="planes of volumes"):
        panfocus.fuse_volume(np.zeros((3, 32, 32), np.uint8), axes="ZYX", dark=tmp_path / "d.tif")
    with pytest.raises(InputError):
        panfocus.fuse(shots, system="guided", flat_field=tmp_path / "not there.tif")
    with pytest.raises(UsageError):
        panfocus.fuse(shots, system="guided", flat_field=" ")


def test_a_flat_field_is_read_and_never_written_to(shots, capsys):
    flat = shots.parent / "flat.tif"
    save(flat, numbers(0.6 * shade(3), np.uint16, False))
    before = flat.read_bytes()
    words = ["--flat-field", str(flat), "-o", str(flat), "-s", "guided", "--overwrite"]
    assert main(["fuse", str(shots), *words]) == 1
    assert "one of the inputs" in capsys.readouterr().err
    assert flat.read_bytes() == before


def test_a_project_keeps_it_from_its_own_folder(shots, monkeypatch):
    flat = shots.parent / "flat.tif"
    save(flat, numbers(0.6 * shade(3), np.uint16, False))
    monkeypatch.chdir(shots.parent)
    words = ["-s", "guided", "--flat-field", "flat.tif", "--save-project", "p.panfocus.json"]
    assert main(["fuse", "shots", "-o", "a.tif", *words]) == 0
    project = Project.read(Path("p.panfocus.json"))
    assert project.options.flat_field == "flat.tif"
    assert project.at(shots).options.flat_field == "../flat.tif"
    monkeypatch.chdir(shots)
    assert main(["fuse", "--project", "../p.panfocus.json", "-o", "../b.tif"]) == 0
    assert np.array_equal(tifffile.imread("../a.tif"), tifffile.imread("../b.tif"))


def test_a_straight_curve_is_known():
    assert is_linear(linear_profile())
    assert not is_linear(SRGB)
    assert not is_linear(b"")
    assert not is_linear(linear_profile()[:200])
