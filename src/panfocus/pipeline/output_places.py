"""Take the files of a fusion from one folder to another, as a project tells them from its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from panfocus.pipeline.extras import Extras
from panfocus.pipeline.outputs import Outputs


def with_places(outputs: Outputs, change: Callable[[Path], Path | None]) -> Outputs | None:
    """Return outputs with every path changed.

    Args:
        outputs: that are wanted.
        change: from a path to another; None where the file is not wanted then.

    Returns:
        The outputs; None where the picture is not wanted.
    """
    picture = change(outputs.picture)
    if picture is None:
        return None
    maps = {kind: changed for kind, path in outputs.maps.items() if (changed := change(path))}
    extras = replace(outputs.extras, **_changed(outputs.extras, change))
    beside = {**_changed(outputs, change), "picture": picture}
    return replace(outputs, **beside, maps=maps, extras=extras)


def _changed(of: Outputs | Extras, change: Callable[[Path], Path | None]) -> dict[str, Any]:
    named = {each.name: getattr(of, each.name) for each in fields(of)}
    return {name: change(value) for name, value in named.items() if isinstance(value, Path)}
