"""Files of weights that others have made: whole, of numbers, and of the network that takes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from panfocus import schema
from panfocus.errors import DataError
from panfocus.resources.paths import is_file

#: Bytes of a file of weights, at most.
_MOST_BYTES = 2**31
#: The file begins with the length of its header.
_LENGTH = 8


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Mapping[str, object]]:
    """Read a safetensors file.

    Args:
        path: of the file.

    Returns:
        Tensors by name, and what the header tells besides.

    Raises:
        SchemaError: no such file, or a damaged one, or numbers that are none.
    """
    data = _bytes(path)
    length = int.from_bytes(data[:_LENGTH], "little")
    try:
        tensors = load(data)
        header = data[_LENGTH : _LENGTH + length].decode()
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise schema.SchemaError("", "a sound safetensors file", _said(error)) from None
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise schema.SchemaError(schema.said(name), "finite numbers", "some that are none")
    about = schema.record(schema.parse(header)).get("__metadata__", {})
    return tensors, schema.record(about, "header")


def _bytes(path: Path) -> bytes:
    try:
        if not is_file(path):
            raise schema.SchemaError("", "a file", "none, or no ordinary one")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise schema.SchemaError("", f"at most {_MOST_BYTES // 2**20} MiB", f"{size // 2**20}")
        return path.read_bytes()
    except OSError as error:
        raise schema.SchemaError("", "a file that can be read", str(error.strerror)) from None


def _said(error: Exception) -> str:
    return schema.said(" ".join(str(error).split()))


def check_sizes(
    tensors: Mapping[str, Tensor], sizes: Mapping[str, tuple[int, ...]], where: str
) -> None:
    """Refuse tensors that are not those of a network.

    Args:
        tensors: by name.
        sizes: of each that there must be.
        where: whose they are, for messages.

    Raises:
        SchemaError: one is missing, of another size, or unknown.
    """
    for name, size in sizes.items():
        if name not in tensors:
            raise schema.SchemaError(where, f"a tensor {name}", "none of this name")
        if tuple(tensors[name].shape) != size:
            got = str(list(tensors[name].shape))
            raise schema.SchemaError(f"{where}.{name}", f"the shape {list(size)}", got)
    unknown = next((name for name in tensors if name not in sizes), None)
    if unknown is not None:
        expected = f"the {len(sizes)} tensors of the network"
        raise schema.SchemaError(where, expected, f"one more, {schema.said(unknown)}")


def sizes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def take_weights(network: nn.Module, weights: Mapping[str, Tensor], whose: str) -> None:
    """Give a network its weights.

    Args:
        network: changed in place.
        weights: by name.
        whose: file or folder that they are from, for messages.

    Raises:
        DataError: they are of another network.
    """
    try:
        check_sizes(weights, sizes_of(network.state_dict()), "weights")
    except schema.SchemaError as error:
        raise DataError(
            "the weights are of another network",
            where=error.place(whose),
            expected=error.expected,
            got=error.got,
            remedy="name a run or system of the recipe that is asked for",
        ) from None
    network.load_state_dict(weights)
