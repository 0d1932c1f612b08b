"""Processes that may have little, and users who may do little."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fuzz.case import Case, How
from fuzz.faces import is_written, many
from fuzz.made import bytes_of, fuse, lay, lay_batch, stack, zarr_at

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


#: Sizes between those that matter, which nobody has chosen.
_SIZES: Mapping[str, tuple[int, ...]] = {
    "RLIMIT_STACK": (192 * 1024, 512 * 1024, 2**20), "RLIMIT_NOFILE": (16, 40, 64),
    "RLIMIT_FSIZE": (1, 2000, 5000), "RLIMIT_DATA": tuple(n * 2**20 for n in (
        30, 45, 90, 150, 180, 200, 220, 300, 350, 600)),
    "RLIMIT_AS": tuple(n * 2**20 for n in (300, 350, 400, 450, 600, 700, 1000)),
}  # fmt: skip


def others() -> Iterator[Case]:
    """Yield processes of every face that may have little."""
    for name, sizes in _SIZES.items():
        for n, size in enumerate(sizes):
            for m, (what, call) in enumerate(_FACES.items()):
                if (n + m) % 2 and what != "fuse":
                    continue
                how = How(exec=True, limits={name: size}, seconds=60, memory=900)
                yield Case("limits", f"{name} {size} {what}", call, (0, 1, 2, 3), ("out*", "out/*"),
                           how)  # fmt: skip
    for threads in (0, 1, 3, 8):  # of one user; root may have any
        for what in ("fuse", "systems", "metrics"):
            how = How(nobody=True, limits={"RLIMIT_NPROC": threads}, seconds=60)
            yield Case("limits", f"RLIMIT_NPROC {threads} {what} nobody", _FACES[what],
                       (0, 1, 2), ("out*",), how)  # fmt: skip


def _network(folder: Path) -> list[str]:
    return ["fuse", *lay(folder), "-o", "out.png", "--align", "auto", "--layers", "out.psd"]


def _measured(folder: Path) -> list[str]:
    one, two, three = lay(folder)
    return ["metrics", "--fused", one, "--sources", two, three]


def _workers(folder: Path) -> list[str]:
    lay_batch(folder)
    return ["batch", "in", "out", "--workers", "2", "--system", "guided"]


def _volume(folder: Path) -> list[str]:
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    return fuse(["a.zarr"], "--depth-map", out="out.ome.tif")


_FACES: Mapping[str, Callable[[Path], list[str]]] = {
    "fuse": _network, "systems": lambda _: ["systems"], "metrics": _measured,
    "workers": _workers, "volume": _volume, "check": lambda _: ["systems", "check", "guided"],
}  # fmt: skip


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


def closed_pairs(folder: Path) -> list[str]:
    """Lay a set to be evaluated, and return the words that do it."""
    for name in "AB":
        (folder / "d" / name).mkdir(parents=True)
        for n, frame in enumerate(stack(2, 60, 60)):
            (folder / "d" / name / f"p{n}.png").write_bytes(bytes_of(frame, ".png"))
    return ["evaluate", "--data", "d", "--out", "out", "--systems", "guided", "--no-plots",
            "--metrics", "Q_MI"]  # fmt: skip


def _closed_zarr(folder: Path) -> list[str]:
    zarr_at(folder / "a.zarr", stack(3, channels=1))
    return fuse(["a.zarr"], out="out.ome.tif")


def _closed_planes(folder: Path) -> list[str]:
    (folder / "d").mkdir()
    for c, z in ((c, z) for c in range(2) for z in range(3)):
        frame = stack(3, channels=1, seed=c)[z]
        (folder / f"d/img_c{c}_z{z}.tif").write_bytes(bytes_of(frame, ".tif"))
    return fuse(["d"], out="out.ome.tif")


def _closed_system(folder: Path) -> list[str]:
    from panfocus.systems import registry

    shutil.copytree(registry.BUNDLED / "dualpath-5", folder / "own")
    return ["fuse", *lay(folder), "-o", "out.png", "--system", "own", "--device", "cpu",
            "--threads", "1"]  # fmt: skip


def _closed_flat(folder: Path) -> list[str]:
    (folder / "flat").mkdir()
    lay(folder / "flat")
    return fuse(lay(folder), "--flat-field", "flat")


def _closed_batch(folder: Path) -> list[str]:
    lay_batch(folder)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided"]


def _closed_out(folder: Path) -> list[str]:
    (folder / "out").mkdir()
    (folder / "out/x.png").touch()
    return _closed_batch(folder)


def _closed_evaluated(folder: Path) -> list[str]:
    (folder / "out").mkdir()
    (folder / "out/scores.csv").touch()
    return closed_pairs(folder)


def _closed_glob(folder: Path) -> list[str]:
    (folder / "d").mkdir()
    lay(folder / "d")
    return fuse(["d/*.png"])


def _closed_synthesized(folder: Path) -> list[str]:
    (folder / "d").mkdir()
    lay(folder / "d")
    return ["synthesize", "d", "--out", "out", "--kind", "hard", "--count", "1"]


def _closed_view(folder: Path) -> list[str]:
    (folder / "d").mkdir()
    lay(folder / "d")
    return ["view", "d", "--no-open", "--keep"]


#: What is closed, and the call that meets it.
_CLOSED: Mapping[str, tuple[str, Callable[[Path], list[str]]]] = {
    "evaluate": ("d", closed_pairs), "evaluate inside": ("d/A", closed_pairs),
    "evaluated": ("out", _closed_evaluated), "zarr": ("a.zarr", _closed_zarr),
    "zarr inside": ("a.zarr/0", _closed_zarr), "planes": ("d", _closed_planes),
    "system": ("own", _closed_system), "flat": ("flat", _closed_flat),
    "batch": ("in", _closed_batch), "batch inside": ("in/s0", _closed_batch),
    "batch out": ("out", _closed_out), "glob": ("d", _closed_glob),
    "synthesize": ("d", _closed_synthesized), "view": ("d", _closed_view),
    "check": ("own", lambda f: (_closed_system(f), ["systems", "check", "own"])[1]),
    "here": (".", lambda f: fuse(lay(f))), "all here": (".", lambda f: (lay(f), fuse(["."]))[1]),
}  # fmt: skip


def closed() -> Iterator[Case]:
    """Yield folders of every face that may not be entered, listed or written."""
    for mode in (0o000, 0o100, 0o400, 0o200, 0o500, 0o600):
        for what, (name, call) in _CLOSED.items():

            def prepare(
                folder: Path, mode: int = mode, name: str = name,
                call: Callable[[Path], list[str]] = call,
            ) -> list[str]:  # fmt: skip
                words = call(folder)
                (folder / name).chmod(mode)
                return words

            stop = (signal.SIGTERM, 2.0) if what == "view" else None
            codes = (0, 1, 2, 3, 130)
            yield Case("rights", f"{what} closed {mode:o}", prepare, codes, ("out*", "out/*"),
                       How(nobody=True, stop=stop))  # fmt: skip


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from limits()
    yield from others()
    yield from rights()
    yield from closed()
