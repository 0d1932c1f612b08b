"""How much memory there is, on any system and under a container's limit."""

from pathlib import Path

import psutil
import pytest

from panfocus.errors import UsageError
from panfocus.resources import memory
from panfocus.resources.memory import available_memory, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("auto", None), ("2GiB", 2 * 2**30), ("500M", 500 * 2**20), ("1.5 k", 1536), ("4096", 4096)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "1e3G", "9999999999T"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="not a size"):
        parse_size(text)


def test_there_is_some_and_less_than_the_machine_has():
    assert 2**20 < available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 10**9), ("300000000", 2 * 10**8), ("50000000", 0)]
)
def test_a_containers_limit_holds(tmp_path, monkeypatch, limit, expected):
    """What a group of processes may have counts, less what it has taken."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("100000000\n")
    monkeypatch.setattr(memory, "Path", lambda text: tmp_path / Path(text).name)
    monkeypatch.setattr(memory, "_free_memory", lambda: 10**9)
    assert available_memory() == expected


def test_without_the_kernels_table_the_system_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "Path", lambda text: tmp_path / Path(text).name)
    free = psutil.virtual_memory()._replace(available=12345)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert available_memory() == 12345


def test_the_kernels_table_tells_what_is_available(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:    7 kB\n")
    monkeypatch.setattr(memory, "Path", lambda text: tmp_path / Path(text).name)
    assert available_memory() == 7 * 1024
