"""The published training, line by line, and what a run of the recipe `published` did instead.

FOUND is read in the authors' files, MEASURED is computed from what they published, INFERRED is our
reasoning, OURS a choice of ours. The lines go into the card of a system, where they can be
checked against the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Pairs that the script trains on, epochs and batch (FOUND): 213 templates x 43 images x 3 levels
#: of blur are 27,477 pairs, of which 20,000 are for training.
PAIRS, EPOCHS, BATCH = 20_000, 50, 50


class Line(NamedTuple):
    """One line: what, how well it is known, how it is there, and how it is here."""

    what: str
    known: str
    there: str
    here: str = "the same"

    @property
    def text(self) -> str:
        """The line without its head."""
        return f"{self.known}: {self.there}. Here: {self.here}"


SAME = (
    Line(
        "network",
        "FOUND",
        "9x9, 3x3, 3x3, 12 residual blocks, 3x3, 3x3, 3x3 to 2, sigmoid, 64 channels; 1,070,018 "
        "parameters (MEASURED)",
    ),
    Line("start", "FOUND", "xavier_normal, biases 0, gains 1"),
    Line("loss", "FOUND", "0.8 L1 of masks + 0.1 (1 - SSIM) + 0.1 L1 of Laplacians"),
    Line("fused picture in the loss", "FOUND", "o1 I1 + o2 I2, not normalised"),
    Line("pair term", "FOUND", "sum (1 - o1 - o2)^2 is logged and not in the loss", "left out"),
    Line("gradient clipping", "FOUND", "norm 0.5"),
    Line("weight decay", "FOUND", "none"),
    Line("warm-up", "FOUND", "none: an option, off"),
    Line("crops", "FOUND", "128 x 128, nine of each picture's central 256 x 256, stride 64"),
    Line("blur", "MEASURED", "7x7 Gaussian of sigma 1.5, one to three times"),
    Line("composites", "FOUND", "hard, complementary; saved as JPEG", "JPEG 95 (INFERRED)"),
    Line("test", "FOUND", "w = (o1 + 1 - o2) / 2, w I1 + (1 - w) I2"),
)
OTHERWISE = (
    Line(
        "learning rate",
        "FOUND",
        "Adam, 0.05",
        "Adam, 0.001: 0.05 stands beside a line of SGD that is commented out (INFERRED)",
    ),
    Line("schedule", "FOUND", "halved every 30 of 50 epochs", "halved at 3/5 of the run"),
    Line(
        "pictures",
        "FOUND",
        "1040 of ImageNet's validation set",
        "any folder; ImageNet is not ours to give (OURS)",
    ),
    Line(
        "masks",
        "FOUND",
        "213 template pairs, not published; 37 to 78 % sharp (MEASURED)",
        "a smooth random blob of such a share for every pair (OURS)",
    ),
    Line("validation", "FOUND", "takes optimiser steps, if it ever ran", "none"),
    Line(
        "second stage",
        "FOUND as a file name",
        "whole-picture pairs with constant masks",
        "none: their maker is not published",
    ),
)


def beside(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return every line of the paper's training beside what the run with these facts did.

    Args:
        facts: of a checkpoint: ``step``, ``config``.
    """
    batch = facts["config"]["stages"][-1]["batch"]
    done, whole = batch * int(facts["step"]), PAIRS * EPOCHS
    length = Line(
        "length",
        "FOUND",
        f"{EPOCHS} epochs of {PAIRS} pairs, batches of {BATCH}: {whole // BATCH} steps",
        f"{facts['step']} steps of {batch} pairs, {100 * done / whole:.2g} % of the pairs (OURS)",
    )
    weights = Line(
        "weights",
        "FOUND",
        "those of epoch 40",
        f"averaged over steps (decay {facts['config']['ema']}), statistics of the normalisations "
        "measured anew (OURS)",
    )
    return {line.what: line.text for line in (*SAME, *OTHERWISE, weights, length)}
