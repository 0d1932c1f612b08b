"""How much memory there is, on any system and under a container's limit."""

import psutil
import pytest

from panfocus.errors import UsageError
from panfocus.resources import memory
from panfocus.resources.memory import available_memory, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("auto", None),
        ("2GiB", 2 * 2**30),
        ("500M", 500 * 2**20),
        ("1.5 k", 1536),
        ("4194304", 2**22),
    ],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "1e3G", "9999999999T"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="not a size"):
        parse_size(text)


def test_a_small_number_without_a_unit_is_asked_about():
    with pytest.raises(UsageError, match="no unit") as caught:
        parse_size("100")
    assert "100M or 100G" in str(caught.value)


def test_there_is_some_and_less_than_the_machine_has():
    assert 2**20 < available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 10**9), ("300000000", 2 * 10**8), ("50000000", 0)]
)
def test_a_containers_limit_holds(tmp_path, monkeypatch, limit, expected):
    """What a group of processes may have counts, less what it has taken."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("100000000\n")
    groups = list(memory._left_in_groups(tmp_path, tmp_path / "none"))
    monkeypatch.setattr(memory, "_left_in_groups", lambda: groups)
    monkeypatch.setattr(memory, "_told_free", lambda: 10**9)
    monkeypatch.setattr(memory, "_limits", dict)
    assert available_memory() == expected


@pytest.mark.parametrize(
    ("lines", "base", "names"),
    [
        ("0::/jobs/one\n", ".", ("memory.max", "memory.current")),
        ("0::/jobs/one\n", "unified", ("memory.max", "memory.current")),
        (
            "5:cpu,memory:/jobs/one\n0::/\n",
            "memory",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ),
    ],
)
def test_limits_of_all_groups_around_a_process_hold(tmp_path, lines, base, names):
    """The tightest is mostly not the innermost: a job's, and not its step's."""
    (tmp_path / "own").write_text(lines)
    inner = tmp_path / base / "jobs/one"
    inner.mkdir(parents=True)
    for folder, most in ((inner, "900"), (inner.parent, "500"), (tmp_path / base, "max")):
        (folder / names[0]).write_text(most)
        (folder / names[1]).write_text("200\n")
    assert sorted(memory._left_in_groups(tmp_path, tmp_path / "own")) == [300, 700]


def group(folder, most, taken="200", names=("memory.max", "memory.current")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(names, (most, taken), strict=True):
        if text is not None:
            (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("own", "groups", "left"),
    [
        # of a container that sees its own group alone, the host's path names nothing here
        ("0::/system.slice/docker-1.scope", {".": "900"}, [700]),
        # a process beside the root of its namespace
        ("0::/../other", {".": "900"}, [700]),
        ("0::/a:b/c", {"a:b": "500", "a:b/c": "max"}, [300]),
        # one that nobody may look into has no say, those around it have
        ("0::/a/b/c", {"a": "400", "a/b": None, "a/b/c": "x"}, [200]),
        ("0::/a", {".": "9" * 40, "a": ""}, []),
        ("0::/a", {"a": "9223372036854771712"}, [9223372036854771512]),
        ("", {}, []),
        ("nonsense\n\0\n1:\n::::\n", {"a": "500"}, []),
    ],
)
def test_groups_as_they_are_seen_from_within(tmp_path, own, groups, left):
    (tmp_path / "own").write_text(own)
    for name, most in groups.items():
        group(tmp_path / name, most)
    assert list(memory._left_in_groups(tmp_path, tmp_path / "own")) == left


def test_groups_of_both_versions_at_once(tmp_path):
    """The memory is the first version's, and the second's tree holds it no less."""
    (tmp_path / "own").write_text("9:memory:/job\n3:cpu:/other\n0::/scope/one\n")
    old = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    group(tmp_path / "memory/job", "600", names=old)
    group(tmp_path / "memory/other", "300", names=old)
    group(tmp_path / "unified/scope", "500")
    group(tmp_path / "unified/scope/one", "max")
    assert sorted(memory._left_in_groups(tmp_path, tmp_path / "own")) == [300, 400]


def test_a_limit_above_which_work_crawls_holds_too(tmp_path):
    (tmp_path / "own").write_text("0::/a/b\n")
    group(tmp_path / "a", "900")
    group(tmp_path / "a/b", "max")
    (tmp_path / "a/memory.high").write_text("600\n")
    (tmp_path / "a/b/memory.high").write_text("max\n")
    assert list(memory._left_in_groups(tmp_path, tmp_path / "own")) == [400]


def test_files_that_can_be_forgotten_are_no_memory_in_use(tmp_path):
    (tmp_path / "memory.max").write_text("1000")
    (tmp_path / "memory.current").write_text("900")
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 600\n")
    assert list(memory._left_in_groups(tmp_path, tmp_path / "none")) == [700]


def test_without_the_kernels_table_the_system_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_FREE", tmp_path / "none")
    free = psutil.virtual_memory()._replace(available=12345)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert available_memory() == 12345


def test_the_kernels_table_tells_what_is_available(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:    7 kB\n")
    monkeypatch.setattr(memory, "_FREE", tmp_path / "meminfo")
    assert available_memory() == 7 * 1024


def test_a_limit_of_the_process_holds_less_what_it_has(monkeypatch):
    monkeypatch.setattr(memory, "_told_free", lambda: 10**9)
    monkeypatch.setattr(memory, "_left_in_groups", lambda: [])
    monkeypatch.setattr(memory, "_limits", lambda: {2: 500, 9: 700})
    monkeypatch.setattr(memory, "_taken", lambda: {2: 100, 9: 600})
    assert available_memory() == 100
    assert memory.process_limit() == 500
    assert memory.free_memory() == 10**9


def test_room_for_algebra_is_asked_for_before_it_is_needed(monkeypatch):
    memory.hold_algebra_room.cache_clear()
    monkeypatch.setattr(memory, "_ALGEBRA", 2**60)
    with pytest.raises(MemoryError, match="MiB are left"):
        memory.hold_algebra_room()
    monkeypatch.undo()
    memory.hold_algebra_room()
    memory.hold_algebra_room.cache_clear()
