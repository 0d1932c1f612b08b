"""How panfocus is called and what surrounds it: streams, locales, usage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fuzz.case import Case, How, Ran
from fuzz.made import fuse, lay, lay_batch, stack

_WRONG = (1, 2)


def _batch(folder: Path, *words: str) -> list[str]:
    lay_batch(folder)
    return ["batch", "--workers", "0", "--system", "guided", *words]


def is_written(folder: Path, ran: Ran) -> str | None:
    """Return what is wrong where a picture is there and the exit code says no, or the reverse."""
    made = (folder / "out.png").is_file()
    return None if made == (ran.code == 0) else f"written: {made}, code {ran.code}"


def _is_there(folder: Path, _: Ran) -> str | None:
    return None if (folder / "out.png").is_file() else "the picture is lost with the stream"


def _fused(folder: Path) -> list[str]:
    return fuse(lay(folder), "--depth-map", "--json")


def streams() -> Iterator[Case]:
    """Yield streams that are closed, full, or in a locale that knows no letters."""
    for closed in ((1,), (2,), (1, 2), (0, 1, 2), (0,)):
        how = How(exec=True, closed=closed)
        yield from _with_streams(f"closed {closed}", how, ("fuse", "help", "systems"))
    for full in ((1,), (2,), (1, 2)):
        yield from _with_streams(f"full {full}", How(exec=True, full=full), tuple(_SHORT))
    yield from locales()


def _with_streams(about: str, how: How, calls: tuple[str, ...]) -> Iterator[Case]:
    made = ("out.*", "out_*", "out/*")
    for what in calls:
        check = _is_there if what == "fuse" else None
        yield Case("streams", f"{what} {about}", _SHORT[what], made=made, how=how, check=check)
    codes = (0, 1, 2, 3)
    yield Case("streams", f"batch {about}", _whole_batch, codes, made, how, _batch_is_done)


def locales() -> Iterator[Case]:
    """Yield surroundings in which letters are none, or which a terminal does not have."""
    surroundings = ({"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "xx_XX.bad"},
               {"PYTHONIOENCODING": "utf-16"}, {"PYTHONUTF8": "0", "LC_ALL": "C"},
               {"PYTHONIOENCODING": "latin-1:strict"}, {"TERM": "nonsense", "COLUMNS": "x"},
               {"HOME": "/nonexistent"},
               {"HOME": ""}, {"PATH": ""}, {"TMPDIR": "/nonexistent"})  # fmt: skip
    for env in surroundings:
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


_SHORT: Mapping[str, Callable[[Path], list[str]]] = {
    "fuse": _fused, "help": _help, "systems": _systems, "devices": _devices,
    "version": _version, "wrong": _wrong,
}  # fmt: skip


def large(folder: Path) -> list[str]:
    """Return a fusion that takes a while."""
    import cv2

    names_ = [f"f{n}.png" for n in range(3)]
    for name, frame in zip(names_, stack(3, 600, 800), strict=True):
        cv2.imwrite(str(folder / name), frame)
    return ["fuse", *names_, "-o", "out.png", "--system", "guided", "--align", "auto"]


def many(folder: Path) -> list[str]:
    """Return a batch of a dozen stacks."""
    lay_batch(folder, 12)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided"]


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
    for of in (streams, usage):
        yield from of()
