"""An input is never an output, whatever names it goes by; nor are two outputs one file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from panfocus import fuse as fuse_frames
from panfocus.cli import main
from panfocus.errors import OutputError, PanfocusError, UsageError
from panfocus.io.outputs import check_apart, set_files
from panfocus.io.provenance import is_made_by_panfocus


def same(path: Path) -> Path:
    return path


def dotted(path: Path) -> Path:
    return path.parent / ".." / path.parent.name / path.name


def linked(path: Path) -> Path:
    link = path.parent.parent / f"link{path.suffix}"
    link.symlink_to(path, target_is_directory=path.is_dir())
    return link


def through_linked_folder(path: Path) -> Path:
    link = path.parent.parent / "folder-link"
    link.symlink_to(path.parent, target_is_directory=True)
    return link / path.name


def hard_linked(path: Path) -> Path:
    link = path.parent.parent / f"hard{path.suffix}"
    os.link(path, link)
    return link


def in_capitals(path: Path) -> Path:
    return path.with_name(path.name.swapcase())


ALIASES = [same, dotted, linked, through_linked_folder, hard_linked, in_capitals]
#: Options of `fuse` that name a file; the picture goes elsewhere.
OPTIONS: dict[str, list[str]] = {
    "-o": ["-o", "{}"],
    "--depth-map": ["-o", "{out}", "--depth-map={}"],
    "--index-map": ["-o", "{out}", "--index-map={}"],
    "--confidence-map": ["-o", "{out}", "--confidence-map={}"],
    "--height-map": ["-o", "{out}", "--height-map", "{}"],
    "--json": ["-o", "{out}", "--json={}"],
    "--save-transforms": ["-o", "{out}", "--align", "translation", "--save-transforms", "{}"],
    "--json, aligned": ["--align-only", "{aligned}", "--json={}"],
    "--save-transforms, aligned": ["--align-only", "{aligned}", "--save-transforms", "{}"],
}


def frames(folder: Path, count: int = 3, ending: str = ".tif") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    sharp = rng.integers(0, 255, (48, 48 * count, 3), np.uint8)
    paths = [folder / f"f{n}{ending}" for n in range(count)]
    for n, path in enumerate(paths):
        frame = np.full_like(sharp, 127)
        frame[:, 48 * n : 48 * (n + 1)] = sharp[:, 48 * n : 48 * (n + 1)]
        tifffile.imwrite(path, frame, photometric="rgb", metadata=None)
    return paths


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def refused(tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run it, check that it is refused with its facts and that nothing has changed."""
    before = snapshot(tmp_path)
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr().err
    assert code in (1, 2), said
    assert snapshot(tmp_path) == before
    assert "Traceback" not in said
    return said


def words_for(option: str, victim: Path, tmp_path: Path) -> list[str]:
    places = {"out": tmp_path / "out.tif", "aligned": tmp_path / "aligned"}
    return [word.format(victim, **places) for word in OPTIONS[option]]


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("named", ["files", "folder", "glob"])
def test_no_output_takes_the_place_of_a_frame(
    tmp_path: Path,
    named: str,
    option: str,
    alias: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = frames(tmp_path / "in")
    victim = alias(paths[1])
    inputs = {
        "files": [str(p) for p in paths],
        "folder": [str(tmp_path / "in")],
        "glob": [str(tmp_path / "in" / "f*.tif")],
    }[named]
    words = ["fuse", "--overwrite", *words_for(option, victim, tmp_path), *inputs]
    said = refused(tmp_path, words, capsys)
    assert "one of the inputs" in said
    for fact in ("where", "expected", "got", "remedy"):
        assert f"{fact}: " in said
    assert str(victim) in said
    assert option.partition(",")[0] in said


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("option", OPTIONS)
def test_no_output_takes_the_place_of_loaded_transforms(
    tmp_path: Path,
    option: str,
    alias: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = frames(tmp_path / "in")
    place = tmp_path / "told" / "t.json.tif"  # an ending that every option takes
    place.parent.mkdir()
    words = ["fuse", *map(str, paths), "--align-only", str(tmp_path / "a"), "-q"]
    assert main([*words, "--save-transforms", str(place)]) == 0
    words = ["fuse", "--overwrite", *words_for(option, alias(place), tmp_path)]
    words += [*map(str, paths), "--load-transforms", str(place)]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


@pytest.mark.parametrize("alias", [same, dotted, linked, through_linked_folder])
def test_aligned_frames_do_not_take_the_place_of_frames(
    tmp_path: Path, alias: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "x" / "in")
    folder = alias(paths[0].parent)
    words = ["fuse", *map(str, paths), "--align-only", str(folder), "--overwrite"]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


def test_aligned_frames_do_not_take_each_others_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = frames(tmp_path / "a", 2), frames(tmp_path / "b", 2)
    second[0].rename(tmp_path / "b" / "F0.tif")
    inputs = [str(first[0]), str(tmp_path / "b" / "F0.tif"), str(second[1])]
    assert main(["fuse", *inputs, "--align-only", str(tmp_path / "out"), "-q"]) == 0
    names = [p.name.casefold() for p in (tmp_path / "out").iterdir()]
    assert len(set(names)) == 3


def test_frames_are_not_aligned_by_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = [str(p) for p in frames(tmp_path / "a", 2)]
    words = ["fuse", *inputs, "--align-only", str(tmp_path / "out"), "--align", "none"]
    assert main(words) == 2
    assert "leave --align none out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    file = tmp_path / "transforms.json"
    other = str(tmp_path / "other")
    assert main(["fuse", *inputs, "--align-only", other, "--save-transforms", str(file)]) == 0
    assert main([*words, "--load-transforms", str(file)]) == 0


@pytest.mark.parametrize("ending", [".obj", ".ply", ".glb"])
def test_a_mesh_does_not_take_the_place_of_a_frame(
    tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trimesh")
    from panfocus.surface.mesh import mesh_files

    paths = frames(tmp_path / "in")
    mesh = tmp_path / "in" / f"m{ending}"
    for victim in mesh_files(mesh):  # the texture of an OBJ too
        paths[1].rename(victim)
        inputs = [str(paths[0]), str(victim), str(paths[2])]
        words = ["fuse", *inputs, "-o", str(tmp_path / "o.png"), "--mesh", str(mesh), "--overwrite"]
        assert "one of the inputs" in refused(tmp_path, words, capsys)
        victim.rename(paths[1])


def test_slabs_do_not_take_the_place_of_a_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    paths[1].rename(tmp_path / "in" / "o_slab02.tif")
    words = ["fuse", str(tmp_path / "in"), "-o", str(tmp_path / "in" / "o.tif"), "--overwrite"]
    assert "one of the inputs" in refused(tmp_path, [*words, "--slab", "2", "1"], capsys)


@pytest.mark.parametrize("slabs", [[], ["--slab", "3", "1"]])
def test_a_frame_that_is_culled_is_an_input_all_the_same(
    tmp_path: Path, slabs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in", 4)
    tifffile.imwrite(paths[3], np.zeros((48, 192, 3), np.uint8), photometric="rgb", metadata=None)
    words = ["fuse", *map(str, paths), "-o", str(paths[3]), "--overwrite", "--cull", *slabs]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


@pytest.mark.parametrize("option", ["--depth-map", "--index-map", "--confidence-map"])
@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_bare_map_option_takes_no_frame(
    tmp_path: Path, option: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    before = snapshot(tmp_path / "in")
    named = [option, *map(str, paths)]
    if where == "behind":
        named = [*map(str, paths[:2]), option, str(paths[2])]
    assert main(["fuse", "-o", str(tmp_path / "o.tif"), "--overwrite", *named]) == 0
    assert "3 frames" in capsys.readouterr().err
    assert snapshot(tmp_path / "in") == before
    kind = option[2:].removesuffix("-map")
    assert (tmp_path / f"o_{kind}.tif").is_file()


@pytest.mark.parametrize("option", ["--depth-map", "--index-map", "--confidence-map"])
@pytest.mark.parametrize("named", ["in", "in/f*.tif", "in/f1.tif"])
def test_a_frame_that_is_named_already_is_no_maps_name(
    tmp_path: Path, option: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    for before in ([], ["--overwrite"]):
        words = ["fuse", str(tmp_path / named), str(paths[0]), "-o", str(tmp_path / "o.tif")]
        said = refused(tmp_path, [*words, *before, option, str(paths[1])], capsys)
        assert "one of the inputs" in said
        assert option in said


@pytest.mark.parametrize("alias", [same, linked, hard_linked])
def test_a_path_through_a_folder_that_is_not_there_yet_leads_where_it_leads(
    tmp_path: Path, alias: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = ome_set(tmp_path / "x" / "set")
    place = alias(second)
    out = tmp_path / "new" / ".." / place.relative_to(tmp_path)
    words = ["fuse", str(first), "-o", str(out), "--overwrite"]
    assert "one of the inputs" in refused(tmp_path, words, capsys)
    theirs = tmp_path / "theirs.ome.tif"
    theirs.write_bytes(b"theirs")
    out = tmp_path / "new" / ".." / theirs.name
    assert "exists" in refused(tmp_path, ["fuse", str(first), "-o", str(out)], capsys)
    inputs = [str(p) for p in frames(tmp_path / "in")]
    assert "exists" in refused(tmp_path, ["fuse", *inputs, "-o", str(out)], capsys)


@pytest.mark.parametrize("option", ["--depth-map", "--index-map", "--confidence-map"])
@pytest.mark.parametrize("ending", [".tif", ".png"])
def test_a_map_of_an_earlier_run_is_the_maps_name_again(
    tmp_path: Path, option: str, ending: str
) -> None:
    inputs = [str(p) for p in frames(tmp_path / "in")]
    place = tmp_path / f"map{ending}"
    words = ["fuse", "-o", str(tmp_path / "o.tif"), option, str(place), *inputs, "-q"]
    assert main(words) == 0
    place.touch()
    old = place.stat().st_ino
    assert main(words) == 1  # it exists, which is said, and it is not fused
    assert main([*words, "--overwrite"]) == 0
    assert place.stat().st_ino != old
    assert not (tmp_path / f"o_{option[2:].removesuffix('-map')}.tif").exists()


def test_a_slab_behind_a_bare_option_is_a_frame_although_panfocus_made_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = [str(p) for p in frames(tmp_path / "in")]
    words = ["fuse", *inputs, "-o", str(tmp_path / "o.tif"), "--slab", "2", "1", "-q"]
    assert main(words) == 0
    slabs = sorted(tmp_path.glob("o_slab*.tif"))
    before = [p.read_bytes() for p in slabs]
    words = ["fuse", "-o", str(tmp_path / "p.tif"), "--overwrite", "--depth-map", *map(str, slabs)]
    assert main(words) == 0
    assert f"{len(slabs)} frames" in capsys.readouterr().err
    assert [p.read_bytes() for p in slabs] == before


def test_a_photograph_of_the_outputs_name_in_the_folder_is_a_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    for option in ("-o", "--depth-map", "--height-map"):
        words = ["fuse", str(tmp_path / "in"), *words_for(option, paths[1], tmp_path)]
        assert "one of the inputs" in refused(tmp_path, [*words, "--overwrite"], capsys)


def test_an_earlier_result_in_the_folder_is_none_and_may_be_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    out, depth = tmp_path / "in" / "fused.tif", tmp_path / "in" / "fused_depth.tif"
    words = ["fuse", str(tmp_path / "in"), "-o", str(out), f"--depth-map={depth}"]
    assert main([*words, "-q"]) == 0
    assert is_made_by_panfocus(out)
    capsys.readouterr()
    assert main([*words, "--overwrite"]) == 0
    assert f"{len(paths)} frames" in capsys.readouterr().err


def test_an_own_systems_files_are_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from panfocus.systems import BUNDLED

    system = tmp_path / "mine"
    system.mkdir()
    source = next(BUNDLED.glob("*/card.json")).parent
    for file in source.iterdir():
        if file.is_file():
            (system / file.name).write_bytes(file.read_bytes())
    inputs = [str(p) for p in frames(tmp_path / "in")]
    words = ["fuse", *inputs, "-s", str(system), "-o", str(tmp_path / "o.tif"), "--overwrite"]
    for name in ("card.json", "model.onnx"):
        assert "one of the inputs" in refused(tmp_path, [*words, f"--json={system / name}"], capsys)


TWO = {
    "map": ["-o", "{a}", "--depth-map={b}"],
    "maps": ["-o", "{out}", "--depth-map={a}", "--index-map={b}"],
    "height map": ["-o", "{a}", "--height-map", "{b}"],
    "report": ["-o", "{a}", "--json={b}"],
    "transforms": ["-o", "{a}", "--align", "translation", "--save-transforms", "{b}"],
    "texts": ["--align-only", "{aligned}", "--json={a}", "--save-transforms", "{b}"],
}


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("two", TWO)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "there"])
def test_no_two_outputs_are_one_file(
    tmp_path: Path,
    two: str,
    alias: Callable[[Path], Path],
    exists: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs = [str(p) for p in frames(tmp_path / "in")]
    a = tmp_path / "made" / "a.tif"
    a.parent.mkdir()
    if exists:
        a.write_bytes(b"theirs")
    elif alias is hard_linked:
        pytest.skip("there is nothing to link to")
    places = {"a": a, "b": alias(a), "out": tmp_path / "o.tif", "aligned": tmp_path / "aligned"}
    words = ["fuse", "--overwrite", *(word.format(**places) for word in TWO[two]), *inputs]
    assert "same name" in refused(tmp_path, words, capsys)


def test_the_result_of_a_call_is_not_saved_over_its_frames(tmp_path: Path) -> None:
    paths = frames(tmp_path / "in")
    result = fuse_frames([str(p) for p in paths], system="guided")
    before = snapshot(tmp_path)
    for alias in ALIASES[:4]:
        with pytest.raises(OutputError, match="one of the inputs"):
            result.save(alias(paths[1]), overwrite=True)
    for name, data in before.items():
        assert data is None or (tmp_path / name).read_bytes() == data
    assert result.save(tmp_path / "out.tif") == []


def ome_set(folder: Path) -> list[Path]:
    """Two files of one set, each of which tells of both, as microscopes write them."""
    folder.mkdir(parents=True)
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="64" '
        'SizeY="64" SizeZ="4" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
    )
    paths = [folder / f"s & {n}.ome.tif" for n in range(2)]
    for z in range(4):
        name, uuid = paths[z // 2].name.replace("&", "&amp;"), f"urn:uuid:0000000{z // 2}"
        text += f'<TiffData FirstZ="{z}" IFD="{z % 2}" PlaneCount="1">'
        text += f'<UUID FileName="{name}">{uuid}</UUID></TiffData>'
    text += "</Pixels></Image></OME>"
    planes = np.random.default_rng(1).integers(0, 255, (4, 64, 64), np.uint8)
    for n, path in enumerate(paths):
        with tifffile.TiffWriter(path) as writer:
            for k, plane in enumerate(planes[2 * n : 2 * n + 2]):
                words = {"description": text} if k == 0 else {}
                writer.write(plane, photometric="minisblack", metadata=None, **words)
    return paths


def test_an_ome_set_is_all_its_files(tmp_path: Path) -> None:
    first, second = ome_set(tmp_path / "set")
    assert set_files(first) == [second]
    assert set_files(second) == [first]
    assert set_files(tmp_path) == []


VOLUME_OPTIONS = {
    "-o": ["-o", "{}"],
    "--depth-map": ["-o", "{out}", "--depth-map={}"],
    "--index-map": ["-o", "{out}", "--index-map={}"],
    "--confidence-map": ["-o", "{out}", "--confidence-map={}"],
    "--json": ["-o", "{out}", "--json={}"],
}


def volume(kind: str, folder: Path) -> tuple[Path, Path]:
    """Return a scientific stack and one of the files that it consists of."""
    planes = np.random.default_rng(1).integers(0, 255, (4, 64, 64), np.uint8)
    path = folder / "v.ome.tif"
    if kind == "set":
        return tuple(ome_set(folder))  # pyright: ignore[reportReturnType]
    folder.mkdir(parents=True)
    if kind == "ome":
        tifffile.imwrite(path, planes, metadata={"axes": "ZYX"}, ome=True)
    elif kind == "imagej":
        path = folder / "v.tif"
        tifffile.imwrite(path, planes[None, :, None], imagej=True, metadata={"axes": "TZCYX"})
    else:
        path = zarr_volume(folder / "v.ome.zarr", planes)
    return path, path


def zarr_volume(path: Path, planes: np.ndarray) -> Path:
    zarr = pytest.importorskip("zarr")
    root = zarr.open_group(str(path), mode="w", zarr_format=2)
    array = root.create_array("0", shape=planes.shape, chunks=(1, 64, 64), dtype=planes.dtype)
    array[:] = planes
    axes = [{"name": letter, "type": "space"} for letter in "zyx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    root.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("option", VOLUME_OPTIONS)
@pytest.mark.parametrize("kind", ["ome", "imagej", "set", "zarr"])
def test_no_output_takes_the_place_of_a_volume(
    tmp_path: Path,
    kind: str,
    option: str,
    alias: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, victim = volume(kind, tmp_path / "x" / "in")
    if kind == "zarr" and alias is hard_linked:
        pytest.skip("folders have no hard links")
    place = alias(victim)
    if kind == "set" and not place.exists():
        pytest.skip("a file system that tells names in capitals apart")
    out = tmp_path / ("o.ome.zarr" if kind == "zarr" else "o.ome.tif")
    named = [word.format(place, out=out) for word in VOLUME_OPTIONS[option]]
    words = ["fuse", str(source), "--axes", "ZYX", *named, "--overwrite"]
    if kind == "set":
        words = ["fuse", str(source), *named, "--overwrite"]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


@pytest.mark.parametrize("place", ["new.ome.tif", "0/new.ome.tif", "0/0.0.0", "new.ome.zarr"])
def test_nothing_is_written_into_an_input_that_is_a_folder(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, _ = volume("zarr", tmp_path / "in")
    for named in (["-o", str(source / place)], ["-o", str(tmp_path / "o.ome.tif")]):
        words = ["fuse", str(source), *named, "--overwrite", f"--json={source / place}.json"]
        assert "one of the inputs" in refused(tmp_path, words, capsys)


def test_an_array_of_a_zarr_is_that_zarr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, _ = volume("zarr", tmp_path / "in")
    words = ["fuse", str(source / "0"), "--axes", "ZYX", "--overwrite", "-o"]
    for victim in (source, source / "o.ome.tif"):
        assert "one of the inputs" in refused(tmp_path, [*words, str(victim)], capsys)


@pytest.mark.parametrize("alias", [same, dotted, linked, through_linked_folder])
@pytest.mark.parametrize("kind", ["ome", "set", "zarr"])
def test_a_folder_that_holds_the_input_is_not_replaced(
    tmp_path: Path,
    kind: str,
    alias: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("zarr")
    outer = tmp_path / "x" / "outer.zarr"
    source, _ = volume(kind, outer / "deep" / "in")
    words = ["fuse", str(source), "-o", str(alias(outer)), "--overwrite"]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


def test_a_map_inside_the_result_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("zarr")
    source, _ = volume("ome", tmp_path / "in")
    out = tmp_path / "o.ome.zarr"
    words = ["fuse", str(source), "-o", str(out), f"--depth-map={out / 'd.ome.tif'}"]
    assert "same name" in refused(tmp_path, words, capsys)


def test_a_run_that_is_only_tried_refuses_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = frames(tmp_path / "in")
    words = ["fuse", *map(str, paths), "-o", str(paths[0]), "--overwrite", "--dry-run"]
    assert "one of the inputs" in refused(tmp_path, words, capsys)


LATE = {**OPTIONS, "--slab": ["-o", "{out}", "--slab", "2", "1"]}


@pytest.mark.parametrize("option", LATE)
def test_a_file_that_comes_while_frames_are_fused_is_kept(
    tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from panfocus.cli import fuse as command

    inputs = [str(p) for p in frames(tmp_path / "in")]
    place = tmp_path / ("out_slab02.tif" if option == "--slab" else "new.tif")
    name = "align" if "--align-only" in LATE[option] else "fuse"
    work = getattr(command, name)

    def late(*words: object, **options: object) -> object:
        place.write_bytes(b"theirs")
        return work(*words, **options)

    monkeypatch.setattr(command, name, late)
    places = {"out": tmp_path / "out.tif", "aligned": tmp_path / "aligned"}
    words = ["fuse", *(word.format(place, **places) for word in LATE[option]), *inputs]
    assert main(words) == 1
    assert place.read_bytes() == b"theirs"
    assert "exists" in capsys.readouterr().err


def test_folders_that_differ_in_case_alone_are_two(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    if (tmp_path / "a").exists():
        pytest.skip("not on this file system")
    (tmp_path / "a").mkdir()
    (tmp_path / "A" / "f.tif").touch()
    check_apart([tmp_path / "A" / "f.tif"], [("-o", tmp_path / "a" / "f.tif")])


def test_names_that_differ_in_the_spelling_of_accents_are_one(tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9.tif").touch()
    with pytest.raises(OutputError):
        check_apart([tmp_path / "caf\u00e9.tif"], [("-o", tmp_path / "cafe\u0301.tif")])


@pytest.mark.parametrize(
    ("outputs", "error"),
    [
        (["in/a.tif"], OutputError),
        (["in"], OutputError),
        (["."], OutputError),
        (["in/b.tif"], None),
        (["new/in/a.tif"], None),
        (["b.tif", "c.tif"], None),
        (["b.tif", "B.TIF"], UsageError),
        (["b.zarr", "b.zarr/c.tif"], UsageError),
        (["b.zarr/c.tif", "b.zarr"], UsageError),
        (["new/b.tif", "new/../new/b.tif"], UsageError),
    ],
)
def test_the_rule(tmp_path: Path, outputs: list[str], error: type[PanfocusError] | None) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tif").touch()
    named = [(f"--{n}", tmp_path / name) for n, name in enumerate(outputs)]
    if error is None:
        check_apart([tmp_path / "in" / "a.tif"], named)
        return
    with pytest.raises(error):
        check_apart([tmp_path / "in" / "a.tif"], named)
