"""Pictures of frames that were moved are scored beside those frames."""

import csv

import numpy as np

from panfocus import io
from panfocus.cli import main
from panfocus.evaluate.store import NAME
from tests.conftest import focal_pair


def gradient(data, out, *words):
    code = main(["evaluate", "--data", str(data), "--out", str(out), "--no-plots",
                 "--metrics", "Q_G", *words])  # fmt: skip
    assert code == 0
    with (out / NAME).open() as file:
        return {row["system"]: float(row["Q_G"]) for row in csv.DictReader(file)}


def write_pair(data, shift):
    frames, _ = focal_pair(160, 208)
    first, second = frames[0][8:-8, 8:-8], np.roll(frames[1], shift, axis=(0, 1))[8:-8, 8:-8]
    io.write_image(data / "s/0.png", first, io.Metadata())
    io.write_image(data / "s/1.png", np.ascontiguousarray(second), io.Metadata())


def test_a_fused_picture_is_compared_with_frames_where_they_were_moved(tmp_path):
    write_pair(tmp_path / "still", (0, 0))
    write_pair(tmp_path / "moved", (3, -5))
    words = ("--systems", "guided")
    still = gradient(tmp_path / "still", tmp_path / "a", *words)["guided"]
    moved = gradient(tmp_path / "moved", tmp_path / "b", *words)["guided"]
    aligned = gradient(tmp_path / "moved", tmp_path / "c", *words, "--align", "auto")["guided"]
    assert moved < still - 0.01
    assert abs(aligned - still) < 0.008  # borders that nothing showed differ


def test_pictures_of_others_are_compared_with_the_files(tmp_path):
    write_pair(tmp_path / "moved", (3, -5))
    io.write_image(tmp_path / "r/s.png", io.read_frame(
        io.find_frames([tmp_path / "moved/s/0.png"])[0][0]).pixels, io.Metadata())  # fmt: skip
    words = ("--results", f"other={tmp_path / 'r'}")
    without = gradient(tmp_path / "moved", tmp_path / "a", *words)
    assert gradient(tmp_path / "moved", tmp_path / "b", *words, "--align", "auto") == without
