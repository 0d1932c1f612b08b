import re
import shlex

import click
import pytest

from panfocus.cli import main
from panfocus.cli.app import app
from panfocus.cli.commands.batch import OF_ONE_STACK, batch
from panfocus.cli.examples import EXAMPLES

EACH = [(words, example) for words, examples in EXAMPLES.items() for example in examples]


def command_of(words):
    """Return the command, those of training from where their options are."""
    if words.startswith(("train", "export")):
        pytest.importorskip("torch")
        from panfocus.cli import training

        first, *rest = words.split()
        group = getattr(training, first)
        return group.commands[rest[0]] if rest else group
    return app.commands[words]


@pytest.mark.parametrize(("words", "example"), EACH)
def test_a_command_takes_what_its_help_shows(words, example):
    command = command_of(words)
    start = f"panfocus {words}"
    assert example.startswith(start)
    assert len(example) <= 76  # of 80 columns, 4 of them indentation
    with command.make_context(words, shlex.split(example.removeprefix(start))):
        pass
    with click.Context(command) as context:
        assert example in command.get_help(context)


def test_every_command_has_examples():
    known = {words.split()[0] for words in EXAMPLES}
    assert known == set(app.commands)


@pytest.mark.parametrize("words", EXAMPLES)
def test_no_bound_of_a_number_is_none(words):
    command = command_of(words)
    with click.Context(command) as context:
        assert not re.search(r"[<>]=?None", command.get_help(context))


@pytest.mark.parametrize("name", sorted(OF_ONE_STACK))
def test_the_help_of_a_batch_is_silent_of_what_it_refuses(name, tmp_path, capsys):
    option = next(o for o in batch.params if o.name == name)
    values = ["2", "1"] if name == "slab" else ["3"]
    assert main(["batch", str(tmp_path), str(tmp_path / "out"), option.opts[0], *values]) == 2
    assert "single stacks" in capsys.readouterr().err
    with click.Context(batch) as context:
        assert option.opts[0] not in batch.get_help(context)


def test_whatever_else_the_help_of_a_batch_shows_it_takes(tmp_path, capsys):
    shown = [o for o in batch.params if isinstance(o, click.Option) and not o.hidden]
    plain = [o for o in shown if not o.is_flag and isinstance(o.type, click.Choice)]
    for option in plain:
        words = [option.opts[0], option.type.choices[0], "--dry-run"]
        assert main(["batch", str(tmp_path), str(tmp_path / "out"), *words]) == 0, words
    capsys.readouterr()
