"""The results of a watcher: whole at every moment, right in the end, and nothing beside them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fuzz.arrivals import Arrival

#: Frames of a stack, at least.
_FEWEST = 2


class Results:
    """Looks at an output folder.

    Attributes:
        wrong: what should never be seen.
        looks: files that were looked at.
        replaced: results that came in place of others of the same name.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._seen: dict[str, tuple[int, int]] = {}
        self._contents: dict[str, list[str]] = defaultdict(list)
        self._right: dict[str, NDArray[Any]] = {}
        self.wrong: list[str] = []
        self.looks = 0
        self.replaced = 0

    def look(self) -> None:
        """Look at what is new: whoever opens a result finds it whole."""
        with contextlib.suppress(OSError), os.scandir(self._out) as entries:
            for entry in entries:
                if not entry.name.endswith(".tif") or entry.name.startswith("."):
                    continue
                facts = entry.stat()
                now = facts.st_ino, facts.st_mtime_ns
                if self._seen.get(entry.name) != now:
                    self._seen[entry.name] = now
                    self._check(Path(entry.path))

    def _check(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:  # the drive has gone
            return
        self.looks += 1
        name = hashlib.sha256(data).hexdigest()
        earlier = self._contents[path.stem]
        if earlier and earlier[-1] != name:
            self.replaced += 1
        earlier.append(name)
        if not data.startswith(b"edited by hand") and _decoded(data) is None:
            self.wrong.append(f"{path.name} was seen half-written ({len(data)} bytes)")

    def is_there(self, one: Arrival) -> bool:
        """Whether a stack has a result."""
        return (self._out / f"{one.name}.tif").is_file()

    def lacks(self, one: Arrival) -> str | None:
        """Return what a stack's result lacks; None where it is right."""
        if not one.is_sound and one.edited is None:
            return None
        try:
            data = (self._out / f"{one.name}.tif").read_bytes()
        except OSError:
            return "no result"
        if one.edited is not None:
            return None if data == one.edited else "what somebody has edited was replaced"
        found = _decoded(data)
        if found is None:
            return "its result is no picture"
        return (
            None if np.array_equal(found, self._expected(one.frames)) else "its result is of others"
        )

    def is_right(self, one: Arrival) -> bool:
        """Whether a stack has the result of all its frames."""
        return one.is_whole and self.lacks(one) is None

    def is_of_the_sound(self, one: Arrival) -> bool:
        """Whether a damaged stack has the result of the frames that came before the damaged one."""
        *sound, _ = one.frames
        if len(sound) < _FEWEST:
            return False
        found = _decoded((self._out / f"{one.name}.tif").read_bytes())
        return found is not None and np.array_equal(
            found, self._expected({name: one.frames[name] for name in sound})
        )

    def _expected(self, frames: Mapping[str, bytes]) -> NDArray[Any]:
        """Return what a single fusion of the frames gives."""
        key = hashlib.sha256(b"".join(frames.values())).hexdigest()
        if key not in self._right:
            import panfocus

            with tempfile.TemporaryDirectory() as folder:
                for name, data in frames.items():
                    (Path(folder) / name).write_bytes(data)
                done = panfocus.fuse([folder], system="guided", threads=1)
            self._right[key] = done.image
        return self._right[key]

    def left_behind(self) -> list[str]:
        """Return hidden files of work that is over."""
        now = time.time()
        found = [p for p in self._out.rglob(".panfocus-*") if p.lstat().st_mtime < now]
        tries = [p for p in (self._out / ".panfocus").rglob("*") if p.is_file()]
        known = (".json", ".written")
        return [str(p.relative_to(self._out)) for p in found] + [
            p.name for p in tries if not p.name.endswith(known)
        ]


def _decoded(data: bytes) -> NDArray[Any] | None:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        return None
    return found[..., ::-1] if found.ndim == 3 else found
