"""Which stacks and evaluations are open, by their names; each input once, however many ask."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from panfocus.errors import UsageError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.web.evaluations import OpenEvaluation
from panfocus.web.gone import GoneError
from panfocus.web.stacks import OpenStack

#: Stacks that are open at once.
_MOST_OPEN = 24

Opened = OpenStack | OpenEvaluation
_Key = tuple[tuple[Path, ...], VolumeReading]


class OpenStacks:
    """What is open; from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stacks: dict[str, Opened] = {}
        self._closed: set[str] = set()
        self._has_ended = False
        self._opening: WeakValueDictionary[_Key, Lock] = WeakValueDictionary()

    def all(self) -> list[Opened]:
        """Return all, in the order in which they were opened."""
        with self._lock:
            return list(self._stacks.values())

    def of(self, id_: str) -> Opened:
        """Return one by its name.

        Raises:
            GoneError: it was closed.
            UsageError: there was never one of that name.
        """
        with self._lock:
            found = self._stacks.get(id_)
            kind = GoneError if id_ in self._closed else UsageError
        if found is None:
            raise kind("this stack is not open any more", where="stack", got=id_[:40])
        return found

    @contextmanager
    def opening(self, paths: Sequence[Path], reading: VolumeReading) -> Generator[Opened | None]:
        """Yield what is open of the same files, read alike; None for nothing.

        Whoever else wants to open these waits until it is left: two pages that open one folder at
        once have one stack.

        Raises:
            UsageError: too many are open.
        """
        key = tuple(paths), reading
        with self._lock:
            alone = self._opening.setdefault(key, Lock())
        with alone:
            found = next((each for each in self.all() if _key_of(each) == key), None)
            if found is None:
                self._check_room()
            yield found

    def _check_room(self) -> None:
        if len(self._stacks) >= _MOST_OPEN:
            raise UsageError("too many stacks are open", remedy="close one of them")

    def add(self, opened: Opened) -> None:
        """Add one; it is closed again where it cannot be.

        Raises:
            UsageError: too many are open, or the server ends.
        """
        try:
            with self._lock:
                if self._has_ended:
                    raise GoneError("the page is closed")
                self._check_room()
                self._stacks[opened.id] = opened
        except UsageError:
            opened.close()
            raise

    def take(self, id_: str) -> Opened | None:
        """Take one out, to be closed; None where there is none of that name."""
        with self._lock:
            found = self._stacks.pop(id_, None)
            if found is not None:
                self._closed.add(id_)
        return found

    def end(self) -> list[Opened]:
        """Return all to be closed; no other is added from now on."""
        with self._lock:
            self._has_ended = True
        return self.all()


def _key_of(opened: Opened) -> _Key:
    """Return by what it was opened."""
    if isinstance(opened, OpenStack):
        return tuple(opened.named), VolumeReading() if opened.project else opened.reading
    return tuple(opened.inputs), VolumeReading()
