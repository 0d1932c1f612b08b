"""Files of maps: where they go, and whether a system makes any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import cast

from panfocus.errors import UsageError
from panfocus.io.endings import beside
from panfocus.pipeline.options import MAP_KINDS, MapKind
from panfocus.resources.paths import as_path
from panfocus.schema import said
from panfocus.systems import Card


def map_path(picture: Path, kind: str) -> Path:
    """Return where a map goes unless it is named: ``<picture>_<kind>.tif`` beside the picture."""
    return beside(picture, f"_{kind}", ".tif")


def map_paths(
    picture: Path, maps: Sequence[MapKind] | Mapping[MapKind, str | Path]
) -> dict[str, Path]:
    """Return the files of maps that are asked for by kind, or by kind and file.

    Raises:
        UsageError: no such kind.
    """
    is_some = isinstance(cast("object", maps), (Sequence, Mapping, Set)) and not isinstance(
        maps, (str, bytes)
    )
    kinds: list[object] = [*maps] if is_some else [maps]
    unknown = [kind for kind in kinds if not (isinstance(kind, str) and kind in MAP_KINDS)]
    if unknown:
        raise UsageError(
            "there is no such map",
            where="maps",
            expected=f"a list of {' or '.join(MAP_KINDS)}",
            got=", ".join(map(said, unknown)),
        )
    if isinstance(maps, Mapping):
        return {kind: as_path(path, UsageError) for kind, path in maps.items()}
    return {kind: map_path(picture, kind) for kind in MAP_KINDS if kind in kinds}


def check_makes_maps(card: Card, where: str | None = None) -> None:
    """Refuse maps of a system that makes none.

    Raises:
        UsageError: it makes a picture without deciding between frames.
    """
    if card.kind == "picture":
        raise UsageError(
            f"the system {card.name} makes a picture without deciding between frames",
            where=where,
            expected="a system of kind decision",
            remedy="leave the maps out, or take another system (`panfocus systems`)",
        )
