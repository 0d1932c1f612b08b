"""What share each term of the loss has in it, and in its gradient.

A weight says little: a term counts by its weight times its size, and trains by its gradient. With
``g_t`` the gradient of term t, weighted, with respect to all weights of the network and
``g = sum_t g_t``:

    share of the loss   w_t L_t / L
    size of gradient    |g_t| / sum_s |g_s|
    along the whole     <g_t, g> / |g|^2         sums to 1; below 0 the others work against it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from panfocus.train.drpl.config import LossWeights


class Share(NamedTuple):
    """A term's shares, means over batches; see this module's docstring."""

    value: float
    size: float
    along: float


def shares(
    model: nn.Module, batches: Iterable[Sequence[Tensor]], weights: LossWeights
) -> dict[str, Share]:
    """Ask a learner for the shares of its loss terms.

    Args:
        model: a `panfocus.train.drpl.step.Learner`; run in training mode, its weights are kept.
        batches: each as `DrplTask.batch` makes it.
        weights: of the terms, the learner's own.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    sums: dict[str, Tensor] = {}
    count = 0
    for batch in batches:
        terms = dict(model(*batch))
        del terms["loss"]
        weighted = {name: getattr(weights, name) * value for name, value in terms.items()}
        for name, share in _of_batch(weighted, parameters).items():
            sums[name] = sums.get(name, torch.zeros(3)) + share
        count += 1
    return {name: Share(*(share / count).tolist()) for name, share in sums.items()}


def _of_batch(weighted: dict[str, Tensor], parameters: list[nn.Parameter]) -> dict[str, Tensor]:
    """Return value, size and along of every weighted term, three numbers each."""
    gradients = {name: _gradient(term, parameters) for name, term in weighted.items()}
    norms = {name: torch.dot(g, g).sqrt() for name, g in gradients.items()}
    whole = torch.stack(list(gradients.values())).sum(0)
    sizes = torch.stack(list(norms.values())).sum()
    loss = torch.stack([term.detach() for term in weighted.values()]).sum()
    return {
        name: torch.stack(
            (
                weighted[name].detach() / loss,
                norms[name] / sizes,
                torch.dot(gradient, whole) / torch.dot(whole, whole),
            )
        ).cpu()
        for name, gradient in gradients.items()
    }


def _gradient(term: Tensor, parameters: list[nn.Parameter]) -> Tensor:
    """Return the gradient of a term with respect to all parameters as one vector."""
    parts: tuple[Tensor, ...] = torch.autograd.grad(
        term, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.cat([part.float().flatten() for part in parts])
