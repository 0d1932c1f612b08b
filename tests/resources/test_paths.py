"""Names that no file can have are refused in words, wherever they come from."""

import os

import pytest

from panfocus.errors import InputError, OutputError, UsageError
from panfocus.resources.paths import as_path, is_file, is_folder, shown


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a\0b.png", "zero byte"),
        ("~nosuchuser/x.png", "no such user"),
        ("x" * 300, "too long"),
        ("/".join(["y" * 200] * 30), "too long"),
        ("\ud800.png", "no file's name can"),
    ],
)
@pytest.mark.parametrize("error", [InputError, OutputError, UsageError])
def test_no_files_name_is_refused(name, what, error):
    with pytest.raises(error, match=what) as caught:
        as_path(name, error)
    assert len(str(caught.value)) < 700
    assert "\0" not in str(caught.value)


def test_a_link_to_itself_is_told(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="link leads to itself"):
        as_path(tmp_path / "loop")
    with pytest.raises(InputError, match="link leads to itself"):  # the call is not to blame
        as_path(tmp_path / "loop/a.png", UsageError)


def test_a_current_folder_that_is_gone_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InputError, match="current folder is gone"):
        as_path("a.png")
    assert as_path(str(tmp_path)) == tmp_path
    monkeypatch.chdir(tmp_path)


def test_sound_names_pass_whether_they_are_there_or_not(tmp_path):
    odd = os.fsdecode(b"\xff\xfe.png")
    for name in ("a.png", "no/such/folder/a.png", odd, "写真.png", "[1].png", "a\nb.png"):
        assert as_path(tmp_path / name) == tmp_path / name


def test_looking_never_raises(tmp_path):
    for name in ("x" * 300, "a\0b"):
        assert not is_file(tmp_path / name)
        assert not is_folder(tmp_path / name)
    assert is_folder(tmp_path)


def test_names_are_shown_in_one_line():
    assert shown("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert len(shown("x" * 5000)) < 240
