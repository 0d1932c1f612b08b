"""`panfocus systems`: the cards."""

from __future__ import annotations

import json
from dataclasses import asdict

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


def _table(cards: list[Card]) -> Table:
    table = Table(title=f"systems (default: {DEFAULT_SYSTEM})")
    for column in ("name", "what it is", "kind", "frames at once", "trained on"):
        table.add_column(column)
    for card in cards:
        frames = "any" if card.max_frames is None else str(card.max_frames)
        table.add_row(card.name, card.title, card.kind, frames, card.data)
    return table
