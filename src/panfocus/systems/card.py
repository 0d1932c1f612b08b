"""The card of a system: who made it, what it takes, how it may be run, what it scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast

from panfocus.errors import SystemError_

Kind = Literal["decision", "picture"]


def _wrong_value(system: object, name: str, expected: str, got: object) -> SystemError_:
    return SystemError_(
        "a system's card has a value that cannot be",
        where=f"{system}, {name}",
        expected=expected,
        got=repr(got),
        remedy="mend the card, or export the system again with `panfocus export`",
    )


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
        macs_per_pixel: multiply-adds per pixel at the working scale.
        licence: of code and weights.
        trained_by: who trained it, when and on what machine.
        data: what it was trained on, with the data's terms.
        recipe: settings that reproduce it.
        scores: measured results, name to value, with the set in the name.
        notes: limits that a user should know.
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
    macs_per_pixel: int | None = None
    licence: str = "MIT"
    trained_by: str = "nobody: no weights"
    data: str = "none"
    recipe: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that no fusion can be run by.

        Raises:
            SystemError_: a limit that is none, or an unknown kind.
        """
        least = {"max_frames": 2, "multiple_of": 1, "halo": 0}
        least |= {"working_pixels": 1, "tile_pixels": 1}
        for name, low in least.items():
            value: object = getattr(self, name)
            is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= low
            if not is_whole and (value is not None or name == "multiple_of"):
                raise _wrong_value(self.name, name, f"a whole number from {low}", value)
        if self.kind not in ("decision", "picture"):
            raise _wrong_value(self.name, "kind", "decision or picture", self.kind)

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
            values: object = json.loads(text)
        except ValueError as error:
            raise SystemError_("a system's card is not JSON", where=where, got=str(error)) from None
        known = {f.name for f in fields(cls)}
        got = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
        if not {"name", "title"} <= got.keys() <= known:
            raise SystemError_(
                "a system's card has the wrong fields",
                where=where,
                expected=f"name, title and any of {', '.join(sorted(known))}",
                got=", ".join(sorted(got)) or "no object",
                remedy="export the system again with `panfocus export`",
            )
        return cls(**got)

    @classmethod
    def read(cls, path: Path) -> Card:
        """Read ``card.json``."""
        return cls.from_json(path.read_text(encoding="utf-8"), str(path))
