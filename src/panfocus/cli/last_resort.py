"""What nobody foresaw becomes a sentence, and a report to send to whoever can mend it."""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from panfocus._version import __version__
from panfocus.errors import PanfocusError
from panfocus.resources.paths import shown
from panfocus.resources.shortage import in_short, shortage

_PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "tifffile", "imagecodecs", "Pillow",
             "simplejpeg", "click", "zarr", "distributed", "torch")  # fmt: skip
#: What a system says where somebody has to mend a folder or a disk, and not a program.
_REFUSED = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ESTALE,
)


def told(error: BaseException, argv: Sequence[str] | None) -> PanfocusError:
    """Return what to say of an error that nobody foresaw; a report is written beside it.

    Args:
        error: the error.
        argv: words of the command line; None for those of the process.
    """
    lack = shortage(error)
    if lack is not None:
        return lack
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.errno in _REFUSED:
        return PanfocusError(
            "the system refuses a file or folder",
            where=shown(error.filename),
            expected="one that this user may list, read or write, on a disk that answers",
            got=error.strerror,
            remedy="mend its permissions or the disk, or name another one; no file was left "
            "half-written",
        )
    report = _written(error, argv)
    return PanfocusError(
        "something unexpected happened, and the work is not done",
        where=_place(error),
        expected="a result, or a message that says what is wrong",
        got=in_short(error),
        remedy=f"this is a fault of panfocus: tell of it, with {report}; "
        "no file was left half-written",
    )


def _place(error: BaseException) -> str | None:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}panfocus{os.sep}" in frame.filename]
    if not own:
        return None
    return (
        f"panfocus/{own[-1].filename.rpartition(f'{os.sep}panfocus{os.sep}')[2]}:{own[-1].lineno}"
    )


def _written(error: BaseException, argv: Sequence[str] | None) -> str:
    """Write a report into the folder of temporary files; return its name, or what else to send."""
    words = sys.argv if argv is None else ["panfocus", *argv]
    lines = [
        f"panfocus {__version__}",
        f"python {platform.python_version()} on {platform.platform()}",
        *(f"{name} {found}" for name in _PACKAGES if (found := _version(name))),
        f"command line: {words!r}",
        "".join(traceback.format_exception(error)),
    ]
    try:
        handle, name = tempfile.mkstemp(prefix="panfocus-report-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines))
    except OSError as refused:
        return f"these words and the command line (no report could be written: {refused.strerror})"
    return name


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
