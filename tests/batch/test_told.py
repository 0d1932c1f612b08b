"""What a batch says while it runs: how far it is, how long it will take, what was found."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from panfocus.batch.outcome import StackOutcome
from panfocus.cli import main
from panfocus.cli.batch import Pace
from tests.batch.test_batch_outputs import write_stack

WORDS = ["-s", "guided", "--workers", "0"]


def test_the_time_left_is_that_of_the_stacks_that_were_fused() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert pace.left_s(StackOutcome("a", "skipped"), 5) is None
    now = 10.0
    assert pace.left_s(StackOutcome("b", "done"), 4) == 40.0
    now = 12.0  # two workers: the second ends soon after the first
    assert pace.left_s(StackOutcome("c", "failed"), 3) == 18.0
    assert pace.left_s(StackOutcome("d", "done"), 0) is None


def test_a_batch_tells_the_time_left_and_counts_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        write_stack(tmp_path / "in" / f"s{n}", n)
    assert main(["batch", str(tmp_path / "in"), str(tmp_path / "out"), *WORDS]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [" left] s" in line for line in told if line.startswith("[")] == [True, True, False]
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        noted = sum(bool(row["warnings"]) for row in csv.DictReader(file))
    assert (f"notes on {noted} of 3 stacks" in told) == (noted > 0)


def test_programs_are_told_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(2):
        write_stack(tmp_path / "in" / f"s{n}", n)
    words = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), *WORDS, "--json-progress", "-q"]
    assert main(words) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["left_s"] is None for line in lines] == [False, True]
    assert all(isinstance(line["warnings"], int) for line in lines)
