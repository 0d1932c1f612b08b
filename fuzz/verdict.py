"""What is wrong with how a case ended."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
from pathlib import Path

from fuzz.case import Case, Fault, Ran

#: What Python says and people do not.
_WORDS = re.compile(
    r"object has no attribute|NoneType|not subscriptable|object is not|unsupported operand|"
    r"index out of range|recursion depth|unexpected keyword|positional argument|\bErrno \d|"
    r"got: '\w+'$|invalid literal for|could not convert|Exception ignored|unhashable|"
    r"object cannot be interpreted|must be str|got: (?:Key|Type|Value|Index|Attribute)Error\b|"
    r"<class '|codec can't|embedded null|list indices|to unpack|not iterable",
    re.MULTILINE,
)
_TRACEBACK = "Traceback (most recent call last)"
#: What the system's own loader says, and ends a process with, where a thread's data find no room.
_LOADERS, _LOADERS_CODE = "cannot allocate memory for thread-local data: ABORT", 127
_OF_MEMORY = {"RLIMIT_DATA", "RLIMIT_AS"}
_UNEXPECTED = re.compile("something unexpected|unexpected answer")

Tree = dict[str, str]


def tree_of(folder: Path) -> Tree:
    """Return what every file below a folder holds, by its name."""
    out: Tree = {}
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]  # noqa: PTH114, PTH118
        for name in (*names, *links):
            path = os.path.join(root, name)  # noqa: PTH118  names that are no text
            out[os.path.relpath(path, folder)] = _content(path)
    return out


def _content(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return "link"
        if not stat.S_ISREG(mode):
            return "other"
        if os.stat(path).st_size > 2**24:  # noqa: PTH116
            return str(os.stat(path).st_size)  # noqa: PTH116
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "unreadable"


def faults_of(case: Case, ran: Ran, before: Tree, folder: Path) -> list[tuple[Fault, str]]:
    """Return all that is wrong."""
    found: list[tuple[Fault, str]] = []
    after = tree_of(folder)
    lost = [n for n in before if after.get(n) != before[n] and not _is_made(n, case)]
    left = [n for n in after if n not in before and not _is_made(n, case)]
    if lost:
        found.append(("lost", ", ".join(lost[:3])))
    if left:
        found.append(("left", ", ".join(left[:3])))
    if ran.hung:
        return [*found, ("hang", f"{ran.seconds:.0f} s")]
    found += _how_it_ended(case, ran)
    if ran.memory > case.how.memory:
        found.append(("memory", f"{ran.memory:.0f} MiB"))
    if not found and case.check is not None:
        wrong = case.check(folder, ran)
        if wrong:
            found.append(("result", wrong))
    return found


def _how_it_ended(case: Case, ran: Ran) -> list[tuple[Fault, str]]:
    said = ran.err + ran.out
    if ran.code < 0 and ran.code not in case.codes:
        return [("crash", f"signal {-ran.code}")]
    if case.how.stop is not None and _is_pythons_own(said):
        return []
    if _TRACEBACK in said:
        return [("traceback", said.strip().splitlines()[-1][:200])]
    if _UNEXPECTED.search(ran.err) and ran.code not in (0, 130):
        return [("unexpected", ran.err.strip()[:400])]
    found: list[tuple[Fault, str]] = []
    if ran.code == _LOADERS_CODE and _OF_MEMORY & set(case.how.limits) and _LOADERS in ran.err:
        return []
    if ran.code not in case.codes:
        found.append(("code", f"{ran.code}: {said.strip()[-200:]}"))
    is_mute = 2 in (*case.how.closed, *case.how.full) or not case.how.limits.get("RLIMIT_FSIZE", 1)
    if ran.code not in (0, 130) and ran.code > 0 and not ran.err.strip() and not is_mute:
        found.append(("silent", f"code {ran.code}"))
    match = _WORDS.search(ran.err)
    if match:
        line = next(one for one in ran.err.splitlines() if match[0].splitlines()[0] in one)
        found.append(("words", line.strip()[:200]))
    return found


def _is_pythons_own(said: str) -> bool:
    """Whether Python was interrupted while it started, before any line of panfocus ran."""
    is_interrupted = _TRACEBACK in said and "KeyboardInterrupt" in said
    return is_interrupted and f"panfocus{os.sep}" not in said


def _is_made(name: str, case: Case) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in case.made)
