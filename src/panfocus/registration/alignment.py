"""The transforms of a stack: what was found for each frame, kept and read as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from panfocus import schema
from panfocus.errors import InputError, OutputError
from panfocus.frozen import frozen
from panfocus.guard.left_out import TOLD, Why
from panfocus.io.atomic import write_atomic
from panfocus.registration.transforms import (
    Crop,
    Matrix,
    common_field,
    corner_shift,
    is_plausible,
    normalised,
    scale_and_turn,
)
from panfocus.registration.warp import STILL, whole_shift
from panfocus.resources.paths import is_folder

_FORMAT = "panfocus-transforms-1"
#: What a file says of shifts that no matrix can hold.
_LOCAL = (
    "places of these frames were also shifted locally, by up to local_shift_px; that is not kept "
    "here: load the transforms with align local to have it found again"
)
#: A side of a frame, at most.
_MOST_PIXELS = 10**7
#: An entry of a matrix, at most: products of larger ones are no numbers.
_MOST_ENTRY = 1e9
#: How the status of a frame begins that could not be aligned; the reason follows.
UNALIGNED = "left unaligned: "
#: How the status of a frame begins that lies in place, but adds nothing; the reason follows.
LEFT_OUT = "left out: "
#: The status of a frame whose place nobody has looked for.
NOT_COMPARED = "not compared"
#: Share of the picture that the common field must keep for frames to be cropped to it.
_LEAST_SHARE = 0.25


@frozen
class Placed:
    """Where one frame lies.

    Attributes:
        name: of the frame.
        matrix: coordinates (x, y, 1) of the reference frame to those of this one, pixels.
        kind: of the step that was found, see `LADDER`.
        status: "reference", "aligned", "in place", "carried by its neighbours", "left unaligned: "
            and why, "left out: " and why, "loaded", or "not compared".
        gain: share of the difference to its neighbour that the step removed on held-out pixels.
        error: standard error in pixels of the corner that is known worst; NaN where not known.
        local_px: longest shift that a place of it takes besides, pixels; None where none was
            looked for.
        left_out: why it takes no part in the picture; None where it does.
    """

    name: str
    matrix: Matrix
    kind: str
    status: str
    gain: float = 0.0
    error: float = float("nan")
    local_px: float | None = None
    left_out: Why | None = None

    def without(self, why: Why) -> Placed:
        """Return the same of a frame that is left out: it moves nothing, nor is it cropped to."""
        adds_nothing = why in ("shaken", "duplicate", "repeated")
        told = f"it {TOLD[why][0].rstrip(',')}"
        status = (LEFT_OUT if adds_nothing else UNALIGNED) + told
        return Placed(self.name, np.eye(3), "identity", status, left_out=why)


@frozen
class Alignment:
    """Where the frames of a stack lie.

    Attributes:
        height: of a frame.
        width: of a frame.
        reference: number of the frame whose geometry counts; -1 where it is not among them.
        frames: in the order of the stack.
    """

    height: int
    width: int
    reference: int
    frames: tuple[Placed, ...]

    def part(self, numbers: range) -> Alignment:
        """Return where some of the frames lie."""
        reference = numbers.index(self.reference) if self.reference in numbers else -1
        return replace(self, reference=reference, frames=tuple(self.frames[n] for n in numbers))

    def shifted(self, largest: Sequence[float]) -> Alignment:
        """Return the same, told by how much places of each frame are shifted besides, pixels."""
        frames = zip(self.frames, largest, strict=True)
        return replace(self, frames=tuple(replace(p, local_px=px) for p, px in frames))

    def shift(self, number: int) -> float:
        """Return by how many pixels the corner of a frame that moves most is moved."""
        return corner_shift(self.frames[number].matrix, self.height, self.width)

    def moves(self, number: int) -> bool:
        """Whether a frame does not lie in place."""
        return self.shift(number) >= STILL

    def left_out(self, number: int) -> Why | None:
        """Return why a frame takes no part in the picture; None where it does."""
        return self.frames[number].left_out

    def is_resampled(self, number: int) -> bool:
        """Whether a frame is moved by other than whole pixels."""
        return whole_shift(self.frames[number].matrix, self.height, self.width) is None

    def whole(self) -> Crop:
        """Return the reference frame's whole field."""
        return Crop(0, self.height, 0, self.width)

    def common(self) -> Crop | None:
        """Return the field that all frames show; None when too little is left of the picture."""
        moving = [p.matrix for n, p in enumerate(self.frames) if self.moves(n)]
        field = common_field(moving, self.height, self.width)
        return field if field.area >= _LEAST_SHARE * self.height * self.width else None

    def facts(self, number: int) -> dict[str, Any]:
        """Return what the report says of a frame."""
        placed = self.frames[number]
        scale, turn = scale_and_turn(placed.matrix)
        local = {} if placed.local_px is None else {"local_shift_px": round(placed.local_px, 3)}
        return {
            "status": placed.status,
            "kind": placed.kind,
            "gain": round(placed.gain, 4),
            "resampled": self.is_resampled(number),
            "corner_shift_px": round(self.shift(number), 3),
            "scale": round(scale, 6),
            "rotation_deg": round(turn, 4),
            "corner_error_px": None if math.isnan(placed.error) else round(placed.error, 3),
            **local,
            **({} if placed.left_out is None else {"left_out": placed.left_out}),
        }

    def to_json(self) -> str:
        """Return the text of a transforms file."""
        is_local = any(p.local_px is not None for p in self.frames)
        facts = {
            "format": _FORMAT,
            "meaning": "matrix takes (x, y, 1) of the reference frame to this frame, in pixels",
            **({"local": _LOCAL} if is_local else {}),
            "height": self.height,
            "width": self.width,
            "reference": self.reference,
            "frames": [
                {
                    "name": p.name,
                    "kind": p.kind,
                    "status": p.status,
                    "gain": p.gain,
                    "corner_error_px": None if math.isnan(p.error) else round(p.error, 4),
                    "matrix": p.matrix.tolist(),
                    **({"local_shift_px": round(p.local_px, 3)} if p.local_px is not None else {}),
                    **({"left_out": p.left_out} if p.left_out is not None else {}),
                }
                for p in self.frames
            ],
        }
        return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a transforms file.

        Raises:
            OutputError: exists already, or cannot be written.
        """
        path = Path(path)
        if is_folder(path):
            raise OutputError("the output is a folder", where=str(path))
        write_atomic(path, [self.to_json().encode(errors="backslashreplace")], overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Alignment:
        """Read a transforms file.

        Raises:
            InputError: missing, unreadable, or not what `save` writes.
        """
        try:
            return cls.of_record(schema.read(Path(path)), path)
        except (schema.SchemaError, OSError) as error:
            raise _unreadable(path, error) from error

    @classmethod
    def of_record(cls, facts: object, where: str | Path) -> Alignment:
        """Return what a transforms file tells, read as JSON by `where`'s reader.

        Raises:
            InputError: it is not what `to_json` makes.
        """
        try:
            return cls._parse(schema.record(facts))
        except schema.SchemaError as error:
            raise _unreadable(where, error) from error

    @classmethod
    def _parse(cls, facts: Mapping[str, object]) -> Alignment:
        schema.choice(schema.item(facts, "format"), "format", (_FORMAT,))
        height, width = (
            schema.whole(schema.item(facts, side), side, 1, _MOST_PIXELS)
            for side in ("height", "width")
        )
        listed = schema.items(schema.item(facts, "frames"), "frames", 1)
        reference = schema.whole(schema.item(facts, "reference"), "reference", 0, len(listed) - 1)
        frames = tuple(_placed(one, f"frames[{n}]", height, width) for n, one in enumerate(listed))
        if corner_shift(frames[reference].matrix, height, width) >= STILL:
            raise schema.SchemaError(
                f"frames[{reference}].matrix",
                "that of a frame that lies on itself, as the reference does",
                "one that moves it",
            )
        return cls(height, width, reference, frames)


def _unreadable(where: str | Path, error: schema.SchemaError | OSError) -> InputError:
    is_schema = isinstance(error, schema.SchemaError)
    return InputError(
        "a transforms file cannot be read",
        where=error.place(where) if is_schema else str(where),
        expected=error.expected if is_schema else "a file that `transforms` has written",
        got=error.got if is_schema else error.strerror or type(error).__name__,
        remedy="save the transforms again, or leave `load_transforms` out",
    )


def _placed(value: object, where: str, height: int, width: int) -> Placed:
    facts = schema.record(value, where)
    inner = f"{where}.matrix"
    rows = schema.items(schema.item(facts, "matrix", where), inner, 3, 3)
    matrix = np.array(
        [
            [
                schema.number(cell, inner, -_MOST_ENTRY, _MOST_ENTRY)
                for cell in schema.items(row, inner, 3, 3)
            ]
            for row in rows
        ]
    )
    if not is_plausible(matrix, height, width):
        raise schema.SchemaError(inner, "a transform between frames of a stack", "none")
    error, why = facts.get("corner_error_px"), facts.get("left_out")
    return Placed(
        schema.text(schema.item(facts, "name", where), f"{where}.name"),
        normalised(matrix),
        schema.text(schema.item(facts, "kind", where), f"{where}.kind", most=100),
        "loaded",
        error=math.nan
        if error is None
        else schema.number(error, f"{where}.corner_error_px", 0, 1e9),
        left_out=None if why is None else _why(why, f"{where}.left_out"),
    )


def _why(value: object, where: str) -> Why:
    told = schema.choice(value, where, tuple(TOLD))
    return next(why for why in TOLD if why == told)
