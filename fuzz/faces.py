"""How panfocus is called and what surrounds it: names, streams, signals, limits, locales, users."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from fuzz.case import Case, How, Ran
from fuzz.made import fuse, lay, lay_batch, stack

_WRONG = (1, 2)


def _batch(folder: Path, *words: str) -> list[str]:
    lay_batch(folder)
    return ["batch", "--workers", "0", "--system", "guided", *words]


def _is_written(folder: Path, ran: Ran) -> str | None:
    made = (folder / "out.png").is_file()
    return None if made == (ran.code == 0) else f"written: {made}, code {ran.code}"


def _is_there(folder: Path, _: Ran) -> str | None:
    return None if (folder / "out.png").is_file() else "the picture is lost with the stream"


def _fused(folder: Path) -> list[str]:
    return fuse(lay(folder), "--depth-map", "--json")


def streams() -> Iterator[Case]:
    """Yield streams that are closed, full, or in a locale that knows no letters."""
    made = ("out.*", "out_*", "out/*")
    for closed in ((1,), (2,), (1, 2), (0, 1, 2), (0,)):
        for call, what in ((_fused, "fuse"), (_help, "help"), (_systems, "systems")):
            check = _is_there if what == "fuse" else None
            yield Case(
                "streams",
                f"{what} closed {closed}",
                call,
                made=made,
                how=How(exec=True, closed=closed),
                check=check,
            )
        yield Case(
            "streams",
            f"batch closed {closed}",
            _whole_batch,
            made=made,
            codes=(0, 1, 2, 3),
            how=How(exec=True, closed=closed),
            check=_batch_is_done,
        )
    for full in ((1,), (2,), (1, 2)):
        for call, what in (
            (_fused, "fuse"),
            (_help, "help"),
            (_systems, "systems"),
            (_devices, "devices"),
            (_version, "version"),
            (_wrong, "wrong"),
        ):
            check = _is_there if what == "fuse" else None
            yield Case(
                "streams",
                f"{what} full {full}",
                call,
                made=made,
                how=How(exec=True, full=full),
                check=check,
            )
        yield Case(
            "streams",
            f"batch full {full}",
            _whole_batch,
            made=made,
            codes=(0, 1, 2, 3),
            how=How(exec=True, full=full),
            check=_batch_is_done,
        )
    locales = ({"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "xx_XX.bad"},
               {"PYTHONIOENCODING": "utf-16"}, {"PYTHONUTF8": "0", "LC_ALL": "C"},
               {"PYTHONIOENCODING": "latin-1:strict"}, {"TERM": "nonsense", "COLUMNS": "x"},
               {"HOME": "/nonexistent"},
               {"HOME": ""}, {"PATH": ""}, {"TMPDIR": "/nonexistent"})  # fmt: skip
    for env in locales:
        for call, what in ((_letters, "letters"), (_systems, "systems"), (_letters_wrong, "wrong")):
            check = _letters_written if what == "letters" else None
            yield Case(
                "locale",
                f"{what} {env}",
                call,
                made=("*.png", "out*"),
                codes=(0, 1, 2),
                how=How(exec=True, env=env),
                check=check,
            )


def _batch_is_done(folder: Path, _: Ran) -> str | None:
    made = (
        sorted(p.name for p in (folder / "out").glob("*.tif")) if (folder / "out").is_dir() else []
    )
    return None if made == ["s0.tif", "s1.tif"] else f"of two stacks, {made} are there"


def _help(_: Path) -> list[str]:
    return ["fuse", "--help"]


def _systems(_: Path) -> list[str]:
    return ["systems"]


def _devices(_: Path) -> list[str]:
    return ["devices", "--json"]


def _version(_: Path) -> list[str]:
    return ["--version"]


def _wrong(_: Path) -> list[str]:
    return ["fuse", "nothing.png", "-o", "out.png"]


def _whole_batch(folder: Path) -> list[str]:
    return [*_batch(folder, "in", "out"), "--json"]


def _letters(folder: Path) -> list[str]:
    return fuse(lay(folder, name="Bläüe 写真 {}"), "--json", out="Ergebniß→.png")


def _letters_wrong(folder: Path) -> list[str]:
    return fuse([*lay(folder), "Bläüe 写真 →.png"])


def _letters_written(folder: Path, ran: Ran) -> str | None:
    return None if ran.code == 0 and (folder / "Ergebniß→.png").is_file() else f"code {ran.code}"


#: Seconds after the start of a fusion, and those of the processor by which Python has started.
_MOMENTS, _STARTED = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6), 0.12


def signals() -> Iterator[Case]:
    """Yield signals at every moment of a start and of a fusion."""
    wanted = {signal.SIGINT: (130,), signal.SIGTERM: (130, 143), signal.SIGHUP: (129, 130),
              signal.SIGQUIT: (130, 131)}  # fmt: skip
    for number, codes in wanted.items():
        # before Python has started, the system itself ends it
        early = () if number == signal.SIGINT else (-number,)
        how = [("fuse", _large, after, (0,)) for after in _MOMENTS]
        how += [("batch", _many, after, (0, 3)) for after in (0.5, 1.0, 2.0)]
        how += [("watch", _watch, 4.0, ())]
        for what, call, after, done in how:
            yield Case(
                "signals",
                f"{what} {number.name} {after}",
                call,
                codes=(*done, *codes, *early),
                made=("out.png", "out/*"),
                how=How(exec=True, stop=(number, after)),
                check=_ended_early,
            )
    yield Case(
        "signals",
        "SIGPIPE",
        _large,
        made=("out.png",),
        codes=(0,),
        how=How(exec=True, stop=(signal.SIGPIPE, 0.5)),
    )


def _ended_early(_: Path, ran: Ran) -> str | None:
    is_late = ran.code < 0 and ran.seconds > _STARTED
    return f"ended by the system after {ran.seconds:.2f} s of work" if is_late else None


def _large(folder: Path) -> list[str]:
    import cv2

    names_ = [f"f{n}.png" for n in range(3)]
    for name, frame in zip(names_, stack(3, 600, 800), strict=True):
        cv2.imwrite(str(folder / name), frame)
    return ["fuse", *names_, "-o", "out.png", "--system", "guided", "--align", "auto"]


def _many(folder: Path) -> list[str]:
    lay_batch(folder, 12)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided"]


def _watch(folder: Path) -> list[str]:
    lay_batch(folder)
    return [
        "batch",
        "in",
        "out",
        "--workers",
        "0",
        "--system",
        "guided",
        "--watch",
        "--settle",
        "0.1",
    ]


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
                check=_is_written,
            )
        yield Case(
            "limits",
            f"{name} {value} batch",
            _many,
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


def usage() -> Iterator[Case]:
    """Yield calls that are wrong: exit code 2."""
    calls = (
        ["fuse"], ["nothing"], ["fuse", "f0.png", "f1.png"], ["fuse", "--nothing"],
        ["fuse", "f0.png", "f1.png", "-o", "out.xyz"], ["fuse", "f0.png", "f1.png", "-o", "out"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--system", "nothing"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--depth-map=d.jpg"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--mesh", "m.xyz"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--align", "x"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--device", "x"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--quality", "0"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--reference", "7"],
        ["fuse", "f0.png", "f1.png", "-o", ""],
        ["batch", "in"], ["batch"], ["batch", "in", "out", "--workers", "-1"],
        ["batch", "in", "out", "--scheduler", "nonsense"], ["devices", "--system", "nothing"],
        ["evaluate"], ["metrics"], ["synthesize"], ["train"], ["export"],
        ["evaluate", "--data", "in", "--out", "o", "--systems", "nothing"],
        ["evaluate", "--data", "in", "--out", "o", "--metrics", "nothing"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--plugin", "none.py"],
        ["fuse", "f0.png", "f1.png", "-o", "out.png", "--align-only", "d"],
    )  # fmt: skip
    for n, words in enumerate(calls):

        def call(folder: Path, words: list[str] = words) -> list[str]:
            lay(folder)
            lay_batch(folder)
            return words

        yield Case("usage", f"{n} {' '.join(words)}", call, codes=(2,), made=("out/*",))


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for of in (streams, signals, limits, rights, usage):
        yield from of()
