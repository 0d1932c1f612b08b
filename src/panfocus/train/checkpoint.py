"""Checkpoints: one safetensors file, whole or not there at all, and nothing in it that can run.

Tensors lie in the file under ``model.*``, ``average.*`` and ``optimiser.<n>.*``; all the rest is
JSON in the file's header. The file is written beside its place and renamed into it, so that a
full disk or a pulled plug leaves the previous one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save
from torch import Tensor, optim

from panfocus import schema
from panfocus.errors import DataError, OutputError
from panfocus.io.atomic import write_atomic
from panfocus.resources.paths import is_file
from panfocus.train.weights import check_sizes, read_tensors

RecipeT = TypeVar("RecipeT")
NAME = "checkpoint.safetensors"
#: What AdamW keeps of each parameter.
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
#: The averaged weights that did best on what was held out, where anything was.
BEST = "best.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A state of training.

    Attributes:
        tensors: by name.
        facts: plain values: step, seconds spent, configuration.
        path: of the file that it was read from, for messages.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    path: Path = Path(NAME)

    def fact(self, name: str) -> Any:  # noqa: ANN401  of the type that `read` has looked at
        """Return a fact that must be there.

        Raises:
            DataError: it is not.
        """
        with damage_told(self.path):
            return schema.item(self.facts, name, "facts")

    def recipe(self, make: Callable[[Mapping[str, Any]], RecipeT]) -> RecipeT:
        """Return the recipe of the run.

        Args:
            make: builds it (`panfocus.train.fields.built`).

        Raises:
            DataError: there is none, or it has a value that it cannot have.
        """
        with damage_told(self.path):
            return make(self.fact("config"))

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors under ``prefix.``, the prefix taken off."""
        head = f"{prefix}."
        return {k.removeprefix(head): v for k, v in self.tensors.items() if k.startswith(head)}


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one piece.

    Raises:
        OutputError: the disk is full or the folder cannot be written; an earlier file stays.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in checkpoint.tensors.items()}
    data = save(tensors, {"panfocus": json.dumps(checkpoint.facts)})
    write_bytes(path, data)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one piece.

    Raises:
        OutputError: it could not be written; what was there stays.
    """
    try:
        write_atomic(path, [data], overwrite=True, is_durable=True)
    except OutputError as error:
        raise OutputError(
            "a training file cannot be written; the previous one, if any, is kept",
            where=str(path),
            expected=f"{len(data) / 1e6:.1f} MB of free space and the right to write",
            got=error.got or error.what,
            remedy="free some space, then continue with --resume",
        ) from error


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DataError: there is none, or it is damaged.
    """
    if not is_file(path):
        raise DataError(
            "there is no checkpoint",
            where=str(path),
            expected="the file that a run keeps its weights in",
            remedy="name the folder that `panfocus train` was given as --out; without --resume it "
            "begins anew",
        )
    with damage_told(path):
        tensors, about = read_tensors(path)
        told = schema.text(schema.item(about, "panfocus"), "panfocus", most=schema.MOST_BYTES)
        return Checkpoint(tensors, _checked(schema.parse(told)), path)


@contextmanager
def damage_told(path: Path) -> Generator[None]:
    """Tell of values that no run has written as of a damaged checkpoint.

    Args:
        path: of the checkpoint.

    Raises:
        DataError: a `SchemaError` was raised.
    """
    try:
        yield
    except schema.SchemaError as error:
        raise DataError(
            "the checkpoint is damaged or not one of panfocus",
            where=error.place(path),
            expected=error.expected,
            got=error.got,
            remedy="train again without --resume, to another --out",
        ) from None


def _checked(value: object) -> Mapping[str, Any]:
    """Return facts whose values are of the types that every reader expects."""
    facts = schema.record(value, "facts")
    for name, check in _FACTS.items():
        if name in facts:
            check(facts[name], f"facts.{name}")
    return facts


def _precision(value: object, where: str) -> None:
    told = schema.record(value, where)
    schema.choice(schema.item(told, "name", where), f"{where}.name", ("float32", "bfloat16"))
    schema.truth(schema.item(told, "channels_last", where), f"{where}.channels_last")
    if len(told) > len(("name", "channels_last")):
        raise schema.SchemaError(where, "name and channels_last", schema.said(told))


def _figures(value: object, where: str) -> None:
    for name, figure in schema.record(value, where).items():
        schema.number(figure, f"{where}.{name}")


#: What the facts of a run may tell, each by its check; the recipe is looked at by its program.
_FACTS: Mapping[str, Callable[[object, str], object]] = {
    "system": schema.text,
    "config": schema.record,
    "step": lambda value, where: schema.whole(value, where, 0, 10**12),
    "seconds": lambda value, where: schema.number(value, where, 0, 1e10),
    "seed": lambda value, where: schema.whole(value, where, 0, 2**32 - 1),
    "world": lambda value, where: schema.whole(value, where, 1, 10**6),
    "precision": _precision,
    "held_out": _figures,
    "averaged": _figures,
    "teacher": schema.record,
}


def best(run: Path) -> Checkpoint:
    """Read the averaged weights of a run: the best of it, or the last where none were judged.

    Raises:
        DataError: there is none, or it is damaged.
    """
    path = run / BEST
    return read(path if is_file(path) else run / NAME)


def optimiser_tensors(optimiser: optim.Optimizer) -> dict[str, Tensor]:
    """Flatten an optimiser's state to ``optimiser.<parameter>.<name>``."""
    state: dict[int, dict[str, Tensor]] = optimiser.state_dict()["state"]
    return {f"optimiser.{n}.{k}": v for n, held in state.items() for k, v in held.items()}


def restore_optimiser(optimiser: optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` gave (without the leading ``optimiser.``).

    Raises:
        SchemaError: it is of other parameters.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    known = {name.partition(".")[0] for name in tensors}  # what has no gradient has no moments
    sizes = {
        f"{n}.{key}": () if key == "step" else tuple(parameter.shape)
        for n, parameter in enumerate(parameters)
        for key in _MOMENTS
        if str(n) in known
    }
    check_sizes(tensors, sizes, "optimiser")
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
