"""A system of the researcher's own, by the place of its code: ``module:object``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from panfocus.errors import UsageError
from panfocus.plugins import object_named
from panfocus.resources.paths import is_there
from panfocus.systems import Card, PictureSystem, System
from panfocus.systems.checks import adopt

_ADDRESS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class FunctionSystem:
    """A function from frames to weights, with a card made of its name and docstring."""

    card: Card
    decide: Callable[..., Any]


def is_address(text: str) -> bool:
    """Whether a system is told as ``module:object``, and is not a file or folder of that name."""
    return _ADDRESS.fullmatch(text) is not None and not is_there(Path(text))


def own_system(address: str) -> tuple[System | PictureSystem, Path | None]:
    """Return the system that an address names, and the file it stands in.

    The object is a system, a class or function without arguments that makes one, or a function
    from frames ``(N, H, W, C)`` to weights ``(N, H, W)``.

    Raises:
        UsageError: there is none, or it stops with an error.
        SystemError_: it is no system.
    """
    found, file = object_named(address)
    if not callable(found) or (hasattr(found, "decide") and not isinstance(found, type)):
        return adopt(found), file
    if not isinstance(found, type) and _takes_frames(found):
        name = getattr(found, "__name__", "own")
        title = (inspect.getdoc(found) or f"The function {name}").splitlines()[0]
        card = Card(name.strip("_").replace("_", "-").lower(), title, licence="the author's own")
        return adopt(FunctionSystem(card, found)), file
    try:
        made = found()
    except Exception as error:  # another's code may raise anything
        raise UsageError(
            "a system cannot be made",
            where=address,
            expected="a class or function without arguments",
            got=f"{type(error).__name__}: {error}",
        ) from error
    return adopt(made), file


def _takes_frames(function: Callable[..., object]) -> bool:
    """Whether a function has an argument that it cannot do without."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return any(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
