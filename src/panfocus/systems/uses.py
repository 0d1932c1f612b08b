"""When to take which system, in a line; docs/results.md has the figures."""

from __future__ import annotations

from panfocus.systems.card import Card

#: By name, of those that come with panfocus.
USES = {
    "dualpath": "anything: photographs, microscopy, two frames or two hundred",
    "dualpath-paper": "to compare with the paper's recipe, nothing added",
    "dualpath-picture": "a system whose own picture is wanted, not a choice of pixels",
    "drpl": "pairs, where time does not matter",
    "drpl-small": "pairs, sharper borders than `guided` at moderate cost",
    "drpl-paper": "to compare with the paper's recipe, nothing added",
    "guided": "speed above all, and no network",
    "guided-tenengrad": "as `guided`, by gradients; not where lights are out of focus",
    "guided-sf": "as `guided`, by spatial frequency",
    "guided-variance": "as `guided`, by local variance",
    "pyramid": "hair that crosses, where no network is wanted",
}


def use_of(card: Card) -> str:
    """Return what a system is for; of others than panfocus's own, what it is.

    Example:
        >>> from panfocus.systems import load_system
        >>> use_of(load_system("guided").card)
        'speed above all, and no network'
    """
    return USES.get(card.name, card.title)
