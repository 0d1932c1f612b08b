"""What training never reads, by name: masks, truths, results."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from panfocus.errors import DataError
from panfocus.train import pairs, pictures, truths


@pytest.mark.parametrize(
    "name",
    ["gt", "GT", "Ground Truth", "full_clear", "all-in-focus", "scene_gt", "a-mask", "AllFocus"],
)
def test_truths_are_known_by_name(name):
    assert truths.may_be_truth(name)


@pytest.mark.parametrize("name", ["truthful-bee", "mask_of_clay", "gt500", "fullmoon", "frame_03"])
def test_words_within_a_name_are_no_truths(name):
    assert not truths.may_be_truth(name)


@pytest.mark.parametrize(
    "name", ["gt.png", "gt1.png", "fused.jpg", "b_depth.tif", "12_mask.png", "truth_2.png"]
)
def test_files_beside_the_frames_are_known_too(name):
    assert truths.stem_may_be_truth(Path(name))


def write(path, value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(value)
    picture = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC))


def test_masks_beside_photographs_train_nobody_but_are_read_as_masks(tmp_path):
    for n in range(4):
        write(tmp_path / f"images/{n}.png", n)
        write(tmp_path / f"masks/{n}.png", 50 + n)
        write(tmp_path / f"Alpha/{n}.png", 60 + n)
        write(tmp_path / f"images/{n}_trimap.png", 70 + n)
        write(tmp_path / f"GT/{n}.png", 80 + n)  # sharp everywhere: a photograph as any
    held = pictures.load([tmp_path], 100)
    assert {Path(n).parent.name for n in held.names} == {"images", "GT"}
    assert len(held.names) == 8
    assert len(pictures.load_masks([tmp_path / "masks"])) == 4


def test_a_folder_of_masks_alone_is_no_training_data(tmp_path):
    write(tmp_path / "data/masks/0.png")
    with pytest.raises(DataError, match="no pictures"):
        pictures.files_in([tmp_path / "data"])


def test_truths_and_results_beside_the_frames_of_a_stack_are_no_frames(tmp_path):
    for n in range(3):
        write(tmp_path / f"scene/{n}.png", n)
    for name in ("gt.png", "fused.png", "scene_depth.png", ".hidden.png"):
        write(tmp_path / "scene" / name, 9)
    ((_, files),) = pairs.find([tmp_path])
    assert [p.name for p in files] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize(
    "names",
    [
        ("A/x.png", "B/x.png"),
        ("a/x.png", "b/x.png"),
        ("A/x_A.png", "B/x_B.png"),
        ("A/data.png", "B/data.png"),
        ("A/x_1.png", "A/x_2.png", "B/x_1.png", "B/x_2.png"),
        ("01-A.png", "01-B.png", "02-A.png", "02-B.png"),
        ("01_1.png", "01_2.png", "02_1.png", "02_2.png"),
    ],
)
def test_pairs_are_found_in_the_layouts_of_public_sets(tmp_path, names):
    for n, name in enumerate(names):
        write(tmp_path / "set" / name, n)
    found = list(pairs.find([tmp_path]))
    assert all(len(files) == 2 for _, files in found)
    assert len(found) == len(names) // 2
    assert len({name for name, _ in found}) == len(found)


@pytest.mark.parametrize(
    "names",
    [
        ("z1.png", "z2.png", "z3.png"),
        ("a_1.png", "a_2.png", "a_3.png"),
        ("01-A.png", "01-B.png", "01-C.png", "02-A.png", "02-B.png"),
        ("one_1.png", "one_2.png"),
    ],
)
def test_numbered_frames_stay_one_stack(tmp_path, names):
    for n, name in enumerate(names):
        write(tmp_path / name, n)
    ((_, files),) = pairs.find([tmp_path])
    assert len(files) == len(names)
