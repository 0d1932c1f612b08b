"""The command line: a face of the library without logic of its own.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 a part of a batch failed, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from panfocus.cli import streams
from panfocus.cli.stopping import (
    INTERRUPTED,
    TOLD,
    has_ended,
    leave,
    listen,
    take_back,
    was_heard,
)
from panfocus.errors import PanfocusError
from panfocus.resources.heap import keep_memory
from panfocus.resources.memory import is_capped

#: Objects made between two collections of garbage: twice what the imports of a fusion make.
_GARBAGE = 100_000


def _spare() -> None:
    """Spare a process of our own what costs more than a small fusion does.

    What is imported stays: looking through it for garbage, during the start and at the end, finds
    nothing. OpenBLAS's and OpenCV's threads wait for work by spinning; here they may sleep at once
    (2 to the power of 4 cycles), as little is asked of them.
    """
    gc.set_threshold(_GARBAGE)
    atexit.register(gc.freeze)
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    os.environ.setdefault("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", "0")
    if is_capped():  # each of its threads asks for memory, and where there is none it crashes
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    else:
        keep_memory()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; it raises nothing.

    Args:
        argv: arguments without the program's name; None for those of the process.
    """
    try:
        if argv is not None:
            listen(is_own=False)
            return _run(argv)
        streams.steady()  # first: whatever is opened may take the number of one that is closed
        listen(is_own=True)
        _spare()
        code = _run(None)
        lost = streams.failure()
        code = code if lost is None else _refused(lost, None) if code == 0 else code
    except (SystemExit, KeyboardInterrupt):  # a signal before the work, or after it
        code = _interrupted()
    finally:
        has_ended()
    if code == INTERRUPTED and argv is None:
        leave()
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        from panfocus.cli.app import app  # noqa: PLC0415  keeps `import panfocus.cli` light

        app.main(args=None if argv is None else list(argv), prog_name="panfocus")
    except PanfocusError as error:
        return _refused(error, argv)
    except SystemExit as error:
        if error.code == INTERRUPTED:
            return _interrupted()
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:  # the last resort
        return _unforeseen(error, argv)
    return 0


def _interrupted() -> int:
    has_ended()
    take_back()
    print(f"panfocus: {TOLD}", file=sys.stderr)
    return INTERRUPTED


def _unforeseen(error: Exception, argv: Sequence[str] | None) -> int:
    if was_heard():  # a signal that some library made another error of
        return _interrupted()
    try:
        from panfocus.cli.last_resort import told  # noqa: PLC0415  never, it is hoped

        return _refused(told(error, argv), argv)
    except Exception:  # no memory even for that
        os.write(2, b"panfocus: memory ran out, no file was left half-written\n")
        return 1


def _refused(error: PanfocusError, argv: Sequence[str] | None) -> int:
    from panfocus.cli.flags import in_flags  # noqa: PLC0415  errors are few

    given = sys.argv[1:] if argv is None else argv
    print(f"panfocus: {in_flags(str(error), given)}", file=sys.stderr)
    return error.exit_code
