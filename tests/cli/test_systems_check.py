"""`panfocus systems check`: a system's files, and what it is held to."""

import errno
import json
import shutil

import pytest

from panfocus.cli import main
from panfocus.systems import registry
from panfocus.testing import SystemTests

BUNDLED = registry._bundled_folders()
BROKEN = """
import numpy as np
from panfocus import Card
from panfocus.systems import register_system

@register_system("dims-check")
class Dims:
    card = Card("dims-check", "Makes pictures darker")

    def decide(self, frames):
        return np.full(frames.shape[:3], 0.25, np.float32)
"""


def test_a_sound_folder_keeps_all(tmp_path, capsys):
    folder = tmp_path / "mine"
    shutil.copytree(BUNDLED["drpl-small"], folder)
    (folder / "notes.txt").write_text("mine")
    assert main(["systems", "check", str(folder)]) == 0
    told = capsys.readouterr().out
    tests = [name for name in dir(SystemTests) if name.startswith("test_")]
    assert f"{len(tests)} of {len(tests)} promises kept" in told
    assert told.count("  ok  ") == len(tests)
    for words in ("card.json: the card", "model.onnx: the network", "notes.txt: not used"):
        assert words in told


def test_what_is_broken_is_told_with_the_reason(tmp_path, capsys):
    plugin = tmp_path / "dims.py"
    plugin.write_text(BROKEN)
    try:
        words = ["systems", "check", "dims-check", "--plugin", str(plugin)]
        assert main(words) == 1
        told, said = capsys.readouterr()
        assert "broken: " in said
        assert "weights are weights" in said
        assert "NO  weights are weights" in told
        assert "it is not so that np.abs(weights.sum(0) - 1).max() <= WEIGHT_SLACK" in told
        assert "why it matters" in told
        assert main([*words, "--json"]) == 1
        facts = json.loads(capsys.readouterr().out)
        assert facts["name"] == "dims-check"
        broken = {p["promise"] for p in facts["promises"] if p["failed"]}
        assert "weights are weights" in broken
        assert "what it is given stays as it is" not in broken
    finally:
        registry.SYSTEMS.forget("dims-check")


def test_damaged_weights_and_unknown_names_are_refused(tmp_path, capsys):
    folder = tmp_path / "mine"
    shutil.copytree(BUNDLED["drpl-small"], folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    assert main(["systems", "check", str(folder)]) == 1
    assert "sha" in capsys.readouterr().err.lower()
    assert main(["systems", "check", "no such"]) == 2
    assert main(["systems", "guided", "more"]) == 2


@pytest.mark.parametrize("name", ["guided", "pyramid"])
def test_a_name_is_checked_as_well(name, capsys):
    assert main(["systems", "check", name]) == 0
    assert "promises kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (RuntimeError("can't start new thread"), "memory ran out"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open"),
    ],
)
def test_what_the_process_lacks_breaks_no_promise(lack, words, monkeypatch, capsys):
    def fails(self):
        raise lack

    promise = next(name for name in dir(SystemTests) if name.startswith("test_several"))
    monkeypatch.setattr(SystemTests, promise, fails)
    assert main(["systems", "check", "guided"]) == 1
    told, said = capsys.readouterr()
    assert words in said
    assert "NO" not in told
