"""`panfocus systems`: the cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from panfocus.systems import DEFAULT_SYSTEM, Card, list_systems, load_system
from panfocus.systems.uses import USES, use_of

#: Multiply-adds a pixel of each frame, and what to call a network of so many.
_SPEEDS = ((0, "fastest"), (50_000, "fast"), (200_000, "slow"))
PAIR = 2


def show(name: str | None, *, as_json: bool) -> None:
    """Print one card, or the table of all."""
    cards = [load_system(name).card] if name else list_systems()
    if as_json:
        print(json.dumps([asdict(card) for card in cards], indent=2, ensure_ascii=False))
    elif name:
        Console().print(_card(cards[0]))
        print("`--json` has all of it, training options too.")
    else:
        Console().print(_table(cards))
        print("`panfocus systems NAME` tells what it was trained on, and its licence.")


def costs(card: Card) -> str:
    """Return what a network costs in words, nothing of a system without one."""
    unit = "of a pair" if card.max_frames == PAIR else "of each frame"
    return f"{card.macs_per_pixel:,} multiply-adds a pixel {unit}" if card.macs_per_pixel else ""


def _speed(card: Card) -> str:
    of_each = (card.macs_per_pixel or 0) / (PAIR if card.max_frames == PAIR else 1)
    return next((word for most, word in _SPEEDS if of_each <= most), "slowest")


def _frames(card: Card) -> str:
    return "any" if card.max_frames is None else str(card.max_frames)


def _table(cards: list[Card]) -> Table:
    """Return what tells systems apart, to be read on 80 columns."""
    table = Table(title=f"systems (default: {DEFAULT_SYSTEM})", box=SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("speed", no_wrap=True)
    table.add_column("frames\nat once", justify="right")
    table.add_column("use it for")
    for card in cards:
        table.add_row(card.name, _speed(card), _frames(card), use_of(card))
    return table


def _card(card: Card) -> Table:
    """Return one card, a line for each of its facts."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for word, text in _facts(card):
        table.add_row(word, text)
    return table


def _facts(card: Card) -> Iterator[tuple[str, str]]:
    yield "name", card.name
    yield "what it is", card.title
    if card.name in USES:
        yield "use it for", USES[card.name]
    makes = "weights of the frames, with maps" if card.kind == "decision" else "a picture, no maps"
    yield "makes", makes
    yield "frames at once", _frames(card)
    yield "speed", ", ".join(filter(None, (_speed(card), costs(card))))
    if card.working_pixels:
        is_refined = card.refined and card.model is not None and card.kind == "decision"
        further = "refined at full scale" if is_refined else "enlarged"
        yield "decides at", f"{card.working_pixels / 1e6:.1f} megapixels at most, then {further}"
    yield "licence", card.licence
    yield "trained by", card.trained_by
    yield "trained on", card.data
    if card.sha256:
        yield "weights", f"sha256 {card.sha256}"
