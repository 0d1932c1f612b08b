"""The two recipes of DRPL, frozen: the published one, and ours."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from panfocus.errors import UsageError


@dataclass(frozen=True)
class LossWeights:
    """How much each term of `loss.total` counts; 0 leaves a term out.

    Attributes:
        mask: L1 between both maps and the complementary masks.
        gradient: L1 between Laplacians of fused picture and truth.
        ssim: 1 - SSIM of fused picture and truth.
        picture_l1: L1 between the picture blended as at test time and the truth.
        picture_l2: mean squared error of the same.
    """

    mask: float
    gradient: float
    ssim: float
    picture_l1: float = 0.0
    picture_l2: float = 0.0


@dataclass(frozen=True)
class Stage:
    """From `start` (share of the run done) on: how deep, how large the crops, how many.

    Attributes:
        start: share of the run in [0, 1].
        blocks: residual blocks that run; the others are exact identities.
        size: height and width of the crops.
        batch: pairs per step, over all processes together.
    """

    start: float
    blocks: int
    size: int
    batch: int


@dataclass(frozen=True)
class Config:
    """Everything that makes a DRPL run, but for seed, duration and machine.

    Attributes:
        recipe: its name.
        synthesis: which synthesis makes the pairs, see `panfocus.train.synthesis`.
        loss: weights of the loss terms.
        stages: in order of `start`, the first at 0.
        learning_rate: at the peak.
        warmup: share of the run in which the learning rate rises from 0, of "cosine".
        decay: "cosine" to 1 % of the peak, or "steps": halved at 30/50 of the run.
        weight_decay: of AdamW, on weights of convolutions.
        clip: largest norm of the whole gradient.
        ema: decay per step of the averaged weights, which are the ones exported.
        high_pass: start the first layer as zero-mean filters, half on each picture.
        zero_blocks: start residual blocks as identities, so that depth can be added later.
        symmetric: keep the network such that swapping the pair swaps the maps, exactly.
    """

    recipe: str
    synthesis: str
    loss: LossWeights
    stages: tuple[Stage, ...]
    learning_rate: float
    warmup: float
    decay: str
    weight_decay: float
    clip: float
    ema: float
    high_pass: bool
    zero_blocks: bool
    symmetric: bool

    def stage(self, progress: float) -> Stage:
        """Return the stage in force when `progress` of the run is done."""
        return [s for s in self.stages if s.start <= progress][-1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for cards and checkpoints."""
        return asdict(self)


PUBLISHED = Config(
    recipe="published",
    synthesis="published",
    loss=LossWeights(mask=0.8, gradient=0.1, ssim=0.1),
    stages=(Stage(0.0, blocks=12, size=128, batch=4),),
    learning_rate=1e-3,
    warmup=0.0,
    decay="steps",
    weight_decay=0.0,
    clip=0.5,
    ema=0.998,
    high_pass=False,
    zero_blocks=False,
    symmetric=False,
)

BETTER = Config(
    recipe="better",
    synthesis="varied",
    loss=LossWeights(mask=0.1, gradient=0.1, ssim=0.1, picture_l1=10.0, picture_l2=100.0),
    stages=(
        Stage(0.0, blocks=1, size=64, batch=8),
        Stage(0.15, blocks=3, size=64, batch=8),
        Stage(0.4, blocks=6, size=80, batch=5),
        Stage(0.7, blocks=12, size=96, batch=3),
    ),
    learning_rate=1e-3,
    warmup=0.02,
    decay="cosine",
    weight_decay=1e-2,
    clip=1.0,
    ema=0.996,
    high_pass=True,
    zero_blocks=True,
    symmetric=True,
)

#: Learning rate of a network that was trained before; it has its depth and needs no warm start.
CONTINUED_RATE = 5e-4


def continued(config: Config) -> Config:
    """Return the recipe for going on from trained weights: the last stage alone, slower."""
    last = replace(config.stages[-1], start=0.0)
    return replace(config, stages=(last,), learning_rate=CONTINUED_RATE, ema=0.998)


RECIPES = {c.recipe: c for c in (PUBLISHED, BETTER)}


def recipe(name: str) -> Config:
    """Return a recipe by name.

    Raises:
        UsageError: no such recipe.
    """
    if name not in RECIPES:
        raise UsageError(
            "unknown DRPL recipe", expected=" or ".join(RECIPES), got=name, where="--recipe"
        )
    return RECIPES[name]
