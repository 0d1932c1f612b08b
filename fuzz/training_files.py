"""What lies in the folder of a training run: other things in its place, a full disk, signals."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from fuzz import training
from fuzz.case import Case, How, Ran
from fuzz.doors import KINDS, TEXTS
from fuzz.training import DOINGS, HOW, MADE, SYSTEMS, done, lay_run, spoil, train

#: Files of a run, and what reads them.
_FILES = {
    "out/checkpoint.safetensors": ("resumed", "exported"),
    "out/best.safetensors": ("resumed", "exported", "averaged"),
    "out/run.json": ("resumed", "exported"),
    "out/log.csv": ("resumed",), "out/report.json": ("begun from",),
    "out/system/card.json": ("begun from", "resumed"),
    "out/system/model.safetensors": ("begun from", "resumed"),
    "out/system/model.onnx": ("begun from", "resumed"),
    "out/pictures": ("resumed",), "out/tensorboard": ("resumed",), "out/material": ("resumed",),
    "out/left_out.txt": ("resumed",), "out": ("resumed", "exported", "begun from"),
    "out/system": ("resumed", "begun from"), "sys": ("exported",), "sys/card.json": ("exported",),
    "sys/model.onnx": ("exported",), "out2": ("averaged", "begun from"),
    "out2/run.json": ("begun from",), "out2/system": ("begun from",),
    "out2/log.csv": ("begun from",),
    "out2/material": ("begun from",), "out2/checkpoint.safetensors": ("averaged",),
    "out2/tensorboard": ("begun from",), "out2/pictures": ("begun from",),
    "d/A/p0.png": ("resumed",), "d": ("resumed",), "d/A": ("resumed",), "d/odd.png": ("resumed",),
    "d/A/odd.tif": ("resumed",), "d/A/odd": ("resumed",),
}  # fmt: skip


def file_case(system: str, name: str, doing: str, what: str) -> Case:
    """Return a case: in place of a file or folder of a run lies something else."""

    def prepare(folder: Path) -> list[str]:
        lay_run(folder, system)
        words = done(folder, system, doing)
        path = folder / name
        sound = path.read_bytes() if path.is_file() else b"{}"
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if what in KINDS:
            KINDS[what](path)
        else:
            path.write_bytes(TEXTS[what](sound))
        return words

    return Case(f"training/file {system}", f"{name} {doing} {what}", prepare, (0, 1, 2), MADE,
                HOW)  # fmt: skip


def material_case(seed: int) -> Case:
    """Return a case: what an earlier run has kept of its material is damaged."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"material {seed}")
        lay_run(folder, "dualpath")
        kept = sorted((folder / "out/material").iterdir())
        path = chance.choice(kept)
        if chance.random() < 0.6 and path.suffix == ".json":
            told = json.loads(path.read_text())
            spoil(told, chance)
            if chance.random() < 0.5:
                told["has_pictures"] = True
            path.write_text(json.dumps(told))
        else:
            what = chance.choice((*KINDS, *TEXTS))
            sound = path.read_bytes()
            path.unlink()
            KINDS[what](path) if what in KINDS else path.write_bytes(TEXTS[what](sound))
        return train("dualpath", "--resume", steps=2)

    return Case("training/material", str(seed), prepare, (0, 1, 2), MADE, HOW)


def little_case(system: str, doing: str, size: int) -> Case:
    """Return a case: no file may be longer than this; what was there stays."""

    def prepare(folder: Path) -> list[str]:
        lay_run(folder, system)
        return done(folder, system, doing)

    how = How(exec=True, limits={"RLIMIT_FSIZE": size}, seconds=60, memory=2000)
    return Case(f"training/little {system}", f"{doing} {size}", prepare, (0, 1, 2), MADE, how,
                _whole)  # fmt: skip


def stopped_case(system: str, doing: str, number: int, after: float) -> Case:
    """Return a case: a signal comes."""

    def prepare(folder: Path) -> list[str]:
        lay_run(folder, system)
        words = done(folder, system, doing)
        return [word if word != "2" else "400" for word in words]

    how = How(exec=True, stop=(number, after), seconds=60, memory=2000)
    codes = (0, 130, -number, 128 + number)
    return Case(f"training/stopped {system}", f"{doing} {number} {after:.1f}", prepare, codes,
                MADE, how, _whole)  # fmt: skip


def _whole(folder: Path, _: Ran) -> str | None:
    from safetensors.numpy import load

    for path in folder.rglob("*"):
        if path.name.endswith((".partial", ".part")) or path.name.startswith(".panfocus"):
            return f"{path.name} is left"
        try:
            if path.suffix == ".safetensors":
                load(path.read_bytes())
            elif path.suffix == ".json":
                json.loads(path.read_text())
        except Exception as error:
            return f"{path.relative_to(folder)} is half-written: {error}"
    return None


def every() -> Iterator[Case]:
    """Yield all that are listed."""
    for system in SYSTEMS:
        for key in training.keys(system):
            yield from (training.set_case(system, key, value) for value in training.SET)
        for name, doings in _FILES.items():
            for doing in doings:
                yield from (file_case(system, name, doing, what) for what in (*KINDS, *TEXTS))
        for doing in DOINGS:
            yield from (training.tensors_case(system, doing, seed) for seed in range(20))
            yield from (training.facts_case(system, doing, seed) for seed in range(40))
            for size in (0, 100, 5000, 200_000, 3_000_000):
                yield little_case(system, doing, size)
            for n, after in enumerate((0.5, 1.5, 2.5, 3.0, 3.5, 4.0, 5.0)):
                yield stopped_case(system, doing, (2, 15, 1)[n % 3], after)
    yield from (training.config_case(seed) for seed in range(80))
    yield from (material_case(seed) for seed in range(40))


def corpus() -> Iterator[Case]:
    """Yield a part of them; `drawn` gives any."""
    for n, case in enumerate(every()):
        if n % 97 == 0:
            yield case


_every: list[Case] = []


def drawn(chance: random.Random) -> Case:
    """Return one of them, or one that nobody has seen."""
    if not _every:
        _every.extend(every())
    number = chance.randrange(10**9)
    system, doing = chance.choice(SYSTEMS), chance.choice(list(DOINGS))
    return chance.choice((
        chance.choice(_every), training.config_case(number), material_case(number),
        training.tensors_case(system, doing, number), training.facts_case(system, doing, number),
    ))  # fmt: skip
