"""Flags of training and exporting: those of the options, with their bounds and codes."""

from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from panfocus.cli import training
from panfocus.errors import UsageError
from panfocus.train.flags import TRAINING_HEADINGS, flag_of
from panfocus.train.options import (
    AveragingOptions,
    DrplOptions,
    DualPathOptions,
    ExportOptions,
)

COMMANDS = {
    "dualpath": (training.dualpath, DualPathOptions),
    "drpl": (training.drpl, DrplOptions),
    "average": (training.average, AveragingOptions),
    "export": (training.export, ExportOptions),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_field_is_a_parameter_of_its_name_and_default(name):
    command, options = COMMANDS[name]
    parameters = {p.name: p for p in command.params}
    assert list(parameters) == [f.name for f in fields(options)]
    for each in fields(options):
        parameter = parameters[each.name]
        assert parameter.required == (each.default is MISSING)
        if each.default is not MISSING:
            assert parameter.default == each.default


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_in_sections_and_every_option_in_one(name):
    command, options = COMMANDS[name]
    told = CliRunner().invoke(command, ["--help"])
    assert told.exit_code == 0
    for each in fields(options):
        flag = flag_of(each.metadata)
        if flag is not None:
            assert f"{TRAINING_HEADINGS[flag.group]}:\n" in told.output
            assert flag.help.endswith(".")
    other = told.output.split("Other options:")[1].split("Examples:")[0]
    assert (
        other.strip().removeprefix("-h, ").split() == "--help Show this message and exit.".split()
    )


def given(name, *words):
    """What a command line makes of the options."""
    command, options = COMMANDS[name]
    context = command.make_context(name, [str(w) for w in words])
    return options(**context.params)


def test_a_command_line_becomes_options():
    words = ("-d", "a", "--data", "b", "-o", "run", "--steps", "7", "--no-align", "--grow")
    made = given("dualpath", *words, "--set", "size=64", "--config", "run.json")
    assert made == DualPathOptions(
        data=(Path("a"), Path("b")),
        out=Path("run"),
        steps=7,
        align=False,
        grow=True,
        changes=("size=64",),
        recipe_file=Path("run.json"),
    )
    assert given("drpl", "-d", "a", "-o", "b") == DrplOptions(data=(Path("a"),), out=Path("b"))
    made = given("export", "run", "-o", "b", "--eight-bit", "c", "--no-restorer", "--depth", "2")
    assert made.run == Path("run")
    assert (made.eight_bit, made.restorer, made.depth) == ((Path("c"),), False, 2)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dualpath", ["-d", "a"]),
        ("dualpath", ["-d", "a", "-o", "b", "--batch-factor", "0"]),
        ("drpl", ["-d", "a", "-o", "b", "--loaders", "-1"]),
        ("drpl", ["-d", "a", "-o", "b", "--device", "tpu"]),
        ("export", ["run", "-o", "b", "--depth", "0"]),
        ("average", ["-o", "b"]),
    ],
)
def test_wrong_usage_is_refused(name, words):
    with pytest.raises(click.UsageError) as caught:
        given(name, *words)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "wrong",
    [{"minutes": float("nan")}, {"minutes": float("inf")}, {"minutes": -1.0}, {"minutes": 0.0},
     {"minutes": 1e9}, {"steps": 0}, {"steps": -5}, {"steps": 10**12}, {"threads": 0},
     {"threads": 10**9}, {"seed": -1}, {"seed": 2**40}, {"loaders": -1}],
    ids=str,
)  # fmt: skip
def test_numbers_that_no_training_can_have_are_refused(tmp_path, wrong):
    """No number is as good as none: it would train for ever."""
    (name,) = wrong
    asked = {"steps": 1, **({} if name != "minutes" else {"steps": None}), **wrong}
    with pytest.raises(UsageError) as caught:
        DualPathOptions(data=(tmp_path,), out=tmp_path, **asked).check()
    assert caught.value.where == name


def test_numbers_that_a_training_can_have_pass(tmp_path):
    for asked in ({"minutes": 0.01}, {"steps": 1, "threads": 2, "seed": 2**32 - 1}):
        DrplOptions(data=(tmp_path,), out=tmp_path, **asked).check()
