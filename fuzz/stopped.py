"""Signals at every moment of a start and of the work: it ends soon, in one sentence, and tidily."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fuzz.case import Case, How, Ran
from fuzz.faces import large, many
from fuzz.made import bytes_of, lay, lay_batch, stack

#: Seconds after the start, and those of the processor by which Python has started.
_MOMENTS, _STARTED = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6), 0.12
#: Exit codes by signal; before anything listens, the system itself ends the process.
_CODES = {
    signal.SIGINT: (130,), signal.SIGTERM: (130, 143), signal.SIGHUP: (129, 130),
    signal.SIGQUIT: (130, 131),
}  # fmt: skip
#: What is written last.
_LAST = ("out.png", "out/report.json", "o/summary.json")


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for number, codes in _CODES.items():
        for what, (call, moments, done) in _FACES.items():
            for after in moments:
                yield Case(
                    "signals",
                    f"{what} {number.name} {after}",
                    call,
                    codes=(*done, *codes, -number),
                    made=("out.png", "out/*", "o/*"),
                    how=How(exec=True, stop=(number, after)),
                    check=_ended_early,
                )
    yield Case(
        "signals",
        "SIGPIPE",
        large,
        made=("out.png",),
        codes=(0,),
        how=How(exec=True, stop=(signal.SIGPIPE, 0.5)),
    )


def _ended_early(folder: Path, ran: Ran) -> str | None:
    """Return what is wrong where the system ended it: only a start, and what is done, may be."""
    is_done = bool(ran.out.strip()) or any((folder / name).is_file() for name in _LAST)
    is_late = ran.code < 0 and ran.seconds > _STARTED and not is_done
    return f"ended by the system after {ran.seconds:.2f} s of work" if is_late else None


def _watch(folder: Path) -> list[str]:
    lay_batch(folder)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided", "--watch",
            "--settle", "0.1"]  # fmt: skip


def _workers(folder: Path) -> list[str]:
    lay_batch(folder, 12)
    return ["batch", "in", "out", "--workers", "2", "--system", "guided"]


def _view(folder: Path) -> list[str]:
    lay(folder)
    return ["view", ".", "--no-open", "--keep"]


def _evaluate(folder: Path) -> list[str]:
    for name in "AB":
        (folder / "d" / name).mkdir(parents=True)
        for n, frame in enumerate(stack(2, 300, 400)):
            (folder / "d" / name / f"p{n}.png").write_bytes(bytes_of(frame, ".png"))
    return ["evaluate", "--data", "d", "--out", "o", "--systems", "guided", "--no-plots"]


def _metrics(folder: Path) -> list[str]:
    one, two, three = lay(folder)
    return ["metrics", "--fused", one, "--sources", two, three]


def _systems(_: Path) -> list[str]:
    return ["systems"]


#: What is called, when it is stopped, and with what exit codes it may have ended before.
_FACES: Mapping[str, tuple[Callable[[Path], list[str]], tuple[float, ...], tuple[int, ...]]] = {
    "fuse": (large, _MOMENTS, (0,)),
    "batch": (many, (0.05, 0.5, 1.0, 2.0), (0, 3)),
    "workers": (_workers, (0.7, 1.0, 1.5, 2.0, 2.5, 3.5), (0, 3)),
    "watch": (_watch, (0.3, 4.0), ()),
    "view": (_view, (0.05, 0.3, 0.6, 2.0), (0,)),  # that is how it ends
    "evaluate": (_evaluate, (0.05, 0.4, 0.8, 1.5), (0,)),
    "metrics": (_metrics, (0.05, 0.3, 0.5), (0,)),
    "systems": (_systems, (0.05, 0.1, 0.2), (0,)),
}
