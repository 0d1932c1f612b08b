"""What comes from outside is typed, or the message says where it is not, in plain words."""

import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panfocus import schema
from panfocus.schema import SchemaError

PYTHONS = re.compile(r"NoneType|<class|Error\b|object|Errno|int\(|float\(")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CHECKS = {
    "record": lambda v: schema.record(v, "here"),
    "items": lambda v: schema.items(v, "here", 1, 2),
    "text": lambda v: schema.text(v, "here", is_empty=False, most=20),
    "whole": lambda v: schema.whole(v, "here", 0, 10),
    "number": lambda v: schema.number(v, "here", -1, 1),
    "truth": lambda v: schema.truth(v, "here"),
    "choice": lambda v: schema.choice(v, "here", ("a", "b")),
    "file_name": lambda v: schema.file_name(v, "here"),
}


@pytest.mark.parametrize("check", CHECKS)
@given(value=anything)
def test_a_check_returns_the_value_or_tells_of_it(check, value):
    try:
        found = CHECKS[check](value)
    except SchemaError as error:
        assert error.where == "here"
        assert not PYTHONS.search(error.expected)
        assert len(error.got) < 200
        assert "\n" not in error.got
    else:
        assert found == value


@pytest.mark.parametrize(
    ("check", "value"),
    [
        ("whole", True), ("whole", 11), ("whole", "1"), ("number", float("nan")),
        ("number", 10**400), ("number", True), ("text", " "), ("text", "a\0"),
        ("file_name", "../model.onnx"), ("file_name", ".."), ("file_name", "a/b"),
        ("file_name", "c:model"), ("record", {1: 2}), ("truth", 1),
    ],
)  # fmt: skip
def test_what_looks_like_it_is_not_taken(check, value):
    with pytest.raises(SchemaError):
        CHECKS[check](value)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"a":' * 100_000, "1" * 5000, "nul", '{"a": 1}}']
)
def test_what_is_no_json_is_told_in_plain_words(text):
    with pytest.raises(SchemaError) as caught:
        schema.parse(text)
    assert not PYTHONS.search(str(caught.value))


def test_only_so_much_of_an_ordinary_file_in_utf8_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert schema.read(path) == [1]
    path.write_bytes(b"\xff\xfe[")
    with pytest.raises(SchemaError, match="UTF-8"):
        schema.read(path)
    path.write_bytes(b" " * 100)
    with pytest.raises(SchemaError, match="at most"):
        schema.read_text(path, 99)


def test_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    told = []

    def read():
        try:
            schema.read(pipe)
        except SchemaError as error:
            told.append(error.expected)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(20)
    assert told == ["an ordinary file"]


def test_a_folder_is_told_without_the_systems_number(tmp_path):
    with pytest.raises(schema.SchemaError, match="no ordinary file"):
        schema.read_text(tmp_path)
