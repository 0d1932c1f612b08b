"""Processes that may have little, and users who may do little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fuzz.case import Case, How
from fuzz.faces import is_written, many
from fuzz.made import fuse, lay, lay_batch

_WRONG = (1, 2)


def limits() -> Iterator[Case]:
    """Yield processes that may have little: files, stack, memory, room on the disk."""
    given: Sequence[tuple[str, int]] = [
        ("RLIMIT_STACK", 256 * 1024), ("RLIMIT_STACK", 128 * 1024), ("RLIMIT_NOFILE", 12),
        ("RLIMIT_NOFILE", 8), ("RLIMIT_FSIZE", 100), ("RLIMIT_FSIZE", 0), ("RLIMIT_NPROC", 1),
        *(("RLIMIT_DATA", n * 2**20) for n in (60, 120, 250, 400)),
        *(("RLIMIT_AS", n * 2**20) for n in (500, 800, 1500)),
    ]  # fmt: skip
    for name, value in given:
        for system in ("guided", "dualpath"):

            def call(folder: Path, system: str = system) -> list[str]:
                return ["fuse", *lay(folder), "-o", "out.png", "--system", system]

            yield Case(
                "limits",
                f"{name} {value} {system}",
                call,
                made=("out.png",),
                how=How(exec=True, limits={name: value}, seconds=120),
                check=is_written,
            )
        yield Case(
            "limits",
            f"{name} {value} batch",
            many,
            made=("out/*",),
            codes=(0, 1, 2, 3),
            how=How(exec=True, limits={name: value}),
        )
    for words in (("--threads", "999999999"), ("--threads", "4096"), ("--max-memory", "1e30"),
                  ("--max-memory", "9" * 400), ("--max-memory", "1"), ("--threads", "9" * 5000),
                  ("--z-step", "1e400"), ("--reference", "9" * 5000), ("--reference", "²"),
                  ("--slab", "9" * 30, "1"), ("--align-dof", "x" * 9999),
                  ("--quality", "9" * 99)):  # fmt: skip

        def asked(folder: Path, words: tuple[str, ...] = words) -> list[str]:
            return fuse(lay(folder), *words)

        yield Case("limits", f"{words[0]} {words[1]:.12}", asked, made=("out*",))
    yield Case(
        "limits",
        "current folder gone",
        lambda _: fuse(["a.png", "b.png"]),
        codes=_WRONG,
        how=How(exec=True, gone=True),
    )
    for what in ("batch", "systems", "evaluate", "metrics", "synthesize"):

        def gone(folder: Path, what: str = what) -> list[str]:
            more = {"batch": ["in", "out"], "evaluate": ["--data", "d", "--out", "o"],
                    "metrics": ["a.png", "b.png"], "synthesize": ["a.png", "o"]}  # fmt: skip
            return [what, *more.get(what, [])]

        yield Case("limits", f"current folder gone {what}", gone, how=How(exec=True, gone=True))


def rights() -> Iterator[Case]:
    """Yield folders and files that may not be entered, listed, read or written."""
    for mode in (0o000, 0o100, 0o400, 0o200, 0o500, 0o300):
        for place in ("in", "out", "file", "batch"):

            def call(folder: Path, mode: int = mode, place: str = place) -> list[str]:
                inner = folder / "d"
                inner.mkdir()
                names_ = [f"d/{n}" for n in lay(inner)]
                lay_batch(folder)
                if place == "in":
                    inner.chmod(mode)
                    return fuse(["d"])
                if place == "out":
                    (folder / "o").mkdir(mode)
                    (folder / "o").chmod(mode)
                    return fuse(names_, out="o/out.png")
                if place == "file":
                    (inner / "f1.png").chmod(mode)
                    return fuse(names_)
                (folder / "in/s0").chmod(mode)
                return ["batch", "in", "out", "--workers", "0", "--system", "guided"]

            yield Case(
                "rights",
                f"{place} {mode:o}",
                call,
                codes=(0, 1, 2, 3),
                made=("out.png", "out/*", "o/out.png"),
                how=How(nobody=True),
            )


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from limits()
    yield from rights()
