"""Workers on this machine, started and sent home, and those of a scheduler, called upon."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import active_children, resource_tracker
from pathlib import Path
from queue import Empty, Queue
from shutil import rmtree
from tempfile import mkdtemp
from threading import Thread
from time import sleep
from typing import Any

from panfocus.errors import UsageError
from panfocus.resources.memory import process_limit
from panfocus.resources.paths import is_there

#: How often workers on this machine are started, if need be.
_STARTS = 2
#: A worker that was killed is waited for so long, in seconds.
_GONE_S = 2.0
#: Files that a process must be allowed to open, to start workers.
_FILES = 128
#: Address space that is enough for workers, and for who starts them.
_LEAST_BYTES = 2 * 2**30
#: Seconds between two looks for processes that were being started, and looks in a row that have to
#: find none; and so many in all.
_BEGUN_S, _QUIET_LOOKS, _MOST_LOOKS = 0.2, 4, 20
#: Signals that a terminal sends to all of its processes.
_OF_TERMINALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
]
#: For so long a scheduler may say nothing, in seconds.
_ANSWER_S = 10.0


def may_open_many() -> bool:
    """Whether a process may open as many files as Dask does; with fewer it tries for ever."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return True
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= _FILES


def may_hold_workers() -> bool:
    """Whether a process, and each that it starts, may have as much memory as Dask needs to begin.

    With less, threads and libraries of one or the other fail at any place, and Dask waits for ever.
    """
    limit = process_limit()
    return limit is None or limit >= _LEAST_BYTES


@contextmanager
def scratch() -> Generator[None]:
    """Keep what Dask writes for itself in a folder that is deleted; it would leave one."""
    config = import_module("dask.config")
    folder = mkdtemp(prefix="panfocus-workers-")
    others, nannies = set(active_children()), _nannies()
    looks = 1
    with config.set({"temporary-directory": folder}):
        try:
            yield
        except BaseException:
            looks = _QUIET_LOOKS  # a worker may be on its way, and writes once it is there
            raise
        finally:
            _clear(folder, others, nannies, looks)


def _clear(folder: str, others: set[Any], nannies: set[Any], looks: int) -> None:
    """Send home whoever was started, and delete their folder, until nothing comes any more.

    A signal may have come while they were started: nobody else sends those home.

    Args:
        folder: to delete.
        others: processes that are not to be touched.
        nannies: of whom the same holds.
        looks: so many in a row that find nothing are enough.
    """
    found_nothing = 0
    for look in range(_MOST_LOOKS):
        if look:
            sleep(_BEGUN_S)
        is_left = is_there(Path(folder))
        begun = set(active_children()) - others
        for nanny in _nannies() - nannies:
            nanny.auto_restart = False
        for worker in begun:
            worker.kill()
            worker.join(_GONE_S)
        rmtree(folder, ignore_errors=True)
        found_nothing = 0 if look and (begun or is_left) else found_nothing + 1
        if found_nothing >= looks:
            return


def _nannies() -> set[Any]:
    """Return what starts workers anew that have died, in this process."""
    return set(getattr(import_module("distributed").Nanny, "_instances", ()))


@contextmanager
def dask_loop() -> Generator[Any]:
    """Run Dask's loop, from which workers are started; yield what runs it."""
    runner = import_module("distributed.utils").LoopRunner()
    with _unheard():
        resource_tracker.ensure_running()  # which lets Ctrl-C be heard again
    with _unheard():
        runner.start()
    loop = runner.loop
    try:
        yield runner
    except BaseException:  # a cluster that was being started goes on starting workers in it
        loop.add_callback(loop.stop)
        raise
    finally:
        with suppress(RuntimeError):  # it has ended
            runner.stop()


@contextmanager
def _unheard() -> Generator[None]:
    """Let threads that begin meanwhile, and processes that they start, not hear the terminal.

    Ctrl-C reaches every process of a terminal. The first of them sends the others home; workers
    that hear it themselves, in the middle of their start, die in Python's words.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_local(distributed: Any, workers: int, memory_bytes: int, loop: Any) -> Any:  # noqa: ANN401  dask has no types
    """Start workers on this machine; None where that fails twice, as when somebody kills them."""
    # told after the cluster is gone, which silences the rest: a folder that went twice
    logging.getLogger("distributed.diskutils").setLevel(logging.CRITICAL)
    for _ in range(_STARTS):
        try:
            return distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                # the sum is kept by what is handed out at a time: one worker may need most of it
                memory_limit=memory_bytes,
                dashboard_address=None,
                loop=loop,
                # its server starts all the same; a second batch would find port 8787 taken
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
        except Exception:
            continue
    return None


def join(distributed: Any, scheduler: str) -> Any:  # noqa: ANN401  dask has no types
    """Return a client of a scheduler that answers and has workers.

    Raises:
        UsageError: it does not.
    """
    try:
        client = _within(_ANSWER_S, lambda: distributed.Client(scheduler, timeout=_ANSWER_S))
    except (OSError, ValueError, TimeoutError, RuntimeError) as error:
        raise UsageError(
            "the scheduler does not answer",
            where=f"scheduler {scheduler}",
            expected="the address that `dask scheduler` prints, like tcp://host:8786",
            got=_of_call(error),
            remedy="check that it runs and can be reached from here",
        ) from error
    if not client.scheduler_info(n_workers=-1)["workers"]:
        client.close()
        raise UsageError(
            "the scheduler has no workers",
            where=f"scheduler {scheduler}",
            remedy=f"start some: `dask worker {scheduler} --nthreads 1`",
        )
    return client


def _of_call(error: Exception) -> str:
    """Say why a scheduler was not reached; of an address that is none, Dask speaks as Python."""
    if isinstance(error, ValueError):
        return "no address"
    return str(error) or type(error).__name__


def _within(seconds: float, work: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever it returns
    """Return what some work comes to, waiting no longer than this.

    Dask waits for minutes for a program that takes the call and says nothing.

    Raises:
        TimeoutError: it is not done yet; it goes on unheard.
        Exception: what it raises.
    """
    ended: Queue[tuple[Any, Exception | None]] = Queue()

    def run() -> None:
        try:
            ended.put((work(), None))
        except Exception as error:
            ended.put((None, error))

    Thread(target=run, daemon=True).start()
    try:
        made, error = ended.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"nothing within {seconds:.0f} seconds") from None
    if error is not None:
        raise error
    return made
