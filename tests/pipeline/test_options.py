"""Options: each is told once, and every face has it from there."""

from typing import get_type_hints

import click
import numpy as np
import pytest
from click.testing import CliRunner

import panfocus
from panfocus.cli.app import app
from panfocus.cli.options import HEADINGS
from panfocus.errors import UsageError
from panfocus.pipeline.chosen import Chosen
from panfocus.pipeline.options import ABOUT, FIELDS, Options, flag_of
from panfocus.pipeline.settings import from_text, make_settings
from tests.conftest import texture

FUSE = {p.name: p for p in app.commands["fuse"].params if isinstance(p, click.Option)}
BATCH = {p.name: p for p in app.commands["batch"].params}


def test_keywords_of_the_library_are_the_settings():
    assert {*get_type_hints(Chosen), "system"} == set(FIELDS)


@pytest.mark.parametrize("name", [n for n, about in ABOUT.items() if about.flags != ()])
def test_every_setting_is_a_flag_of_both_commands(name):
    option = FUSE[name]
    assert flag_of(name) in option.opts
    assert option.default == (None if ABOUT[name].unset else FIELDS[name].default)
    assert name in BATCH
    if ABOUT[name].choices:
        assert tuple(option.type.choices) == ABOUT[name].choices


@pytest.mark.parametrize("name", ABOUT)
def test_every_setting_is_told_in_a_sentence_under_a_heading(name):
    about = ABOUT[name]
    assert about.group in HEADINGS
    assert about.help.endswith(".")
    assert len(about.help.split()) >= 4
    assert not about.choices or FIELDS[name].default in about.choices


def test_help_has_a_heading_for_every_option():
    text = CliRunner().invoke(app, ["fuse", "--help"]).output
    places = [text.index(f"\n{title}:") for title in HEADINGS.values()]
    assert places == sorted(places)
    assert text.index("--plugin") > places[-1]  # what has none stands last
    for option in FUSE.values():
        assert option.opts[-1] in text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("keep_size", "false", False),
        ("keep_size", "", True),
        ("cull", "no", False),
        ("threads", "3", 3),
        ("z_step_um", "0.5", 0.5),
        ("mode", "select", "select"),
        ("bit_depth", "16", "16"),
    ],
)
def test_what_is_written_down_is_read_as_what_it_is(name, text, value):
    read = from_text(name, text)
    assert read == value
    assert type(read) is type(value)
    assert getattr(make_settings(**{name: read}), name) == value


@pytest.mark.parametrize(("name", "text"), [("cull", "perhaps"), ("threads", "two")])
def test_what_is_written_down_wrongly_is_refused(name, text):
    with pytest.raises(ValueError, match=text):
        from_text(name, text)


@pytest.mark.parametrize("bits", [8, 16, np.int64(16), "8"])
def test_numbers_are_numbers_in_a_program(bits):
    frames = [texture(20, 24, 0)] * 2
    made = panfocus.fuse(frames, system="guided", bit_depth=bits, reference=0, max_memory=2**31)
    assert made.image.dtype == f"uint{bits}"
    assert made.report.settings["bit_depth"] == str(bits)


@pytest.mark.parametrize("name", ["keep_size", "maps", "lenient", "cull"])
def test_a_truth_is_no_number_and_no_word(name):
    for value in (1, "false", None):
        with pytest.raises(UsageError, match="true or false"):
            make_settings(**{name: value})


def test_defaults_are_allowed():
    assert make_settings() == Options()
