"""The card of a system: who made it, what it takes, how it may be run, what it scored."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from panfocus import schema
from panfocus.errors import SystemError_

Kind = Literal["decision", "picture"]


#: Bytes that a card has at most.
_MOST_BYTES = 2**20
#: Bounds of its whole numbers; all but one may be absent.
_WHOLE = {
    "max_frames": (2, 4096),
    "multiple_of": (1, 4096),
    "halo": (0, 2**16),
    "working_pixels": (1, 2**40),
    "tile_pixels": (1, 2**40),
    "macs_per_pixel": (0, 2**60),
}
_TEXTS = ("title", "value_range", "licence", "trained_by", "data", "notes")
_SHA256 = 64


def _refused(where: object, error: schema.SchemaError) -> SystemError_:
    return SystemError_(
        "a system's card has a value that cannot be"
        if error.where
        else "a system's card cannot be read",
        where=error.place(where),
        expected=error.expected,
        got=error.got,
        remedy="mend the card, or export the system again with `panfocus export`",
    )


def _sha256(value: object, where: str) -> str:
    found = schema.text(value, where, most=_SHA256)
    if len(found) != _SHA256 or not set(found) <= set("0123456789abcdef"):
        raise schema.SchemaError(where, "64 digits of 0-9 a-f", schema.said(value))
    return found


@dataclass(frozen=True)
class Card:
    """What the rest of the product may know of a system.

    Attributes:
        name: how `--system` calls it.
        title: one line for people.
        kind: "decision" yields weights per frame; "picture" yields only a fused picture, so
            that it has no index map, depth or confidence.
        max_frames: how many frames it takes at once; None for any number. Fewer than the
            stack holds means that the fold calls it again and again.
        multiple_of: height and width must be multiples of this (the caller pads).
        halo: pixels of context that a tile needs on each side; None when its answer depends
            on the whole picture, so that it must not be tiled.
        working_pixels: decide at a reduced scale when a frame has more pixels than this;
            None to decide at full scale always.
        tile_pixels: pixels times frames, halo included, that a network sees at once: larger
            pictures are tiled; None for a cautious number.
        value_range: what 1.0 at the seam means: always the full range of the frame's dtype.
        model: file name of the network beside the card; None for a classical system.
        sha256: of that file.
        restores: the network that restores detail in the fused picture (`--mode restore`), if
            any: its file ``model`` and ``sha256``, ``halo`` and ``multiple_of`` as here.
        guard: whether a network's decisions get a second opinion (`panfocus.guard`); what has no
            network never does.
        refined: whether small networks of ours refine a network's decisions: where two scales
            differ (`panfocus.systems.arbiter`), and at full scale (`panfocus.systems.refiner`).
        macs_per_pixel: multiply-adds per pixel at the working scale: of each frame, or of a pair
            where `max_frames` is 2.
        licence: of code and weights.
        trained_by: who trained it, when and on what machine.
        data: what it was trained on, with the data's terms.
        recipe: settings that reproduce it.
        scores: measured results, name to value, with the set in the name.
        notes: limits that a user should know.

    Raises:
        SystemError_: a value of another kind, or out of bounds.

    Example:
        >>> card = Card(name="mine", title="my own", max_frames=2, halo=16)
        >>> Card.from_json(card.to_json(), where="memory") == card
        True
    """

    name: str
    title: str
    kind: Kind = "decision"
    max_frames: int | None = None
    multiple_of: int = 1
    halo: int | None = None
    working_pixels: int | None = None
    tile_pixels: int | None = None
    value_range: str = "[0, 1] of the dtype's range"
    model: str | None = None
    sha256: str | None = None
    restores: Mapping[str, Any] | None = None
    guard: bool = True
    refined: bool = True
    macs_per_pixel: int | None = None
    licence: str = "MIT"
    trained_by: str = "nobody: no weights"
    data: str = "none"
    recipe: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: str = ""

    def __post_init__(self) -> None:
        """Refuse values that no fusion can be run by, whoever made the card.

        Raises:
            SystemError_: one of another kind, or out of bounds.
        """
        try:
            self._check()
        except schema.SchemaError as error:
            raise _refused(schema.said(self.name), error) from None

    def _check(self) -> None:
        schema.text(self.name, "name", is_empty=False, most=200)
        for name in _TEXTS:
            schema.text(getattr(self, name), name)
        schema.choice(self.kind, "kind", get_args(Kind))
        for name, (low, high) in _WHOLE.items():
            value: object = getattr(self, name)
            if value is not None or name == "multiple_of":
                schema.whole(value, name, low, high)
        schema.unless_none(schema.file_name, self.model, "model")
        schema.unless_none(_sha256, self.sha256, "sha256")
        if self.restores is not None:
            told = schema.record(self.restores, "restores")
            schema.file_name(schema.item(told, "model", "restores"), "restores.model")
            _sha256(schema.item(told, "sha256", "restores"), "restores.sha256")
            for name in ("halo", "multiple_of"):
                value = schema.item(told, name, "restores")
                schema.whole(value, f"restores.{name}", *_WHOLE[name])
        for name in ("guard", "refined"):
            schema.truth(getattr(self, name), name)
        schema.record(self.recipe, "recipe")
        for name, score in schema.record(self.scores, "scores").items():
            schema.number(score, f"scores.{name}")

    @property
    def is_guarded(self) -> bool:
        """Whether its decisions get a second opinion."""
        return self.guard and self.model is not None

    def to_json(self) -> str:
        """Return the card as indented JSON, which `from_json` reads back."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Card:
        """Read a card.

        Args:
            text: JSON with the names of this class; a missing name takes its default.
            where: the file, for messages.

        Raises:
            SystemError_: not JSON, an unknown name, or a required name missing.
        """
        try:
            got = schema.record(schema.parse(text))
        except schema.SchemaError as error:
            raise _refused(where, error) from None
        known = {f.name for f in fields(cls)}
        if not {"name", "title"} <= got.keys() <= known:
            raise SystemError_(
                "a system's card has the wrong fields",
                where=where,
                expected=f"name, title and any of {', '.join(sorted(known))}",
                got=", ".join(sorted(got)) or "none",
                remedy="export the system again with `panfocus export`",
            )
        try:
            return cls(**cast("dict[str, Any]", got))
        except SystemError_ as error:
            raise SystemError_(
                error.what,
                where=f"{where}, {str(error.where).rpartition(', ')[2]}",
                expected=error.expected,
                got=error.got,
                remedy=error.remedy,
            ) from None

    @classmethod
    def read(cls, path: Path) -> Card:
        """Read ``card.json``.

        Raises:
            SystemError_: not readable, or no card; or a link that leads out of its folder.
        """
        folder = os.path.realpath(path.parent)
        if Path(os.path.realpath(path)).parent != Path(folder):
            raise SystemError_(
                "a system's card is a link that leads out of its folder",
                where=str(path),
                expected="a file in the folder",
                got=os.path.realpath(path),
                remedy="copy the system's files into one folder",
            )
        try:
            return cls.from_json(schema.read_text(path, _MOST_BYTES), str(path))
        except schema.SchemaError as error:
            raise _refused(path, error) from None
        except OSError as error:
            raise SystemError_(
                "a system's card cannot be read", where=str(path), got=error.strerror
            ) from error
