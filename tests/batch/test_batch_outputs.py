"""A batch replaces nothing but what an earlier run left, and no stack's input at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from panfocus.batch import placing
from panfocus.batch.job import Job
from panfocus.batch.record import Record, read_record, record_path, write_record
from panfocus.batch.work import prepare, run_task
from panfocus.cli import main

WORDS = ["-s", "guided", "--workers", "0", "-q"]


def batch(*words: object) -> int:
    return main(["batch", *map(str, words), *WORDS])


def write_stack(folder: Path, seed: int = 0, names: tuple[str, str] = ("f0.tif", "f1.tif")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sharp = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
    for n, name in enumerate(names):
        frame = np.full_like(sharp, 127)
        frame[:, 32 * n : 32 * (n + 1)] = sharp[:, 32 * n : 32 * (n + 1)]
        tifffile.imwrite(folder / name, frame, photometric="rgb", metadata=None)
    return folder


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    for n in range(2):
        write_stack(tmp_path / "in" / f"s{n}", n)
    return tmp_path / "in"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and ".panfocus" not in p.parts
    }


def stack_report(out: Path, name: str) -> dict[str, Any]:
    found = json.loads((out / "report.json").read_text())["stacks"]
    return next(s for s in found if s["name"] == name)


def same(path: Path) -> Path:
    return path


def dotted(path: Path) -> Path:
    return path.parent / ".." / path.parent.name / path.name


def linked(path: Path) -> Path:
    link = path.parent.parent.parent / f"link{path.suffix}"
    link.symlink_to(path)
    return link


def hard_linked(path: Path) -> Path:
    link = path.parent.parent.parent / f"hard{path.suffix}"
    os.link(path, link)
    return link


def through_a_new_folder(path: Path) -> Path:
    return (
        path.parent.parent.parent
        / "new"
        / ".."
        / path.parent.parent.name
        / path.parent.name
        / (path.name)
    )


ALIASES = [same, dotted, linked, hard_linked, through_a_new_folder]


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("inputs", ["in/s0", "in/s0/*.tif", "in/s0/f0.tif; in/s0/f1.tif"])
@pytest.mark.parametrize("whose", ["own", "other"])
@pytest.mark.parametrize("mode", ["--overwrite", "--resume", "--dry-run"])
def test_no_row_writes_onto_a_frame(  # noqa: PLR0917
    stacks: Path,
    tmp_path: Path,
    mode: str,
    whose: str,
    inputs: str,
    alias: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    victim = alias(stacks / "s0" / "f1.tif")
    other = {"own": "", "other": "quiet,in/s1,,\n"}[whose]
    loud = inputs if whose == "own" else "in/s1"
    quiet = "" if whose == "own" else f"quiet,{inputs},,\n"
    text = f"name,inputs,output,options\nloud,{loud},{victim},\n{quiet or other}"
    (tmp_path / "m.csv").write_text(text)
    before = contents(tmp_path)
    code = batch(tmp_path / "m.csv", tmp_path / "out", mode)
    if mode != "--dry-run":
        assert code in (1, 2, 3)
    assert contents(stacks) == {
        k.removeprefix("in/"): v for k, v in before.items() if k.startswith("in/")
    }
    assert (stacks / "s0" / "f1.tif").read_bytes() == before["in/s0/f1.tif"]
    assert "one of the inputs" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["report.csv", "report.json"])
@pytest.mark.parametrize("mode", [[], ["--resume"], ["--watch", "--settle", "0", "--idle", "0.1"]])
def test_a_report_of_somebody_elses_is_kept(
    stacks: Path, tmp_path: Path, name: str, mode: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("name,thesis\nme,ten years\n")
    before = contents(tmp_path)
    assert batch(stacks, out, *mode) == 1
    assert contents(tmp_path) == before
    said = capsys.readouterr().err
    assert str(out / name) in said
    assert "remedy" in said
    assert batch(stacks, out, "--overwrite") == 0
    assert (out / name).read_bytes() != before[f"out/{name}"]


@pytest.mark.parametrize("name", ["report.csv", "report.json"])
def test_a_report_that_somebody_changed_is_kept(stacks: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out) == 0
    assert batch(stacks, out, "--resume") == 0  # our own is kept up to date
    with (out / name).open("a") as file:
        file.write("\nmy remarks")
    before = contents(tmp_path)
    assert batch(stacks, out, "--resume") == 1
    assert contents(tmp_path) == before


def test_a_report_of_a_version_without_a_ledger_is_ours(stacks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out) == 0
    (out / ".panfocus" / "stacks" / ".written").unlink()
    assert batch(stacks, out, "--resume") == 0


def test_a_report_that_came_meanwhile_is_kept(
    stacks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    out, place = tmp_path / "out", placing.place

    def late(*words: Any, **options: Any) -> None:
        (out / "report.csv").write_text("mine")
        place(*words, **options)

    monkeypatch.setattr(placing, "place", late)
    assert batch(stacks, out) == 0
    assert (out / "report.csv").read_text() == "mine"
    assert (out / "report.json").exists()


def test_the_manifest_is_not_replaced_by_the_report(
    stacks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "report.csv"
    manifest.write_text("name,inputs\na,in/s0\n")
    before = contents(tmp_path)
    for mode in ([], ["--overwrite"], ["--resume"]):
        assert batch(manifest, tmp_path, *mode) in (1, 2)
        assert contents(tmp_path) == before
        assert "one of the inputs" in capsys.readouterr().err


def test_a_report_is_not_written_into_a_volume(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    source = tmp_path / "v.zarr"
    root = zarr.open_group(str(source), mode="w", zarr_format=2)
    array = root.create_array("0", shape=(3, 32, 32), dtype="u1")
    array[...] = np.random.default_rng(1).integers(0, 255, (3, 32, 32), np.uint8)
    before = sorted(source.rglob("*"))
    assert batch(source / "0", source / "out", "--axes", "ZYX") in (1, 2)
    assert sorted(source.rglob("*")) == before


@pytest.mark.parametrize("kind", ["image", "depth"])
@pytest.mark.parametrize("how", ["edited", "replaced", "touched", "deleted"])
@pytest.mark.parametrize("changed", [False, True], ids=["same inputs", "other inputs"])
def test_resuming_keeps_what_somebody_has_done(  # noqa: PLR0917
    stacks: Path,
    tmp_path: Path,
    changed: bool,
    how: str,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out, "--depth-map") == 0
    path = out / {"image": "s0.tif", "depth": "s0_depth.tif"}[kind]
    before, stat = path.read_bytes(), path.stat()
    if how == "edited":  # as a program does that keeps time and size
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        if changed:
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif how == "replaced":
        path.write_bytes(b"retouched by hand")
    elif how == "touched":
        path.touch()
    else:
        path.unlink()
    theirs = path.read_bytes() if path.exists() else None
    if changed:
        write_stack(stacks / "s0", seed=9)
    code = batch(stacks, out, "--depth-map", "--resume")
    found = stack_report(out, "s0")
    if how in ("edited", "replaced"):
        assert path.read_bytes() == theirs
        assert code == (3 if changed else 0)
        said = found["error"] if changed else " ".join(found["warnings"])
        assert path.name in said
        assert batch(stacks, out, "--depth-map", "--overwrite") == 0
        assert path.read_bytes() != theirs
    else:
        assert code == 0
        assert found["state"] == ("done" if changed or how == "deleted" else "skipped")
        assert path.exists()


def test_what_is_kept_is_told(
    stacks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out) == 0
    (out / "s0.tif").write_bytes(b"retouched by hand")
    assert main(["batch", str(stacks), str(out), *WORDS[:-1], "--resume"]) == 0
    assert "s0.tif" in capsys.readouterr().err


def test_a_result_edited_while_the_stack_is_fused_anew_is_kept(
    stacks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out, "--depth-map") == 0
    write_stack(stacks / "s0", seed=9)
    digest = placing.digest_of

    def late(path: Path) -> str:
        (out / "s0_depth.tif").write_bytes(b"edited just now")
        return digest(path)

    monkeypatch.setattr(placing, "digest_of", late)
    assert batch(stacks, out, "--depth-map", "--resume") == 3
    assert (out / "s0_depth.tif").read_bytes() == b"edited just now"


@pytest.mark.parametrize("mode", [[], ["--resume"]])
def test_a_file_that_came_while_the_stack_was_fused_is_kept(
    stacks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: list[str]
) -> None:
    out = tmp_path / "out"
    place = placing.place

    def late(temporary: Path, path: Path, *, overwrite: bool) -> None:
        path.write_bytes(b"mine")
        place(temporary, path, overwrite=overwrite)

    monkeypatch.setattr(placing, "place", late)
    assert batch(stacks, out, *mode) == 1
    assert (out / "s0.tif").read_bytes() == b"mine"


@pytest.mark.parametrize("theirs", [None, b"put there by hand"])
def test_what_a_try_that_died_had_placed_is_known_by_its_content(
    stacks: Path, tmp_path: Path, theirs: bytes | None
) -> None:
    out = tmp_path / "out"
    job = Job("s0", (str(stacks / "s0"),), out / "s0.tif", {"system": "guided"}, ("depth",))
    task = prepare(job, record_path(out, "s0"), "r", resume=False, overwrite=False)
    assert run_task(task).state == "done"
    done = read_record(task.record)
    assert done is not None
    files = {p: [0, 0, facts[2]] for p, facts in done.files.items()}
    write_record(task.record, Record(done.key, "placing", files, 2))
    (out / "s0_depth.tif").unlink()  # died before it came to this one
    if theirs is not None:
        (out / "s0.tif").write_bytes(theirs)
    again = prepare(job, task.record, "r", resume=True, overwrite=False)
    if theirs is None:
        assert run_task(again).state == "done"
        return
    assert again.state == "failed"
    assert (out / "s0.tif").read_bytes() == theirs
    assert run_task(task).state == "failed"
    assert (out / "s0.tif").read_bytes() == theirs


def test_a_renewed_result_keeps_its_mode(stacks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert batch(stacks, out) == 0
    (out / "s0.tif").chmod(0o600)
    write_stack(stacks / "s0", seed=9)
    assert batch(stacks, out, "--resume") == 0
    assert stack_report(out, "s0")["state"] == "done"
    assert (out / "s0.tif").stat().st_mode & 0o777 == 0o600


def test_a_zarr_with_somebodys_file_in_it_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    planes = np.random.default_rng(1).integers(0, 255, (4, 64, 64), np.uint8)
    source = tmp_path / "in" / "v.ome.tif"
    source.parent.mkdir()
    tifffile.imwrite(source, planes, metadata={"axes": "ZYX"}, ome=True)
    (tmp_path / "m.csv").write_text("name,inputs,output\nv,in/v.ome.tif,v.ome.zarr\n")
    out = tmp_path / "out"
    assert batch(tmp_path / "m.csv", out) == 0
    (out / "v.ome.zarr" / "notes.txt").write_text("mine")
    before = contents(out / "v.ome.zarr")
    assert batch(tmp_path / "m.csv", out, "--overwrite") == 1
    assert contents(out / "v.ome.zarr") == before
    (out / "v.ome.zarr" / "notes.txt").unlink()
    assert batch(tmp_path / "m.csv", out, "--overwrite") == 0


@pytest.mark.parametrize(("version", "told"), [("0.4", ".zattrs"), ("0.5", "zarr.json")])
def test_scientific_stacks_become_ome_zarrs_of_a_version(
    tmp_path: Path, version: str, told: str
) -> None:
    pytest.importorskip("zarr")
    planes = np.random.default_rng(1).integers(0, 255, (4, 64, 64), np.uint8)
    tifffile.imwrite(
        write_stack(tmp_path / "in" / "shots").parent / "v.ome.tif",
        planes,
        metadata={"axes": "ZYX"},
        ome=True,
    )
    out = tmp_path / "out"
    assert batch(tmp_path / "in", out, "--ome-zarr", version, "--index-map") == 0
    assert {p.name for p in out.iterdir() if p.name[0] != "." and "report" not in p.name} == {
        "v.ome.zarr",
        "v_index.ome.zarr",
        "shots.tif",
        "shots_index.tif",
    }
    facts = json.loads((out / "v.ome.zarr" / told).read_text())
    facts = facts.get("attributes", {}).get("ome", facts)
    assert {facts.get("version"), facts["multiscales"][0].get("version")} >= {version}
    before = contents(out)
    assert batch(tmp_path / "in", out, "--ome-zarr", version, "--index-map", "--resume") == 0
    assert stack_report(out, "v")["state"] == "skipped"
    other = {"0.4": "0.5", "0.5": "0.4"}[version]
    assert batch(tmp_path / "in", out, "--ome-zarr", other, "--index-map", "--resume") == 0
    assert stack_report(out, "v")["state"] == "done"
    assert stack_report(out, "shots")["state"] == "skipped"
    assert contents(out) != before


@pytest.mark.parametrize("run", ["../*", "*", "", "."])
def test_only_folders_of_a_run_of_ours_are_cleared_away(
    stacks: Path, tmp_path: Path, run: str
) -> None:
    out = tmp_path / "out"
    (out / ".panfocus").mkdir(parents=True)
    theirs = out / ".panfocus-mine-1" / "file"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    facts = {"run": run, "host": os.uname().nodename, "pid": 2**22 + 1}
    (out / ".panfocus" / "running.json").write_text(json.dumps(facts))
    assert batch(stacks, out) == 0
    assert theirs.read_text() == "mine"
