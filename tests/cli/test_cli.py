"""The command line as a user meets it: every bad input of real life, and what is said of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from panfocus.cli import main
from panfocus.cli.bare_options import BARE, fill_bare_options
from panfocus.systems import list_systems
from tests.conftest import focal_pair, focal_stack, psnr


def write_frames(folder, frames, ending="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n, frame in enumerate(frames):
        paths.append(folder / f"f{n}.{ending}")
        Image.fromarray(frame).save(paths[-1], **options)
    return paths


@pytest.fixture
def shots(tmp_path):
    """Folder of two PNG frames; and the truth."""
    frames, sharp = focal_pair(256, 320)
    write_frames(tmp_path / "shots", frames)
    return tmp_path / "shots", sharp


def fuse(*args):
    return main(["fuse", *map(str, args)])


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def leftovers(folder):
    return [p for p in folder.rglob("*") if "tmp" in p.name or p.name.startswith(".")]


def test_a_folder_becomes_one_sharp_picture(shots, tmp_path, capsys):
    folder, sharp = shots
    assert fuse(folder, "-o", tmp_path / "out.png", "-s", "guided") == 0
    assert psnr(read(tmp_path / "out.png"), sharp) > 35
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2 frames fused by guided" in captured.err


def test_maps_beside_the_picture_or_where_told(shots, tmp_path):
    folder, _ = shots
    code = fuse(
        folder,
        "-s",
        "guided",
        "--depth-map",
        "--index-map",
        tmp_path / "which.png",
        "--confidence-map",
        "-o",
        tmp_path / "out.png",
    )
    assert code == 0
    assert tifffile.imread(tmp_path / "out_depth.tif").dtype == np.float32
    assert tifffile.imread(tmp_path / "out_confidence.tif").dtype == np.float32
    assert (tmp_path / "which.png").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--depth-map", "-o", "x.png"], [f"--depth-map={BARE}", "-o", "x.png"]),
        (["--depth-map"], [f"--depth-map={BARE}"]),
        (["--depth-map", "d.tif"], ["--depth-map", "d.tif"]),
        (["--depth-map", "a.jpg"], [f"--depth-map={BARE}", "a.jpg"]),
        (["--depth-map", "*.tif"], [f"--depth-map={BARE}", "*.tif"]),
    ],
)
def test_a_bare_option_takes_no_photograph_away(words, expected):
    assert fill_bare_options(words, {"--depth-map": (".tif", ".png")}) == expected


def test_a_bare_option_leaves_existing_frames_alone(shots):
    folder, _ = shots
    words = ["--depth-map", str(folder / "f0.png")]
    assert fill_bare_options(words, {"--depth-map": (".png",)})[0] == f"--depth-map={BARE}"


def test_json_report_on_stdout_and_in_a_file(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "-s", "guided", "--json", "-q") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["system"]["name"] == "guided"
    assert [Path(f["name"]).name for f in report["frames"]] == ["f0.png", "f1.png"]
    assert fuse(folder, "-o", tmp_path / "b.png", "--json", tmp_path / "r.json") == 0
    assert json.loads((tmp_path / "r.json").read_text())["settings"]["mode"] == "blend"


def test_json_progress_is_one_object_a_line_on_stderr(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "-s", "guided", "--json-progress", "-q") == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[-1]["share"] == 1
    assert {"share", "stage", "message"} == set(lines[0])


def test_a_dry_run_writes_nothing(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["height"] == 256
    assert plan["memory_bytes"] > 0
    assert len(plan["frames"]) == 2
    assert not (tmp_path / "a.png").exists()


def test_a_dry_run_is_told_in_words(shots, tmp_path, capsys):
    folder, _ = shots
    words = ["-s", "guided", "--mode", "select", "--depth-map", "--dry-run"]
    assert fuse(folder, "-o", tmp_path / "a.png", *words) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("2 frames of ")
    assert told[0].endswith("f0.png, f1.png")
    assert "by guided; options: --mode select" in told
    assert told[-2:] == [f"  {tmp_path / 'a.png'}", f"  {tmp_path / 'a_depth.tif'}"]
    assert not any("{" in line for line in told)


def test_one_image_is_refused(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder / "f0.png", "-o", tmp_path / "a.png") == 1
    assert "two frames" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_a_result_in_the_same_folder_is_no_frame(shots):
    folder, sharp = shots
    for options in ([], ["--overwrite"]):
        assert fuse(folder, "-o", folder / "fused.png", "-s", "guided", *options) == 0
        assert psnr(read(folder / "fused.png"), sharp) > 35


def test_mixed_sizes_are_refused_with_the_frames_name(shots, tmp_path, capsys):
    folder, _ = shots
    Image.new("RGB", (300, 200)).save(folder / "odd.png")
    assert fuse(folder, "-o", tmp_path / "a.png") == 1
    assert "odd.png" in capsys.readouterr().err


def test_a_truncated_jpeg_is_refused(tmp_path, capsys):
    frames, _ = focal_pair(256, 320)
    paths = write_frames(tmp_path / "s", frames, "jpg", quality=95)
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[: len(data) // 2])
    assert fuse(tmp_path / "s", "-o", tmp_path / "a.png") == 1
    assert "f1.jpg" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_a_junk_jpeg_is_refused(shots, tmp_path, capsys):
    folder, _ = shots
    (folder / "junk.jpg").write_bytes(b"this is no picture" * 100)
    assert fuse(folder, "-o", tmp_path / "a.png") == 1
    assert "junk.jpg" in capsys.readouterr().err


def test_other_files_in_the_folder_are_ignored_with_a_note(shots, tmp_path, capsys):
    folder, _ = shots
    (folder / "notes.txt").write_text("taken on Sunday")
    assert fuse(folder, "-o", tmp_path / "a.png", "-s", "guided") == 0
    assert "notes.txt" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bit_stays_sixteen_bit(tmp_path, ending):
    frames, sharp = focal_pair(128, 160)
    folder = tmp_path / "s"
    folder.mkdir()
    for n, frame in enumerate(frames):
        tifffile.imwrite(folder / f"f{n}.tif", frame.astype(np.uint16) * 257, photometric="rgb")
    out = tmp_path / f"a.{ending}"
    assert fuse(folder, "-o", out, "-s", "guided") == 0
    import imagecodecs

    image = tifffile.imread(out) if ending == "tif" else imagecodecs.imread(out)
    assert image.dtype == np.uint16
    assert psnr(image, sharp.astype(np.uint16) * 257) > 35


def test_grey_stays_grey(tmp_path):
    frames, _ = focal_pair(128, 160, channels=1)
    write_frames(tmp_path / "s", frames)
    assert fuse(tmp_path / "s", "-o", tmp_path / "a.png", "-s", "guided") == 0
    assert read(tmp_path / "a.png").ndim == 2


def test_alpha_is_kept(tmp_path):
    frames, _ = focal_pair(128, 160)
    opacity = np.full((2, 128, 160, 1), 200, np.uint8)
    write_frames(tmp_path / "s", np.concatenate([frames, opacity], axis=-1))
    assert fuse(tmp_path / "s", "-o", tmp_path / "a.png", "-s", "guided") == 0
    out = read(tmp_path / "a.png")
    assert out.shape[2] == 4
    assert (out[..., 3] == 200).all()


def test_alpha_into_a_jpeg_is_refused_before_any_work(tmp_path, capsys):
    frames, _ = focal_pair(128, 160)
    opacity = np.full((2, 128, 160, 1), 200, np.uint8)
    write_frames(tmp_path / "s", np.concatenate([frames, opacity], axis=-1))
    assert fuse(tmp_path / "s", "-o", tmp_path / "a.jpg") == 1
    assert "a.jpg" in capsys.readouterr().err


def test_a_multi_page_tiff_is_a_stack(tmp_path):
    frames, sharp = focal_stack(5, 128, 160)
    tifffile.imwrite(tmp_path / "s.tif", frames, photometric="rgb")
    assert fuse(tmp_path / "s.tif", "-o", tmp_path / "a.png", "-s", "guided") == 0
    assert psnr(read(tmp_path / "a.png"), sharp) > 30


def test_an_existing_output_is_refused_before_any_work(shots, tmp_path, capsys):
    folder, sharp = shots
    out = tmp_path / "a.png"
    out.write_bytes(b"mine")
    assert fuse(folder, "-o", out) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
    assert fuse(folder, "-o", out, "--overwrite", "-s", "guided") == 0
    assert psnr(read(out), sharp) > 35


def test_an_existing_map_is_refused_too(shots, tmp_path):
    folder, _ = shots
    (tmp_path / "a_depth.tif").write_bytes(b"mine")
    assert fuse(folder, "-o", tmp_path / "a.png", "--depth-map") == 1
    assert not (tmp_path / "a.png").exists()


def test_an_output_that_is_an_input_is_refused_even_with_overwrite(shots):
    folder, _ = shots
    before = (folder / "f0.png").read_bytes()
    assert fuse(folder, "-o", folder / "f0.png", "--overwrite") == 1
    assert (folder / "f0.png").read_bytes() == before


def test_two_outputs_of_one_name_are_refused(shots, tmp_path):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.tif", "--depth-map", tmp_path / "a.tif") == 2


@pytest.mark.parametrize("place", ["/proc/nope/a.png", "FILE/a.png"])
def test_an_unwritable_place_is_refused_before_any_work(shots, tmp_path, place, capsys):
    folder, _ = shots
    (tmp_path / "file").write_text("in the way")
    out = place.replace("FILE", str(tmp_path / "file"))
    assert fuse(folder, "-o", out) == 1
    assert "fused" not in capsys.readouterr().err


def test_a_bad_extension_lists_the_valid_ones(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.xyz") == 2
    err = capsys.readouterr().err
    assert ".png" in err
    assert ".tif" in err


def test_an_empty_folder_and_a_missing_input_are_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert fuse(tmp_path / "empty", "-o", tmp_path / "a.png") == 1
    assert "empty" in capsys.readouterr().err
    assert fuse(tmp_path / "gone", "-o", tmp_path / "a.png") == 1
    assert "gone" in capsys.readouterr().err


def test_a_file_that_vanishes_while_running(shots, tmp_path, capsys, monkeypatch):
    folder, _ = shots
    from panfocus.cli import fuse as face

    real = face.plan

    def plan(*args, **options):
        done = real(*args, **options)
        (folder / "f1.png").unlink()
        return done

    monkeypatch.setattr(face, "plan", plan)
    assert fuse(folder, "-o", tmp_path / "a.png") == 1
    assert "f1.png" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
    assert leftovers(tmp_path) == []


def test_maps_of_a_picture_system_are_refused(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "-s", "pyramid", "--depth-map") == 2
    assert "pyramid" in capsys.readouterr().err


def test_too_little_memory_is_said_beforehand(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "--max-memory", "10M") == 2
    assert "MiB" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        ["--mode", "smear"],
        ["--reference", "7"],
        ["--align", "magic"],
        ["--quality", "0"],
        ["--zzz"],
    ],
)
def test_wrong_usage_is_exit_code_2(shots, tmp_path, args):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", *args) == 2


def test_an_unknown_system_is_named(shots, tmp_path, capsys):
    folder, _ = shots
    assert fuse(folder, "-o", tmp_path / "a.png", "-s", "magic") == 2
    assert "guided" in capsys.readouterr().err


def test_systems_can_be_read_on_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["systems"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for card in list_systems():  # one line each says who it is
        assert sum(line.split()[:1] == [card.name] for line in lines) == 1
    assert len(lines) < 60


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dualpath", ["a pixel of each frame", "refined at full scale"]),
        ("drpl-small", ["fast, ", "a pixel of a pair", "refined at full scale"]),
        ("dualpath-paper", ["then enlarged"]),
        ("dualpath-picture", ["then enlarged"]),
        ("guided", ["then enlarged"]),
    ],
)
def test_a_card_tells_what_becomes_of_large_pictures(capsys, name, words):
    assert main(["systems", name]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert [word for word in words if word not in told] == []


def test_systems_lists_cards(capsys):
    assert main(["systems"]) == 0
    assert "guided" in capsys.readouterr().out
    assert main(["systems", "guided"]) == 0
    assert "guided filter" in capsys.readouterr().out
    assert main(["systems", "guided", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "guided"
    assert main(["systems", "--json"]) == 0
    assert {"guided", "pyramid"} <= {c["name"] for c in json.loads(capsys.readouterr().out)}


def test_interrupting_leaves_no_file_and_says_130(tmp_path):
    frames, _ = focal_stack(2, 1200, 1600)
    folder = tmp_path / "s"
    folder.mkdir()
    for n in range(40):
        Image.fromarray(frames[n % 2]).save(folder / f"f{n:02d}.jpg", quality=95)
    command = [
        sys.executable,
        "-m",
        "panfocus",
        "fuse",
        str(folder),
        "-o",
        str(tmp_path / "out" / "a.png"),
        "-s",
        "guided",
        "--json-progress",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "share" in process.stderr.readline()
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "a.png").exists()
    assert leftovers(tmp_path) == []


HEAVY = {"numpy", "cv2", "onnxruntime", "torch", "PIL", "rich", "tifffile"}


@pytest.mark.parametrize("code", ["import panfocus", "import panfocus.cli.app"])
def test_starting_up_imports_nothing_heavy(code):
    script = f"{code}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert HEAVY & loaded == set()


def test_fusing_by_a_classical_system_needs_no_runtime_and_no_torch(shots, tmp_path):
    folder, _ = shots
    script = (
        "import sys; from panfocus.cli import main; "
        f"code = main(['fuse', {str(folder)!r}, '-o', {str(tmp_path / 'a.png')!r}, "
        "'-s', 'guided', '-q']); print(' '.join(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    loaded = {name.split(".")[0] for name in modules}
    assert {"onnxruntime", "torch"} & loaded == set()
    # what few fusions need costs every small one a tenth of its time
    assert {"tifffile", "PIL", "rich"} & loaded == set()
    unasked = ("science.fuse", "mesh", "heights", "slabs", "batch")
    assert {f"panfocus.{name}" for name in unasked} & modules == set()
    slow = {
        "numpy.ma",
        "concurrent.futures",
        "hashlib",
        "panfocus.io.psd",
        "panfocus.systems.network",
        "panfocus.systems.pyramid",
        "panfocus.cli.plan_text",
    }
    assert slow & modules == set()


def test_training_without_torch_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["train", "drpl", "--data", "x"]) == 2
    assert "panfocus[train]" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["train", "--help"], ["export", "--help"]])
def test_training_commands_have_their_own_help(words, capsys):
    pytest.importorskip("torch")
    assert main(words) == 0
    assert "panfocus" in capsys.readouterr().out
