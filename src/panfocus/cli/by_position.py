"""`-o 'fused_{position}.ome.tif'`: each position of a volume into files of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from panfocus.cli.bare_options import BARE
from panfocus.cli.request import Request
from panfocus.errors import UsageError
from panfocus.pipeline.volumes.choice import Choice, Only, Selection

#: What stands for the name of a position in the name of a file.
PLACE = "{position}"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def by_position(request: Request, source: Path, choice: Choice) -> list[tuple[Request, Choice]]:
    """Return what is asked for of each position; all at once where the output names none.

    Args:
        request: what the user asked for, with an output.
        source: the volume.
        choice: what of it, and how.

    Raises:
        InputError: the volume cannot be opened.
        UsageError: another file is named that would hold several positions.
    """
    output = request.output
    if output is None or PLACE not in output.name:
        return [(request, choice)]
    with closing(choice.open(source)) as volume:
        selected = choice.selected(volume)
    _check(request, len(selected))
    others = {axis: told for axis, told in (choice.only or Only()).parts if axis != "P"}
    out: list[tuple[Request, Choice]] = []
    for one, name in zip(selected, file_names(selected), strict=True):
        asked = replace(
            request.with_names(lambda p, name=name: _put(p, name)), output=_put(output, name)
        )
        only = Only.of({**others, "P": one.number})
        out.append((asked, replace(choice, only=only)))
    return out


def file_names(selected: Sequence[Selection]) -> list[str]:
    """Return a name for each position that a file can have and no other has.

    Args:
        selected: positions, whose names may hold anything.
    """
    names = [_NOT_IN_NAMES.sub("_", one.position.name).strip("._") for one in selected]
    if all(names) and len({name.casefold() for name in names}) == len(names):
        return names
    return [f"{one.number}_{name}".rstrip("_") for one, name in zip(selected, names, strict=True)]


def _put(path: Path, name: str) -> Path:
    return path.with_name(path.name.replace(PLACE, name))


def _check(request: Request, count: int) -> None:
    """Refuse files that all positions would be written to.

    Raises:
        UsageError: there are such.
    """
    named: list[Path] = []

    def note(path: Path) -> Path:
        named.append(path)
        return path

    request.with_names(note)
    shared = [str(path) for path in named if PLACE not in path.name]
    if request.json_file == BARE and not request.dry_run:
        shared.append("--json on standard output")
    if count > 1 and shared:
        raise UsageError(
            "each position has files of its own",
            where=", ".join(shared),
            expected=f"names with {PLACE} in them",
            got=f"{count} positions",
        )
