"""Folders with one plane a file: told apart by names, read as channels and times, never mixed."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.cli import main
from panfocus.errors import InputError, UsageError
from panfocus.io.volumes.names import parsed, parser_of
from panfocus.io.volumes.open import is_volume, open_volume
from panfocus.train.found import find
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(3, 48, 64)
DEEP = FRAMES[..., 0].astype(np.uint16) * 16


def plane(t, c, z):
    return (DEEP[z] // (1 + c) + 1000 * t).astype(np.uint16)


def write(folder, name, times=2, channels=2, depths=3):
    for t in range(times):
        for c in range(channels):
            for z in range(depths):
                path = folder / name(t, c, z)
                path.parent.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(path, plane(t, c, z), metadata=None)
    return folder


NAMES = {
    "plain": lambda t, c, z: f"img_z{z:02d}_c{c}_t{t}.tif",
    "close": lambda t, c, z: f"a_z{z}c{c}t{t}.tif",
    "words": lambda t, c, z: f"x channel{c} time{t:03d} slice{z}.tif",
    "folders": lambda t, c, z: f"t{t:04d}/z{z:02d}_c{c}.tif",
    "manager-2": lambda t, c, z: f"img_channel{c:03d}_position000_time{t:09d}_z{z:03d}.tif",
    "manager-1": lambda t, c, z: f"img_{t:09d}_{('DAPI', 'GFP')[c]}_{z:03d}.tif",
    "metamorph": lambda t, c, z: f"exp_w{c + 1}{('DAPI', 'GFP')[c]}_s1_t{t + 1}_z{z}.TIF",
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_tell_planes_apart(tmp_path, kind):
    folder = write(tmp_path / "f", NAMES[kind])
    assert is_volume(folder)
    with closing(open_volume(folder)) as volume:
        (position,) = volume.positions
        assert (position.times, len(position.channels), position.depths) == (2, 2, 3)
        for t, c, z in np.ndindex(2, 2, 3):
            np.testing.assert_array_equal(position.read(t, c, z), plane(t, c, z))
        names = ["DAPI", "GFP"] if kind in ("manager-1", "metamorph") else ["", ""]
        assert [channel.name for channel in position.channels] == names


@pytest.mark.parametrize(
    "names",
    [
        ["img_z00.tif", "img_z01.tif", "img_z02.tif", "img_z03.tif"],
        ["IMG_0001.tif", "IMG_0002.tif", "IMG_0003.tif", "IMG_0004.tif"],
        ["a_c0.tif", "a_c1.tif", "b_c0.tif", "b_c1.tif"],
        ["img_z0_c0.tif", "img_z1_c0.tif", "img_z0_c1.tif", "img_z1_c1.tif", "notes.tif"],
    ],
)
def test_stacks_of_frames_stay_such(tmp_path, names):
    for name in names:
        tifffile.imwrite(tmp_path / name, DEEP[0], metadata=None)
    assert not is_volume(tmp_path)


def test_each_channel_and_time_is_fused_alone(tmp_path):
    folder = write(tmp_path / "f", NAMES["plain"])
    out = tmp_path / "o.ome.tif"
    assert main(["fuse", str(folder), "-o", str(out), "-s", "guided", "--mode", "select"]) == 0
    fused = tifffile.imread(out)
    assert fused.shape == (2, 2, 48, 64)
    for t, c in np.ndindex(2, 2):
        planes = np.stack([plane(t, c, z) for z in range(3)])
        assert (fused[t, c] == planes).any(axis=0).all()


def test_channels_are_never_fused_with_each_other(tmp_path, capsys):
    folder = write(tmp_path / "f", NAMES["plain"])
    assert main(["fuse", str(folder), "-o", str(tmp_path / "o.png"), "-s", "guided"]) == 2
    assert "2 times (T 0, 1), 2 channels (C 0, 1)" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()
    one = str(folder / "*_c0_t1.tif")
    assert main(["fuse", one, "-o", str(tmp_path / "o.png"), "-s", "guided"]) == 0


def test_a_pattern_says_what_words_do_not(tmp_path, capsys):
    folder = write(tmp_path / "f", lambda t, c, z: f"7-{t}-{('red', 'far')[c]}-{z}.tif")
    assert not is_volume(folder)
    words = ["fuse", str(folder), "-o", str(tmp_path / "o.ome.tif"), "-s", "guided"]
    assert main([*words, "--pattern", "7-{t}-{c}-{z}.tif", "--dry-run", "--json"]) == 0
    (position,) = json.loads(capsys.readouterr().out)["positions"]
    assert (position["t"], position["c"], position["z"]) == (2, ["far", "red"], 3)
    assert main([*words, "--pattern", "7-{t}-{c}-{z}.tif"]) == 0
    assert tifffile.imread(tmp_path / "o.ome.tif").shape == (2, 2, 48, 64)


@pytest.mark.parametrize("pattern", ["img_{t}.tif", "{z}_{z}.tif", "no fields"])
def test_a_pattern_without_z_is_refused(pattern):
    with pytest.raises(UsageError, match="pattern"):
        parser_of(pattern)


def test_a_missing_plane_is_named(tmp_path):
    folder = write(tmp_path / "f", NAMES["plain"])
    (folder / "img_z01_c1_t0.tif").unlink()
    with pytest.raises(InputError, match="missing") as caught:
        open_volume(folder)
    assert "T 0, C 1, Z 01" in str(caught.value)


def test_two_files_of_one_plane_are_refused(tmp_path):
    folder = write(tmp_path / "f", NAMES["plain"])
    tifffile.imwrite(folder / "img_z01_c1_t0.png.tif", DEEP[0])
    assert not is_volume(folder)  # the rest of its name differs
    with pytest.raises(InputError, match="of one plane"):
        open_volume(folder, pattern="img_z{z}_c{c}_t0*.tif")


def test_micrometres_of_micro_manager(tmp_path):
    folder = write(tmp_path / "f", NAMES["manager-2"])
    summary = {"Summary": {"z-step_um": 0.5, "PixelSize_um": 0.2}}
    (folder / "metadata.txt").write_text(json.dumps(summary))
    with closing(open_volume(folder)) as volume:
        assert volume.positions[0].voxel_um == (0.5, 0.2, 0.2)


def test_positions_are_kept_apart(tmp_path):
    folder = write(tmp_path / "f", lambda t, c, z: f"pos{t + 1}/img_z{z}_c{c}.tif")
    with closing(open_volume(folder)) as volume:
        assert [position.name for position in volume.positions] == ["1", "2"]
        np.testing.assert_array_equal(volume.positions[1].read(0, 1, 2), plane(1, 1, 2))


@pytest.mark.parametrize(
    "named",
    [
        lambda p, t, c, z: f"Pos{p}/img_channel00{c}_position00{p}_time00000000{t}_z00{z}.tif",
        lambda p, t, c, z: f"{p}-Pos_000_00{p}/img_channel00{c}_position00{p}_time00{t}_z0{z}.tif",
        lambda p, t, c, z: f"Pos{p}/img_00000000{t}_{('DAPI', 'GFP')[c]}_00{z}.tif",
    ],
    ids=["manager-2", "manager-2 of a grid", "manager-1"],
)
def test_folders_of_positions(tmp_path, named):
    for p in range(2):
        write(tmp_path / "f", lambda t, c, z, p=p: named(p, t, c, z))
    with closing(open_volume(tmp_path / "f")) as volume:
        assert len(volume.positions) == 2
        for position in volume.positions:
            assert (position.times, len(position.channels), position.depths) == (2, 2, 3)
            np.testing.assert_array_equal(position.read(1, 1, 2), plane(1, 1, 2))


def test_training_takes_such_a_folder_as_one_stack(tmp_path):
    write(tmp_path / "data" / "f", NAMES["plain"])
    assert [files for _, files in find([tmp_path / "data"])] == [[tmp_path / "data" / "f"]]


def test_a_word_that_stands_twice_says_nothing():
    assert parsed("z1_z2_c0.tif") is None


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_link_to_itself_among_planes_is_told_in_words(tmp_path, capsys, where):
    kind = {"file": "plain", "folder": "folders"}[where]
    folder = write(tmp_path / "planes", NAMES[kind])
    link = folder / {"file": "img_z01_c0_t0.tif", "folder": "t0002"}[where]
    link.unlink(missing_ok=True)
    link.symlink_to(link.name)
    code = main(["fuse", str(folder), "-o", str(tmp_path / "out.ome.tif"), "--system", "guided"])
    assert "unexpected" not in capsys.readouterr().err
    assert code == (1 if where == "file" else 0)


@pytest.mark.parametrize(
    "name",
    [
        lambda t, c: f"img_t{t:03d}_c{c}.tif",
        lambda t, c: f"s{t}/ch{c}.png",
        lambda t, c: f"exp_w{c + 1}{('DAPI', 'GFP')[c]}_s{t}.TIF",
    ],
)
def test_channels_without_z_are_not_fused_with_each_other(tmp_path, capsys, name):
    folder = tmp_path / "f"
    for t, c in np.ndindex(3, 2):
        path = folder / name(t, c)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(DEEP[t] // (1 + c)).save(path)
    for out in ("o.png", "o.tif"):
        assert main(["fuse", str(folder), "-o", str(tmp_path / out), "-s", "guided"]) == 2
        assert "several channels" in capsys.readouterr().err
    assert not list(tmp_path.glob("o.*"))


def test_a_pattern_says_what_is_z_where_the_names_do_not(tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    for z, c in np.ndindex(3, 2):
        tifffile.imwrite(folder / f"img_t{z}_c{c}.tif", plane(0, c, z), metadata=None)
    out = tmp_path / "o.ome.tif"
    words = ["fuse", str(folder), "-o", str(out), "-s", "guided", "--pattern", "img_t{z}_c{c}.tif"]
    assert main(words) == 0
    assert tifffile.imread(out).shape == (2, 48, 64)


@pytest.mark.parametrize("names", [["c1", "c2", "c3", "c4"], ["t1_c1", "t2_c1", "t3_c1", "t4_c1"]])
def test_photographs_may_be_called_anything(tmp_path, names):
    for n, name in enumerate(names):
        Image.fromarray(FRAMES[n % 3]).save(tmp_path / f"{name}.png")
    words = ["fuse", str(tmp_path), "-o", str(tmp_path / "out" / "o.png"), "-s", "guided"]
    assert main(words) == 0
