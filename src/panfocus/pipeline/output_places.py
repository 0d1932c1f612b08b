"""Take the files of a fusion from one folder to another, as a project tells them from its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from panfocus.pipeline.frame_outputs import FrameOutputs
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
    of_frames = replace(outputs.of_frames, **_changed(outputs.of_frames, change))
    beside = {**_changed(outputs, change), "picture": picture}
    return replace(outputs, **beside, maps=maps, of_frames=of_frames)


def _changed(of: Outputs | FrameOutputs, change: Callable[[Path], Path | None]) -> dict[str, Any]:
    named = {each.name: getattr(of, each.name) for each in fields(of)}
    return {name: change(value) for name, value in named.items() if isinstance(value, Path)}
