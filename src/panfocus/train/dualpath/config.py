"""What a recipe of Dual-Path tells, frozen (`panfocus.train.dualpath.recipes`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from panfocus.schema import SchemaError
from panfocus.train import changes, fields
from panfocus.train.dualpath.masks import MEASURES, WINDOWS
from panfocus.train.dualpath.network import Shape
from panfocus.train.dualpath.own import BUILT_IN, STEPS
from panfocus.train.dualpath.predictor import Drop, Guide
from panfocus.train.dualpath.step import Unrolled
from panfocus.train.fields import (
    AtLeast,
    Count,
    Decay,
    Norm,
    OneOf,
    Part,
    Rate,
    Share,
    Side,
    Weight,
    Within,
)
from panfocus.train.synthesis.odds import Odds

#: Names of what imperfect masks come from.
Measures = Annotated[tuple[Annotated[str, OneOf(MEASURES)], ...], AtLeast(1)]
#: Sides of squares in which energy is pooled.
Windows = Annotated[tuple[Annotated[int, Within(1, 63)], ...], AtLeast(1)]


@dataclass(frozen=True)
class Sets:
    """One kind of batch.

    Attributes:
        share: of all steps, as a weight.
        frames: in each set.
        batch: sets per step, over all processes together.
        made: whether frames are blurred again, so that mask and picture are known exactly (OURS);
            else they are crops of the real sets as they are.
        told: whether what is known exactly of made frames is told to the networks. Else they are
            defocused frames like others, of which there are few with lights, or out of focus in
            all.
    """

    share: Share
    frames: Annotated[int, Within(2, 64)]
    batch: Count
    made: bool = False
    told: bool = True

    @property
    def exact(self) -> bool:
        """Whether mask and picture of each set are known to the networks."""
        return self.made and self.told


@dataclass(frozen=True)
class Known:
    """Weights of what L_known compares with the exact picture and mask, beside the picture error.

    Attributes:
        mask: of the cross entropy to the exact mask.
        picture: of the fuser's own picture against the blend by its mask.
        decibel: of the natural logarithm of each set's mean squared error. What counts in use is
            decibels, and squared errors are those of the few worst sets.
        similarity: of ``1 - SSIM``, which squared errors in faint texture hardly move.
    """

    mask: Weight = 0.05
    picture: Weight = 0.3
    decibel: Weight = 0.0
    similarity: Weight = 0.0


@dataclass(frozen=True)
class Masking:
    """How the predictor learns from imperfect masks, and teaches the fuser.

    Attributes:
        measures: that imperfect masks come from, all of them for every sample: focus measures,
            each with all of `windows`, or "guided", the system of that name. It counts as much
            as all windows together: the mean of their masks is better by 3.2 dB at lights and 2.2
            at voids than with one part in five, and worse by 0.3 on stacks (MEASURED).
        windows: sides of the squares in which energy is pooled.
        dropout: share of channels dropped in the predictor's decoder, at all times.
        guide: what the predictor sees of the frames.
        drop: whether single pixels of a mask are dropped, or blocks.
        cross: ask for another mask of the sample than the one given.
        mask: weight of L_mask.
        consistency: weight of L_cons.
        back: share of L_cons's gradient that reaches the predictor.
    """

    measures: Measures = ("sml", "guided", "guided", "guided")
    windows: Windows = WINDOWS
    dropout: Part = 0.3
    guide: Guide = "symmetric"
    drop: Drop = "pixels"
    cross: bool = True
    mask: Weight = 1.0
    consistency: Weight = 1.0
    back: Share = 0.1


@dataclass(frozen=True)
class Config:
    """Everything that makes a run, but for seed, duration and machine.

    Attributes:
        recipe: its name.
        predictor: shape of the mask predictor.
        steps: the fuser's unrolled steps; their number is K.
        sets: kinds of batches.
        size: height and width of the crops.
        alone: share of the run in which the predictor does not teach yet.
        masking: how the predictor learns and teaches.
        known: what counts where mask and picture are known exactly.
        fused_by: system that fuses the real sets, so that they too can be blurred again; None to
            blur frames alone.
        odds: of the synthesis that blurs again.
        learning_rate: at the peak.
        warmup: share of the run in which the learning rate rises from 0.
        weight_decay: of AdamW.
        clip: largest norm of the whole gradient.
        ema: decay per step of the averaged weights, which are the ones exported.
        step: what the fuser's steps are, by a name in `own.STEPS`.
        terms: loss terms of the user's own, ``NAME=WEIGHT`` each (`own.TERMS`).
    """

    recipe: str
    predictor: Shape
    steps: Annotated[tuple[Unrolled, ...], AtLeast(1)]
    sets: Annotated[tuple[Sets, ...], AtLeast(1)]
    size: Side
    alone: Part
    masking: Masking = field(default_factory=Masking)
    known: Known = field(default_factory=Known)
    fused_by: str | None = None
    odds: Odds = field(default_factory=Odds)
    learning_rate: Rate = 1.5e-3
    warmup: Part = 0.02
    weight_decay: Decay = 1e-2
    clip: Norm = 1.0
    ema: Share = 0.998
    step: str = BUILT_IN
    terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse batches of which none is drawn.

        Raises:
            SchemaError: no kind of batch has a share.
        """
        if not sum(kind.share for kind in self.sets):
            raise SchemaError("sets", "a share above 0 of one of them", "none")

    @property
    def multiple_of(self) -> int:
        """What height and width of a frame must be multiples of, in training and in use."""
        return max(part.multiple_of for part in (self.predictor, *self.steps))

    @property
    def halo(self) -> int:
        """Context that a tile needs on each side: steps follow each other, so reaches add."""
        kind = STEPS.get(self.step)
        return sum(kind.reach(size) for size in self.steps)

    @property
    def needs_sets(self) -> bool:
        """Whether frames must lie on each other: crops of real sets are drawn."""
        return any(kind.share > 0 and not kind.made for kind in self.sets)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for cards and checkpoints.

        What is the user's own stands there only where there is any, so that runs of before it
        could be are still resumed.
        """
        usual = {"step": BUILT_IN, "terms": (), "known": asdict(Known())}
        return {k: v for k, v in asdict(self).items() if k not in usual or v != usual[k]}


#: What is not changed by halves, or at all.
WHOLE = frozenset({"recipe", "predictor", "steps", "sets"})


def from_dict(values: Mapping[str, Any]) -> Config:
    """Rebuild what `Config.to_dict` gave, whether or not JSON made lists of its tuples.

    Raises:
        SchemaError: a value is missing, unknown, of another type or out of bounds.
    """
    return fields.built(Config, values)


def changed(chosen: Config, settings: Sequence[str]) -> Config:
    """Return a recipe with single values changed.

    Args:
        chosen: the recipe.
        settings: ``KEY=VALUE`` each, keys joined by dots as in ``run.json``: ``odds.lights=0.2``,
            ``learning_rate=5e-4``, ``masking.guide=none``; values as JSON, a bare word, or for a
            list words with commas between them.

    Raises:
        UsageError: no such key, or a value of another kind.
    """
    return changes.rebuilt(from_dict, changes.changed(asdict(chosen), settings, whole=WHOLE))


def enlarged(chosen: Config, factor: int) -> Config:
    """Return a recipe with `factor` times the sets a step, and a rate larger by its root.

    Under Adam the noise of a step, whose size does not follow the gradient's, grows by so much.
    """
    if factor == 1:
        return chosen
    sets = tuple(replace(kind, batch=factor * kind.batch) for kind in chosen.sets)
    return replace(chosen, sets=sets, learning_rate=chosen.learning_rate * factor**0.5)
