"""Projects of volumes: strokes by place, held against the file, refused where nothing is."""

import json
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.errors import InputError, UsageError
from panfocus.pipeline.project import Project
from panfocus.pipeline.volumes.choice import Choice, volume_settings
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.pipeline.volumes.project import StrokeMender, fuse_volume_project, volume_project
from panfocus.pipeline.volumes.run import fuse_file
from panfocus.retouch.stroke import FrameSource, Sharpest, Stroke
from tests.conftest import focal_stack

SETTINGS = volume_settings(system="guided")


def dot(frame, x=40, y=40, **more):
    return Stroke("brush", ((x, y),), FrameSource(frame), radius=9, **more)


@pytest.fixture
def cells(tmp_path):
    """Two channels of four planes, 12 bits in 16."""
    planes = [focal_stack(4, 96, 128, c)[0][..., 0].astype(np.uint16) * 16 for c in range(2)]
    tifffile.imwrite(tmp_path / "cells.ome.tif", np.array(planes), metadata={"axes": "CZYX"})
    return tmp_path / "cells.ome.tif"


def saved(cells, strokes):
    project = Project(**vars(volume_project(cells, SETTINGS, strokes, cells.parent)))
    return project.save(cells.parent / "cells.panfocus.json")


def fused(project, tmp_path, name="fused.ome.tif", **more):
    outputs = VolumeOutputs.beside(tmp_path / name, more.pop("maps", ()))
    _, files = fuse_volume_project(project, outputs, **more)
    return tifffile.imread(files[0])


def test_a_project_is_read_as_it_was_written(cells):
    project = saved(cells, {(0, 0, 1): [dot(2), dot(1)], (0, 0, 0): [], (0, 0, 2): [dot(0)]})
    read = Project.read(cells.parent / "cells.panfocus.json")
    assert read == project
    assert [each.place for each in read.planes] == [(0, 0, 1), (0, 0, 2)]
    assert (read.count, read.strokes) == (3, ())
    with pytest.raises(UsageError, match="volume is fused into a file"):
        read.fuse()


def test_strokes_lie_on_their_own_channel(cells, tmp_path):
    source = tifffile.imread(cells)
    made = fused(saved(cells, {(0, 0, 1): [dot(3)]}), tmp_path)
    plain = fused(saved_plain(cells), tmp_path, "plain.ome.tif")
    np.testing.assert_array_equal(made[1, 37:44, 37:44], source[1, 3, 37:44, 37:44])
    np.testing.assert_array_equal(made[0], plain[0])


def saved_plain(cells):
    return volume_project(cells, SETTINGS, {}, cells.parent)


def test_the_report_tells_of_strokes(cells, tmp_path):
    project = saved(cells, {(0, 0, 1): [dot(3), dot(3, 70)]})
    summary, _ = fuse_volume_project(project, VolumeOutputs.beside(tmp_path / "f.ome.tif", ()))
    assert [one["retouch"] for one in summary.stacks] == [
        None, {"strokes": 2, "sources": {"Z 3": 2}},
    ]  # fmt: skip


def test_brightness_is_fitted_and_maps_follow(cells, tmp_path):
    project = saved(cells, {(0, 0, 0): [dot(2, match_brightness=True)]})
    outputs = VolumeOutputs.beside(tmp_path / "f.ome.tif", ("index", "confidence"))
    fuse_volume_project(project, outputs)
    index, sure = (tifffile.imread(outputs.maps[kind]) for kind in ("index", "confidence"))
    assert (index[0, 37:44, 37:44] == 2).all()
    assert (sure[0, 37:44, 37:44] == 1).all()


def test_a_changed_volume_is_refused_unless_it_is_accepted(cells, tmp_path):
    project = saved(cells, {(0, 0, 0): [dot(2)]})
    tifffile.imwrite(cells, tifffile.imread(cells) // 2, metadata={"axes": "CZYX"})
    with pytest.raises(InputError, match="not the file"):
        fused(project, tmp_path)
    assert not (tmp_path / "fused.ome.tif").exists()
    summary, _ = fuse_volume_project(
        project, VolumeOutputs.beside(tmp_path / "f.ome.tif", ()), accept_changed=True
    )
    assert "changed since" in summary.warnings[0]


@pytest.mark.parametrize("place", [(0, 0, 2), (0, 1, 0), (1, 0, 0)])
def test_strokes_on_what_is_not_there_are_refused_before_any_work(cells, tmp_path, place):
    with pytest.raises(UsageError, match="not fused"):
        fused(saved(cells, {place: [dot(0)]}), tmp_path)


def test_a_part_of_the_volume_is_fused_with_the_strokes_that_lie_on_it(cells, tmp_path, capsys):
    saved(cells, {(0, 0, 0): [dot(2)], (0, 0, 1): [dot(3)]})
    project, out = str(cells.parent / "cells.panfocus.json"), tmp_path / "one.ome.tif"
    assert main(["fuse", "--project", project, "--only", "C=1", "-o", str(out)]) == 0
    made, source = tifffile.imread(out), tifffile.imread(cells)
    np.testing.assert_array_equal(made[37:44, 37:44], source[1, 3, 37:44, 37:44])
    words = ["fuse", "--project", project, "--only", "Z=0-1", "-o", str(tmp_path / "z.ome.tif")]
    assert main(words) == 2  # strokes lie on all planes
    assert "strokes lie on a picture that is not fused" in capsys.readouterr().err


def described(path):
    with tifffile.TiffFile(path) as file:
        return file.ome_metadata


def test_the_same_work_writes_the_same_bytes(cells, tmp_path):
    """Among them the UUID of OME-XML, which is one of what the file holds."""
    names = [tmp_path / f"{n}.ome.tif" for n in range(3)]
    for name, system in zip(names, ("guided", "guided", "guided-tenengrad"), strict=True):
        assert main(["fuse", str(cells), "-s", system, "-o", str(name)]) == 0
    first, second, other = (described(name) for name in names)
    assert names[0].read_bytes() == names[1].read_bytes()
    uuids = [text.partition('UUID="urn:uuid:')[2][:36] for text in (first, second, other)]
    assert len(uuids[0]) == 36 and uuids[0] == uuids[1] != uuids[2]


def test_photographs_have_nothing_to_choose_from(tmp_path, capsys):
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(focal_stack(3, 64, 80)[0]):
        tifffile.imwrite(folder / f"f{n}.tif", frame)
    project = str(folder / "p.panfocus.json")
    words = [str(folder), "-s", "guided", "-o", str(tmp_path / "a.png")]
    assert main(["fuse", *words, "--save-project", project]) == 0
    again = ["fuse", "--project", project, "--only", "T=0", "-o", str(tmp_path / "b.png")]
    assert main(again) == 2
    assert "no times and no channels" in capsys.readouterr().err


def test_strokes_lie_on_channels_that_are_fused_by_themselves(cells, tmp_path):
    mender = StrokeMender({(0, 0, 0): [dot(0)]})
    outputs = VolumeOutputs.beside(tmp_path / "f.ome.tif", ())
    with pytest.raises(UsageError, match="not fused"):
        fuse_file(cells, outputs, Choice(SETTINGS, guide="0"), mender=mender)


def test_a_plane_that_is_not_there_is_refused(cells, tmp_path):
    with pytest.raises(InputError, match="frame that is not there"):
        fused(saved(cells, {(0, 0, 0): [dot(4)]}), tmp_path)
    assert not (tmp_path / "fused.ome.tif").exists()


def test_the_sharpest_plane_is_asked_of_the_index_map(cells, tmp_path):
    stroke = Stroke("brush", ((40, 40),), Sharpest(), radius=9)
    project = saved(cells, {(0, 0, 0): [stroke]})
    made = fused(project, tmp_path, maps=("index",))
    source = tifffile.imread(cells)[0, :, 37:44, 37:44]
    assert any(np.array_equal(made[0, 37:44, 37:44], plane) for plane in source)


def altered(cells, change):
    path = cells.parent / "cells.panfocus.json"
    saved(cells, {(0, 0, 0): [dot(2)]})
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["inputs"].append(r["inputs"][0]),
        lambda r: r["planes"].append(r["planes"][0]),
        lambda r: r["planes"][0].update(place=[0, 0]),
        lambda r: r["planes"][0].update(place=[0, 0, -1]),
        lambda r: r["planes"][0].update(place=[0, 0, "1"]),
        lambda r: r["planes"][0].update(strokes={}),
        lambda r: r["planes"][0].update(more=1),
        lambda r: r.update(planes={}),
        lambda r: r.update(planes=7),
    ],
)
def test_records_that_are_none_are_refused_by_name(cells, change, capsys):
    path = altered(cells, change)
    assert main(["fuse", "--project", str(path), "-o", str(cells.parent / "o.ome.tif")]) == 1
    told = capsys.readouterr().err
    assert "cells.panfocus.json" in told
    assert "Traceback" not in told


def test_a_folder_is_a_volume_too(cells, tmp_path):
    zarr = pytest.importorskip("zarr")
    source = tmp_path / "cells.zarr"
    assert main(["fuse", str(cells), "-s", "guided", "-o", str(tmp_path / "one.zarr"), "-q"]) == 0
    stack = tifffile.imread(cells)[0]
    group = zarr.open_group(source, mode="w", zarr_format=2)
    array = group.create_array("0", shape=stack.shape, dtype=stack.dtype, chunks=(1, 96, 128))
    array[...] = stack
    axes = [{"name": n, "type": "space"} for n in "zyx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": axes,
         "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    ]  # fmt: skip
    project = volume_project(source, SETTINGS, {(0, 0, 0): [dot(3)]}, tmp_path)
    made = fused(project, tmp_path)
    np.testing.assert_array_equal(np.squeeze(made)[37:44, 37:44], stack[3, 37:44, 37:44])
    next(Path(source, "0").rglob("0*")).write_bytes(b"other")
    with pytest.raises(InputError, match="not the file"):
        fused(project, tmp_path, "again.ome.tif")


def test_a_result_is_the_same_to_the_last_byte_and_does_not_tell_of_the_machine(cells, tmp_path):
    made = [tmp_path / f"{n}.ome.tif" for n in range(2)]
    for path in made:
        assert main(["fuse", str(cells), "-o", str(path), "-s", "guided", "--quiet"]) == 0
    assert made[0].read_bytes() == made[1].read_bytes()
    with tifffile.TiffFile(made[0]) as file:
        told = ElementTree.fromstring(file.ome_metadata).attrib["UUID"]
    assert UUID(told).version == 5
