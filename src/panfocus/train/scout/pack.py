"""From a scout's weights to the files that the product runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from panfocus.systems.scout.evidence import MEASURES
from panfocus.train.helper_files import Interface, write_helper
from panfocus.train.scout.network import ExportedScout, ScoutNet


def write(weights: Mapping[str, Tensor], out: Path, told: Mapping[str, object]) -> Path:
    """Write weights of a `ScoutNet` as the product runs them, with what the card tells."""
    net = ScoutNet()
    net.load_state_dict(dict(weights))
    sides = {0: "number", 2: "height", 3: "width"}
    shapes = (4, 24, 40), (2, 9, 14), (3, 33, 40), (17, 20, 7)
    interface = Interface(
        asked="measures",
        answer="shares",
        free={"measures": sides, "shares": {0: "number", 1: "height", 2: "width"}},
        examples=[torch.rand(count, MEASURES, h, w) for count, h, w in shapes],
    )
    card = {
        "name": "scout",
        "title": "Names the frames that can matter in a place; OURS, of neither paper",
        **told,
    }
    return write_helper(ExportedScout(net).eval(), weights, out, interface, card)
