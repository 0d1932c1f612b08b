"""Names that are odd, in every place that takes one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.case import Case, How
from fuzz.made import fuse, lay, lay_batch, stack, zarr_at


def names() -> Iterator[Case]:
    """Yield names that are odd: as frames, outputs, systems, transforms, batches."""
    words = {
        "nosuchuser": "~nosuchuser/x", "long": "x" * 300 + ".png",
        "deep": "/".join(["y" * 200] * 30),
        "bytes": os.fsdecode(b"\xff\xfe.png"), "loop": "loop", "loop inside": "loop/a.png",
        "broken": "broken.png", "pipe": "pipe.png", "folder": "empty", "newline": "a\nb.png",
        "escape": "\x1b[31mred.png", "brackets": "[", "star": "*", "dots": "..", "root": "/",
        "null": "/dev/null", "through a file": "f0.png/x.png", "control": "\x01\x7f.png",
        "surrogate": "\ud800.png", "right to left": "\u202egnp.exe", "dash": "-x.png",
        "proc": "/proc/self/mem", "tilde": "~", "empty user": "~/nothing-here/x.png",
        "nul": "a\0b.png", "colon": "a:b.png", "spaces": "   ", "unicode": "Ünïcödé 写真.png",
    }  # fmt: skip
    for about, word in words.items():
        for place, call in _PLACES.items():
            exec_ = "\0" not in word and "\ud800" not in word and about in ("bytes", "nosuchuser")
            made = (
                "out*",
                "out/*",
                "out/.panfocus/*",
                "*.png",
                "*.tif",
                "*/*.png",
                word,
                f"{word}*",
                f"{word}/*",
                "nothing-here/*",
                "report.*",
                ".panfocus/*",
                "s?.tif",  # in the home folder
                "nothing.png/*",  # where a link of that name leads
            )
            yield Case(
                f"names/{place}",
                about,
                _with_odd(call, word),
                codes=(0, 1, 2, 3),
                made=made,
                # the root of the file system is not ours to write into
                how=How(exec=exec_, nobody=word == "/"),
            )


def _with_odd(call: Callable[[Path, str], list[str]], word: str) -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        (folder / "loop").symlink_to("loop")
        (folder / "broken.png").symlink_to("nothing.png")
        (folder / "empty").mkdir()
        os.mkfifo(folder / "pipe.png")
        lay(folder)
        return call(folder, word)

    return prepare


def _batch(folder: Path, *words: str) -> list[str]:
    lay_batch(folder)
    return ["batch", "--workers", "0", "--system", "guided", *words]


_FRAMES = ("f0.png", "f1.png")
_PLACES: dict[str, Callable[[Path, str], list[str]]] = {
    "frame": lambda _, w: ["fuse", "-o", "out.png", "--system", "guided", "--", "f0.png", w],
    "alone": lambda _, w: ["fuse", "-o", "out.tif", "--system", "guided", "--", w],
    "output": lambda _, w: fuse(_FRAMES, out=w),
    "output in": lambda _, w: fuse(_FRAMES, out=f"{w}/out.png"),
    "system": lambda _, w: ["fuse", *_FRAMES, "-o", "out.png", "--system", w],
    "transforms": lambda _, w: fuse(_FRAMES, "--load-transforms", w),
    "map": lambda _, w: fuse(_FRAMES, f"--depth-map={w}"),
    "json": lambda _, w: fuse(_FRAMES, f"--json={w}"),
    "plugin": lambda _, w: fuse(_FRAMES, "--plugin", w),
    "align-only": lambda _, w: ["fuse", *_FRAMES, "--align-only", w],
    "batch in": lambda f, w: _batch(f, "--", w, "out"),
    "batch out": lambda f, w: _batch(f, "--", "in", w),
    "evaluate": lambda _, w: ["evaluate", "--data", w, "--out", "out", "--systems", "guided"],
    "metrics": lambda _, w: ["metrics", "--fused=f0.png", "--", "f1.png", w],
    "export": lambda _, w: ["export", "-o", "out", "--", w],
}


def science() -> Iterator[Case]:
    """Yield outputs of scientific stacks in odd places."""
    for out in ("x" * 300 + ".ome.tif", "~nosuchuser/a.zarr", "\udcff.zarr", "f0.png/a.zarr",
                "loop/a.ome.tif", "loop", "/dev/full", "a\0.zarr"):  # fmt: skip

        def call(folder: Path, out: str = out) -> list[str]:
            (folder / "loop").symlink_to("loop")
            lay(folder)
            zarr_at(folder / "a.zarr", stack(3, channels=1))
            return fuse(["a.zarr"], out=out)

        yield Case(
            "names/science", f"{out!r:.30}", call, made=("*.zarr/*", "*.zarr/*/*", "*.ome.tif")
        )


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from names()
    yield from science()
