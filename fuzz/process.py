"""Run a case in a process of its own: a copy of this one, which has imported all, or a new one."""

from __future__ import annotations

import atexit
import contextlib
import fnmatch
import functools
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import panfocus
from fuzz.case import Case, How, Ran
from fuzz.verdict import Fault, faults_of, tree_of

_NOBODY = 65534
#: Those that end a process which has not said otherwise.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def _own_memory() -> int:
    """Return the bytes that a copy of this process begins with: what is not of files."""
    resident, of_files = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    return (resident - of_files) * os.sysconf("SC_PAGE_SIZE")


#: What lay there when this module was loaded: a copy of a process that has grown since, as where
#: thousands of tests came before, begins with all of it.
_AT_FIRST = _own_memory()


def try_case(case: Case, keep: Path | None = None) -> tuple[Ran, list[tuple[Fault, str]]]:
    """Run a case, and say what is wrong with it."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-", dir=keep))
    folder, aside, temporary, home = (root / name for name in ("here", "aside", "tmp", "home"))
    for one in (folder, aside, temporary, home):
        one.mkdir()
    try:
        words = case.prepare(folder)
        if case.how.nobody and os.getuid() == 0:
            _library()
            _give_away(root)
        before = tree_of(folder)
        ran = _run(case, words, folder, aside, temporary)
        return ran, faults_of(case, ran, before, folder) + _left(case, ran, temporary, home)
    finally:
        if keep is None:
            _remove(root)


def _left(case: Case, ran: Ran, temporary: Path, home: Path) -> list[tuple[Fault, str]]:
    """Return what was left where nobody looks: of temporary files, the reports alone may stay."""
    stays = ("panfocus-report-*", *case.made)
    found = [n for n in tree_of(temporary) if not any(fnmatch.fnmatch(n, one) for one in stays)]
    found += [n for n in tree_of(home) if not any(fnmatch.fnmatch(n, one) for one in case.made)]
    is_killed = ran.hung or ran.code == -signal.SIGKILL
    return [("left", f"beside: {', '.join(found[:3])}")] if found and not is_killed else []


def _give_away(root: Path) -> None:
    for path, _, names in os.walk(root):
        for one in (path, *(os.path.join(path, name) for name in names)):  # noqa: PTH118
            os.chown(one, _NOBODY, _NOBODY, follow_symlinks=False)


@functools.cache
def _library() -> Path | None:
    """Return a copy of Python's library that all may read; None where they may read it itself."""
    there = Path(os.__file__).parent
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in (there, *there.parents)):
        return None
    copy = Path(tempfile.mkdtemp(prefix="fuzz-library-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    left_out = shutil.ignore_patterns("site-packages", "test", "tests", "idlelib", "tkinter")
    shutil.copytree(there, copy, ignore=left_out, dirs_exist_ok=True)
    copy.chmod(0o755)
    return copy


def _take_library() -> None:
    """Have modules that are not imported yet come from there."""
    there, copy = os.path.dirname(os.__file__), _library()  # noqa: PTH120
    if copy is None:
        return
    others = f"{there}/site-packages"

    def moved(paths: Iterable[str]) -> list[str]:
        return [p if p.startswith(others) else p.replace(there, str(copy)) for p in paths]

    sys.path[:] = moved(sys.path)
    for module in list(sys.modules.values()):
        paths = getattr(module, "__path__", None)
        if isinstance(paths, list) and str(paths[:1]).startswith(f"['{there}"):
            module.__path__ = moved(paths)


def _remove(root: Path) -> None:
    for path, _, _ in os.walk(root):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)  # noqa: PTH101
    shutil.rmtree(root, ignore_errors=True)


def _run(case: Case, words: list[str], folder: Path, aside: Path, temporary: Path) -> Ran:
    streams = [aside / "out", aside / "err"]
    grown = max(_own_memory() - _AT_FIRST, 0)
    begun, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(begun)
        _be_child(case, words, folder, streams, temporary, begin)
    os.close(begin)
    os.read(begun, 1)  # until it is panfocus: a signal before meets the campaign's own code
    os.close(begun)
    started = time.monotonic()
    hung, stopped = False, False
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            break
        spent = time.monotonic() - started
        if case.how.stop is not None and not stopped and spent > case.how.stop[1]:
            stopped = True
            os.kill(child, case.how.stop[0])
        if spent > 5 * case.how.seconds:
            hung = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it may have started
    code = os.waitstatus_to_exitcode(status)
    hung = hung or code == -signal.SIGXCPU
    out, err = (path.read_text(errors="replace") if path.exists() else "" for path in streams)
    spent = used.ru_utime + used.ru_stime
    return Ran(code, out, err, spent, used.ru_maxrss / 1024 - grown / 2**20, hung)


def _be_child(
    case: Case, words: list[str], folder: Path, streams: list[Path], temporary: Path, begin: int
) -> None:
    """Become panfocus, and close `begin`; never returns."""
    code = 99
    try:
        os.setpgid(0, 0)
        hear_signals()
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(Path(panfocus.__file__).parent.parent)
        os.environ["HOME"] = str(temporary.with_name("home"))
        os.environ.update(case.how.env)
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None
        _limit(case.how)
        _redirect(case.how, streams)
        if case.how.gone:
            gone = folder / "gone"
            gone.mkdir()
            os.chdir(gone)
            gone.rmdir()
        if case.how.nobody and os.getuid() == 0:
            _take_library()
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        if case.how.exec:
            command = [sys.executable, "-m", "panfocus", *words]
            os.execve(sys.executable, command, {**os.environ, **case.how.env})
        os.close(begin)
        code = _call(case, words)
    except BaseException:
        import traceback

        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        os._exit(code)


def hear_signals() -> None:
    """Let a process be ended by signals, which `nohup` and a shell's background have ignored."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _call(case: Case, words: list[str]) -> int:
    from panfocus.cli import main

    if case.call is None:
        return main(words)
    return _as_exit_code(lambda: case.call and case.call(words))


def _as_exit_code(work: Callable[[], object]) -> int:
    from panfocus.errors import PanfocusError

    try:
        work()
    except PanfocusError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _limit(how: How) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(how.seconds), resource.RLIM_INFINITY))
    for name, value in how.limits.items():
        number = getattr(resource, name)
        resource.setrlimit(number, (value, resource.getrlimit(number)[1]))


def _redirect(how: How, streams: list[Path]) -> None:
    for number, path in zip((1, 2), streams, strict=True):
        target = "/dev/full" if number in how.full else path
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout = open(1, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for number in how.closed:
        os.close(number)
