"""The recipes of Dual-Path: the paper's reconstruction, ours on top of it, and one change each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from panfocus import schema
from panfocus.errors import DataError, UsageError
from panfocus.resources.others import others_told
from panfocus.systems.card import Card
from panfocus.train.dualpath.config import Config, Known, Masking, Sets, from_dict
from panfocus.train.dualpath.masks import MEASURES
from panfocus.train.dualpath.network import Shape
from panfocus.train.dualpath.step import Unrolled
from panfocus.train.synthesis.odds import Odds

#: The mask predictor: training apparatus, and small.
TEACHER = Shape((16, 32, 32, 32), (1, 1, 1), (1, 1, 1), (1,), narrow=16)
WIDE = Shape((32, 48, 64, 64), (1, 2, 1), (2, 1, 2), (1, 1), narrow=32)
FOLLOWING = Shape((16,), (), (), (), narrow=16, pack=4, normalised=False)
MIDDLE = Shape((16, 32, 32), (0, 1), (1, 1), (1,), narrow=16)
#: The reconstruction as it stands: frames and imperfect masks of them, K = 3 equal steps. Half of
#: the frames were blurred again, of which nothing is told: real ones hold few lights.
PAPER = Config(
    recipe="paper",
    predictor=TEACHER,
    steps=(Unrolled(MIDDLE, ("iterate", "difference", "frames", "evidence"), 16),) * 3,
    sets=(
        Sets(0.27, 2, 8),
        Sets(0.07, 3, 6),
        Sets(0.08, 5, 4),
        Sets(0.08, 8, 2),
        Sets(0.27, 2, 8, made=True, told=False),
        Sets(0.07, 3, 6, made=True, told=False),
        Sets(0.08, 5, 4, made=True, told=False),
        Sets(0.08, 8, 2, made=True, told=False),
    ),
    size=96,
    alone=0.1,
    masking=Masking(consistency=0.3),
    learning_rate=1e-3,
)
#: OURS on top: a first step of large capacity, two light ones, and frames that are blurred again,
#: for which mask and picture are known exactly. Masks of measures count less than exact ones.
DUALPATH = Config(
    recipe="dualpath",
    predictor=TEACHER,
    steps=(
        Unrolled(WIDE, ("frames",), 16, carry=12),
        Unrolled(FOLLOWING, ("iterate", "features"), 16, carry=16),
        Unrolled(FOLLOWING, ("iterate", "features"), 32, picture_blocks=2, picture_pack=2),
    ),
    sets=(
        Sets(0.12, 2, 8),
        Sets(0.04, 5, 4),
        Sets(0.04, 8, 2),
        Sets(0.3, 2, 8, made=True),
        Sets(0.05, 3, 6, made=True),
        Sets(0.18, 5, 4, made=True),
        Sets(0.27, 8, 2, made=True),
    ),
    size=128,
    alone=0.1,
    masking=Masking(mask=0.1, consistency=0.1),
    known=Known(mask=0.03, decibel=0.02, similarity=0.5),
    fused_by="guided",
    odds=Odds(crisp=0.3, moved=0.15, ringed=0.08, noise=0.2, hairy=0.08, translucent=0.05),
)
RECIPES = {c.recipe: c for c in (PAPER, DUALPATH)}


def _varied(name: str, base: Config, **changes: Any) -> Config:  # noqa: ANN401  any field
    return replace(base, recipe=f"{base.recipe}-{name}", **changes)


def _masked(name: str, **changes: Any) -> Config:  # noqa: ANN401  any field
    return _varied(name, PAPER, masking=replace(PAPER.masking, **changes))


_IN_TWO = ("iterate", "difference", "frames")
#: One thing changed each, to measure what it is worth (`benchmarks/dualpath_ablation.py`).
ABLATIONS = {
    c.recipe: c
    for c in (
        _masked("blocks", drop="blocks"),
        _masked("masked-guide", guide="masked"),
        _masked("open-guide", guide="open"),
        _masked("no-guide", guide="none"),
        _masked("same-mask", cross=False),
        _masked("all-measures", measures=MEASURES),
        _varied("no-evidence", PAPER, steps=tuple(replace(s, sees=_IN_TWO) for s in PAPER.steps)),
        _varied("one-step", PAPER, steps=PAPER.steps[:1]),
        _varied("made-alone", DUALPATH, sets=tuple(s for s in DUALPATH.sets if s.made)),
        _varied("frames-only", DUALPATH, fused_by=None),
        _varied("no-lights", DUALPATH, odds=replace(DUALPATH.odds, lights=0.0)),
        _varied("no-fluorescence", DUALPATH, odds=replace(DUALPATH.odds, fluorescent=0.0)),
        _varied("hard-edges", DUALPATH, odds=replace(DUALPATH.odds, layers=0.0)),
    )
}


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


def recipe_from(name: str | None, file: Path | None) -> Config:
    """Return the recipe that is named, or told in a file.

    Raises:
        UsageError: both, or no such recipe.
        DataError: the file tells none.
    """
    if file is None:
        return recipe(name or DUALPATH.recipe)
    if name is not None:
        raise UsageError("a recipe is named or read from a file", where="--recipe, --config")
    with others_told(partial(_no_recipe, file), OSError, schema.SchemaError):
        told = schema.record(schema.read(file))
        values = told.get("config") or told.get("recipe") or told
        return from_dict(known_fields(schema.record(values)))


def _no_recipe(file: Path, error: Exception) -> DataError:
    what, whole = "the file tells no recipe of Dual-Path", "run.json of a run, or card.json"
    if isinstance(error, schema.SchemaError):
        expected = error.expected if error.where else f"{whole}: {error.expected}"
        return DataError(what, where=error.place(file), expected=expected, got=error.got)
    got = error.strerror if isinstance(error, OSError) else str(error)
    return DataError(what, where=str(file), expected=whole, got=got)


def recipe_of(card: Card, folder: Path) -> Config:
    """Return the recipe that a card tells.

    Raises:
        DataError: it tells none that this version knows.
    """
    try:
        return from_dict(known_fields(card.recipe))
    except schema.SchemaError as error:
        raise DataError(
            "the system was made by another version, and cannot be trained on",
            where=error.place(folder / "card.json"),
            expected=error.expected,
            got=error.got,
            remedy="start from --init bundled",
        ) from None


def check_recipe(start: Path, asked: str | None) -> None:
    """Refuse to go on by another recipe than the system to start from was trained by.

    Raises:
        UsageError: `asked` is another.
    """
    its_own = recipe_of(Card.read(start / "card.json"), start).recipe
    if asked not in (None, its_own):
        raise UsageError(
            "the system to start from was trained by another recipe",
            where="--recipe",
            expected=its_own,
            got=str(asked),
            remedy="leave --recipe out to go on by its own, or --init to begin anew",
        )


def known_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration holds: cards tell more of a recipe, steps, seed, earlier runs."""
    names = {field.name for field in fields(Config)}
    return {k: v for k, v in values.items() if k in names}
