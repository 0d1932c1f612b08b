"""Both networks together: what trains end to end, and what is left of it after training."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from panfocus.train.dualpath import loss
from panfocus.train.dualpath.config import Config, Masking
from panfocus.train.dualpath.fuser import Fuser
from panfocus.train.dualpath.predictor import MaskPredictor, RawPredictor, random_blocks
from panfocus.train.dualpath.step import Iterate, blend


class DualPath(nn.Module):
    """What runs on a stack: K unrolled steps, from the predictor's mask or from 1/N.

    INFERRED, recipe `paper`: the fuser runs alone, from M^0 = 1/N; the predictor has taught it.
    OURS, recipe `redefocus`: M^0 is the predictor's mask, one graph from the frames to M^K.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        taught = config.masking is not None
        self.predictor = None if taught else RawPredictor(config.predictor, config.sees)
        self.fuser = Fuser(config.priors, config.picture_width, sees_frames=taught)
        #: Whether the steps run; at first the predictor trains alone.
        self.unrolled = True
        #: Whether the predictor has learned enough and is a constant.
        self.frozen = False

    def forward(self, frames: Tensor) -> list[Iterate]:
        """``(B, N, 3, H, W)`` to K + 1 iterates, the start first."""
        if self.predictor is None:
            return self.fuser(frames, None)
        if self.frozen:
            self.predictor.eval()  # a constant: its normalisations must not follow the batch
        start = self.predictor(frames)
        if not self.unrolled:
            return [Iterate(blend(start, frames), start)]
        return self.fuser(frames, start)


class Learner(nn.Module):
    """Networks and loss, so that one call is one step for any number of processes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.net = DualPath(config)

    def unroll(self, *, unrolled: bool) -> bool:
        """Let the fuser train or not; return whether that is new.

        A predictor that runs before the fuser has done its learning then (OURS, recipe
        `redefocus`); one that teaches learns on (`paper`).
        """
        changed = self.net.unrolled != unrolled
        self.net.unrolled = unrolled
        # several processes would average gradients that nobody computed
        self.net.fuser.requires_grad_(unrolled)
        if self.net.predictor is not None:
            self.net.frozen = unrolled
            self.net.predictor.requires_grad_(not unrolled)
        return changed

    def settle(self) -> None:
        """Follow a step of the optimiser."""


class RedefocusLearner(Learner):
    """OURS: exact masks and exact targets."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._weights = config.weights

    def forward(self, *batch: Tensor) -> loss.Terms:
        """Return the loss terms of a batch in the order of `redefocus.Stack`."""
        frames, truth, mask, valid, clean, noise = batch
        iterates = self.net(frames)
        return loss.redefocus(
            iterates, clean, truth, mask, valid, weights=self._weights, noise=noise
        )


class PaperLearner(Learner):
    """The reconstruction: the predictor learns by masking and teaches the fuser.

    Attributes:
        predictor: learns.
        teacher: its average over time, which teaches.
    """

    def __init__(self, config: Config, masking: Masking) -> None:
        super().__init__(config)
        self.predictor = MaskPredictor(
            config.predictor, dropout=masking.dropout, open_guide=masking.open_guide
        )
        self.teacher = copy.deepcopy(self.predictor).requires_grad_(False)
        self._masking = masking

    def forward(self, *batch: Tensor) -> loss.Terms:
        """Return the loss terms of a batch in the order of `observed.Observed`."""
        frames, mask, target, valid = batch
        settings = self._masking
        keep = random_blocks(mask.shape[0], mask.shape[2], mask.shape[3], mask.device)
        answer = self.predictor(mask, frames, keep)
        predicting = loss.masking(answer, target, keep, valid)
        if not self.net.unrolled:
            return {"loss": predicting, "predictor": predicting}
        belief = self.teacher.average(mask, frames, settings.passes)
        iterates = self.net(frames)
        taught = loss.supervision(iterates[1:], belief)
        composite = blend(loss.slowed(answer, settings.back), frames)
        agreeing = loss.consistency(iterates[-1].picture, composite)
        total = predicting + settings.mask * taught + settings.consistency * agreeing
        terms = {"predictor": predicting, "mask": taught, "consistency": agreeing}
        return {"loss": total, **terms}

    @torch.no_grad()
    def settle(self) -> None:
        """Move the teacher towards the predictor."""
        decay = self._masking.ema
        for held, value in zip(
            self.teacher.state_dict().values(), self.predictor.state_dict().values(), strict=True
        ):
            if value.is_floating_point():
                held.lerp_(value, 1 - decay)
            else:
                held.copy_(value)


def learner(config: Config) -> Learner:
    """Return what the recipe trains."""
    if config.masking is None:
        return RedefocusLearner(config)
    return PaperLearner(config, config.masking)


def deployed(config: Config, average: Mapping[str, Tensor], *, unrolled: bool) -> DualPath:
    """Rebuild what runs on a stack from a learner's averaged weights, in eval mode.

    Without `unrolled` the predictor's mask is the answer, and no step follows.
    """
    net = DualPath(config)
    weights = {k.removeprefix("net."): v for k, v in average.items()}
    known = net.state_dict().keys()
    net.load_state_dict({k: v for k, v in weights.items() if k in known})
    net.unrolled = unrolled
    return net.eval()
