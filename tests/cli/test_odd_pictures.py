"""What is told of photographs that few people have: in one line each, with a place and a remedy."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.batch import work
from panfocus.cli import main
from panfocus.errors import InputError, OutputError
from panfocus.io.atomic import staging
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(2, 48, 64)


def shots(folder, frames=FRAMES, ending=".png"):
    """Write frames into a new folder."""
    folder.mkdir()
    for n, frame in enumerate(frames):
        path = folder / f"{n}{ending}"
        if ending == ".tif":
            tifffile.imwrite(path, frame, photometric="rgb" if frame.ndim == 3 else "minisblack")
        else:
            Image.fromarray(frame).save(path)
    return folder


def refused(folder, capsys, *, code=1):
    """Return what `fuse` says of a folder that it refuses, by the names of the facts."""
    assert main(["fuse", str(folder), "-o", str(folder.parent / "out.tif"), "-s", "guided"]) == code
    assert not (folder.parent / "out.tif").exists()
    what, *facts = capsys.readouterr().err.splitlines()
    return {"what": what} | dict(fact.strip().split(": ", 1) for fact in facts)


@pytest.mark.parametrize("side", [(1, 600), (600, 1), (1, 1), (15, 15)])
def test_frames_that_are_too_small(tmp_path, capsys, side):
    told = refused(shots(tmp_path / "s", np.zeros((2, *side, 3), np.uint8)), capsys)
    assert told["where"] == str(tmp_path / "s" / "0.png")
    assert "16 x 16" in told["expected"]
    assert told["remedy"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers(tmp_path, capsys, bad):
    frames = FRAMES.astype(np.float32) * 4
    frames[1, 3, 4] = bad
    told = refused(shots(tmp_path / "s", frames, ".tif"), capsys)
    assert told["where"] == str(tmp_path / "s" / "1.tif")
    assert told["expected"] == "finite numbers"
    assert told["got"].startswith(f"3 of {frames[1].size} ")


def test_complex_numbers_are_not_sent_from_one_refusal_to_the_next(tmp_path, capsys):
    told = refused(shots(tmp_path / "s", FRAMES[..., 0].astype(np.complex64), ".tif"), capsys)
    assert "real" in told["expected"]
    assert "into a .tif" not in told["remedy"]


def test_colours_are_called_by_name(tmp_path, capsys):
    folder = shots(tmp_path / "s")
    for path in [*folder.iterdir()]:
        Image.open(path).convert("LAB").save(path.with_suffix(".tif"))
        path.unlink()
    assert refused(folder, capsys)["got"] == "CIE L*a*b* colours"


def test_an_empty_file_is_called_one(tmp_path, capsys):
    folder = shots(tmp_path / "s")
    (folder / "2.png").touch()
    told = refused(folder, capsys)
    assert told["got"] == "an empty file, 0 bytes"
    assert "copy" in told["remedy"]


NAMES = ["two\nlines", "a\x1b[2Jb", "bell\a", "🦋 fly", "right\u202eleft"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_neither_ends_a_line_nor_speaks_to_the_terminal(tmp_path, capsys, name):
    folder = shots(tmp_path / name)
    out = tmp_path / f"{name}.tif"
    words = ["fuse", str(folder), "-o", str(out), "-s", "guided", "--align", "none"]
    for code, more in ((0, ["--dry-run"]), (0, []), (1, [])):
        assert main([*words, *more]) == code
        told = capsys.readouterr()
        assert all(line.isprintable() for line in (told.err + told.out).splitlines())
        assert len((told.err + told.out).splitlines()) <= 8
        assert ("🦋" in name) == ("🦋" in told.err + told.out)
    assert out.exists()


@pytest.mark.parametrize("name", NAMES)
def test_nor_does_that_of_a_stack_of_a_batch(tmp_path, capsys, name):
    (tmp_path / "in").mkdir()
    shots(tmp_path / "in" / name)
    (shots(tmp_path / "in" / f"{name}2") / "0.png").write_bytes(b"none")
    words = [str(tmp_path / "in"), str(tmp_path / "out"), "-s", "guided", "--workers", "0"]
    assert main(["batch", *words]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert all(line.isprintable() for line in lines)
    assert (tmp_path / "out" / f"{name}.tif").exists()
    with (tmp_path / "out" / "report.csv").open(encoding="utf-8", newline="") as file:
        assert {row["name"] for row in csv.DictReader(file)} == {name, f"{name}2"}


def test_of_a_file_on_its_way_its_place_is_told(tmp_path):
    def fail():
        with staging(tmp_path / "out") as folder, work._at_its_place(folder):
            raise OutputError("it does not fit", where=str(folder / "a.png"), remedy="free some")

    with pytest.raises(OutputError) as caught:
        fail()
    assert caught.value.where == str(tmp_path / "out" / "a.png")
    assert str(tmp_path / "out" / "a.png") in str(caught.value)
    assert ".panfocus" not in str(caught.value)


def test_a_report_that_could_not_be_written_is_not_listed(tmp_path, capsys, monkeypatch):
    (tmp_path / "in").mkdir()
    shots(tmp_path / "in" / "a")

    class Full:
        def write(self, name, *_args, **_more):
            raise OutputError("the disk is full", where=str(tmp_path / "out" / name))

    monkeypatch.setattr("panfocus.batch.report.ledger", lambda _out: Full())
    words = [str(tmp_path / "in"), str(tmp_path / "out"), "-s", "guided", "--workers", "0"]
    main(["batch", *words])
    told = capsys.readouterr().err
    assert "report.json was not written: the disk is full" in told
    assert f"\n  {tmp_path / 'out' / 'report.json'}" not in told


def test_a_damaged_frame_is_told_with_its_folder(tmp_path, capsys):
    folder = shots(tmp_path / "s")
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(whole[: len(whole) // 2])
    assert refused(folder, capsys)["where"] == str(Path(folder) / "1.png")


def test_a_message_keeps_the_place_as_it_is_for_programs():
    error = InputError("gone", where="two\nlines")
    assert error.where == "two\nlines"
    assert error.text() == "gone\n  where: two\\nlines"


def test_a_folder_of_folders_is_sent_to_the_batch(tmp_path, capsys):
    (tmp_path / "all").mkdir()
    for name in ("one", "two"):
        shots(tmp_path / "all" / name)
    told = refused(tmp_path / "all", capsys)
    assert told["got"] == "folders: one, two"
    assert "panfocus batch" in told["remedy"]


def test_a_folder_without_anything_is_called_empty(tmp_path, capsys):
    (tmp_path / "all").mkdir()
    told = refused(tmp_path / "all", capsys)
    assert told["got"] == "an empty folder"
    assert "batch" not in told["remedy"]


def test_one_frame_is_told_with_its_folder(tmp_path, capsys):
    told = refused(shots(tmp_path / "s", FRAMES[:1]), capsys)
    assert told["where"] == str(tmp_path / "s" / "0.png")
    assert told["got"] == "1 frame"


def test_a_name_that_is_too_long_has_a_remedy(tmp_path, capsys):
    folder = shots(tmp_path / "s")
    assert main(["fuse", str(folder), "-o", str(tmp_path / f"{'x' * 300}.tif")]) in (1, 2)
    assert "remedy: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "word"),
    [(["0.tif.gz", "1.tif.gz"], "unpack"), (["0", "1"], "extensions"), (["0.txt"], "the folder")],
)
def test_a_folder_of_what_is_no_picture_is_told_by_what_it_is(tmp_path, capsys, names, word):
    folder = tmp_path / "s"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"1234")
    told = refused(folder, capsys)
    assert names[0] in told["got"] and word in told["remedy"]


def test_an_archive_is_to_be_unpacked(tmp_path, capsys):
    (tmp_path / "shots.zip").write_bytes(b"PK\x03\x04" + bytes(200))
    assert "unpack" in refused(tmp_path / "shots.zip", capsys)["remedy"]


def test_a_webp_that_is_cut_off_is_called_so(tmp_path, capsys):
    folder = shots(tmp_path / "s", ending=".webp")
    whole = (folder / "1.webp").read_bytes()
    (folder / "1.webp").write_bytes(whole[: len(whole) * 2 // 3])
    assert "cut off" in refused(folder, capsys)["got"]


@pytest.mark.parametrize("words", [["--only", "T=0"], ["--guide-channel", "1"], ["--axes", "ZYX"]])
def test_photographs_have_no_axes(tmp_path, capsys, words):
    folder = shots(tmp_path / "s")
    assert main(["fuse", str(folder), "-o", str(tmp_path / "o.tif"), *words]) == 1
    told = capsys.readouterr().err
    assert "no scientific stack" in told and words[0] in told and "StorePath" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bit-depth", "16", "-o", "o.jpg"], "16 are asked for"),
        (["--layers", "o.xcf", "-o", "o.tif"], ".psd"),
        (["--animation", "o.mp4", "-o", "o.tif"], ".gif"),
    ],
)
def test_an_extension_that_cannot_be_is_wrong_usage(tmp_path, capsys, monkeypatch, words, said):
    folder = shots(tmp_path / "s")
    monkeypatch.chdir(tmp_path)
    assert main(["fuse", str(folder), *words, "-s", "guided"]) == 2
    told = capsys.readouterr().err
    assert said in told and "remedy: " in told
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_frame_that_was_turned_is_to_be_turned_back(tmp_path, capsys):
    folder = shots(tmp_path / "s", [*FRAMES, np.rot90(FRAMES[0]).copy()])
    told = refused(folder, capsys)
    assert told["where"] == "2.png" and told["remedy"].startswith("turn it")
    Image.fromarray(FRAMES[0][:40]).save(folder / "2.png")
    assert "crop" in refused(folder, capsys)["remedy"]


@pytest.mark.parametrize(("name", "meant"), [("guidd", "guided"), ("dual-path", "dualpath")])
def test_a_system_is_named_that_was_meant(tmp_path, capsys, name, meant):
    folder = shots(tmp_path / "s")
    assert main(["fuse", str(folder), "-o", str(tmp_path / "o.tif"), "-s", name]) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err
    assert main(["fuse", str(folder), "-o", str(tmp_path / "o.tif"), "-s", "zzz"]) == 2
    assert "did you mean" not in capsys.readouterr().err
