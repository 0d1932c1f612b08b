"""`panfocus systems`: the cards."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from panfocus.systems import DEFAULT_SYSTEM, Card, list_systems, load_system


def show(name: str | None, *, as_json: bool) -> None:
    """Print one card, or the table of all."""
    cards = [load_system(name).card] if name else list_systems()
    if as_json:
        print(json.dumps([asdict(card) for card in cards], indent=2, ensure_ascii=False))
    elif name:
        print(cards[0].to_json(), end="")
    else:
        Console().print(_table(cards))
        print("`panfocus systems NAME` tells what it was trained on, and its licence.")


def _table(cards: list[Card]) -> Table:
    """Return what tells systems apart, to be read on 80 columns."""
    table = Table(title=f"systems (default: {DEFAULT_SYSTEM})", box=SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("frames at once", justify="right")
    table.add_column("makes", no_wrap=True)
    table.add_column("what it is")
    for card in cards:
        frames = "any" if card.max_frames is None else str(card.max_frames)
        makes = "weights" if card.kind == "decision" else "picture"
        table.add_row(card.name, frames, makes, card.title)
    return table
