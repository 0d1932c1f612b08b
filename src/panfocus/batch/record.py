"""What is remembered of a stack beside the results, so that a later run can leave it out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast, get_args

from panfocus import schema
from panfocus._version import __version__
from panfocus.io.atomic import write_atomic
from panfocus.io.digest import digest_of
from panfocus.resources.paths import is_file, is_folder

#: Folder inside the output folder.
FOLDER = ".panfocus"

#: Options that change how fast a result comes and not what it is, but for its last digits.
_NO_MATTER = ("threads", "max_memory", "device")

#: Of a record, at most: a stack has few outputs.
_MOST_BYTES = 2**22

State = Literal["placing", "done"]
Facts = tuple[str, int, int]


def file_facts(path: Path) -> Facts:
    """Return (path, bytes, time of change in ns); of a folder the sum and the latest.

    Raises:
        OSError: gone.
    """
    if not is_folder(path):
        stat = path.stat()
        return str(path), stat.st_size, stat.st_mtime_ns
    stats = [p.stat() for p in path.rglob("*") if is_file(p)]
    latest = max((s.st_mtime_ns for s in stats), default=0)
    return str(path), sum(s.st_size for s in stats), latest


def key_of(
    files: Iterable[Path], settings: Mapping[str, Any], system: Mapping[str, Any], *rest: object
) -> str:
    """Return a hash of all that a result depends on.

    Args:
        files: the frames.
        settings: all of them.
        system: name and sha256 of what decides.
        rest: further choices, such as the maps.
    """
    chosen = {name: value for name, value in settings.items() if name not in _NO_MATTER}
    facts = [file_facts(path) for path in files]
    text = json.dumps([__version__, facts, chosen, system, rest], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """What is known of a stack from an earlier run, or an earlier try.

    Attributes:
        key: see `key_of`.
        state: "placing" while files are put in their places, "done" after it.
        files: path to [bytes, time of change, sha256] of the outputs; zeros for the first two
            while placing; records of early versions have no hash.
        frames: how many were fused.
        tries: how often it was begun, more than 1 when a worker died.
        before: while placing, the same of the outputs that are being replaced.
    """

    key: str
    state: State
    files: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    frames: int = 0
    tries: int = 1
    before: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def is_done(self, key: str) -> bool:
        """Whether the outputs are there, unchanged, and of these inputs and settings."""
        if self.state != "done" or self.key != key or not self.files:
            return False
        try:
            return all(
                list(file_facts(Path(p))[1:]) == facts[:2] for p, facts in self.files.items()
            )
        except OSError:
            return False

    def knows(self, path: Path) -> bool:
        """Whether an output of this name was ever placed, whatever is there now."""
        return str(path) in self.files or str(path) in self.before

    def owns(self, path: Path) -> bool:
        """Whether what is there is, to the last bit, what panfocus left there."""
        known = [facts[str(path)] for facts in (self.files, self.before) if str(path) in facts]
        try:
            size = file_facts(path)[1]
            # what has another size needs no reading
            hashes = [facts[2] for facts in known if len(facts) > 2 and facts[0] in (0, size)]
            # a record of an early version has none; its zeros mean that a try died over the file
            if [0, 0] in known or list(file_facts(path)[1:]) in known:
                return True
            return bool(hashes) and digest_of(path) in hashes
        except OSError:
            return False


def record_path(out: Path, name: str) -> Path:
    """Return where a stack's record lies."""
    path = out / FOLDER / "stacks" / PurePosixPath(name)
    return path.with_name(path.name + ".json")


def read_record(path: Path) -> Record | None:
    """Return the record; None without one, or when it is not one."""
    try:
        found = schema.record(schema.read(path, _MOST_BYTES))
        known = {one.name for one in fields(Record)}
        if not {"key", "state"} <= set(found) <= known:
            return None
        return Record(
            schema.text(found["key"], "key"),
            cast("State", schema.choice(found["state"], "state", get_args(State))),
            _files(found.get("files", {}), "files"),
            schema.whole(found.get("frames", 0), "frames", 0, 2**40),
            schema.whole(found.get("tries", 1), "tries", 0, 2**40),
            _files(found.get("before", {}), "before"),
        )
    except (OSError, schema.SchemaError):
        return None


def _files(value: object, where: str) -> dict[str, list[Any]]:
    """Check paths, each with its bytes, its time of change and, but for old records, its hash."""
    out: dict[str, list[Any]] = {}
    for name, facts in schema.record(value, where).items():
        listed = schema.items(facts, where, 2, 3)
        numbers = [schema.whole(one, where, 0, 2**63) for one in listed[:2]]
        out[name] = [*numbers, *(schema.text(one, where) for one in listed[2:])]
    return out


def write_record(path: Path, record: Record) -> None:
    """Write it whole or not at all."""
    write_atomic(path, [json.dumps(asdict(record)).encode()], overwrite=True)
