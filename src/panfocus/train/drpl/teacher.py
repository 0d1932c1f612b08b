"""A trained DRPL that another network learns from.

OURS. Masks say which picture is to be taken also where neither is better, and they are wrong at
boundaries where both are needed; a trained network's maps say there what can be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from panfocus.errors import DataError
from panfocus.systems.card import Card
from panfocus.train.drpl.network import Drpl, folded
from panfocus.train.export import weights_of
from panfocus.train.weights import take_weights


class Teacher:
    """A network that is asked and not trained.

    It is no part of what is trained: no module, so that it is neither saved, averaged, wrapped
    for many processes nor brought into training mode.

    Attributes:
        told: name and digest of the system, for checkpoints and cards.
    """

    def __init__(self, net: Drpl, told: Mapping[str, str]) -> None:
        self._net = folded(net.eval()).requires_grad_(requires_grad=False)
        self.told = dict(told)

    @torch.no_grad()
    def maps(self, first: Tensor, second: Tensor) -> Tensor:
        """Return both maps ``(B, 2, H, W)`` float32 of pictures ``(B, 3, H, W)``."""
        return self._net.to(first.device)(first, second).float()


def load(folder: Path) -> Teacher:
    """Load the system in a folder that holds its weights.

    Raises:
        DataError: the weights are damaged, or of another network than the published one.
    """
    card = Card.read(folder / "card.json")
    net = Drpl()
    try:
        take_weights(net, weights_of(folder), str(folder))
    except DataError as error:
        raise DataError(
            "the teacher's weights are of another network",
            where=str(folder),
            expected="a system that `panfocus train drpl` trained by any recipe but small",
            got=error.got,
        ) from error
    return Teacher(net, {"name": folder.name, "system": card.name, "sha256": card.sha256 or ""})
