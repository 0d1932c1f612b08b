"""Files of the small networks that help those which decide, as the product runs them."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from panfocus.errors import OutputError
from panfocus.systems.providers import runtime
from panfocus.train import checkpoint as checkpoints
from panfocus.train.export import onnx_of
from panfocus.train.system_files import write_system

#: Largest difference between the network here and its export.
TOLERANCE = 1e-4

#: From weights, a folder and what the card tells to the folder, with the files in it.
Write = Callable[[Mapping[str, Tensor], Path, Mapping[str, object]], Path]


@dataclass(frozen=True)
class Interface:
    """What a network takes and answers.

    Attributes:
        asked: name of its input.
        answer: name of its output.
        free: by these names, which sides may have any length, and what they are called.
        examples: inputs of several shapes; the first is exported with, all are compared.
    """

    asked: str
    answer: str
    free: Mapping[str, Mapping[int, str]]
    examples: Sequence[Tensor]


def pack_run(
    run: Path,
    out: Path,
    data: str,
    write: Write,
) -> Path:
    """Write the averaged weights of a run, and return the folder.

    Args:
        run: folder of the training.
        out: folder to write; files of the same names are replaced.
        data: what it was trained on, in words.
        write: writes the files.

    Raises:
        DataError: no checkpoint, or one of another network.
        OutputError: the export answers differently, or cannot be written.
    """
    held = checkpoints.read(run / checkpoints.NAME)
    net = {name.removeprefix("net."): t for name, t in held.group("average").items()}
    told = {"training_steps": held.fact("step"), "seed": held.fact("seed"), **held.fact("recipe")}
    return write(net, out, {"data": data, "recipe": told})


def write_helper(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    out: Path,
    interface: Interface,
    told: Mapping[str, object],
) -> Path:
    """Write network, weights and card into a folder.

    Args:
        network: with its weights, for evaluation.
        weights: what is kept of it beside the export.
        out: folder to write; files of the same names are replaced.
        interface: of the network.
        told: what the card tells, name first.

    Raises:
        OutputError: the export answers differently, or cannot be written.
    """
    example = interface.examples[0]
    model = onnx_of(network, example, interface.asked, interface.answer, interface.free)
    _check(model, network, interface, out)
    card = {
        **told,
        "sha256": hashlib.sha256(model).hexdigest(),
        "licence": "MIT",
        "trained_by": f"panfocus, {datetime.datetime.now(datetime.UTC).date().isoformat()}",
    }
    files = {
        "model.onnx": model,
        "model.safetensors": save({k: v.contiguous() for k, v in weights.items()}),
        "card.json": (json.dumps(card, indent=2) + "\n").encode(),
    }
    write_system(out, files)
    return out


def _check(model: bytes, network: nn.Module, interface: Interface, out: Path) -> None:
    session = runtime().InferenceSession(model, providers=["CPUExecutionProvider"])
    for example in interface.examples:
        with torch.no_grad():
            expected = network(example).numpy()
        answered = session.run([interface.answer], {interface.asked: example.numpy()})[0]
        made = np.asarray(answered)
        worst = float(np.abs(made - expected).max()) if made.shape == expected.shape else 1.0
        if worst > TOLERANCE:
            raise OutputError(
                "the exported network answers differently",
                where=str(out),
                expected=f"{interface.answer} within {TOLERANCE:g}",
                got=f"{worst:g} apart",
                remedy="report this with the versions of torch and onnxruntime",
            )
