"""Both networks together: what trains end to end, and what is left of it after training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from panfocus.train.dualpath import loss
from panfocus.train.dualpath.config import Config
from panfocus.train.dualpath.fuser import Fuser
from panfocus.train.dualpath.iterate import Iterate, blend
from panfocus.train.dualpath.own import STEPS, Seen, terms_of
from panfocus.train.dualpath.predictor import Belief, MaskPredictor
from panfocus.train.weights import take_weights


class DualPath(nn.Module):
    """What runs on a stack: the image fuser, K unrolled steps from M^0 = 1/N."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.fuser = Fuser(config.steps, STEPS.get(config.step))

    def forward(self, frames: Tensor) -> list[Iterate]:
        """``(B, N, 3, H, W)`` to K + 1 iterates, the start first."""
        return self.fuser(frames)


class Learner(nn.Module):
    """Networks and loss, so that one call is one step for any number of processes.

    Attributes:
        net: the fuser, which is what remains.
        predictor: learns by masking, and teaches the fuser.
        teaching: whether the predictor has learned enough to teach.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        masking = config.masking
        self.net = DualPath(config)
        self.predictor = MaskPredictor(
            config.predictor, dropout=masking.dropout, guide=masking.guide, drop=masking.drop
        )
        self.teaching = True
        self._masking = masking
        self._known = config.known
        self._own = terms_of(config.terms)

    def teach(self, *, teaching: bool) -> bool:
        """Let the predictor teach the fuser or not; return whether that is new."""
        changed = self.teaching != teaching
        self.teaching = teaching
        return changed

    def forward(self, *batch: Tensor) -> loss.Terms:
        """Return the loss terms of a batch: of `observed.Observed`, or of `observed.Made`."""
        frames, given, valid, *made = batch
        answer, predicting = self._predict(frames, given, valid, made)
        terms = {"predictor": predicting}
        total = predicting
        if not self.teaching and not made:
            return {"loss": total, **terms}
        steps = self.net(frames)[1:]
        seen = Seen(steps, frames)
        if made:
            truth, mask, differs, clean, noise = made
            seen = seen._replace(truth=truth, mask=mask)
            terms |= loss.known(steps, clean, truth, mask, differs, noise, weights=self._known)
            total = total + terms["known"]
        if self.teaching:
            belief: Belief = self.predictor.belief(given, frames)
            seen = seen._replace(belief=belief)
            terms["mask"] = loss.supervision(steps, belief)
            taught = loss.followed(belief, answer, self._masking.back)
            terms["consistency"] = loss.consistency(steps, blend(taught, frames))
            total = total + self._masking.mask * terms["mask"]
            total = total + self._masking.consistency * terms["consistency"]
        for name, (term, weight) in self._own.items():
            terms[name] = term(seen)
            total = total + weight * terms[name]
        return {"loss": total, **terms}

    def _predict(
        self, frames: Tensor, given: Tensor, valid: Tensor, made: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Let the predictor answer for one imperfect mask, and judge it by another, or exactly."""
        count = given.shape[1]
        one = int(torch.randint(count, ()))
        other = one
        if self._masking.cross and count > 1:
            other = (one + 1 + int(torch.randint(count - 1, ()))) % count
        target, asked = (made[1], made[2]) if made else (given[:, other], valid[:, other])
        keep = self.predictor.drawn(target)
        answer = self.predictor(given[:, one], frames, keep)
        return answer, loss.masking(answer, target, keep, asked)


def deployed(
    config: Config,
    average: Mapping[str, Tensor],
    *,
    depth: int | None = None,
    whose: str = "weights",
) -> DualPath:
    """Rebuild what runs on a stack from a learner's averaged weights, in eval mode.

    Args:
        config: of the training.
        average: weights of a `Learner`.
        depth: how many steps run; None for all.
        whose: file or folder of the weights, for messages.

    Raises:
        DataError: the weights are of another network.
    """
    net = DualPath(config)
    weights = {k.removeprefix("net."): v for k, v in average.items() if k.startswith("net.")}
    take_weights(net, weights, whose)
    net.fuser.depth = depth or net.fuser.depth
    return net.eval()
