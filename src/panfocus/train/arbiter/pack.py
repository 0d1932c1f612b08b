"""From an arbiter's weights to the files that the product runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from panfocus.systems.arbiter.evidence import CHANNELS
from panfocus.train.arbiter.network import ArbiterNet
from panfocus.train.helper_files import Interface, write_helper


def write(weights: Mapping[str, Tensor], out: Path, told: Mapping[str, object]) -> Path:
    """Write weights of an `ArbiterNet` as the product runs them, with what the card tells."""
    net = ArbiterNet()
    net.load_state_dict(dict(weights))
    sides = {0: "number", 2: "height", 3: "width"}
    interface = Interface(
        asked="evidence",
        answer="share",
        free={"evidence": sides, "share": sides},
        examples=[
            torch.rand(b, CHANNELS, h, w) for b, h, w in ((1, 24, 40), (1, 9, 14), (2, 33, 20))
        ],
    )
    card = {
        "name": "arbiter",
        "title": "Chooses between decisions at two scales; OURS, of neither paper",
        **told,
    }
    return write_helper(net.eval(), dict(weights), out, interface, card)
