"""From a scout's checkpoint to the files that the product runs."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from panfocus.errors import OutputError
from panfocus.systems.providers import runtime
from panfocus.systems.scout.evidence import MEASURES
from panfocus.train import checkpoint as checkpoints
from panfocus.train.export import onnx_of
from panfocus.train.scout.network import ExportedScout, ScoutNet
from panfocus.train.system_files import write_system

#: Largest difference of a share between the network here and its export.
TOLERANCE = 1e-4


def pack(run: Path, out: Path, data: str) -> Path:
    """Write the scout of the run in a folder.

    Args:
        run: folder of the training.
        out: folder to write; files of the same names are replaced.
        data: what it was trained on, in words.

    Raises:
        DataError: no checkpoint, or one of another network.
        OutputError: the export answers differently, or cannot be written.
    """
    held = checkpoints.read(run / checkpoints.NAME)
    net = {name.removeprefix("net."): t for name, t in held.group("average").items()}
    told = {"training_steps": held.fact("step"), "seed": held.fact("seed"), **held.fact("recipe")}
    return write(net, out, {"data": data, "recipe": told})


def write(weights: Mapping[str, Tensor], out: Path, told: Mapping[str, object]) -> Path:
    """Write weights of a `ScoutNet` as the product runs them, with what the card tells."""
    net = ScoutNet()
    net.load_state_dict(dict(weights))
    exported = ExportedScout(net).eval()
    free = {0: "number", 1: "height", 2: "width"}
    seen = {0: "number", 2: "height", 3: "width"}
    example = torch.rand(4, MEASURES, 24, 40)
    model = onnx_of(exported, example, "measures", "shares", {"measures": seen, "shares": free})
    _check(model, exported, out)
    card = {
        "name": "scout",
        "title": "Names the frames that can matter in a place; OURS, of neither paper",
        "sha256": hashlib.sha256(model).hexdigest(),
        "licence": "MIT",
        "trained_by": f"panfocus, {datetime.datetime.now(datetime.UTC).date().isoformat()}",
        **told,
    }
    files = {
        "model.onnx": model,
        "model.safetensors": save({k: v.contiguous() for k, v in weights.items()}),
        "card.json": (json.dumps(card, indent=2) + "\n").encode(),
    }
    write_system(out, files)
    return out


def _check(model: bytes, exported: ExportedScout, out: Path) -> None:
    session = runtime().InferenceSession(model, providers=["CPUExecutionProvider"])
    for count, height, width in ((2, 9, 14), (3, 33, 40), (17, 20, 7)):
        measures = torch.rand(count, MEASURES, height, width)
        with torch.no_grad():
            expected = exported(measures).numpy()
        made = np.asarray(session.run(["shares"], {"measures": measures.numpy()})[0])
        worst = float(np.abs(made - expected).max()) if made.shape == expected.shape else 1.0
        if worst > TOLERANCE:
            raise OutputError(
                "the exported scout answers differently",
                where=str(out),
                expected=f"shares within {TOLERANCE:g}",
                got=f"{worst:g} apart",
                remedy="report this with the versions of torch and onnxruntime",
            )
