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

from fuzz.case import Case, How
from fuzz.made import bytes_of, stack
from fuzz.outside import ODD

#: Scenes to learn from, of which one is held out, and their sides in pixels.
_SCENES, _SIDE = 5, 200
SYSTEMS = ("dualpath", "drpl")
HOW = How(seconds=60, memory=2000)
MADE = ("out/*", "out2/*", "sys/*")
#: What a recipe's value may be asked to be, besides what most cannot be.
SET = (
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


def lay_run(folder: Path, system: str) -> None:
    """Copy what a training has left into the folder."""
    shutil.copytree(_run(system), folder, dirs_exist_ok=True)


#: What is done with a run: resumed, exported, averaged, begun from.
DOINGS: dict[str, Callable[[str], list[str]]] = {
    "resumed": lambda system: train(system, "--resume", steps=2),
    "exported": lambda _: ["export", "out", "-o", "sys"],
    "averaged": lambda _: ["train", "average", "--part", "out=1", "--part", "two=1", "-o", "out2"],
    "begun from": lambda system: [word if word != "out" else "out2" for word in train(
        system, "--init", "out/system") if word not in ("--recipe", "published-short")],
}  # fmt: skip


def done(folder: Path, system: str, doing: str) -> list[str]:
    """Lay what else it needs into the folder; return the words that do something with a run."""
    if doing == "averaged":
        shutil.copytree(_run(system) / "out", folder / "two")
    words = DOINGS[doing](system)
    if doing == "begun from" and system == "dualpath":
        at = words.index("--set")  # a system is adapted by its own recipe
        del words[at : at + 2]
    return words


# --- values of a recipe


def keys(system: str) -> list[str]:
    """Return what `--set` can name of a recipe, and what it cannot."""
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
        lay_run(folder, system)
        shutil.rmtree(folder / "out")
        return train(system, "--set", f"{key}={value}")

    codes = (1, 2) if value.lower().lstrip("-") in _NONE else (0, 1, 2)
    return Case(f"training/set {system}", f"{key}={value:.20}", prepare, codes, MADE, HOW)


def config_case(seed: int) -> Case:
    """Return a case: the file of a recipe has an odd value, or lacks one."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"recipe {seed}")
        lay_run(folder, "dualpath")
        told = json.loads((folder / "out/run.json").read_text())
        told = told["config"] if chance.random() < 0.5 else told
        spoil(told, chance)
        shutil.rmtree(folder / "out")
        (folder / "r.json").write_text(json.dumps(told))
        return train("dualpath", "--config", "r.json")

    return Case("training/config", str(seed), prepare, (0, 1, 2), MADE, HOW)


def spoil(told: Any, chance: random.Random) -> None:
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
        lay_run(folder, system)
        words = done(folder, system, doing)

        def change(tensors: dict[str, Any], _: dict[str, str]) -> None:
            groups = sorted({name.split(".")[0] for name in tensors})
            group = chance.choice(groups)
            name = chance.choice(sorted(n for n in tensors if n.startswith(group)))
            _change_one(tensors, name, group, chance)

        _tensors(folder, _weights(folder, doing), change)
        return words

    return Case(f"training/tensors {system}", f"{doing} {seed}", prepare, (0, 1, 2), MADE, HOW)


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
        lay_run(folder, system)
        words = done(folder, system, doing)
        if doing == "begun from":
            path = folder / "out/system/card.json"
            card = json.loads(path.read_text())
            spoil(card["recipe"] if chance.random() < 0.7 else card, chance)
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
                spoil(told, chance)
            facts["panfocus"] = json.dumps(told)

        _tensors(folder, name, change)
        return words

    return Case(f"training/facts {system}", f"{doing} {seed}", prepare, (0, 1, 2), MADE, HOW)
