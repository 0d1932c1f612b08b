"""What the loader reads, what it leaves out, and what it must never open."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from panfocus.errors import DataError
from panfocus.train import agree, pairs


@pytest.fixture(scope="module")
def picture():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[100:300, 100:330])


def soft(picture, sigma=2.0):
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def moved(picture, across, down=0.0):
    matrix = np.float32([[1, 0, across], [0, 1, down]])
    size = picture.shape[1::-1]
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT)


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


def test_pairs_and_stacks_are_found_at_any_depth(tmp_path, picture):
    write(tmp_path / "set/A/x.png", picture)
    write(tmp_path / "set/B/x.png", soft(picture))
    for n in range(3):
        write(tmp_path / f"stacks/deep/sweep/{n}.png", soft(picture, 1 + n))
    found = pairs.load([tmp_path], 64)
    assert [(s.name, len(s.frames)) for s in found.sets] == [("set/x", 2), ("sweep", 3)]
    assert len(found.pictures()) == 5
    assert not found.left_out


def test_nothing_that_may_be_a_truth_is_ever_opened(tmp_path, picture, monkeypatch):
    write(tmp_path / "set/A/x.png", picture)
    write(tmp_path / "set/B/x.png", soft(picture))
    for name in ("GT", "gt", "Masks", "fused", "truth", "depth-truth", "scene_GT"):
        for n in range(2):
            write(tmp_path / "set" / name / f"{n}.png", picture)
            write(tmp_path / name / f"{n}.png", picture)
    opened = []
    plain = io.open

    def watched(file, *args, **words):
        opened.append(file)
        return plain(file, *args, **words)

    monkeypatch.setattr(io, "open", watched)  # which `Path.open` and `Path.read_bytes` call
    pairs.load([tmp_path], 64)
    monkeypatch.undo()
    inside = [Path(p) for p in opened if str(p).startswith(str(tmp_path))]
    assert {p.parent.name for p in inside} == {"A", "B"}


def test_words_within_a_name_forbid_nothing(tmp_path, picture):
    for n, name in enumerate(("truthful-bee", "mask_of_clay", "gt500")):
        write(tmp_path / name / "0.png", picture)
        write(tmp_path / name / "1.png", soft(picture))
        assert len(list(pairs.find([tmp_path]))) == n + 1


@pytest.mark.parametrize("shift", [0.8, 1.0, 3.0])
def test_a_shift_is_seen_through_defocus(picture, shift):
    assert "shifted" in pairs.mismatch(picture, soft(moved(picture, shift)))


@pytest.mark.parametrize("sigma", [0.5, 2, 4])
def test_defocus_alone_is_no_mismatch(picture, sigma):
    assert pairs.mismatch(picture, soft(picture, sigma)) is None


def test_other_content_is_seen(picture):
    assert pairs.mismatch(picture, picture[::-1].copy()) == "other content"


def test_least_squares_measure_the_shift(picture):
    found = agree.shift_of(agree.band(picture), agree.band(soft(moved(picture, 0.3, 0.4))))
    assert found == pytest.approx(0.5, abs=0.06)


def test_what_is_left_out_is_told_and_still_serves_alone(tmp_path, picture):
    write(tmp_path / "set/A/x.png", picture)
    write(tmp_path / "set/B/x.png", moved(picture, 5))
    write(tmp_path / "set/A/small.png", picture[:40, :40])
    write(tmp_path / "set/B/small.png", picture[:40, :40])
    found = pairs.load([tmp_path], 64, pairs.How(align=False))
    assert not found.sets
    assert len(found.singles) == 2
    assert "2 left out" in found.summary()
    assert "smaller than 64 px" in found.summary()
    assert len(found.details().splitlines()) == 2


def test_a_folder_without_sets_is_an_error(tmp_path):
    with pytest.raises(DataError, match="nothing to learn"):
        pairs.load([tmp_path], 64)
    with pytest.raises(DataError, match="does not exist"):
        pairs.load([tmp_path / "none"], 64)
