"""Outputs: refused before any work where they cannot be, and written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from panfocus.errors import OutputError
from panfocus.io import Metadata, check_output, write_image, write_map
from panfocus.io import atomic as atomic_module
from tests.support.files import photo, read_one

PIXELS = photo()


def check(path, **changes):
    options = {"overwrite": False, "dtype": "uint8", "channels": 3, "kind": "image", **changes}
    check_output(Path(path), **options)


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.tif", "a.tiff", "a.webp"])
def test_good_outputs_pass_and_leave_nothing(tmp_path, name):
    check(tmp_path / name)
    check(tmp_path / "new" / "folders" / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.gif", "a", "a.pngx"])
def test_unknown_extensions_list_the_valid_ones(tmp_path, name):
    with pytest.raises(OutputError) as caught:
        check(tmp_path / name)
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        assert suffix in str(caught.value)
    with pytest.raises(OutputError):
        write_image(tmp_path / name, PIXELS, Metadata())


def test_maps_go_to_tiff_and_png_only(tmp_path):
    check(tmp_path / "a.tif", kind="map", dtype="float32", channels=1)
    with pytest.raises(OutputError) as caught:
        check(tmp_path / "a.jpg", kind="map", dtype="float32", channels=1)
    assert ".webp" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "word"),
    [
        ("a.jpg", {"dtype": "uint16"}, "bit_depth=8"),
        ("a.webp", {"dtype": "uint16"}, "bit_depth=8"),
        ("a.jpg", {"channels": 4}, "alpha"),
        ("a.jpg", {"channels": 2}, "alpha"),
        ("a.webp", {"size": (100, 20_000)}, "16383"),
        ("a.jpg", {"size": (70_000, 10)}, "65500"),
    ],
)
def test_what_a_format_cannot_hold(tmp_path, name, changes, word):
    with pytest.raises(OutputError, match=word):
        check(tmp_path / name, **changes)


def test_write_refuses_what_check_refuses(tmp_path):
    with pytest.raises(OutputError, match="16"):
        write_image(tmp_path / "a.jpg", photo(dtype=np.uint16), Metadata())
    with pytest.raises(OutputError, match="alpha"):
        write_image(tmp_path / "a.jpg", photo(channels=4), Metadata())
    with pytest.raises(OutputError, match="16383"):
        write_image(tmp_path / "a.webp", np.zeros((1, 17_000, 3), np.uint8), Metadata())
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_refused_and_kept(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    for refused in (
        lambda: check(path),
        lambda: write_image(path, PIXELS, Metadata()),
        lambda: write_map(path, PIXELS[..., 0]),
    ):
        with pytest.raises(OutputError, match="exists"):
            refused()
    assert path.read_bytes() == b"precious"
    check(path, overwrite=True)
    write_image(path, PIXELS, Metadata(), overwrite=True)
    np.testing.assert_array_equal(read_one(path).pixels, PIXELS)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_dangling_link_counts_as_existing(tmp_path):
    link = tmp_path / "a.png"
    link.symlink_to(tmp_path / "target.png")
    with pytest.raises(OutputError, match="exists"):
        check(link)
    write_image(link, PIXELS, Metadata(), overwrite=True)
    assert link.is_symlink()
    assert (tmp_path / "target.png").is_file()


def test_a_file_that_appeared_meanwhile_is_not_clobbered(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write = atomic_module._write

    def write_and_lose_the_race(temporary, pieces, **how):
        write(temporary, pieces, **how)
        path.write_bytes(b"theirs")

    monkeypatch.setattr(atomic_module, "_write", write_and_lose_the_race)
    for link in (os.link, _no_links):
        monkeypatch.setattr(os, "link", link)
        with pytest.raises(OutputError, match="exists"):
            write_image(path, PIXELS, Metadata())
        assert path.read_bytes() == b"theirs"
        path.unlink()
        assert list(tmp_path.iterdir()) == []


def _no_links(*_args):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", _no_links)
    write_image(tmp_path / "a.png", PIXELS, Metadata())
    np.testing.assert_array_equal(read_one(tmp_path / "a.png").pixels, PIXELS)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_missing_folders_are_made(tmp_path):
    write_image(tmp_path / "x" / "y" / "a.png", PIXELS, Metadata())
    assert read_one(tmp_path / "x" / "y" / "a.png").pixels.shape == PIXELS.shape


@pytest.mark.parametrize("place", ["/proc/nope/a.png", "{tmp}/file/a.png", "{tmp}/file/b/a.png"])
def test_unwritable_places_are_refused(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")
    path = Path(place.format(tmp=tmp_path))
    with pytest.raises(OutputError, match="cannot be written"):
        check(path)
    with pytest.raises(OutputError, match="cannot be written"):
        write_image(path, PIXELS, Metadata())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_or_a_device_is_no_output(tmp_path):
    (tmp_path / "d.png").mkdir()
    with pytest.raises(OutputError, match="folder"):
        check(tmp_path / "d.png", overwrite=True)
    (tmp_path / "null.png").symlink_to("/dev/null")
    with pytest.raises(OutputError, match="ordinary"):
        check(tmp_path / "null.png", overwrite=True)


class Failing:
    """A file that takes one piece and then fails."""

    def __init__(self, file, error):
        self.file, self.error, self.pieces = file, error, 0

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()

    def write(self, data):
        self.pieces += 1
        if self.pieces > 1:
            raise self.error
        return self.file.write(data)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["disk full", "Ctrl-C"],
)
def test_a_failing_write_leaves_nothing(tmp_path, monkeypatch, suffix, error, seen):
    kept = tmp_path / f"kept{suffix}"
    kept.write_bytes(b"old")
    opened = Path.open

    def failing(self, mode="r", *args, **kwargs):
        file = opened(self, mode, *args, **kwargs)
        return Failing(file, error) if mode == "xb" else file

    monkeypatch.setattr(Path, "open", failing)
    new = tmp_path / f"a{suffix}"
    for path, overwrite in ((kept, True), (new, False), (tmp_path / "x" / "y" / new.name, False)):
        with pytest.raises(seen) as caught:
            write_image(path, PIXELS, Metadata(), overwrite=overwrite)
        if seen is OutputError:
            assert "No space left" in str(caught.value)
            assert "MiB free" in caught.value.got
            assert "room for the output" in caught.value.expected
    assert [p.name for p in tmp_path.iterdir()] == [kept.name]
    assert kept.read_bytes() == b"old"


def test_new_files_get_the_usual_permissions(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_image(tmp_path / "a.png", PIXELS, Metadata())
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
