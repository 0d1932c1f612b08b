"""Whatever happens to the process, its work is not lost, and it ends with words and a true code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from panfocus import cli
from panfocus.cli import main
from panfocus.io import atomic
from tests.conftest import focal_pair

POSIX = pytest.mark.skipif(os.name != "posix", reason="descriptors and signals of POSIX")


@pytest.fixture
def frames(tmp_path):
    names = ["Bläüe 写真 0.png", "Bläüe 写真 1.png"]
    for name, frame in zip(names, focal_pair(48, 64)[0], strict=True):
        (tmp_path / name).write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    return tmp_path, names


def start(folder, *words, **how):
    source = str(Path(cli.__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": source, **how.pop("env", {})}
    command = [sys.executable, "-m", "panfocus", *words]
    return subprocess.Popen(command, cwd=folder, env=env, **how)


def fuse(names, *more):
    return ["fuse", *names, "-o", "out.png", "--system", "guided", *more]


@POSIX
@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)])
def test_closed_streams_do_not_cost_the_picture(frames, closed):
    """A picture must not take the number of a closed stream, either: libraries print there."""
    folder, names = frames

    def close():
        for number in closed:
            os.close(number)

    done = start(folder, *fuse(names), preexec_fn=close)
    assert done.wait(120) == 0
    assert cv2.imread(str(folder / "out.png")) is not None


@POSIX
@pytest.mark.parametrize(("stream", "code"), [("stdout", 1), ("stderr", 0)])
def test_full_streams_do_not_cost_the_picture(frames, stream, code):
    """Data that was asked for on standard output is missed, notes are not."""
    folder, names = frames
    with Path("/dev/full").open("wb") as full:
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        done = start(folder, *fuse(names, "--json"), **how)
        _, err = done.communicate(timeout=120)
    assert done.returncode == code
    assert cv2.imread(str(folder / "out.png")) is not None
    assert stream == "stderr" or b"standard output" in err


@POSIX
def test_a_reader_that_has_gone_is_no_failure(tmp_path):
    with start(tmp_path, "systems", "--json", stdout=subprocess.PIPE) as done:
        done.stdout.read(1)
        done.stdout.close()
        assert done.wait(120) == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1:strict"])
def test_letters_that_a_stream_lacks_are_escaped(frames, encoding):
    import json

    folder, names = frames
    env = {"PYTHONIOENCODING": encoding}
    pipe = subprocess.PIPE
    done = start(folder, *fuse(names, "--json"), env=env, stdout=pipe, stderr=pipe)
    out, _ = done.communicate(timeout=120)
    assert done.returncode == 0
    assert [
        frame["name"] for frame in json.loads(out.decode(encoding.partition(":")[0]))["frames"]
    ] == names


def test_the_unforeseen_becomes_a_sentence_and_a_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("panfocus.cli.systems.show", lambda *_, **__: {}["nothing"])
    assert main(["systems"]) == 1
    said = capsys.readouterr().err
    for fact in ("something unexpected", "where: ", "expected: ", "got: KeyError", "remedy: "):
        assert fact in said
    (report,) = tmp_path.glob("panfocus-report-*.txt")
    assert str(report) in said
    text = report.read_text()
    assert "Traceback" in text
    assert "command line: ['panfocus', 'systems']" in text
    assert "numpy " in text


@pytest.mark.parametrize("error", [MemoryError(), ImportError("x.so: failed to map segment")])
def test_memory_that_runs_out_is_told_as_such(monkeypatch, capsys, error):
    def show(*_, **__):
        raise error

    monkeypatch.setattr("panfocus.cli.systems.show", show)
    assert main(["systems"]) == 1
    assert "memory ran out" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told(monkeypatch, capsys):
    def refuse(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr("panfocus.cli.systems.show", lambda *_, **__: 1 // 0)
    assert main(["systems"]) == 1
    assert "no report could be written: No space left" in capsys.readouterr().err


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_signals_end_a_watch_and_leave_nothing(tmp_path, name):
    (tmp_path / "in").mkdir()
    words = ["batch", "in", "out", "--workers", "0", "--system", "guided", "--watch"]
    done = start(tmp_path, *words, stderr=subprocess.PIPE)
    running = tmp_path / "out/.panfocus/running.json"
    until = time.monotonic() + 100
    while not running.exists() and time.monotonic() < until:
        time.sleep(0.05)
    done.send_signal(getattr(signal, name))
    _, err = done.communicate(timeout=100)
    assert done.returncode == 130
    assert b"interrupted" in err
    assert not running.exists()


@POSIX
def test_hangups_that_are_ignored_stay_so(frames):
    """As under nohup."""
    folder, names = frames
    with start(
        folder, *fuse(names), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ) as done:
        for _ in range(20):
            time.sleep(0.02)
            done.send_signal(signal.SIGHUP)
        assert done.wait(100) == 0


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_network_that_runs_in_a_circle_can_be_stopped(frames, name):
    onnx = pytest.importorskip("onnx")
    folder, names = frames
    endless(onnx, folder / "own")
    words = ["fuse", *names, "-o", "out.png", "--system", "own", "--device", "cpu"]
    with start(folder, *words, "--json-progress", stderr=subprocess.PIPE) as done:
        for line in done.stderr:
            if b'"fuse"' in line:
                break
        time.sleep(1)
        done.send_signal(getattr(signal, name))
        _, err = done.communicate(timeout=100)
        assert done.returncode == 130, err
    assert {path.name for path in folder.iterdir()} == {"own", *names}


def endless(onnx, folder):
    """Write a system whose network never comes to an end."""
    import hashlib
    import json

    make, kind = onnx.helper, onnx.TensorProto
    state = [
        make.make_tensor_value_info("n", kind.INT64, []),
        make.make_tensor_value_info("go", kind.BOOL, []),
        make.make_tensor_value_info("x", kind.FLOAT, None),
    ]
    after = [
        make.make_tensor_value_info("go_on", kind.BOOL, []),
        make.make_tensor_value_info("y", kind.FLOAT, None),
    ]
    body = make.make_graph(
        [make.make_node("Identity", ["go"], ["go_on"]), make.make_node("Sin", ["x"], ["y"])],
        "body", state, after,
    )  # fmt: skip
    nodes = [
        make.make_node("Loop", ["", "yes", "frames"], ["last"], body=body),
        make.make_node("ReduceMean", ["last"], ["weights"], axes=[1], keepdims=0),
    ]
    yes = make.make_tensor("yes", kind.BOOL, [], [True])
    frames = make.make_tensor_value_info("frames", kind.FLOAT, ["n", 3, "h", "w"])
    weights = make.make_tensor_value_info("weights", kind.FLOAT, ["n", "h", "w"])
    graph = make.make_graph(nodes, "endless", [frames], [weights], [yes])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    card = {"name": "own", "title": "never ends", "model": "model.onnx", "sha256": digest,
            "guard": False}  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))


def test_what_is_on_its_way_can_be_given_up(tmp_path):
    def pieces():
        yield b"half"
        atomic.abandon()
        assert list(tmp_path.iterdir()) == []
        yield b"half"

    with atomic.staging(tmp_path) as folder:
        (folder / "a").write_bytes(b"")
        atomic.abandon()
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(Exception, match="cannot be written"):
        atomic.write_atomic(tmp_path / "a.bin", pieces(), overwrite=False)
    assert not atomic._ON_THE_WAY
    assert list(tmp_path.iterdir()) == []


WRONG = (
    ["fuse", "a.png", "b.png", "-o", "out.xyz"],
    ["fuse", "a.png", "b.png", "-o", "out"],
    ["fuse", "a.png", "b.png", "-o", "out.png", "--depth-map=d.jpg"],
    ["fuse", "a.png", "b.png", "-o", "out.png", "--mesh", "m.xyz"],
    ["fuse", "a.png", "b.png", "-o", "out.png", "--system", "nothing"],
    ["fuse", "a.png", "b.png", "-o", "x" * 300 + ".png"],
    ["fuse", "a.png", "b.png", "-o", "~nosuchuser/out.png"],
    ["devices", "--system", "nothing"],
    ["systems", "nothing"],
)


@pytest.mark.parametrize("words", WRONG, ids=lambda w: " ".join(w)[:40])
def test_wrong_usage_has_a_code_of_its_own(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    for name, frame in zip(("a.png", "b.png"), focal_pair(48, 64)[0], strict=True):
        cv2.imwrite(name, np.ascontiguousarray(frame))
    assert main(words) == 2
    assert len(capsys.readouterr().err.splitlines()) > 1
