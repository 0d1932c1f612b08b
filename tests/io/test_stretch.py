"""Numbers that are neither 8 nor 16 bits: one range for a stack, told, and as exact as may be."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import panfocus
from panfocus.errors import InputError
from panfocus.io import develop_alike, find_frames, read_frame

UNIT = np.random.default_rng(4).random((40, 60))


def read(tmp_path, *frames):
    for number, frame in enumerate(frames):
        kind = "rgb" if frame.ndim == 3 else "minisblack"
        tifffile.imwrite(tmp_path / f"{number}.tif", frame, photometric=kind, metadata=None)
    infos, _ = find_frames([tmp_path])
    infos, notes = develop_alike(infos, 0, "srgb")
    return [read_frame(info).pixels for info in infos], notes


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_zero_to_one_is_black_to_white(tmp_path, dtype):
    frames, notes = read(tmp_path, UNIT.astype(dtype), (UNIT / 2).astype(dtype))
    for pixels, values in zip(frames, (UNIT, UNIT / 2), strict=True):
        expected = np.rint(values.astype(dtype).astype(np.float64) * 65_535)
        np.testing.assert_array_equal(pixels, expected)
    assert "0 to 1" in notes[0]


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.int32, np.uint32])
def test_counts_stay_what_they_are_though_one_frame_is_empty(tmp_path, dtype):
    counts = np.floor(UNIT * 4000).astype(dtype)
    frames, notes = read(tmp_path, counts, np.minimum(counts, 1), np.zeros_like(counts))
    np.testing.assert_array_equal(frames[0], counts)
    np.testing.assert_array_equal(frames[1], np.minimum(counts, 1))
    assert "as they are" in notes[0]


def test_negative_counts_are_moved_alike(tmp_path):
    first, second = (UNIT * 900 - 50).astype(np.int16), (UNIT * 90).astype(np.int16)
    frames, notes = read(tmp_path, first, second)
    low = int(first.min())
    np.testing.assert_array_equal(frames[0], first - low)
    np.testing.assert_array_equal(frames[1], second - low)
    assert f"{-low} added" in notes[0]


def test_other_ranges_are_spread_over_all_of_a_stack(tmp_path):
    first, second = (UNIT * 12 - 4).astype(np.float32), (UNIT * 3).astype(np.float32)
    frames, notes = read(tmp_path, first, second)
    step = float(first.max() - first.min()) / 65_535
    for pixels, values in zip(frames, (first, second), strict=True):
        assert np.abs(pixels * step + float(first.min()) - values).max() <= step
    assert "number = " in notes[0]


def test_twelve_packed_bits_fill_sixteen(tmp_path):
    values = (UNIT * 4095).astype(np.uint16)
    tifffile.imwrite(tmp_path / "p.tif", values, bitspersample=12, metadata=None)
    pixels = read_frame(find_frames([tmp_path / "p.tif"])[0][0]).pixels
    np.testing.assert_array_equal(np.rint(pixels / 65_535 * 4095), values)


def test_what_is_no_number_is_refused(tmp_path):
    holes = np.where(UNIT > 0.5, np.nan, UNIT).astype(np.float32)
    with pytest.raises(InputError, match="NaN") as caught:
        read(tmp_path, holes, holes)
    assert "copy the file again" not in str(caught.value)


def test_a_stack_of_floats_is_fused(tmp_path):
    for number in range(2):
        values = np.tile(UNIT, (3, 3)).astype(np.float32)
        values[:, :90] = values[:, :90] * 0.2 + 0.4 if number else values[:, :90]
        values[:, 90:] = values[:, 90:] if number else values[:, 90:] * 0.2 + 0.4
        tifffile.imwrite(tmp_path / f"{number}.tif", values, metadata=None)
    fused = panfocus.fuse(tmp_path, system="guided", align="none")
    assert fused.image.dtype == np.uint16
    truth = np.tile(UNIT, (3, 3))
    middle = np.r_[0:75, 105:180]
    assert np.abs(fused.image[:, middle] / 65_535 - truth[:, middle]).mean() < 0.01
    assert any("floating point" in warning for warning in fused.report.warnings)


def test_light_stays_in_proportion(tmp_path):
    light = (0.02 + UNIT * 12).astype(np.float32)
    frames, _ = read(tmp_path, light, light / 2)
    np.testing.assert_allclose(frames[0] / 65_535 * light.max(), light, atol=light.max() / 65_535)
    half = frames[0].astype(int) - 2 * frames[1].astype(int)
    assert np.abs(half).max() <= 2


def test_numbers_far_from_zero_keep_their_steps(tmp_path):
    far = (1000 + UNIT).astype(np.float32)
    frames, notes = read(tmp_path, far, far)
    assert int(frames[0].min()) == 0
    assert "1000" in notes[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_frame_that_is_read_alone_tells_of_numbers_that_are_none(tmp_path, value):
    values = UNIT.astype(np.float32)
    values[3, 4] = value
    tifffile.imwrite(tmp_path / "0.tif", values, photometric="minisblack", metadata=None)
    infos, _ = find_frames([tmp_path / "0.tif"])
    with pytest.raises(InputError, match="NaN"):
        read_frame(infos[0])
