"""Every option of every command, as the command line declares it: absurd values, and odd files.

Nothing is listed here but the values: an option that is new is tried from the day it is declared.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from fuzz.case import Case, How, Ran
from fuzz.made import bytes_of, lay, lay_batch, stack, zarr_at
from fuzz.odd import FILES, NUMBERS, TEXTS

_SPARSE = 2**35


@dataclass(frozen=True)
class Call:
    """A sound call of a command.

    Attributes:
        name: of the command.
        command: with its options.
        words: lays what it needs into the folder; returns the words.
        stop: whether it goes on until it is stopped.
        is_slow: whether it imports what takes seconds.
        made: what it may write.
    """

    name: str
    command: click.Command
    words: Callable[[Path], list[str]]
    stop: bool = False
    is_slow: bool = False
    made: tuple[str, ...] = ()


def lay_odd(folder: Path) -> None:
    """Write files of every odd kind."""
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.png")
    for name in ("socket", "socket.png"):
        _bind(folder, name)
    (folder / "loop").symlink_to("loop")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "broken.png").symlink_to("nothing-there.png")
    (folder / "empty").mkdir()
    (folder / "empty.png").touch()
    for name in ("noise", "noise.png"):
        (folder / name).write_bytes(random.Random(name).randbytes(3000))
    (folder / "text.txt").write_text("a text\n")
    for name, head in (("png", b"\x89PNG\r\n\x1a\n"), ("tif", b"II*\0\x08\0\0\0"), ("json", b"{")):
        with (folder / f"sparse.{name}").open("wb") as file:
            file.write(head)
            file.truncate(_SPARSE)
    (folder / "closed").mkdir(mode=0)
    (folder / "link.png").symlink_to("f0.png")
    (folder / "zip.png").write_bytes(b"PK\x03\x04" + bytes(100))
    if (folder / "f0.png").exists():
        (folder / "hard.png").hardlink_to(folder / "f0.png")


def _bind(folder: Path, name: str) -> None:
    here = os.open(folder, os.O_RDONLY)
    try:  # a socket's name may only be short
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{name}")
    finally:
        os.close(here)


def calls() -> list[Call]:
    """Return a sound call of every command."""
    from panfocus.cli.app import app
    from panfocus.cli.training import export, train

    of = app.commands
    out = [
        Call("fuse", of["fuse"], _fuse, made=("out*",)),
        Call("fuse volume", of["fuse"], _volume, made=("out*", "out*/*")),
        Call("fuse folder", of["fuse"], _folder, made=("out*",)),
        Call("batch", of["batch"], _batch, made=("out/*",)),
        Call("evaluate", of["evaluate"], _evaluate, made=("out/*",)),
        Call("metrics", of["metrics"], _metrics),
        Call("synthesize", of["synthesize"], _synthesize, made=("out/*",)),
        Call("synthesize depth", of["synthesize"], _depth, made=("out/*",)),
        Call("systems", of["systems"], lambda _: ["systems"]),
        Call("systems check", of["systems"], lambda _: ["systems", "check"]),
        Call("devices", of["devices"], lambda _: ["devices"], is_slow=True),
        Call("view", of["view"], _view, stop=True),
    ]
    for name, command in train.commands.items():
        words = _average if name == "average" else _train(name)
        out.append(Call(f"train {name}", command, words, is_slow=True, made=("out/*",)))
    out.append(Call("export", export, _export, is_slow=True, made=("out/*",)))
    return out


def _fuse(folder: Path) -> list[str]:
    return ["fuse", *lay(folder), "-o", "out.png", "--system", "guided"]


def _volume(folder: Path) -> list[str]:
    lay(folder)
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    return ["fuse", "a.zarr", "-o", "out.ome.tif", "--system", "guided"]


def _folder(folder: Path) -> list[str]:
    (folder / "d").mkdir()
    lay(folder)
    lay(folder / "d")
    return ["fuse", "d", "-o", "out.tif", "--system", "guided"]


def _batch(folder: Path) -> list[str]:
    lay(folder)
    lay_batch(folder)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided"]


def _pairs(folder: Path) -> None:
    for name in "AB":
        (folder / "d" / name).mkdir(parents=True)
        for n, frame in enumerate(stack(2, 80, 80)):
            (folder / "d" / name / f"p{n}.png").write_bytes(bytes_of(frame, ".png"))
    lay(folder)


def _evaluate(folder: Path) -> list[str]:
    _pairs(folder)
    return ["evaluate", "--data", "d", "--out", "out", "--systems", "guided", "--no-plots",
            "--metrics", "Q_MI"]  # fmt: skip


def _metrics(folder: Path) -> list[str]:
    one, two, three = lay(folder)
    return ["metrics", "--fused", one, "--metrics", "Q_MI", "--sources", two, three]


def _synthesize(folder: Path) -> list[str]:
    lay(folder)
    (folder / "sharp.png").write_bytes(bytes_of(stack(1, 80, 80)[0], ".png"))
    return ["synthesize", "sharp.png", "--out", "out", "--kind", "hard", "--count", "1"]


def _depth(folder: Path) -> list[str]:
    return [word if word != "hard" else "depth" for word in _synthesize(folder)]


def _view(folder: Path) -> list[str]:
    lay(folder)
    return ["view", ".", "--no-open", "--keep"]


def _train(name: str) -> Callable[[Path], list[str]]:
    def words(folder: Path) -> list[str]:
        _pairs(folder)
        return ["train", name, "--data", "d", "--steps", "1", "--out", "out"]

    return words


def _average(folder: Path) -> list[str]:
    lay(folder)
    (folder / "run").mkdir()
    return ["train", "average", "--run", "run", "--run", "run", "--out", "out"]


def _export(folder: Path) -> list[str]:
    lay(folder)
    (folder / "run").mkdir()
    return ["export", "run", "-o", "out"]


def _values(kind: click.ParamType) -> tuple[str, tuple[str, ...]]:  # pyright: ignore
    """Return what a value of a kind is tried with."""
    from panfocus.cli.files import UserPath

    if isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)):
        return "number", NUMBERS
    if isinstance(kind, UserPath):
        return "file", FILES
    return "text", (*TEXTS, *NUMBERS, *FILES)


def option_cases() -> Iterator[Case]:
    """Yield every option of every command with every value of its kind."""
    for call in calls():
        for param in call.command.params:
            count = param.nargs if param.nargs > 1 else 1
            kind = param.type.types[0] if isinstance(param.type, click.Tuple) else param.type
            about, values = _values(kind)
            is_flag = isinstance(param, click.Option) and param.is_flag
            if is_flag or isinstance(kind, click.Choice):
                continue
            for value in values:
                for overwrites in (False, True) if about == "file" else (False,):
                    yield _case(call, param, value, count, overwrites=overwrites)


def _case(call: Call, param: click.Parameter, value: str, count: int, *, overwrites: bool) -> Case:
    name = param.opts[0] if isinstance(param, click.Option) else f"<{param.name}>"
    known = {one for option in call.command.params for one in option.opts}

    def prepare(folder: Path) -> list[str]:
        words = call.words(folder)
        if call.name != "fuse volume" or value in FILES:
            lay_odd(folder)
        if isinstance(param, click.Option):
            is_one = count == 1 and name[1] == "-"
            given = [f"{name}={value}"] if is_one else [name, *[value] * count]
        elif param.nargs < 0:
            given = ["--", value]
        else:
            at = 1 + [p for p in call.command.params if isinstance(p, click.Argument)].index(param)
            words[at : at + 1] = [value]
            given = []
        more = ["--overwrite"] if overwrites and "--overwrite" in known else []
        return [*words, *more, *given]

    # what is asked for may come to be, beside itself and inside; what is there stays
    there = _KEPT if overwrites else _THERE
    if overwrites and call.name in ("fuse folder", "fuse volume", "batch", "evaluate"):
        there = there - {"f0.png", "link.png", "hard.png"}  # no frames there
    plain = os.path.normpath(value)
    is_folder = name == "--out" and call.name != "fuse"
    is_taken = plain in there and not (plain == "empty" and is_folder)
    free = "\1" if is_taken else "*" if plain in (".", "*.png", "**") else plain
    free = free.replace("[", "[[]")
    made = (*call.made, free, f"{free}*", f"{free}/*", f"*{free}", "[[]*", "f[0-9]_*", "*/run-*",
            "nothing-there*")  # fmt: skip
    stop = (signal.SIGTERM, 2.0) if call.stop else None
    is_plain = "\0" not in value and "\ud800" not in value
    memory = 1500 if call.is_slow else 700
    how = How(nobody=value in ("/", ".."), seconds=30, stop=stop, memory=memory)
    codes = (0, 1, 2, 3, 130) if is_plain else (1, 2, 3, 130)
    title = f"{name} {value!r:.40}{' over' if overwrites else ''}"
    return Case(f"option/{call.name}", title, prepare, codes, made, how,
                _number_is_refused(value) if _is_number(param) else None)  # fmt: skip


#: What is never replaced, and what is only if that is asked for.
_KEPT = frozenset({
    "pipe", "pipe.png", "socket", "socket.png", "loop", "loop.png", "broken.png", "empty", "f0.png",
    "link.png", "hard.png", "..", "/",
})  # fmt: skip
_THERE = _KEPT | {
    "empty.png",
    "noise",
    "noise.png",
    "text.txt",
    "sparse.png",
    "sparse.tif",
    "sparse.json",
    "zip.png",
}


def _is_number(param: click.Parameter) -> bool:
    return isinstance(param.type, (click.types.IntParamType, click.types.FloatParamType))


def _number_is_refused(value: str) -> Callable[[Path, Ran], str | None] | None:
    """Return a look at whether what is no number was taken for one."""
    if value not in ("nan", "-nan", "inf", "-inf", "1e999", "-1e999", "²", "0x10", "x", "None", "½",
                     "true", "1/2", "1,5", "_1", "1__0", "[1]", "1;2", "1..2"):  # fmt: skip
        return None
    return lambda _, ran: None if ran.code == 2 else f"{value} was taken, code {ran.code}"


def corpus() -> Iterator[Case]:
    """Yield a part of them, each option with a few values; `drawn` gives any."""
    for n, case in enumerate(option_cases()):
        if n % (401 if "train" in case.kind or "export" in case.kind else 29) == 0:
            yield case


_every: list[Case] = []


def drawn(chance: random.Random) -> Case:
    """Return one of them."""
    if not _every:
        _every.extend(option_cases())
    quick = shutil.which("false") is not None  # torch takes seconds: seldom
    while True:
        case = chance.choice(_every)
        if not quick or "train" not in case.kind or chance.random() < 0.05:
            return case
