"""From a trained network to a folder that the torch-free runtime loads.

The folder holds ``model.onnx``, ``model.safetensors`` (the unfolded weights, to train on from)
and ``card.json``. Whatever the network, the exported interface is one: ``frames`` float32
``(N, 3, H, W)`` RGB in [0, 1] in, ``weights`` float32 ``(N, H, W)`` out, non-negative, summing to
1 over N; H and W are free. A system whose card says ``kind = "picture"`` answers with ``picture``
float32 ``(3, H, W)`` instead.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from panfocus import schema
from panfocus.errors import DataError, OutputError, UsageError
from panfocus.resources.paths import as_path, is_file
from panfocus.systems import BUNDLED
from panfocus.systems.card import Card
from panfocus.systems.providers import runtime
from panfocus.train.system_files import WEIGHTS, write_system
from panfocus.train.weights import read_tensors

OPSET = 17
#: What a network's output is called, by the kind of its card.
ANSWERS = {"decision": "weights", "picture": "picture"}


class Tolerance(NamedTuple):
    """Differences allowed between a network here and its export, in weight.

    Attributes:
        worst: at one pixel.
        mean: on average.
    """

    worst: float
    mean: float


#: Half a grey level of a full-range boundary: a sure network turns the last digits of its logits
#: into this much.
EXACT = Tolerance(2e-3, 1e-5)
#: Where numbers are rounded on the way, the last digit of one decides which way all that follow it
#: are; weights of random pictures then differ by 0.02 on average (MEASURED), as from unrounded
#: ones. An answer that knows nothing, 1/N everywhere, differs by 0.3 (MEASURED).
ROUNDED = Tolerance(1.0, 0.05)
#: Sizes on which an export is checked; odd, even, smaller than the receptive field.
CHECKED_SIZES = ((64, 64), (37, 91), (128, 45), (20, 23))
#: File of what restores detail.
RESTORER = "restore.onnx"
#: Numbers of frames on which one that takes any number is checked.
CHECKED_FRAMES = (2, 3, 5, 8)


def export(
    network: nn.Module,
    frames: int | None,
    tensors: Mapping[str, Tensor],
    card: Card,
    out: Path,
    *,
    tolerance: Tolerance = EXACT,
    beside: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a system folder, checked against the network it came from.

    Args:
        network: ``(N, 3, H, W)`` to ``(N, H, W)``, or to ``(3, H, W)`` for a card of kind
            "picture"; in eval mode, see this module's docstring.
        frames: N; None when the network takes any number.
        tensors: weights to keep beside, by name; nothing is kept if there are none.
        card: of the system; `model` and `sha256` are filled in.
        out: folder, made if missing; files of the same names are replaced.
        tolerance: how far the answers may differ.
        beside: what other files of it hold, by name.

    Returns:
        The folder.

    Raises:
        OutputError: the export answers differently, or cannot be written.
    """
    answer = ANSWERS[card.kind]
    data = to_onnx(network, frames, card.multiple_of, answer)
    check(data, network, frames, card.multiple_of, str(out), answer=answer, tolerance=tolerance)
    digest = hashlib.sha256(data).hexdigest()
    card = replace(card, model="model.onnx", sha256=digest, max_frames=frames)
    files = {"model.onnx": data, **(beside or {})}
    if tensors:
        files[WEIGHTS] = save({k: v.contiguous() for k, v in tensors.items()})
    write_system(out, {**files, "card.json": card.to_json().encode()})
    return out


def restorer_of(network: nn.Module, multiple_of: int, halo: int) -> tuple[bytes, dict[str, Any]]:
    """Make what restores detail in a fused picture beside a system (`panfocus.systems.restorer`).

    Args:
        network: ``(1, 3, H, W)`` to ``(H, W)``, in eval mode.
        multiple_of: what height and width must be multiples of.
        halo: pixels of context that a tile needs.

    Returns:
        What the file `RESTORER` holds, and what the card says of it under ``restores``.
    """
    data = onnx_of(
        network,
        torch.rand(1, 3, 64, 64),
        "seen",
        "added",
        {"seen": {2: "height", 3: "width"}, "added": {0: "height", 1: "width"}},
    )
    digest = hashlib.sha256(data).hexdigest()
    told = {"model": RESTORER, "sha256": digest, "halo": halo, "multiple_of": multiple_of}
    return data, told


def to_onnx(
    network: nn.Module, frames: int | None, multiple_of: int = 1, answer: str = "weights"
) -> bytes:
    """Return the ONNX file of a network; height, width and, for None, frames are free."""
    side = -(-64 // multiple_of) * multiple_of
    example = torch.rand(frames or 3, 3, side, side)
    free = {"frames": {2: "height", 3: "width"}, answer: {1: "height", 2: "width"}}
    if frames is None:
        free["frames"][0] = "number"
        if answer == "weights":
            free[answer][0] = "number"
    return onnx_of(network, example, "frames", answer, free)


def onnx_of(
    network: nn.Module,
    example: Tensor,
    asked: str,
    answer: str,
    free: Mapping[str, Mapping[int, str]],
) -> bytes:
    """Return the ONNX file of a network with one input and one output, some sides of them free."""
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        # torch calls the TorchScript exporter legacy, yet it is the one that leaves free sizes
        # free for every network here
        warnings.simplefilter("ignore", DeprecationWarning)
        path = Path(folder) / "model.onnx"
        torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            network,
            (example,),
            path,
            input_names=[asked],
            output_names=[answer],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
        return simplified(path)


def simplified(path: Path) -> bytes:
    """Return an ONNX file with what is constant in it worked out; its operators stay standard.

    A session starts sooner, and weights that are rounded are kept rounded.
    """
    options = runtime().SessionOptions()
    options.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path.with_name("simplified.onnx"))
    options.log_severity_level = 3
    runtime().InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return path.with_name("simplified.onnx").read_bytes()


def check(
    data: bytes,
    network: nn.Module,
    frames: int | None,
    multiple_of: int,
    where: str,
    *,
    answer: str = "weights",
    tolerance: Tolerance = EXACT,
) -> float:
    """Compare an ONNX file with its network on random pictures of several sizes.

    Returns:
        The largest difference.

    Raises:
        DataError: the network answers with what is no number.
        OutputError: they differ by more than the tolerance.
    """
    session = runtime().InferenceSession(data, providers=["CPUExecutionProvider"])
    worst = mean = 0.0
    for count, size in zip(CHECKED_FRAMES, CHECKED_SIZES, strict=True):
        height, width = (-(-s // multiple_of) * multiple_of for s in size)
        picture = torch.rand(frames or count, 3, height, width)
        with torch.no_grad():
            expected = network(picture).numpy()
        if not np.isfinite(expected).all():
            raise DataError(
                "the trained network answers with what is no number",
                where=where,
                expected="finite answers",
                remedy="train anew with a lower learning rate: the run has diverged",
            )
        answers: list[object] = session.run([answer], {"frames": picture.numpy()})
        got = np.asarray(answers[0])
        difference = np.abs(got - expected)
        worst, mean = max(worst, float(difference.max())), max(mean, float(difference.mean()))
    if worst > tolerance.worst or mean > tolerance.mean:
        raise OutputError(
            "the exported network answers differently from the trained one",
            where=where,
            expected=f"a difference of at most {tolerance.worst}, on average {tolerance.mean}",
            got=f"{worst:.2g}, on average {mean:.2g}",
            remedy="report this: the exporter and the network do not agree",
        )
    return worst


def folder_of(init: str, system: str) -> Path:
    """Return the folder that ``--init`` names: ``bundled``, or a folder with a trained system.

    Raises:
        UsageError: no such system.
    """
    folder = as_path(init, UsageError)
    if init == "bundled":
        found = [p for p in BUNDLED.iterdir() if p.name.rpartition("-")[0] == system]
        folder = max(found, key=lambda p: int(p.name.rpartition("-")[2]), default=BUNDLED / system)
    if not is_file(folder / WEIGHTS) or not is_file(folder / "card.json"):
        raise UsageError(
            "there is no system to start from",
            where=str(folder),
            expected=f"a folder with card.json and {WEIGHTS}",
            remedy="--init bundled, or the OUT/system of an earlier training",
        )
    return folder


def weights_of(folder: Path) -> dict[str, Tensor]:
    """Read the weights of a system.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return read_tensors(folder / WEIGHTS)[0]
    except schema.SchemaError as error:
        raise DataError(
            "the weights to start from are damaged",
            where=error.place(folder / WEIGHTS),
            expected=error.expected,
            got=error.got,
            remedy="start from --init bundled, or from another system",
        ) from None
