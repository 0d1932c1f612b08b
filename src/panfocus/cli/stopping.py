"""Signals: work is stopped cleanly, at once where Python runs, and soon where it does not."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from threading import Event, Thread, main_thread
from threading import enumerate as enumerate_threads
from time import sleep
from types import FrameType
from typing import NoReturn

from panfocus.resources.signals import HEARD, PATIENT

INTERRUPTED = 130
#: For so long a library that does not come back may go on after a signal, in seconds.
PATIENCE_S = 3.0
#: After so long work is stopped once more, where the first try came to nothing, in seconds.
_SOON_S = 0.02
#: So often it is looked whether the work is ending, in seconds.
_INSIST_S = 1.0
#: After so many signals all is dropped.
_MOST = 3
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")

_count = [0]
#: Whether work was stopped from here, is asked for once more, and has come to its end.
_stopped, _asked_again, _ended = Event(), Event(), Event()


def listen(*, is_own: bool) -> None:
    """Let signals end the work.

    Args:
        is_own: whether the process is the command line's: then it also ends where a library does
            not come back, such as a network that runs in a circle.
    """
    _count[0] = 0
    for one in (HEARD, PATIENT, _stopped, _asked_again, _ended):
        one.clear()
    for name in _NAMES if is_own else _NAMES[:2]:
        number = getattr(signal, name, None)
        # `nohup` has signals ignored, and means it
        if number is not None and (name == "SIGINT" or signal.getsignal(number) != signal.SIG_IGN):
            signal.signal(number, _stop)
    if is_own:
        sys.unraisablehook = _again
        _watch()


def _stop(_number: int, _frame: FrameType | None) -> None:
    HEARD.set()
    _stopped.set()
    if _asked_again.is_set():
        _asked_again.clear()
        if _is_ending():
            return
        raise SystemExit(INTERRUPTED)
    _count[0] += 1
    if _count[0] >= _MOST:
        _drop()
    # SystemExit and not KeyboardInterrupt: the command line library turns the latter into 1
    raise SystemExit(INTERRUPTED)


def _again(unraisable: sys.UnraisableHookArgs) -> None:
    """Stop once more where the first try came into code that can raise nothing."""
    if unraisable.exc_type is SystemExit and HEARD.is_set():
        _count[0] -= 1
        # not from here, which can raise nothing either
        Thread(target=_raise_again, daemon=True).start()
        return
    sys.__unraisablehook__(unraisable)


def _raise_again() -> None:
    sleep(_SOON_S)
    if hasattr(signal, "pthread_kill"):  # which wakes a thread that waits
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def was_heard() -> bool:
    """Whether a signal has ended the work, whatever came of it on its way."""
    return HEARD.is_set()


def _watch() -> None:
    """Hear signals in a thread, too: Python's own handlers wait until a library has come back."""
    if sys.platform == "win32":
        return
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    Thread(target=_end_late, args=(ours,), daemon=True).start()


def _end_late(ours: int) -> None:
    ends = {getattr(signal, name, None) for name in _NAMES}
    asked = 0
    while asked == 0 or (PATIENT.is_set() and asked < _MOST):
        asked += os.read(ours, 1)[0] in ends
    if asked >= _MOST or not HEARD.wait(PATIENCE_S):
        _drop()
    _insist()


def _insist() -> None:
    """Stop once more where code on the way has kept the first try to itself (`except:`)."""
    while _stopped.is_set() and not _ended.wait(_INSIST_S):
        if callable(signal.getsignal(signal.SIGTERM)):
            _asked_again.set()
            signal.pthread_kill(main_thread().ident or 0, signal.SIGTERM)


def _is_ending() -> bool:
    """Whether what the first try has raised is on its way, or is being cleaned up after."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, (SystemExit, KeyboardInterrupt)):
        error = error.__context__
    return error is not None


def has_ended() -> None:
    """Say that the work is over: nothing is to be stopped any more."""
    _ended.set()


def _drop() -> None:
    """Take back what is half-written, say so, and end at once."""
    take_back()
    os.write(2, f"panfocus: {TOLD}\n".encode())
    os._exit(INTERRUPTED)


def leave() -> NoReturn:
    """End an interrupted process, once all is unwound, without taking Python apart.

    Threads of libraries may still be at work, and some do not survive that.
    """
    sys.unraisablehook = _say_nothing  # of a thread that is still starting something
    _go(INTERRUPTED)


def end(code: int) -> NoReturn:
    """End a process whose work is done.

    Python is not taken apart where nobody waits for that: it takes a twentieth of a small fusion
    to free, one by one, what the system takes back at once. Threads that are still at work are
    waited for, and a debugger or a profiler has its say.
    """
    others = (thread for thread in enumerate_threads() if thread is not main_thread())
    if sys.getprofile() or sys.gettrace() or not all(thread.daemon for thread in others):
        sys.exit(code)
    _go(code)


def _go(code: int) -> NoReturn:
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _say_nothing(_: sys.UnraisableHookArgs) -> None:
    pass


def take_back() -> None:
    """Delete what is half-written, if anything was."""
    atomic = sys.modules.get("panfocus.io.atomic")
    if atomic is not None:
        atomic.abandon()


TOLD = "interrupted, no file was left half-written"
