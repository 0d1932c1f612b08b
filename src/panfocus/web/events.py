"""What pages are told while they are open, and how many of them there are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Any

#: Seconds after which a silent line is tried, so that a page that is gone is noticed.
_BEAT = 10.0
#: Messages that wait for a page; one that does not listen is told to ask for all anew.
_MOST_WAITING = 256
_MISSED = json.dumps({"kind": "missed"})


class Hub:
    """Sends events to all pages, from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[asyncio.Queue[str | None]] = set()
        self._had_any = False
        self._empty_since = monotonic()

    def begin(self) -> None:
        """Remember the loop of the server; called in it."""
        self._loop = asyncio.get_running_loop()

    def tell(self, kind: str, **facts: Any) -> None:  # noqa: ANN401  whatever JSON can hold
        """Send an event to all pages; nobody waits for it."""
        if self._loop is None or self._loop.is_closed():
            return
        text = json.dumps({"kind": kind, **facts})
        with suppress(RuntimeError):  # it is closed at this very moment
            self._loop.call_soon_threadsafe(self._spread, text)

    def _spread(self, text: str | None) -> None:
        for queue in self._pages:
            if queue.full():  # which of them told of what is nowhere else cannot be known
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_MISSED)
            queue.put_nowait(text)

    def close(self) -> None:
        """End all lines, so that the server can end."""
        self._spread(None)

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._pages)

    def idle_s(self) -> float:
        """Return for how long no page has been open; 0 before the first was."""
        return monotonic() - self._empty_since if self._had_any and not self._pages else 0.0

    async def listen(self) -> AsyncIterator[str]:
        """Yield events as server-sent events, until the page is gone."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(_MOST_WAITING)
        self._pages.add(queue)
        self._had_any = True
        try:
            yield ": here\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), _BEAT)
                except TimeoutError:
                    yield ": here\n\n"
                    continue
                if text is None:
                    return
                yield f"data: {text}\n\n"
        finally:
            self._pages.discard(queue)
            self._empty_since = monotonic()
