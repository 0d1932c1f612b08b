"""The recipes of Dual-Path, frozen: the paper's reconstruction, and ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from panfocus.errors import UsageError
from panfocus.train.dualpath.network import Shape
from panfocus.train.dualpath.predictor import Sees
from panfocus.train.synthesis import Odds


@dataclass(frozen=True)
class Sets:
    """One kind of batch.

    Attributes:
        share: of all steps, as a weight.
        frames: in each set.
        batch: sets per step, over all processes together.
    """

    share: float
    frames: int
    batch: int


@dataclass(frozen=True)
class Masking:
    """How the predictor learns from imperfect masks, and teaches the fuser.

    Attributes:
        dropout: share of channels dropped in the predictor's decoder, at all times.
        open_guide: show the predictor the frames whole, and not only where the mask is kept.
        cross: ask for another measure's mask than the one given.
        passes: drawings of blocks that are averaged into the mask that teaches.
        ema: decay of the averaged predictor that teaches.
        mask: weight of L_mask.
        consistency: weight of L_cons.
        back: share of L_cons's gradient that reaches the predictor.
    """

    dropout: float = 0.3
    open_guide: bool = False
    cross: bool = True
    passes: int = 4
    ema: float = 0.998
    mask: float = 1.0
    consistency: float = 1.0
    back: float = 0.1


@dataclass(frozen=True)
class Config:
    """Everything that makes a run, but for seed, duration and machine.

    Attributes:
        recipe: its name.
        predictor: shape of the mask predictor.
        priors: shape of the mask prior of each unrolled step; their number is K.
        picture_width: channels of the picture prior of each step.
        sets: kinds of batches.
        size: height and width of the crops.
        alone: share of the run in which the predictor trains alone; each part has a learning
            rate that rises and falls.
        masking: learn from imperfect masks of real sets (the paper); None to learn from exact
            masks of pictures that were blurred again.
        fused_by: system that fuses the real sets, so that they too can be blurred again.
        odds: of the synthesis that blurs again.
        sees: what the predictor is shown, when masks are exact: "raw" frames, focus "evidence",
            or "both".
        weights: of the predictor's and of each step's loss, when masks are exact and both train.
        learning_rate: at the peak.
        warmup: share of the run in which the learning rate rises from 0.
        weight_decay: of AdamW.
        clip: largest norm of the whole gradient.
        ema: decay per step of the averaged weights, which are the ones exported.
        fuser_ema: the same while the fuser trains.
    """

    recipe: str
    predictor: Shape
    priors: tuple[Shape, ...]
    picture_width: int
    sets: tuple[Sets, ...]
    size: int
    alone: float
    masking: Masking | None
    fused_by: str | None = None
    odds: Odds = field(default_factory=Odds)
    sees: Sees = "raw"
    weights: tuple[float, ...] = ()
    learning_rate: float = 1.5e-3
    warmup: float = 0.02
    weight_decay: float = 1e-2
    clip: float = 1.0
    ema: float = 0.998
    fuser_ema: float = 0.99

    @property
    def multiple_of(self) -> int:
        """What height and width of a frame must be multiples of."""
        return max(shape.multiple_of for shape in (self.predictor, *self.priors))

    @property
    def halo(self) -> int:
        """Context that a tile needs on each side: the paths follow each other, so reaches add."""
        steps = sum(shape.reach for shape in self.priors)
        return steps + (0 if self.masking else self.predictor.reach)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for cards and checkpoints."""
        return asdict(self)


UNET = Shape((32, 48, 64, 64), (1, 2, 1), (1, 1, 1), (1, 1), narrow=32)
#: The same with one more block at the first and at the third level on the way up.
GROWN = Shape((32, 48, 64, 64), (1, 2, 1), (2, 1, 2), (1, 1), narrow=32)
SMALL = Shape((16,), (), (), (), narrow=16)
MIDDLE = Shape((16, 32, 32), (0, 1), (1, 1), (1,), narrow=16)

#: The reconstruction as it stands: real sets only, imperfect masks, K = 4 steps from M = 1/N.
PAPER = Config(
    recipe="paper",
    predictor=UNET,
    priors=(MIDDLE,) * 4,
    picture_width=16,
    sets=(Sets(0.8, 2, 8), Sets(0.2, 3, 6)),
    size=96,
    alone=0.25,
    masking=Masking(),
)

#: OURS: exact masks by blurring defocused pictures again; two light steps from the predictor.
REDEFOCUS = Config(
    recipe="redefocus",
    predictor=GROWN,
    priors=(SMALL, SMALL),
    picture_width=16,
    sets=(Sets(0.4, 2, 8), Sets(0.1, 3, 6), Sets(0.2, 5, 4), Sets(0.3, 8, 2)),
    size=128,
    alone=0.88,
    masking=None,
    fused_by="dualpath",
    odds=Odds(crisp=0.3),
    weights=(0.0, 0.5, 1.0),
)

RECIPES = {c.recipe: c for c in (PAPER, REDEFOCUS)}


def _varied(name: str, base: Config, **changes: Any) -> Config:  # noqa: ANN401  any field
    return replace(base, recipe=f"{base.recipe}-{name}", **changes)


#: One thing changed each, to measure what it is worth (`benchmarks/dualpath_ablation.py`).
ABLATIONS = {
    c.recipe: c
    for c in (
        _varied("same-measure", PAPER, masking=Masking(cross=False)),
        _varied("open-guide", PAPER, masking=Masking(open_guide=True)),
        _varied("frames-only", REDEFOCUS, fused_by=None),
        _varied("no-lights", REDEFOCUS, odds=replace(REDEFOCUS.odds, lights=0.0)),
        _varied("hard-edges", REDEFOCUS, odds=replace(REDEFOCUS.odds, layers=0.0)),
        _varied("evidence", REDEFOCUS, sees="evidence"),
        _varied("both", REDEFOCUS, sees="both"),
    )
}


def from_dict(values: Mapping[str, Any]) -> Config:
    """Rebuild what `Config.to_dict` gave, whether or not JSON made lists of its tuples."""
    held = {name: _frozen(value) for name, value in values.items()}
    held["predictor"] = _shape(values["predictor"])
    held["priors"] = tuple(_shape(v) for v in values["priors"])
    held["sets"] = tuple(Sets(**v) for v in values["sets"])
    held["masking"] = Masking(**values["masking"]) if values.get("masking") else None
    held["odds"] = Odds(**{name: _frozen(v) for name, v in values["odds"].items()})
    return Config(**held)


def _shape(values: Mapping[str, Any]) -> Shape:
    return Shape(**{name: _frozen(v) for name, v in values.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return tuple(items)
    return value


def recipe(name: str) -> Config:
    """Return a recipe by name.

    Raises:
        UsageError: no such recipe.
    """
    known = {**RECIPES, **ABLATIONS}
    if name not in known:
        raise UsageError(
            "unknown Dual-Path recipe", expected=" or ".join(known), got=name, where="--recipe"
        )
    return known[name]
