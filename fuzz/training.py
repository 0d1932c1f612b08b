"""Training, exporting and averaging: recipes, checkpoints, records and folders that others made."""

from __future__ import annotations

import atexit
import functools
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How, Ran
from fuzz.doors import KINDS, TEXTS
from fuzz.made import bytes_of, stack
from fuzz.outside import ODD

#: Scenes to learn from, of which one is held out, and their sides in pixels.
_SCENES, _SIDE = 5, 200
_SYSTEMS = ("dualpath", "drpl")
_HOW = How(seconds=60, memory=2000)
_MADE = ("out/*", "out2/*", "sys/*")
#: What a recipe's value may be asked to be, besides what most cannot be.
_SET = (
    "", "null", "true", "-1", "0", "2", "1.5", "NaN", "nan", "Infinity", "1e999", "-1e999", "1e300",
    "1e-320", "9" * 400, "9" * 5000, "x", "²", "[]", "[1]", "[null]", "[[[1]]]", "[" * 2000,
    "{}", '{"a":1}', '"1"', ",", "1,2,3,4", "1,x", "=", "-5,5", "5,1", "nan,nan", "1000000,2000000",
)  # fmt: skip
#: What no number is, in any recipe.
_NONE = ("nan", "infinity", "1e999", "nan,nan")


def scenes(folder: Path) -> None:
    """Write pairs to learn from."""
    for name in "AB":
        (folder / "d" / name).mkdir(parents=True)
    for seed in range(_SCENES):
        for name, frame in zip("AB", stack(2, _SIDE, _SIDE, seed=seed), strict=True):
            (folder / "d" / name / f"p{seed}.png").write_bytes(bytes_of(frame, ".png"))


def train(system: str, *more: str, steps: int = 1) -> list[str]:
    """Return the words of a short training."""
    data, recipe = ("d", ("--set", "size=32")) if system == "dualpath" else (
        "d/A", ("--recipe", "published-short"))  # fmt: skip
    return ["train", system, "--data", data, "--steps", str(steps), "--out", "out", "--threads",
            "1", "--precision", "float32", *recipe, *more]  # fmt: skip


@functools.cache
def _run(system: str) -> Path:
    """Return a folder in which a short training has ended, made once."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    scenes(folder)
    subprocess.run([sys.executable, "-m", "panfocus", *train(system)], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return folder


def _lay(folder: Path, system: str) -> None:
    shutil.copytree(_run(system), folder, dirs_exist_ok=True)


#: What is done with a run: resumed, exported, averaged, begun from.
DOINGS: dict[str, Callable[[str], list[str]]] = {
    "resumed": lambda system: train(system, "--resume", steps=2),
    "exported": lambda _: ["export", "out", "-o", "sys"],
    "averaged": lambda _: ["train", "average", "--part", "out=1", "--part", "two=1", "-o", "out2"],
    "begun from": lambda system: [word if word != "out" else "out2" for word in train(
        system, "--init", "out/system") if word not in ("--recipe", "published-short")],
}  # fmt: skip


def _done(folder: Path, system: str, doing: str) -> list[str]:
    if doing == "averaged":
        shutil.copytree(_run(system) / "out", folder / "two")
    words = DOINGS[doing](system)
    if doing == "begun from" and system == "dualpath":
        at = words.index("--set")  # a system is adapted by its own recipe
        del words[at : at + 2]
    return words


# --- values of a recipe


def _keys(system: str) -> list[str]:
    if system == "drpl":
        from panfocus.train.drpl import config

        told = config.PUBLISHED.to_dict()
    else:
        from dataclasses import asdict

        from panfocus.train.dualpath import recipes

        told = asdict(recipes.recipe("dualpath"))
    flat = [f"{k}.{part}" for k, v in told.items() if isinstance(v, dict) for part in v]
    return [*flat, *(k for k, v in told.items() if not isinstance(v, dict)), "nothing", "odds", ""]


def set_case(system: str, key: str, value: str) -> Case:
    """Return a case: `--set` asks for an odd value."""

    def prepare(folder: Path) -> list[str]:
        _lay(folder, system)
        shutil.rmtree(folder / "out")
        return train(system, "--set", f"{key}={value}")

    codes = (1, 2) if value.lower().lstrip("-") in _NONE else (0, 1, 2)
    return Case(f"training/set {system}", f"{key}={value:.20}", prepare, codes, _MADE, _HOW)


def config_case(seed: int) -> Case:
    """Return a case: the file of a recipe has an odd value, or lacks one."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"recipe {seed}")
        _lay(folder, "dualpath")
        told = json.loads((folder / "out/run.json").read_text())
        told = told["config"] if chance.random() < 0.5 else told
        _spoil(told, chance)
        shutil.rmtree(folder / "out")
        (folder / "r.json").write_text(json.dumps(told))
        return train("dualpath", "--config", "r.json")

    return Case("training/config", str(seed), prepare, (0, 1, 2), _MADE, _HOW)


def _spoil(told: Any, chance: random.Random) -> None:
    """Put something odd at a place of its own, or take away what is there."""
    places = [(of, key) for of, key in _places(told)]
    of, key = chance.choice(places)
    if chance.random() < 0.15:
        del of[key]
    else:
        of[key] = chance.choice((*ODD, 2**31, -(2**63), 1e-320, float("nan"), float("inf"), [2**40],
                                 [0.5, "x"], [[1, 2], [3]], "guided"))  # fmt: skip


def _places(told: Any) -> Iterator[tuple[Any, Any]]:
    entries = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(
        told, list) else ()  # fmt: skip
    for key, value in entries:
        yield told, key
        yield from _places(value)


# --- checkpoints, cards and weights


def _tensors(
    folder: Path, name: str, change: Callable[[dict[str, Any], dict[str, str]], None]
) -> None:
    """Write a safetensors file anew, with other tensors or facts."""
    from safetensors import safe_open
    from safetensors.numpy import load, save

    path = folder / name
    tensors = load(path.read_bytes())
    with safe_open(path, "numpy") as file:
        facts = dict(file.metadata() or {})
    change(tensors, facts)
    path.write_bytes(save(tensors, facts or None))


def tensors_case(system: str, doing: str, seed: int) -> Case:
    """Return a case: tensors are missing, of another shape, dtype or name, or no numbers."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"tensors {seed}")
        _lay(folder, system)
        words = _done(folder, system, doing)

        def change(tensors: dict[str, Any], _: dict[str, str]) -> None:
            groups = sorted({name.split(".")[0] for name in tensors})
            group = chance.choice(groups)
            name = chance.choice(sorted(n for n in tensors if n.startswith(group)))
            _change_one(tensors, name, group, chance)

        _tensors(folder, _weights(folder, doing), change)
        return words

    return Case(f"training/tensors {system}", f"{doing} {seed}", prepare, (0, 1, 2), _MADE, _HOW)


def _change_one(tensors: dict[str, Any], name: str, group: str, chance: random.Random) -> None:
    one = tensors[name]
    what = chance.randrange(10)
    if what == 0:
        del tensors[name]
    elif what == 1:
        tensors[name] = one.reshape(-1)[:-1].copy()
    elif what == 2:
        tensors[name] = one.astype(chance.choice((np.float64, np.int64, np.uint8, np.float16)))
    elif what == 3:
        tensors[name] = np.full_like(one, np.nan) if one.dtype.kind == "f" else one
    elif what == 4:
        tensors[f"{group}.x"] = one
    elif what == 5:
        tensors[name] = np.zeros((0,), one.dtype)
    elif what == 6:
        for other in [n for n in tensors if n.startswith(group)]:
            del tensors[other]
    elif what == 7:
        tensors[f"{group}.\n\x1b[31m"] = tensors.pop(name)
    elif what == 8:
        tensors["optimiser.x.y"] = one
    else:
        tensors[name] = one[..., None] if one.ndim else np.zeros((3, 3), one.dtype)


def _weights(folder: Path, doing: str) -> str:
    if doing == "begun from":
        return "out/system/model.safetensors"
    name = (
        "checkpoint"
        if doing == "resumed" or not (folder / "out/best.safetensors").is_file()
        else "best"
    )
    return f"out/{name}.safetensors"


def facts_case(system: str, doing: str, seed: int) -> Case:
    """Return a case: a fact of a checkpoint is odd, or missing, or the card's recipe is."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"facts {seed}")
        _lay(folder, system)
        words = _done(folder, system, doing)
        if doing == "begun from":
            path = folder / "out/system/card.json"
            card = json.loads(path.read_text())
            _spoil(card["recipe"] if chance.random() < 0.7 else card, chance)
            path.write_text(json.dumps(card))
            return words
        name = _weights(folder, doing)

        def change(_: dict[str, Any], facts: dict[str, str]) -> None:
            if chance.random() < 0.1:
                facts["panfocus"] = chance.choice(("", "null", "[]", "1", "{}", "[" * 9000, "{"))
                return
            told = json.loads(facts["panfocus"])
            if chance.random() < 0.5:  # those of the whole are fewer than the recipe's
                key = chance.choice(sorted(told))
                told[key] = chance.choice(ODD)
            else:
                _spoil(told, chance)
            facts["panfocus"] = json.dumps(told)

        _tensors(folder, name, change)
        return words

    return Case(f"training/facts {system}", f"{doing} {seed}", prepare, (0, 1, 2), _MADE, _HOW)


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
        _lay(folder, system)
        words = _done(folder, system, doing)
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

    return Case(f"training/file {system}", f"{name} {doing} {what}", prepare, (0, 1, 2), _MADE,
                _HOW)  # fmt: skip


def material_case(seed: int) -> Case:
    """Return a case: what an earlier run has kept of its material is damaged."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"material {seed}")
        _lay(folder, "dualpath")
        kept = sorted((folder / "out/material").iterdir())
        path = chance.choice(kept)
        if chance.random() < 0.6 and path.suffix == ".json":
            told = json.loads(path.read_text())
            _spoil(told, chance)
            if chance.random() < 0.5:
                told["has_pictures"] = True
            path.write_text(json.dumps(told))
        else:
            what = chance.choice((*KINDS, *TEXTS))
            sound = path.read_bytes()
            path.unlink()
            KINDS[what](path) if what in KINDS else path.write_bytes(TEXTS[what](sound))
        return train("dualpath", "--resume", steps=2)

    return Case("training/material", str(seed), prepare, (0, 1, 2), _MADE, _HOW)


def little_case(system: str, doing: str, size: int) -> Case:
    """Return a case: no file may be longer than this; what was there stays."""

    def prepare(folder: Path) -> list[str]:
        _lay(folder, system)
        return _done(folder, system, doing)

    how = How(exec=True, limits={"RLIMIT_FSIZE": size}, seconds=60, memory=2000)
    return Case(f"training/little {system}", f"{doing} {size}", prepare, (0, 1, 2), _MADE, how,
                _whole)  # fmt: skip


def stopped_case(system: str, doing: str, number: int, after: float) -> Case:
    """Return a case: a signal comes."""

    def prepare(folder: Path) -> list[str]:
        _lay(folder, system)
        words = _done(folder, system, doing)
        return [word if word != "2" else "400" for word in words]

    how = How(exec=True, stop=(number, after), seconds=60, memory=2000)
    codes = (0, 130, -number, 128 + number)
    return Case(f"training/stopped {system}", f"{doing} {number} {after:.1f}", prepare, codes,
                _MADE, how, _whole)  # fmt: skip


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
    for system in _SYSTEMS:
        for key in _keys(system):
            yield from (set_case(system, key, value) for value in _SET)
        for name, doings in _FILES.items():
            for doing in doings:
                yield from (file_case(system, name, doing, what) for what in (*KINDS, *TEXTS))
        for doing in DOINGS:
            yield from (tensors_case(system, doing, seed) for seed in range(20))
            yield from (facts_case(system, doing, seed) for seed in range(40))
            for size in (0, 100, 5000, 200_000, 3_000_000):
                yield little_case(system, doing, size)
            for n, after in enumerate((0.5, 1.5, 2.5, 3.0, 3.5, 4.0, 5.0)):
                yield stopped_case(system, doing, (2, 15, 1)[n % 3], after)
    yield from (config_case(seed) for seed in range(80))
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
    system, doing = chance.choice(_SYSTEMS), chance.choice(list(DOINGS))
    return chance.choice((
        chance.choice(_every), config_case(number), material_case(number),
        tensors_case(system, doing, number), facts_case(system, doing, number),
    ))  # fmt: skip
