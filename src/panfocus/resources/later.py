"""Work that goes on beside the caller's own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")


class Later(Thread, Generic[ResultT]):
    """One piece of work in a thread of its own (a pool of one costs a tenth of the start-up).

    Not a daemon: the interpreter must not go while a codec is at work. It is waited for by an
    event, since Python 3.11 forgets a thread when `join` is interrupted.

    Examples:
        >>> Later(lambda: 6 * 7).result()
        42
    """

    def __init__(self, work: Callable[[], ResultT]) -> None:
        """Begin.

        Args:
            work: what to do; code that keeps Python's lock gains nothing.
        """
        super().__init__()
        self._work: Callable[[], ResultT] | None = work
        self._results: list[ResultT] = []
        self._error: Exception | None = None
        self._done = Event()
        try:
            self.start()
        except RuntimeError:  # no thread to be had: then it is done here and now
            self.run()

    def run(self) -> None:
        """Do the work; called by `Thread`."""
        assert self._work is not None
        try:
            self._results.append(self._work())
        except Exception as error:
            self._error = error
        finally:
            self._work = None  # what it holds may be large
            self._done.set()

    def result(self) -> ResultT:
        """Wait for the result, and hand it over: it can be taken once.

        Raises:
            Exception: what the work has raised.
        """
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._results.pop()
