"""Transforms that somebody has written are transforms, or the message says where they are not."""

import json
import os

import numpy as np
import pytest

from panfocus.errors import InputError
from panfocus.registration.alignment import Alignment

ODD = (None, True, -1, 0, 1.5, 10**400, "", "x", [], [1], {}, {"a": 1}, [[[[]]]])


def sound():
    frames = [
        {"name": f"f{n}", "kind": "identity", "status": "x", "gain": 0, "corner_error_px": None,
         "matrix": np.eye(3).tolist()}
        for n in range(3)
    ]  # fmt: skip
    facts = {"format": "panfocus-transforms-1", "height": 24, "width": 32, "reference": 1}
    return {**facts, "frames": frames}


def load(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    return Alignment.load(path)


def test_sound_ones_are_loaded(tmp_path):
    assert len(load(tmp_path, json.dumps(sound())).frames) == 3


@pytest.mark.parametrize(
    "name", ["format", "height", "width", "reference", "frames", "matrix", "kind", "name"]
)
@pytest.mark.parametrize("value", ODD, ids=lambda v: repr(v)[:12])
def test_values_of_wrong_kinds_are_told_with_their_place(tmp_path, name, value):
    facts = sound()
    (facts if name in facts else facts["frames"][0])[name] = value
    try:
        load(tmp_path, json.dumps(facts))
    except InputError as error:
        assert name in error.where or (name == "frames" and "reference" in error.where)
        assert "object" not in str(error)
        assert error.expected != "a file that `transforms` has written"
    else:
        assert isinstance(value, (int, str))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1" * 5000, "1e308", '"1"'])
def test_numbers_that_are_none_are_refused(tmp_path, number):
    text = json.dumps(sound()).replace("1.0", number, 1)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path, text)


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, '{"a":' * 50_000, "null", "1"])
def test_what_is_no_such_file_is_told_in_plain_words(tmp_path, text):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert "recursion" not in str(caught.value)
    assert "maximum" not in str(caught.value)


def test_a_pipe_and_nothing_are_told(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="ordinary file"):
        Alignment.load(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="No such file"):
        Alignment.load(tmp_path / "nothing.json")
