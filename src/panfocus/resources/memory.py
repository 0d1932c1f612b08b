"""How much memory there is, and sizes as people write them."""

from __future__ import annotations

import re
from pathlib import Path

from panfocus.errors import UsageError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: Bytes that no machine has.
_MOST = 2.0**63
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$", re.IGNORECASE)


def parse_size(text: str) -> int | None:
    """Return bytes of "2GiB", "500M" or a plain number; None for "auto".

    Raises:
        UsageError: neither.
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
    return int(size)


def available_memory() -> int:
    """Return the bytes that can be taken without swapping, also under a container's limit."""
    free = _free_memory()
    limit = Path("/sys/fs/cgroup/memory.max")
    used = Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and used.is_file():
        text = limit.read_text().strip()
        if text.isdigit():
            free = min(free, int(text) - int(used.read_text()))
    return max(free, 0)


def _free_memory() -> int:
    """Return the bytes that the system can give without swapping."""
    told = Path("/proc/meminfo")  # what psutil reads, which is slow to import
    if told.is_file():
        match = re.search(r"^MemAvailable:\s+(\d+) kB$", told.read_text(), re.MULTILINE)
        if match:
            return int(match[1]) * 1024
    import psutil  # noqa: PLC0415  see above

    return int(psutil.virtual_memory().available)


def is_capped() -> bool:
    """Whether the kernel counts what this process asks for, and not what it touches."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return False
    limits = (resource.RLIMIT_DATA, resource.RLIMIT_AS)
    return any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits)
