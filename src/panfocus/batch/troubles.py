"""Why a watch waits: told when it begins to, and remembered for the report."""

from __future__ import annotations

from collections.abc import Callable

#: Causes that are remembered.
_MOST = 20


class Troubles:
    """What keeps a watch from its work for a time, such as a drive that is away."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        """Set up; `tell` is called with a cause when it begins."""
        self._tell = tell
        self._now: dict[str, str] = {}
        self._all: list[str] = []

    def heed(self, of: str, why: str | None) -> None:
        """Note how it is with one thing.

        Args:
            of: the thing.
            why: what is wrong with it; None for nothing.
        """
        if why is None:
            self._now.pop(of, None)
            return
        if self._now.get(of) != why and self._tell is not None:
            self._tell(why)
        self._now[of] = why
        if why not in self._all and len(self._all) < _MOST:
            self._all.append(why)

    def notes(self) -> list[str]:
        """Return all that there were, a line each."""
        return ["for a time: " + "; ".join(text.split("\n  ")) for text in self._all]
