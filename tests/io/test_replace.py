"""What is replaced: files keep who may read them, and of folders only Zarrs go."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.errors import OutputError
from panfocus.io import Metadata, write_image, write_map
from panfocus.io import atomic as atomic_module
from panfocus.io.atomic import place, staging, write_atomic
from panfocus.io.stores import check_replaceable, is_store, store_of

PIXELS = np.zeros((32, 32, 3), np.uint8)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o444])
@pytest.mark.parametrize("write", ["image", "map", "text"])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, write: str, kept: int) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")
    path.chmod(kept)
    if write == "image":
        write_image(path, PIXELS, Metadata(), overwrite=True)
    elif write == "map":
        write_map(path, PIXELS[..., 0], overwrite=True)
    else:
        write_atomic(path, [b"new"], overwrite=True)
    assert path.read_bytes() != b"old"
    assert mode(path) == kept


@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o077, 0o600)])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_new_file_has_the_mode_that_the_user_wants(
    tmp_path: Path, umask: int, expected: int, overwrite: bool
) -> None:
    os.umask(umask)
    path = tmp_path / "a.png"
    write_image(path, PIXELS, Metadata(), overwrite=overwrite)
    assert mode(path) == expected


def test_through_a_link_the_file_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "a.png", tmp_path / "link.png"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_image(link, PIXELS, Metadata(), overwrite=True)
    assert link.is_symlink()
    assert mode(path) == 0o600


def test_nobody_else_reads_it_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen: list[int] = []

    def pieces():
        seen.extend(mode(p) for p in tmp_path.glob(".panfocus-*"))
        yield b"secret"

    write_atomic(path, pieces(), overwrite=True)
    assert seen == [0o600]


def test_nobody_else_looks_into_a_folder_on_the_way(tmp_path: Path) -> None:
    with staging(tmp_path / "out") as folder:
        assert mode(folder) == 0o700
        assert mode(tmp_path / "out") == 0o755


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    os.chown(path, 1234, 2345)
    write_atomic(path, [b"new"], overwrite=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_what_one_group_may_read_is_not_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o660)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    write_atomic(path, [b"new"], overwrite=True)
    assert mode(path) == 0o600


def store(folder: Path, version: int = 2, name: str = "0") -> Path:
    """Write the files of a small Zarr, as they lie on disk; no library is needed for that."""
    array = folder / name
    array.mkdir(parents=True)
    if version == 2:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text("{}")
        (array / ".zarray").write_text("{}")
        (array / "0" / "0").mkdir(parents=True)
        (array / "0" / "0" / "0").write_bytes(b"chunk")
        (array / "0.0.1").write_bytes(b"chunk")
    else:
        (folder / "zarr.json").write_text(json.dumps({"node_type": "group"}))
        (array / "zarr.json").write_text(json.dumps({"node_type": "array"}))
        (array / "c" / "0" / "0").mkdir(parents=True)
        (array / "c" / "0" / "0" / "0").write_bytes(b"chunk")
    return folder


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_may_be_replaced(tmp_path: Path, version: int) -> None:
    folder = store(tmp_path / "a.zarr", version)
    (folder / ".DS_Store").touch()
    assert is_store(folder)
    check_replaceable(folder)


def test_a_zarr_as_a_library_writes_it_may_be_replaced(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    for version in (2, 3):
        path = tmp_path / f"{version}.zarr"
        root = zarr.open_group(str(path), mode="w", zarr_format=version)
        for n, shape in enumerate([(4, 40), (40,), ()]):
            array = root.create_group(f"g{n}").create_array("0", shape=shape, dtype="u1")
            array[...] = 7
        if version == 2:
            zarr.consolidate_metadata(str(path))
        check_replaceable(path)


FOREIGN = {
    "beside": "notes.txt",
    "number": "7",
    "in an array": "0/notes.txt",
    "hidden": ".hidden",
    "folder": "raw/IMG_1.tif",
    "numbered folder": "raw/0/1",
}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("where", FOREIGN)
def test_a_zarr_with_somebodys_file_in_it_is_not(tmp_path: Path, where: str, version: int) -> None:
    folder = store(tmp_path / "a.zarr", version)
    file = folder / FOREIGN[where]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"theirs")
    with pytest.raises(OutputError) as caught:
        check_replaceable(folder)
    assert str(file) in str(caught.value)


def test_a_zarr_with_a_link_in_it_is_not(tmp_path: Path) -> None:
    folder = store(tmp_path / "a.zarr")
    (folder / "0" / "1").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(OutputError):
        check_replaceable(folder)


def test_a_folder_that_is_no_zarr_is_not_and_an_empty_one_is(tmp_path: Path) -> None:
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    check_replaceable(folder)
    (folder / "0").mkdir()
    (folder / "0" / "0").touch()
    with pytest.raises(OutputError, match="no Zarr"):
        check_replaceable(folder)


def test_the_outermost_zarr_is_found(tmp_path: Path) -> None:
    plate = store(tmp_path / "plate.zarr", name="A")
    store(plate / "A" / "1", name="0")
    assert store_of(plate / "A" / "1" / "0") == plate
    assert store_of(plate) == plate
    assert store_of(tmp_path) == tmp_path


def test_a_folder_is_replaced_after_the_new_one_is_whole(tmp_path: Path) -> None:
    old, new = store(tmp_path / "a.zarr"), store(tmp_path / "new", name="1")
    place(new, old, overwrite=True)
    assert (old / "1").is_dir()
    assert not (old / "0").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_a_folder_keeps_its_mode(tmp_path: Path) -> None:
    old, new = store(tmp_path / "a.zarr"), store(tmp_path / "new")
    old.chmod(0o700)
    place(new, old, overwrite=True)
    assert mode(old) == 0o700


@pytest.mark.parametrize("what", ["folder", "file", "more"])
def test_whatever_else_stays_when_a_folder_comes(tmp_path: Path, what: str) -> None:
    old, new = tmp_path / "a.zarr", store(tmp_path / "new")
    if what == "file":
        old.write_bytes(b"theirs")
    elif what == "folder":
        (old / "x").mkdir(parents=True)
    else:
        (store(old) / "notes.txt").touch()
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    with pytest.raises(OutputError):
        place(new, old, overwrite=True)
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_a_file_that_came_at_the_last_moment_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = store(tmp_path / "a.zarr"), store(tmp_path / "new", name="1")
    calls: list[Path] = []

    def late(folder: Path) -> None:
        calls.append(folder)
        if len(calls) == 2:
            (folder / "notes.txt").write_bytes(b"theirs")
        check_replaceable(folder)

    monkeypatch.setattr(atomic_module, "check_replaceable", late)
    with pytest.raises(OutputError):
        place(new, old, overwrite=True)
    assert (old / "notes.txt").read_bytes() == b"theirs"
    assert (old / "0").is_dir()


def stack(folder: Path) -> Path:
    folder.mkdir(parents=True)
    planes = np.random.default_rng(1).integers(0, 255, (4, 64, 64), np.uint8)
    path = folder / "v.ome.tif"
    tifffile.imwrite(path, planes, metadata={"axes": "ZYX"}, ome=True)
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("what", ["folder", "more", "file", "link to a folder"])
@pytest.mark.parametrize("option", ["-o", "--depth-map"])
def test_fuse_replaces_no_folder_of_somebodys(
    tmp_path: Path, option: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("zarr")
    source, old = stack(tmp_path / "in"), tmp_path / "out.zarr"
    if what == "file":
        old.write_bytes(b"theirs")
    elif what == "folder":
        (old / "thesis").mkdir(parents=True)
        (old / "thesis" / "chapter1.txt").write_text("years")
    elif what == "more":
        (store(old) / "notes.txt").write_text("years")
    else:
        (tmp_path / "real" / "thesis").mkdir(parents=True)
        old.symlink_to(tmp_path / "real", target_is_directory=True)
    before = names(tmp_path)
    named = ["-o", str(old)]
    if option != "-o":
        named = ["-o", str(tmp_path / "other.ome.tif"), f"{option}={old}"]
    assert main(["fuse", str(source), *named, "--overwrite"]) == 1
    assert names(tmp_path) == before
    assert "where: " in capsys.readouterr().err


@pytest.mark.parametrize("linked", [False, True])
def test_fuse_replaces_a_zarr_and_leaves_a_link_to_it(tmp_path: Path, linked: bool) -> None:
    pytest.importorskip("zarr")
    source, old = stack(tmp_path / "in"), tmp_path / "out.zarr"
    real = store(tmp_path / "real.zarr" if linked else old)
    if linked:
        old.symlink_to(real, target_is_directory=True)
    assert main(["fuse", str(source), "-o", str(old), "-q"]) == 1
    assert (real / "0" / "0.0.1").exists()
    assert main(["fuse", str(source), "-o", str(old), "--overwrite", "-q"]) == 0
    assert not (real / "0" / "0.0.1").exists()
    assert old.is_symlink() == linked
    assert not list(tmp_path.glob(".panfocus-*"))


@pytest.mark.parametrize("out", ["o.ome.tif", "o.png"])
def test_results_keep_the_mode_of_what_they_replace(tmp_path: Path, out: str) -> None:
    source, place_ = stack(tmp_path / "in"), tmp_path / out
    words = ["fuse", str(source), "-o", str(place_), "-q"]
    assert main([*words, f"--json={tmp_path / 'r.json'}"]) == 0
    for path in (place_, tmp_path / "r.json"):
        path.chmod(0o600)
    assert main([*words, f"--json={tmp_path / 'r.json'}", "--overwrite"]) == 0
    assert mode(place_) == 0o600
    assert mode(tmp_path / "r.json") == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="not an ordinary file"):
        write_atomic(tmp_path / "pipe", [b"all"], overwrite=True)
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "pipe", [b"all"], overwrite=False)
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]
