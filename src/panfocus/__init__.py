"""panfocus: several photographs focused at different depths in, one that is sharp everywhere out.

The public names load on first use, so that ``import panfocus`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from panfocus._version import __version__

if TYPE_CHECKING:
    from panfocus.errors import PanfocusError as PanfocusError
    from panfocus.pipeline.result import Fusion as Fusion
    from panfocus.pipeline.run import fuse as fuse
    from panfocus.systems import Card as Card
    from panfocus.systems import System as System
    from panfocus.systems import list_systems as list_systems
    from panfocus.systems import load_system as load_system

_HOMES = {
    "Card": "panfocus.systems",
    "Fusion": "panfocus.pipeline.result",
    "PanfocusError": "panfocus.errors",
    "System": "panfocus.systems",
    "fuse": "panfocus.pipeline.run",
    "list_systems": "panfocus.systems",
    "load_system": "panfocus.systems",
}
__all__ = [
    "Card",
    "Fusion",
    "PanfocusError",
    "System",
    "__version__",
    "fuse",
    "list_systems",
    "load_system",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'panfocus' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
