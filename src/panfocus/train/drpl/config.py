"""The recipes of DRPL, frozen: the published one, ours, and the small network's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

from panfocus.errors import UsageError
from panfocus.schema import SchemaError
from panfocus.train import changes, fields
from panfocus.train.fields import (
    AtLeast,
    Count,
    Decay,
    Norm,
    Part,
    Rate,
    Share,
    Side,
    Some,
    Weight,
    Within,
)

#: The networks there are: as published, and `panfocus.train.drpl.small`.
Network = Literal["drpl", "small"]


@dataclass(frozen=True)
class LossWeights:
    """How much each term of `loss.total` counts; 0 leaves a term out.

    Attributes:
        mask: L1 between both maps and the complementary masks.
        gradient: L1 between Laplacians of fused picture and truth.
        ssim: 1 - SSIM of fused picture and truth.
        picture_l1: L1 between the picture blended as at test time and the truth.
        picture_l2: mean squared error of the same.
        teacher: L1 between the maps and a trained network's, in the steps in which it is asked.
    """

    mask: Weight
    gradient: Weight
    ssim: Weight
    picture_l1: Weight = 0.0
    picture_l2: Weight = 0.0
    teacher: Weight = 0.0


@dataclass(frozen=True)
class Stage:
    """From `start` (share of the run done) on: how deep, how large the crops, how many.

    Attributes:
        start: share of the run in [0, 1].
        blocks: residual blocks that run; the others are exact identities.
        size: height and width of the crops.
        batch: pairs per step, over all processes together.
    """

    start: Share
    blocks: Some
    size: Side
    batch: Count


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
        network: which network is trained.
        taught_every: the teacher is asked in every so many steps; it costs more than they do.
        ended: share of the varied pairs whose pictures end before the network's field does, as
            those do whose sides are no multiples of what the network takes.
    """

    recipe: str
    synthesis: Literal["published", "varied"]
    loss: LossWeights
    stages: Annotated[tuple[Stage, ...], AtLeast(1)]
    learning_rate: Rate
    warmup: Part
    decay: Literal["cosine", "steps"]
    weight_decay: Decay
    clip: Norm
    ema: Share
    high_pass: bool
    zero_blocks: bool
    symmetric: bool
    network: Network = "drpl"
    taught_every: Annotated[int, Within(-(10**9), 10**9)] = 1
    ended: Share = 0.0

    def __post_init__(self) -> None:
        """Refuse a teacher that is asked in no step, and a run that begins with no stage.

        Raises:
            UsageError: `taught_every` is below 1.
            SchemaError: no stage starts at 0.
        """
        if self.taught_every < 1:
            raise UsageError(
                "a teacher is asked in every so many steps, or it is left out",
                where="taught_every",
                expected="a whole number from 1, or loss.teacher=0",
                got=str(self.taught_every),
            )
        if min(stage.start for stage in self.stages) > 0:
            raise SchemaError("stages", "a first one that starts at 0", "none that does")

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
    stages=(Stage(0.0, blocks=12, size=128, batch=5),),
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
    ended=0.3,
)

#: The published pairs and loss for a network that learns them in minutes on one core: one block,
#: twin channels, a high-pass start. What the terms are worth is measured on it, since twelve raw
#: blocks are still on their plateau when these minutes are over.
SHORT = replace(
    PUBLISHED,
    recipe="published-short",
    stages=(Stage(0.0, blocks=1, size=64, batch=8),),
    ema=0.99,
    high_pass=True,
    zero_blocks=True,
    symmetric=True,
)

#: The paper's three terms at their published weights, and leading: 61 % of the loss of the bundled
#: weights rather than 16 %. They cost (MEASURED, docs/decisions/0011-drpl-terms.md).
LED = replace(
    BETTER,
    recipe="paper-led",
    loss=LossWeights(mask=0.8, gradient=0.1, ssim=0.1, picture_l1=5.0, picture_l2=50.0),
)

#: A small network that learns from made pairs, and from the maps of a large one. After 400 steps by
#: the paper's three terms alone it was 1.2 dB worse on layers and 8.7 on lights (MEASURED).
SMALL = replace(
    BETTER,
    recipe="small",
    loss=replace(BETTER.loss, mask=0.8, teacher=0.8),
    stages=(Stage(0.0, blocks=0, size=96, batch=8),),
    learning_rate=1.5e-3,
    ema=0.998,
    network="small",
    taught_every=8,
)

#: Learning rate of a network that was trained before; it has its depth and needs no warm start.
CONTINUED_RATE = 5e-4


def continued(config: Config) -> Config:
    """Return the recipe for going on from trained weights: the last stage alone, slower."""
    last = replace(config.stages[-1], start=0.0)
    return replace(config, stages=(last,), learning_rate=CONTINUED_RATE, ema=0.998)


def enlarged(config: Config, factor: int) -> Config:
    """Return a recipe with `factor` times the pairs a step, and a rate larger by its root.

    As `panfocus.train.dualpath.config.enlarged`; the published recipe keeps its rate, which is
    part of what it is.
    """
    stages = tuple(replace(stage, batch=factor * stage.batch) for stage in config.stages)
    grows = config.decay == "cosine"
    rate = config.learning_rate * factor**0.5 if grows else config.learning_rate
    return replace(config, stages=stages, learning_rate=rate)


RECIPES = {c.recipe: c for c in (PUBLISHED, BETTER, SMALL, SHORT, LED)}
#: What the network of a recipe is called; of one that is not here, "drpl".
SYSTEMS = {PUBLISHED.recipe: "drpl-paper", SMALL.recipe: "drpl-small"}
#: What is not changed by halves, or at all.
WHOLE = frozenset({"recipe", "network", "synthesis", "stages"})


def system_of(config: Config) -> str:
    """Return the name of the bundled system that has the recipe's network."""
    return SYSTEMS[SMALL.recipe] if config.network == "small" else "drpl"


def from_dict(values: Mapping[str, Any]) -> Config:
    """Rebuild what `Config.to_dict` gave, whether or not JSON made lists of its tuples.

    Raises:
        SchemaError: a value is missing, unknown, of another type or out of bounds.
    """
    return fields.built(Config, values)


def changed(config: Config, settings: Sequence[str]) -> Config:
    """Return a recipe with single values changed, as ``loss.gradient=0``.

    Raises:
        UsageError: no such key, or a value of another kind.
    """
    return changes.rebuilt(from_dict, changes.changed(config.to_dict(), settings, whole=WHOLE))


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
