"""What a fusion of a volume would do and need, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from panfocus.io.volumes.volume import Volume
from panfocus.pipeline.memory import memory_limit
from panfocus.pipeline.slabs import slab_ranges
from panfocus.pipeline.volumes.check import check
from panfocus.pipeline.volumes.choice import Choice, Selection
from panfocus.pipeline.volumes.outputs import VolumeOutputs
from panfocus.resources.wording import counted
from panfocus.systems import PictureSystem, System

_MOST_NAMES = 6


@dataclass(frozen=True)
class VolumePlan:
    """A fusion of a volume that has been checked and not begun.

    Attributes:
        volume: open.
        choice: what of it, and how.
        outputs: what is written.
        system: what decides.
        memory_bytes: estimated peak.
    """

    volume: Volume
    choice: Choice
    outputs: VolumeOutputs
    system: System | PictureSystem
    memory_bytes: int

    @classmethod
    def of(
        cls,
        volume: Volume,
        choice: Choice,
        outputs: VolumeOutputs,
        system: System | PictureSystem,
    ) -> VolumePlan:
        """Check what would be done.

        Raises:
            InputError, OutputError, UsageError: it cannot be.
        """
        needed = check(volume, choice, system)
        outputs.check_chosen(volume, choice)
        return cls(volume, choice, outputs, system, needed)

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        selected = self.choice.selected(self.volume)
        groups = self.choice.groups(selected)
        return {
            "source": str(self.volume.path),
            "kind": self.volume.kind,
            "memory_bytes": self.memory_bytes,
            "positions": [_facts(one) for one in selected],
            "stacks": len(groups),
            "planes": self._planes,
            "system": self.system.card.name,
            "notes": list(self.volume.notes),
            "outputs": [str(path) for path in self.outputs.written(self.volume, self.choice)],
        }

    @property
    def _planes(self) -> int:
        slab = self.outputs.slab
        groups = self.choice.groups(self.choice.selected(self.volume))
        slabs = (slab_ranges(g.planes, *slab) if slab else [] for g in groups)
        return sum(g.planes + sum(map(len, s)) for g, s in zip(groups, slabs, strict=True))

    def lines(self) -> list[str]:
        """Return the plan in words: what is in the file, what is fused of it, what is written."""
        selected = self.choice.selected(self.volume)
        groups = self.choice.groups(selected)
        rows = [("position", "T", "C", "Z", "pixels", "numbers", "µm along Z, Y, X")]
        rows += [_row(one) for one in selected]
        widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        limit = memory_limit(self.choice.settings)
        left = len(self.volume.positions) - len(selected)
        return [
            f"{self.volume.path}: {self.volume.kind}",
            *(f"  {line}" for line in table),
            *([f"  and {counted(left, 'position')} more, not chosen"] if left else []),
            f"{counted(len(groups), 'stack')} along Z, {counted(self._planes, 'plane')} in all, by "
            f"{self.system.card.name}; {self._decided(len(groups[0].channels))}",
            f"memory: about {self.memory_bytes / 2**20:.0f} MiB of {limit / 2**20:.0f} MiB allowed",
            "would write:",
            *(f"  {path}" for path in self.outputs.written(self.volume, self.choice)),
        ]

    def _decided(self, together: int) -> str:
        if self.choice.guide is not None:
            return f"channel {self.choice.guide} decides for all"
        if together > 1:
            return "red, green and blue are one picture"
        return "each channel decides for itself"


def _facts(one: Selection) -> dict[str, Any]:
    position = one.position
    return {
        "name": position.name,
        "t": len(one.times),
        "c": [position.channels[c].name for c in one.channels],
        "z": len(one.depths),
        "height": position.height,
        "width": position.width,
        "samples": position.samples,
        "dtype": position.dtype.name,
        "voxel_um": position.voxel_um,
    }


def _row(one: Selection) -> tuple[str, ...]:
    position = one.position
    names = [position.channels[c].name for c in one.channels]
    told = f" ({_listed(names)})" if any(names) else ""
    lengths = [f"{size:g}" if size is not None else "not told" for size in position.voxel_um]
    colours = f", {position.samples} samples" if position.samples > 1 else ""
    return (
        position.name,
        _part(len(one.times), position.times),
        _part(len(one.channels), len(position.channels)) + told,
        _part(len(one.depths), position.depths),
        f"{position.width} x {position.height}{colours}",
        position.dtype.name,
        ", ".join(lengths) if any(position.voxel_um) else "not told",
    )


def _part(count: int, of: int) -> str:
    return str(count) if count == of else f"{count} of {of}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
