"""Every file that is read besides pictures, in place of which something else lies."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fuzz.case import Case, How
from fuzz.made import bytes_of, fuse, lay, lay_batch, stack, zarr_at

_DEEP = 200_000


@dataclass(frozen=True)
class Door:
    """A file that is read.

    Attributes:
        lay: writes what is sound into the folder; returns the words that have it read.
        path: of the file, from the folder.
        made: what may be written or replaced.
        codes: exit codes that are right.
        slow: whether torch is imported for it.
    """

    lay: Callable[[Path], list[str]]
    path: str
    made: tuple[str, ...] = ("out*", "out/*", "out*/*")
    codes: tuple[int, ...] = (0, 1, 2)
    slow: bool = False


def _system(folder: Path) -> list[str]:
    from panfocus.systems import registry

    shutil.copytree(registry.BUNDLED / "dualpath-5", folder / "own")
    return ["fuse", *lay(folder), "-o", "out.png", "--system", "own", "--threads", "1",
            "--device", "cpu"]  # fmt: skip


def _check(folder: Path) -> list[str]:
    _system(folder)
    return ["systems", "check", "own"]


def _transforms(folder: Path) -> list[str]:
    names = lay(folder)
    _quietly(folder, ["fuse", *names, "-o", "o.png", "--save-transforms", "t.json"])
    return fuse(names, "--load-transforms", "t.json")


def _project(folder: Path) -> list[str]:
    names = lay(folder)
    _quietly(folder, ["fuse", *names, "-o", "o.png", "--save-project", "p.panfocus.json"])
    return ["fuse", "--project", "p.panfocus.json", "-o", "out.png"]


def _volume_project(folder: Path) -> list[str]:
    """Let the strokes of two channels lie in a project."""
    import tifffile

    from panfocus.pipeline.project import Project
    from panfocus.pipeline.volumes.choice import volume_settings
    from panfocus.pipeline.volumes.project import volume_project
    from panfocus.retouch.stroke import FrameSource, Stroke

    planes = stack(3, channels=1, dtype="uint16")
    about = {"axes": "CZYX"}
    tifffile.imwrite(folder / "v.ome.tif", np.stack([planes, planes // 2]), metadata=about)
    strokes = {(0, 0, c): [Stroke("brush", ((9, 9),), FrameSource(c), radius=4)] for c in range(2)}
    made = volume_project(folder / "v.ome.tif", volume_settings(system="guided"), strokes, folder)
    Project(**vars(made)).save(folder / "p.panfocus.json")
    return ["fuse", "--project", "p.panfocus.json", "-o", "out.ome.tif"]


def _manifest(folder: Path) -> list[str]:
    lay_batch(folder)
    (folder / "m.csv").write_text("name,inputs,options\na,in/s0,\nb,in/s1,mode=select\n")
    return ["batch", "m.csv", "out", "--workers", "0", "--system", "guided"]


def _batch_done(folder: Path) -> list[str]:
    lay_batch(folder)
    words = ["batch", "in", "out", "--workers", "0", "--system", "guided"]
    _quietly(folder, words)
    return [*words, "--resume"]


def _zarr(folder: Path) -> list[str]:
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    return fuse(["a.zarr"], out="out.ome.tif")


def _zarr_again(folder: Path) -> list[str]:
    """Let an earlier result be replaced, which is looked at before that."""
    zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
    _quietly(folder, fuse(["a.zarr"], out="out.zarr"))
    return fuse(["a.zarr"], "--overwrite", out="out.zarr")


def _planes(folder: Path) -> list[str]:
    (folder / "planes").mkdir()
    for c in range(2):
        for n, frame in enumerate(stack(3, channels=1, dtype="uint16", seed=c)):
            (folder / f"planes/img_c{c}_z{n}.tif").write_bytes(bytes_of(frame, ".tif"))
    summary = {"Summary": {"z-step_um": 2.0, "PixelSize_um": 0.5}}
    (folder / "planes/metadata.txt").write_text(json.dumps(summary))
    return fuse(["planes"], out="out.ome.tif")


def _evaluated(folder: Path) -> list[str]:
    for name in "AB":
        (folder / "d" / name).mkdir(parents=True)
        for n, frame in enumerate(stack(2, 60, 60)):
            (folder / "d" / name / f"p{n}.png").write_bytes(bytes_of(frame, ".png"))
    (folder / "r").mkdir()
    (folder / "r/results.csv").write_text("image,file\np0,../d/A/p0.png\np1,../d/A/p1.png\n")
    words = ["evaluate", "--data", "d", "--out", "out", "--systems", "guided", "--results",
             "theirs=r", "--no-plots", "--metrics", "Q_MI"]  # fmt: skip
    _quietly(folder, words)
    return words


def _synthesized(folder: Path) -> list[str]:
    (folder / "sharp.png").write_bytes(bytes_of(stack(1, 80, 80)[0], ".png"))
    words = ["synthesize", "sharp.png", "--out", "out", "--kind", "hard", "--count", "1"]
    _quietly(folder, words)
    return [*words, "--overwrite"]


def _plugin(folder: Path) -> list[str]:
    (folder / "own.py").write_text("import panfocus\n")
    return fuse(lay(folder), "--plugin", "own.py")


def _calibrated(option: str) -> Callable[[Path], list[str]]:
    def laid(folder: Path) -> list[str]:
        (folder / "flat.png").write_bytes(bytes_of(stack()[0], ".png"))
        return fuse(lay(folder), option, "flat.png")

    return laid


def _watched(folder: Path) -> list[str]:
    """Let a watch begin and end where an earlier one was."""
    return [*_batch_done(folder)[:-1], "--watch", "--settle", "0", "--idle", "0.5"]


def _recipe(folder: Path) -> list[str]:
    (folder / "recipe.json").write_text("{}")
    return ["train", "dualpath", "--data", "d", "--steps", "1", "--out", "out",
            "--config", "recipe.json"]  # fmt: skip


def _quietly(folder: Path, words: list[str]) -> None:
    """Run panfocus in the folder, for what it leaves there."""
    from panfocus.cli import main

    here, streams = Path.cwd(), [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    os.chdir(folder)
    try:
        for number in (1, 2):
            os.dup2(null, number)
        assert main(words) == 0, words
    finally:
        os.chdir(here)
        for number, stream in zip((1, 2), streams, strict=True):
            os.dup2(stream, number)
            os.close(stream)
        os.close(null)


#: By name; of `made`, the first patterns tell what is the file's own: it may be written anew.
DOORS: dict[str, Door] = {
    "card": Door(_system, "own/card.json"),
    "model": Door(_system, "own/model.onnx"),
    "card checked": Door(_check, "own/card.json"),
    "model checked": Door(_check, "own/model.onnx"),
    "weights checked": Door(_check, "own/model.safetensors"),
    "transforms": Door(_transforms, "t.json"),
    "project": Door(_project, "p.panfocus.json"),
    "volume project": Door(_volume_project, "p.panfocus.json"),
    "manifest": Door(_manifest, "m.csv", codes=(0, 1, 2, 3)),
    "record": Door(_batch_done, "out/.panfocus/stacks/s0.json", codes=(0, 1, 2, 3)),
    "ledger": Door(_batch_done, "out/.panfocus/stacks/.written", codes=(0, 1, 2, 3)),
    "running": Door(_batch_done, "out/.panfocus/running.json", codes=(0, 1, 2, 3)),
    "report": Door(_batch_done, "out/report.json", codes=(0, 1, 2, 3)),
    "table": Door(_batch_done, "out/report.csv", codes=(0, 1, 2, 3)),
    "result": Door(_batch_done, "out/s0.tif", codes=(0, 1, 2, 3)),
    "batch frame": Door(_batch_done, "in/s0/f0.png", codes=(0, 1, 2, 3)),
    "watched record": Door(_watched, "out/.panfocus/stacks/s0.json", codes=(0, 1, 2, 3)),
    "watched report": Door(_watched, "out/report.json", codes=(0, 1, 2, 3)),
    "watched result": Door(_watched, "out/s0.tif", codes=(0, 1, 2, 3)),
    "watched frame": Door(_watched, "in/s0/f0.png", codes=(0, 1, 2, 3)),
    "watched running": Door(_watched, "out/.panfocus/running.json", codes=(0, 1, 2, 3)),
    "zattrs": Door(_zarr, "a.zarr/.zattrs"),
    "zgroup": Door(_zarr, "a.zarr/.zgroup"),
    "zarray": Door(_zarr, "a.zarr/0/.zarray"),
    "zarr.json": Door(_zarr, "a.zarr/zarr.json"),
    "zarr.json inside": Door(_zarr, "a.zarr/0/zarr.json"),
    "chunk": Door(_zarr, "a.zarr/0/1.0.0"),
    "zarr replaced": Door(_zarr_again, "out.zarr/zarr.json"),
    "zarr replaced 2": Door(_zarr_again, "out.zarr/.zattrs"),
    "metadata.txt": Door(_planes, "planes/metadata.txt"),
    "plane": Door(_planes, "planes/img_c0_z1.tif"),
    "scores": Door(_evaluated, "out/scores.csv"),
    "summary": Door(_evaluated, "out/summary.json"),
    "listed": Door(_evaluated, "r/results.csv", codes=(0, 1, 2, 3)),
    "evaluated": Door(_evaluated, "d/A/p0.png", codes=(0, 1, 2, 3)),
    "set": Door(_synthesized, "out/hard-truth/manifest.json"),
    "set's frame": Door(_synthesized, "out/hard/00/f0.png"),
    "plugin": Door(_plugin, "own.py"),
    "flat field": Door(_calibrated("--flat-field"), "flat.png"),
    "dark": Door(_calibrated("--dark"), "flat.png"),
    "recipe": Door(_recipe, "recipe.json", slow=True),
}


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(2**35)


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": _pipe, "folder": Path.mkdir, "loop": lambda p: p.symlink_to(p.name),
    "broken link": lambda p: p.symlink_to("nothing-there"), "32 GiB": _sparse,
    "zero": lambda p: p.symlink_to("/dev/zero"), "full": lambda p: p.symlink_to("/dev/full"),
    "memory": lambda p: p.symlink_to("/proc/self/mem"),
}  # fmt: skip
#: What a file holds in place of what it should; what is sound is given.
TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"", "null": lambda _: b"null", "list": lambda _: b"[]",
    "record": lambda _: b"{}", "text": lambda _: b'"x"', "number": lambda _: b"1",
    "open": lambda _: b"{", "NaN": lambda _: b"NaN", "deep": lambda _: b"[" * _DEEP,
    "deep names": lambda _: b'{"a":' * _DEEP, "digits": lambda _: b"1" * 5000,
    "mark": lambda d: b"\xef\xbb\xbf" + d, "no letters": lambda _: b"\xff\xfe\x00{",
    "16 bits": lambda d: d.decode("latin-1").encode("utf-16"), "zero byte": lambda d: d + b"\0",
    "zeros": lambda d: bytes(len(d)), "twice": lambda d: d + d, "half": lambda d: d[: len(d) // 2],
    "noise": lambda d: random.Random(len(d)).randbytes(2000),
    "one line": lambda d: d.replace(b"\n", b"\r"), "quote": lambda d: b'"' + d,
    "long": lambda _: b"x" * 2**20, "commas": lambda _: b"," * 2**20,
    "digits inside": lambda d: d.replace(b"1", b"9" * 5000),
    "minus": lambda d: d.replace(b": ", b": -"), "empty names": lambda d: d.replace(b'"', b""),
    "nulls": lambda d: d.replace(b": 1", b": null"), "texts": lambda d: d.replace(b": ", b': ""+'),
    "floats": lambda d: d.replace(b"1", b"1e999"), "lists": lambda d: d.replace(b"{", b"[{"),
}  # fmt: skip


def door_case(name: str, what: str) -> Case:
    """Return a case: in place of a file lies something else."""
    door = DOORS[name]

    def prepare(folder: Path) -> list[str]:
        words = door.lay(folder)
        path = folder / door.path
        sound = path.read_bytes() if path.is_file() else b"{}"
        path.unlink(missing_ok=True)
        if what in KINDS:
            KINDS[what](path)
        else:
            path.write_bytes(TEXTS[what](sound))
        return words

    how = How(seconds=20, memory=1500 if door.slow else 700)
    return Case(f"door/{name}", what, prepare, door.codes, door.made, how)


def every() -> Iterator[Case]:
    """Yield every door with everything."""
    for n, name in enumerate(DOORS):
        for m, what in enumerate((*KINDS, *TEXTS)):
            if not DOORS[name].slow or (n + m) % 4 == 0:
                yield door_case(name, what)


def corpus() -> Iterator[Case]:
    """Yield every door with a part of it; `drawn` gives any."""
    for n, case in enumerate(every()):
        if n % 7 == 0:
            yield case


def drawn(chance: random.Random) -> Case:
    """Return one of them."""
    name = chance.choice([one for one in DOORS if not DOORS[one].slow or chance.random() < 0.1])
    return door_case(name, chance.choice((*KINDS, *TEXTS)))
