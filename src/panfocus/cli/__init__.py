"""The command line: a face of the library without logic of its own.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 a part of a batch failed, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from panfocus.errors import PanfocusError

INTERRUPTED = 130

#: Objects made between two collections of garbage: about what the imports of a fusion make.
_GARBAGE = 50_000


def _stop(_number: int, _frame: FrameType | None) -> None:
    # SystemExit and not KeyboardInterrupt: the command line library turns the latter into 1
    raise SystemExit(INTERRUPTED)


def _spare() -> None:
    """Spare a process of our own what costs more than a small fusion does.

    What is imported stays: looking through it for garbage, during the start and at the end, finds
    nothing. OpenBLAS's threads wait for work by spinning; here they may sleep at once (2 to the
    power of 4 cycles), as little is asked of them.
    """
    gc.set_threshold(_GARBAGE)
    atexit.register(gc.freeze)
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: arguments without the program's name; None for those of the process.
    """
    if argv is None:
        _spare()
    from panfocus.cli.app import app  # noqa: PLC0415  keeps `import panfocus.cli` light

    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        app.main(args=None if argv is None else list(argv), prog_name="panfocus")
    except PanfocusError as error:
        from panfocus.cli.flags import in_flags  # noqa: PLC0415  errors are few

        print(f"panfocus: {in_flags(str(error))}", file=sys.stderr)
        return error.exit_code
    except SystemExit as error:
        if error.code == INTERRUPTED:
            print("panfocus: interrupted, no file was left half-written", file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 0
