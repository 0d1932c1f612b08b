"""Data sets of the user's own: ``--data NAME:WHERE`` calls the reader registered as NAME."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import DataError
from panfocus.plugins import Registry, load_installed
from panfocus.resources.paths import is_folder

Byte = NDArray[np.uint8]

#: What stands behind the colon, to (name of a scene, its frames). Frames are RGB ``(H, W, 3)``
#: uint8 of one size; Dual-Path takes those of a scene as a set, DRPL each as a sharp picture.
Reader = Callable[[str], Iterable[tuple[str, Sequence[Byte]]]]

#: Readers by name.
READERS: Registry[Reader] = Registry("data reader", "--data")

#: ``@register_data("my-name")`` before a function.
register_data = READERS.register


def is_own(data: Path) -> bool:
    """Whether what was given to `--data` names a reader, and no folder."""
    name, colon, _ = str(data).partition(":")
    if not colon or is_folder(data):
        return False
    if name not in READERS:
        load_installed()
    return name in READERS


def folders_among(data: Iterable[Path]) -> list[Path]:
    """Return the folders that are read: those given, and those behind a reader's name."""
    out: list[Path] = []
    for one in data:
        behind = Path(str(one).partition(":")[2])
        out += [one] if not is_own(one) else [behind] if is_folder(behind) else []
    return out


def named(data: Iterable[Path]) -> list[str]:
    """Return those that readers bring, as they were given."""
    return [str(one) for one in data if is_own(one)]


def read(data: Path) -> Iterator[tuple[str, list[Byte]]]:
    """Yield (name, frames) of every scene, checked.

    Args:
        data: ``NAME:WHERE`` of a reader that is registered.

    Raises:
        DataError: the reader gives something else than pictures, or stops with an error.
        PanfocusError: what the reader raises itself.
    """
    name, _, where = str(data).partition(":")
    for scene, frames in READERS.get(name)(where):
        yield str(scene), [_checked(frame, f"{data}, {scene}") for frame in frames]


def _checked(frame: Any, where: str) -> Byte:  # noqa: ANN401  another's answer
    array: NDArray[Any] = np.asarray(frame)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise DataError(
            "a data reader gives something else than pictures",
            where=where,
            expected="RGB (H, W, 3) uint8",
            got=f"{array.shape} {array.dtype}",
        )
    return np.ascontiguousarray(array)
