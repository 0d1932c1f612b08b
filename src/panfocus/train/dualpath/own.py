"""What a file of the user's own can bring to Dual-Path: an unrolled step, a loss term.

``--plugin FILE`` runs the file, which registers them by name; ``--set step=NAME`` and ``--set
terms=NAME=WEIGHT`` use them. Names and weights stand in the recipe, so in checkpoint and card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from panfocus.errors import UsageError
from panfocus.plugins import Registry
from panfocus.train.dualpath.iterate import Iterate
from panfocus.train.dualpath.predictor import Belief
from panfocus.train.dualpath.step import Step

#: Of a weight of a term.
MOST_WEIGHT = 1e6
#: The name of the step that the recipes have.
BUILT_IN = "unrolled"


class Seen(NamedTuple):
    """What a loss term may look at.

    Attributes:
        steps: iterates 1 to K of the fuser: picture ``(B, 3, H, W)`` and mask ``(B, N, H, W)``.
        frames: ``(B, N, 3, H, W)`` in [0, 1].
        belief: the predictor's, while it teaches; else None.
        truth: ``(B, 3, H, W)``, the picture before it was blurred again; None for real sets.
        mask: ``(B, N, H, W)``, the exact one that goes with it; None for real sets.
    """

    steps: Sequence[Iterate]
    frames: Tensor
    belief: Belief | None = None
    truth: Tensor | None = None
    mask: Tensor | None = None


#: Returns a number, to be minimised, on the device of what it has seen.
Term = Callable[[Seen], Tensor]

STEPS: Registry[type[Step]] = Registry("unrolled step", "--set step=NAME")
TERMS: Registry[Term] = Registry(
    "loss term",
    "--set terms=NAME=WEIGHT",
    reserved=lambda: ("loss", "predictor", "known", "mask", "consistency"),
)

#: ``@register_step("my-name")`` before a class that inherits from `Step`.
register_step = STEPS.register
#: ``@register_term("my-name")`` before a function of `Seen`.
register_term = TERMS.register

register_step(BUILT_IN)(Step)


def terms_of(entries: Sequence[str]) -> dict[str, tuple[Term, float]]:
    """Return loss terms and their weights by name.

    Args:
        entries: ``NAME=WEIGHT`` each.

    Raises:
        UsageError: another form, or no such term.
    """
    out: dict[str, tuple[Term, float]] = {}
    for entry in entries:
        name, _, weight = entry.partition("=")
        try:
            number = float(weight)
            if not 0 <= number <= MOST_WEIGHT:
                raise ValueError
        except ValueError:
            raise UsageError(
                "this is not a loss term and its weight",
                where=TERMS.option,
                expected=f"NAME=WEIGHT, the weight from 0 to {MOST_WEIGHT:g}",
                got=entry,
            ) from None
        out[name] = TERMS.get(name), number
    return out
