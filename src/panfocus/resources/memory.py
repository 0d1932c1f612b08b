"""How much memory there is, and sizes as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from mmap import mmap
from pathlib import Path

from panfocus.errors import UsageError

#: Where control groups are seen, and which are this process's; in each, by version, its limits
#: (above the second of which work goes on at a crawl), what is taken of them, and how its
#: statistics call what can be given back.
_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_V2 = (("memory.max", "memory.high"), "memory.current", "inactive_file ")
_V1 = (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file ")
_MOST_DIGITS = 20
#: Bytes that OpenBLAS takes for itself, with some to spare; a side of matrices for which it does.
_ALGEBRA, _SIDE = 40 * 2**20, 200
#: Pages of this process: all, ..., of data (the sixth).
_PAGES = Path("/proc/self/statm")
#: What the system can give.
_FREE = Path("/proc/meminfo")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: Bytes that nobody means by a number without a unit.
_FEW = 2**20
#: Bytes that no machine has.
_MOST = 2.0**63
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Return bytes of "2GiB", "500M" or a plain number; None for "auto".

    Raises:
        UsageError: neither, or a plain number that can hardly be bytes.
    """
    if text == "auto":
        return None
    match = _SIZE.match(str(text))
    size = float(match[1]) * _UNITS[match[2].upper()] if match else 0.0
    if not 1 <= size < _MOST:
        raise UsageError(
            "this is not a size",
            where="max_memory",
            expected='"auto", "2GiB", "500M"',
            got=str(text) if str(text).strip() else "nothing",
        )
    if match and size < _FEW and str(text).strip().isdigit():
        raise UsageError(
            "this size has no unit, and is too small to be in bytes",
            where="max_memory",
            expected=f"{text}M or {text}G",
            got=text,
        )
    return int(size)


def available_memory() -> int:
    """Return the bytes that can be taken without swapping, also under this process's own limits."""
    taken = _taken()
    left = [most - taken.get(limit, 0) for limit, most in _limits().items()]
    return max(min([free_memory(), *left]), 0)


def free_memory() -> int:
    """Return the bytes that the system can give without swapping.

    Under the limit of a container, or of any control group around this process.
    """
    return max(min([_told_free(), *_left_in_groups()]), 0)


def process_limit() -> int | None:
    """Return the bytes that this process may have in all, what it has already counted; or None."""
    return min(_limits().values(), default=None)


def _left_in_groups(root: Path = _GROUPS, own: Path = _OWN) -> Iterator[int]:
    """Yield what each control group, of either version, leaves of its limit.

    Args:
        root: where the groups are seen.
        own: the file that names those of this process.
    """
    first, second = root / "memory", root / "unified"
    # a container that sees its own group alone has it at the root, whatever its name is
    folders = {root: _V2, first: _V1, second: _V2}
    for line in _lines(own):
        _, names, path = [*line.split(":", 2), "", ""][:3]
        if names and "memory" not in names.split(","):
            continue
        base = first if names else second if second.is_dir() else root
        inner = base / path.strip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(base):
                folders[folder] = _V1 if names else _V2
    for folder, (limits, used, idle) in folders.items():
        told = [_number(_lines(folder / limit)) for limit in limits]
        known = [most for most in told if most is not None]
        taken = _number(_lines(folder / used)) if known else None
        if taken is not None:
            # files that were read once and can be forgotten
            spare = [line.split()[1:] for line in _lines(folder / "memory.stat") if idle in line]
            yield min(known) - taken + sum(_number(words) or 0 for words in spare)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, ValueError):
        return []


def _number(words: Sequence[str]) -> int | None:
    text = words[0].strip() if words else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS else None


def _limits() -> dict[int, int]:
    """Return the limits that this process has, by their number."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return {}
    found = {n: resource.getrlimit(n)[0] for n in (resource.RLIMIT_AS, resource.RLIMIT_DATA)}
    return {n: most for n, most in found.items() if most != resource.RLIM_INFINITY}


def _taken() -> dict[int, int]:
    """Return what counts against these limits, where the kernel tells it."""
    try:
        import resource  # noqa: PLC0415  not on Windows

        pages = _PAGES.read_text().split()
    except (ImportError, OSError):
        return {}
    size = resource.getpagesize()
    return {resource.RLIMIT_AS: int(pages[0]) * size, resource.RLIMIT_DATA: int(pages[5]) * size}


def _told_free() -> int:
    """Return what the system says can be had without swapping."""
    told = "\n".join(_lines(_FREE))  # what psutil reads, which is slow to import
    match = re.search(r"^MemAvailable:\s+(\d+) kB$", told, re.MULTILINE)
    if match:
        return int(match[1]) * 1024
    import psutil  # noqa: PLC0415  see above

    return int(psutil.virtual_memory().available)


@cache
def hold_algebra_room() -> None:
    """Have numpy's linear algebra take its buffer now, once.

    OpenBLAS takes it when it is first called, and ends the process in its own words where there is
    no room: in the midst of the work, whose half-written files then stay.

    Raises:
        MemoryError: there is none.
    """
    import numpy as np  # noqa: PLC0415  few processes are capped

    try:
        mmap(-1, _ALGEBRA).close()
    except OSError:
        raise MemoryError(f"less than {_ALGEBRA // 2**20} MiB are left") from None
    square = np.ones((_SIDE, _SIDE), np.float32)
    square @ square  # pyright: ignore[reportUnusedExpression]  for what it takes


def is_capped() -> bool:
    """Whether the kernel counts what this process asks for, and not what it touches."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return False
    limits = (resource.RLIMIT_DATA, resource.RLIMIT_AS)
    return any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits)
