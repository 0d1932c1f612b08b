"""What is said of a scene that is learned from, and kept beside its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from panfocus import schema

#: Frames of a scene, and sides of a frame in pixels, at most.
_MOST_FRAMES, _MOST_SIDE = 65_536, 2**20


@dataclass(frozen=True)
class Facts:
    """What is said of a scene.

    Attributes:
        name: of the scene.
        count: frames that it holds.
        height: of a frame in its file, pixels.
        width: of a frame in its file.
        depth: "8 bit", "16 bit" or "float".
        size: height and width of the pictures that are learned from.
        is_stretched: whether its numbers fill so little of their range that they are stretched.
        groups: numbers of the frames of each set.
        moved: by how many pixels the corner that moves most was moved; 0 where nothing was.
        left_out: frames, or the scene, that are in no set, and why.
    """

    name: str
    count: int = 0
    height: int = 0
    width: int = 0
    depth: str = ""
    size: tuple[int, int] = (0, 0)
    is_stretched: bool = False
    groups: tuple[tuple[int, ...], ...] = ()
    moved: float = 0.0
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def kept(self) -> int:
        """How many frames are in sets."""
        return sum(map(len, self.groups))

    @property
    def singles(self) -> list[int]:
        """Numbers of the frames that are in none, and serve alone."""
        inside = {number for group in self.groups for number in group}
        return [n for n in range(self.count) if n not in inside]

    def line(self) -> str:
        """Tell it in a line."""
        if not self.size[0]:
            return f"{self.name}: left out, {next(iter(self.left_out.values()), 'no frames')}"
        shown = f"{self.width} x {self.height}"
        if self.size != (self.height, self.width):
            shown += f" taken as {self.size[1]} x {self.size[0]}"
        text = f"{self.name}: {self.kept} of {self.count} frames, {shown}, {self.depth}"
        if self.is_stretched:
            text += ", stretched to its range"
        if len(self.groups) > 1:
            text += f", {len(self.groups)} sets"
        if self.moved:
            text += f", aligned by up to {self.moved:.1f} px"
        return text


def facts_of(told: Mapping[str, object]) -> Facts | None:
    """Return facts from what JSON held of them; None for what no run has written."""
    try:
        return _facts(schema.record(schema.item(told, "facts")))
    except schema.SchemaError:
        return None


def _facts(told: Mapping[str, object]) -> Facts:
    def whole(name: str, most: int) -> int:
        return schema.whole(schema.item(told, name), name, 0, most)

    count = whole("count", _MOST_FRAMES)
    size = schema.items(schema.item(told, "size"), "size", 2, 2)
    height, width = (schema.whole(side, "size", 0, _MOST_SIDE) for side in size)
    left_out = schema.record(schema.item(told, "left_out"))
    return Facts(
        schema.text(schema.item(told, "name"), "name"),
        count,
        whole("height", _MOST_SIDE),
        whole("width", _MOST_SIDE),
        schema.text(schema.item(told, "depth"), "depth"),
        (height, width),
        schema.truth(schema.item(told, "is_stretched"), "is_stretched"),
        _groups(schema.item(told, "groups"), count),
        schema.number(schema.item(told, "moved"), "moved", 0, _MOST_SIDE),
        {name: schema.text(why, name) for name, why in left_out.items()},
    )


def _groups(told: object, count: int) -> tuple[tuple[int, ...], ...]:
    groups = tuple(
        tuple(schema.whole(n, "groups", 0, count - 1) for n in schema.items(group, "groups", 1))
        for group in schema.items(told, "groups")
    )
    numbers = [number for group in groups for number in group]
    if len(set(numbers)) < len(numbers):
        raise schema.SchemaError("groups", "each frame in one set at most", "one in several")
    return groups
