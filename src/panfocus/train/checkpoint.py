"""Checkpoints: one safetensors file, whole or not there at all, and nothing in it that can run.

Tensors lie in the file under ``model.*``, ``average.*`` and ``optimiser.<n>.*``; all the rest is
JSON in the file's header. The file is written beside its place and renamed into it, so that a
full disk or a pulled plug leaves the previous one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, optim

from panfocus.errors import DataError, OutputError
from panfocus.io.atomic import keep_access

NAME = "checkpoint.safetensors"
#: The averaged weights that did best on what was held out, where anything was.
BEST = "best.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A state of training.

    Attributes:
        tensors: by name.
        facts: plain values: step, seconds spent, configuration.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

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
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        keep_access(partial, path)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            "a training file cannot be written; the previous one, if any, is kept",
            where=str(path),
            expected=f"{len(data) / 1e6:.1f} MB of free space and the right to write",
            got=error.strerror or str(error),
            remedy="free some space, then continue with --resume",
        ) from error


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DataError: there is none, or it is damaged.
    """
    if not path.is_file():
        raise DataError(
            "there is no checkpoint to go on from",
            where=str(path),
            remedy="train without --resume, or give the --out of the interrupted run",
        )
    try:
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        facts = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["panfocus"])
        return Checkpoint(load(data), facts)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(
            "the checkpoint is damaged or not one of panfocus",
            where=str(path),
            got=str(error),
            remedy="train again without --resume, to another --out",
        ) from error


def best(run: Path) -> Checkpoint:
    """Read the averaged weights of a run: the best of it, or the last where none were judged.

    Raises:
        DataError: there is none, or it is damaged.
    """
    path = run / BEST
    return read(path if path.is_file() else run / NAME)


def optimiser_tensors(optimiser: optim.Optimizer) -> dict[str, Tensor]:
    """Flatten an optimiser's state to ``optimiser.<parameter>.<name>``."""
    state: dict[int, dict[str, Tensor]] = optimiser.state_dict()["state"]
    return {f"optimiser.{n}.{k}": v for n, held in state.items() for k, v in held.items()}


def restore_optimiser(optimiser: optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` gave (without the leading ``optimiser.``)."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
