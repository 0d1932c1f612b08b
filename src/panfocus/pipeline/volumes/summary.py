"""What was done with a volume, for reports and for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from panfocus.io.atomic import write_atomic
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.volumes.choice import Group


@dataclass(frozen=True)
class Summary:
    """What was done, in values that JSON can hold.

    Attributes:
        source: the file.
        kind: of file.
        stacks: facts of each fusion along Z.
        system: name, hash and licence of what decided.
        settings: as resolved.
        warnings: for the user.
    """

    source: str
    kind: str
    settings: dict[str, Any]
    system: dict[str, Any] = field(default_factory=dict[str, Any])
    stacks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    warnings: list[str] = field(default_factory=list[str])

    def add(self, group: Group, fusion: FusedPicture) -> None:
        """Write down what one fusion along Z tells."""
        report = fusion.report
        self.system.update(report.system)
        position = group.selection.position
        warnings = list(dict.fromkeys(report.warnings))
        self.stacks.append(
            {
                "position": position.name,
                "t": group.time,
                "c": list(group.channels),
                "channels": [position.channels[c].name for c in group.channels],
                "where": group.where,
                "z_step_um": report.settings["z_step_um"],
                "frames": report.frames,
                "reference": report.reference,
                "timings_s": report.timings_s,
                "warnings": warnings,
            }
        )
        self.warnings.extend(f"{group.where}: {warning}" for warning in warnings)

    def text(self, files: Sequence[Path]) -> str:
        """Return the report as JSON, with the files that were written."""
        facts = {**asdict(self), "outputs": [str(path) for path in files]}
        return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"

    def write(self, path: Path, files: Sequence[Path], *, overwrite: bool) -> None:
        """Write the report.

        Raises:
            OutputError: exists, or cannot be written.
        """
        data = self.text(files).encode(errors="backslashreplace")
        write_atomic(path, [data], overwrite=overwrite)

    @property
    def notes(self) -> list[str]:
        """The warnings for people: what holds of several stacks is one line with their number."""
        of_stacks: dict[str, list[str]] = {}
        for stack in self.stacks:
            for warning in stack["warnings"]:
                of_stacks.setdefault(warning, []).append(stack["where"])
        told = {f"{where}: {text}" for text, places in of_stacks.items() for where in places}
        general = [warning for warning in self.warnings if warning not in told]
        lines = [
            f"{places[0]}: {text}" + (f" (so {len(places)} stacks)" if len(places) > 1 else "")
            for text, places in of_stacks.items()
        ]
        return general + lines
