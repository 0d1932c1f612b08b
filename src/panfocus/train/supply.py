"""Loading material for a command: where it is kept, how far it is, and the list of all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from panfocus import schema
from panfocus.train import pairs
from panfocus.train.checkpoint import write_bytes
from panfocus.train.facts import Facts
from panfocus.train.prepare import How
from panfocus.train.record import NAME as RECORD
from panfocus.train.shelf import NAME, Shelf

#: Seconds between two words of how far it is.
EVERY = 5.0


def how_to(
    run: Path, *, align: bool, writes: bool = True, digests: Mapping[str, str] | None = None
) -> How:
    """Return how material is loaded for a run in a folder.

    Args:
        run: the folder.
        align: whether frames that do not lie on each other are aligned.
        writes: whether what took time to make is kept in the folder, or only found there.
        digests: of files, as far as they are known.
    """
    return How(align, Shelf(run / NAME, writes=writes), dict(digests or {}), now_and_then())


def was_aligned(run: Path) -> bool:
    """Whether a run in a folder aligned its material; what tells nothing did."""
    try:
        told: object = schema.read(run / RECORD)
    except (OSError, ValueError):
        return True
    return not isinstance(told, dict) or cast("dict[str, object]", told).get("aligned") is not False


def now_and_then() -> Callable[[str], None]:
    """Return a function that says every few seconds how far it is."""
    last = time.monotonic()

    def tell(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(text, flush=True)

    return tell


def list_all(data: Sequence[Path], smallest: int, how: How) -> None:
    """Say what would be trained on, and what not; each scene is read, and none is held.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
    """
    found: list[Facts] = []
    pictures = 0
    for prepared in pairs.survey(data, smallest, how):
        facts = prepared.facts
        pictures += facts.kept + len(prepared.singles)
        found.append(facts)
        print(facts.line())
        for name, why in facts.left_out.items():
            if facts.size[0]:
                print(f"  {name}: left out of pairs, {why}")
    left_out = {name: why for facts in found for name, why in facts.left_out.items()}
    sets, kept = sum(len(f.groups) for f in found), sum(f.kept for f in found)
    text = pairs.summary(sets, kept, found, left_out)
    if not pictures:
        raise pairs.nothing(data, text)
    print(f"{text}\nnothing was trained or written", flush=True)


def tell_what(material: pairs.Material, out: Path) -> None:
    """Say what was found, and keep the names of what was left out in ``out/left_out.txt``."""
    print(material.summary(), flush=True)
    if material.left_out:
        write_bytes(out / "left_out.txt", material.details().encode(errors="surrogateescape"))
        print(f"names and reasons: {out / 'left_out.txt'}", flush=True)


def tell_where(folder: Path) -> None:
    """Say where a trained system of Dual-Path lies, and how it is used."""
    print(f"system in {folder}: panfocus fuse --system {folder} FRAMES -o FUSED", flush=True)
