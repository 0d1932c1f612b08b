"""What of a volume is fused: `--only` on the command line, `only` in Python."""

import json

import numpy as np
import pytest
import tifffile

from panfocus import fuse_volume
from panfocus.cli import main
from panfocus.errors import InputError, UsageError
from panfocus.io.volumes.volume import Channel, Position, Volume
from panfocus.pipeline.volumes.choice import Choice, Only, volume_settings
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(6, 48, 64)
GREY = FRAMES[..., 0].astype(np.uint16) * 16
STACK = np.stack([np.stack([GREY, GREY // 2, GREY // 3]), np.stack([GREY + 7, GREY, GREY // 5])])
NAMES = ["DAPI", "GFP", "Alexa, far"]


def volume(path):
    about = {"axes": "TCZYX", "Channel": {"Name": NAMES}, "PhysicalSizeZ": 0.5}
    tifffile.imwrite(path, STACK, metadata=about, photometric="minisblack")
    return path


def position(name, times=3, channels=NAMES):
    told = [Channel(channel) for channel in channels]
    return Position(name, times, 6, 48, 64, 1, np.dtype(np.uint16), told, lambda t, c, z: None)


def selected(only, *positions):
    positions = positions or (position("a"), position("b"))
    choice = Choice(volume_settings(), only=Only.of(only))
    return choice.selected(Volume(None, "OME-TIFF", positions))


def fused(source, **options):
    return fuse_volume(source, system="guided", mode="select", **options)


@pytest.mark.parametrize(
    ("only", "numbers", "times", "channels", "depths"),
    [
        ("T=0", [0, 1], [0], [0, 1, 2], range(6)),
        ("P=b,T=0-1,C=GFP", [1], [0, 1], [1], range(6)),
        ("p = 1, t = 2,0 , c = dapi,GFP", [1], [0, 2], [0, 1], range(6)),
        ("C=Alexa, far,T=1-2", [0, 1], [1, 2], [2], range(6)),
        ("Z=2-4", [0, 1], [0, 1, 2], [0, 1, 2], range(2, 5)),
        ({"C": ["GFP", 0], "T": 2}, [0, 1], [2], [0, 1], range(6)),
    ],
)
def test_axes_are_chosen_by_numbers_names_and_ranges(only, numbers, times, channels, depths):
    found = selected(only)
    assert [one.number for one in found] == numbers
    assert {(*one.times,) for one in found} == {(*times,)}
    assert {(*one.channels,) for one in found} == {(*channels,)}
    assert {one.depths for one in found} == {depths}


def test_a_name_goes_before_a_number_and_a_number_is_one_in_a_program():
    several = (position("1"), position("0"))
    assert [one.number for one in selected("P=1", *several)] == [0]
    assert [one.number for one in selected({"P": 1}, *several)] == [1]


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ("", "does not tell"),
        ("GFP", "does not tell"),
        ("Q=1", "does not tell"),
        ("T=1,T=2", "does not tell"),
        ("T=", "does not tell"),
        ("T=3", "no such time"),
        ("T=1-9", "of T: 0 to 2"),
        ("T=2-1", "no such time"),
        ("C=RFP", "0 (DAPI), 1 (GFP), 2 (Alexa, far)"),
        ("P=c", "0 (a), 1 (b)"),
        ("Z=1,3", "without gaps"),
        ({"C": -1}, "no such channel"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(only, said):
    with pytest.raises(UsageError) as error:
        selected(only)
    assert said in str(error.value)
    assert "only" in str(error.value)


def test_what_is_chosen_is_what_all_of_it_has():
    whole = fused(STACK, axes="TCZYX", channel_names=NAMES)
    part = fused(STACK, axes="TCZYX", channel_names=NAMES, only="T=1,C=GFP")
    np.testing.assert_array_equal(part.image, whole.image[1:, 1:2])
    assert part.positions[0].channels == ("GFP",)
    assert len(part.summary.stacks) == 1


def test_planes_that_are_chosen_keep_their_numbers():
    part = fused(STACK, axes="TCZYX", only="T=0,C=0,Z=2-4", voxel_um=(0.5, 0.1, 0.1))
    (one,) = part.positions
    assert (one.index.min(), one.index.max()) == (2, 4)
    assert one.depth.min() >= 1.0
    assert one.depth.max() <= 2.0
    alone = fused(GREY[2:5], axes="ZYX", voxel_um=(0.5, 0.1, 0.1))
    np.testing.assert_array_equal(one.image, alone.image)
    np.testing.assert_allclose(one.depth, alone.positions[0].depth + 1.0)
    counted = fused(STACK, axes="TCZYX", only="T=0,C=0,Z=2-4").positions[0]
    assert counted.depth.min() >= 2
    with pytest.raises(InputError, match="of which one is chosen"):
        fused(STACK, axes="TCZYX", only="Z=2")


def test_the_guide_need_not_be_among_the_chosen():
    stack = STACK.copy()
    stack[:, 1] = STACK[:, 1, ::-1]  # sharp in other planes
    by_itself = fused(stack, axes="TCZYX", only="C=0,T=1")
    guided = fused(stack, axes="TCZYX", only="C=0,T=1", guide_channel=1)
    together = fused(stack, axes="TCZYX", only="C=0-1,T=1", guide_channel=1)
    np.testing.assert_array_equal(guided.image, together.image[:, :1])
    np.testing.assert_array_equal(guided.positions[0].index, together.positions[0].index)
    assert (guided.positions[0].index != by_itself.positions[0].index).any()
    assert guided.positions[0].channels == ("",)
    with pytest.raises(UsageError, match="no such channel"):
        fused(STACK, axes="TCZYX", only="C=0", guide_channel=7)
    both = fused(STACK, axes="TCZYX", only="C=0,2,T=0", guide_channel=2).positions[0]
    assert both.image.shape[:2] == (1, 2)
    assert both.index.shape[:2] == (1, 1)


def test_the_command_line_and_batches_take_it(tmp_path, capsys):
    source = volume(tmp_path / "s.ome.tif")
    words = ["-s", "guided", "--mode", "select"]
    out = tmp_path / "o.ome.tif"
    assert main(["fuse", str(source), "-o", str(out), *words, "--only", "T=1,C=GFP,DAPI"]) == 0
    with tifffile.TiffFile(out) as file:
        whole = fused(STACK, axes="TCZYX").image
        np.testing.assert_array_equal(file.asarray().reshape(2, 48, 64), whole[1, :2])
        assert "GFP" in file.ome_metadata
        assert "Alexa" not in file.ome_metadata
    assert main(["fuse", str(source), "-o", str(tmp_path / "p.ome.tif"), "--only", "C=RFP"]) == 2
    assert "--only" in capsys.readouterr().err
    parts = tmp_path / "parts"
    assert main(["batch", str(source), str(parts), *words, "--only", "T=0,C=1-2,Z=1-4"]) == 0
    names = sorted(path.name for path in parts.glob("*.ome.tif"))
    assert names == ["s_p000_t0000_c1.ome.tif", "s_p000_t0000_c2.ome.tif"]
    frames = json.loads((parts / "report.json").read_text())["stacks"]
    assert [one["frames"] for one in frames] == [4, 4]


def test_a_folder_of_volumes_is_chosen_from(tmp_path):
    (tmp_path / "in").mkdir()
    volume(tmp_path / "in" / "a.ome.tif")
    volume(tmp_path / "in" / "b.ome.tif")
    words = ["-s", "guided", "--only", "T=0,C=DAPI", "--workers", "0"]
    assert main(["batch", str(tmp_path / "in"), str(tmp_path / "out"), *words]) == 0
    for name in ("a", "b"):
        assert tifffile.imread(tmp_path / "out" / f"{name}.ome.tif").shape == (48, 64)


def test_batches_write_pictures_of_what_is_chosen(tmp_path):
    source = volume(tmp_path / "s.ome.tif")
    words = ["-s", "guided", "--workers", "0", "--format", "png", "--depth-map"]
    assert main(["batch", str(source), str(tmp_path / "all"), *words, "--only", "T=0"]) == 0
    found = sorted(path.name for path in (tmp_path / "all").glob("s_*"))
    stems = [f"s_p000_t0000_c{c}" for c in range(3)]
    assert found == sorted([f"{s}.png" for s in stems] + [f"{s}_depth.tif" for s in stems])
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in" / "s.ome.tif")
    for n, frame in enumerate(FRAMES):  # photographs beside it are fused as ever
        (tmp_path / "in" / "shots").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "in" / "shots" / f"{n}.tif", frame)
    out = tmp_path / "out"
    one = ["batch", str(tmp_path / "in"), str(out), *words]
    assert main([*one, "--only", "T=0,C=DAPI"]) == 0
    assert sorted(path.name for path in out.glob("*.png")) == ["s.png", "shots.png"]
    assert main([*one[:2], str(tmp_path / "more"), *words, "--only", "T=0"]) == 3
    manifest = tmp_path / "m.csv"
    manifest.write_text("name,inputs,output\na,in/s.ome.tif,a.jpg\n")
    only = ["--only", "T=0,C=GFP", "-s", "guided", "--workers", "0"]
    assert main(["batch", str(manifest), str(tmp_path / "m"), *only]) == 0
    assert (tmp_path / "m" / "a.jpg").exists()


def test_notes_name_no_way_out_that_volumes_have_not():
    planes = np.concatenate([GREY[:3], np.full((1, 48, 64), 9, np.uint16)])
    notes = fuse_volume(planes, axes="ZYX", system="guided").summary.notes
    assert any("Z 3" in note for note in notes)
    assert not any("cull" in note for note in notes)
