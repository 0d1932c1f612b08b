"""Growing a trained network into a larger one that answers the same.

OURS. What a small network has learned need not be learned again: its weights become a corner of
the larger ones. What is new starts so that it changes nothing (new channels are listened to by
nobody yet, new residual blocks add 0) and learns from there.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from panfocus.errors import UsageError

#: Ends of names of what a residual block adds: 0 in a new block.
LAST = ("second.weight", "second.bias")


@torch.no_grad()
def grow(net: nn.Module, old: Mapping[str, Tensor]) -> None:
    """Fill `net` with a smaller network's weights so that it answers as that one did.

    Args:
        net: larger in widths or with more blocks, just made; changed in place.
        old: state of the smaller one, of the same family.

    Raises:
        UsageError: `old` has something that has no place in `net`.
    """
    state = net.state_dict()
    for name, value in old.items():
        if name not in state or not _fits(value, state[name]):
            raise UsageError(
                "a trained network cannot be grown into a smaller one",
                where=name,
                expected=str(list(state[name].shape)) if name in state else "no such part",
                got=str(list(value.shape)),
                remedy="adapt it as it is: leave --grow out",
            )
    for name, value in state.items():
        if name in old:
            # an exchange listens to means and to maxima: inputs of two kinds, each with a corner
            kinds = 2 if name.endswith("mix.weight") and value.shape[1] == 2 * len(value) else 1
            for large, small in zip(_parts(value, kinds), _parts(old[name], kinds), strict=True):
                _place(large, small)
        elif name.endswith(LAST):
            value.zero_()


def _parts(weights: Tensor, kinds: int) -> tuple[Tensor, ...]:
    return weights.chunk(kinds, 1) if kinds > 1 else (weights,)


def _fits(small: Tensor, large: Tensor) -> bool:
    return small.ndim == large.ndim and all(
        s <= t for s, t in zip(small.shape, large.shape, strict=True)
    )


def _place(large: Tensor, small: Tensor) -> None:
    """Write `small` over the first corner; old outputs hear nothing of new inputs."""
    if large.ndim == 4:
        large[: small.shape[0]] = 0
    large[tuple(slice(side) for side in small.shape)] = small
