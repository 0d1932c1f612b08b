"""How a volume is read where neither it nor its name says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from panfocus.io.formats import SUFFIXES
from panfocus.io.volumes.open import is_vendors, is_zarr
from panfocus.io.volumes.plug_ins import OLYMPUS
from panfocus.resources.paths import is_folder

if TYPE_CHECKING:
    from panfocus.io.volumes.vendors import Mosaic

Way = Literal["axes", "pattern", "mosaic"]


@dataclass(frozen=True)
class VolumeReading:
    """What the user says of how a file or folder is read; None for what it says itself.

    Attributes:
        axes: a letter for each axis, as of `--axes`.
        pattern: of the names in a folder of planes, as of `--pattern`.
        mosaic: what tiles of a mosaic are, as of `--mosaic`.
    """

    axes: str | None = None
    pattern: str | None = None
    mosaic: Mosaic | None = None

    @property
    def told(self) -> dict[str, str]:
        """What is said, by its name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def words(self) -> list[str]:
        """The flags that say it, and their values."""
        return [word for name, value in self.told.items() for word in (f"--{name}", value)]


def ways_of(path: Path) -> tuple[Way, ...]:
    """Return what can be said of how a file or folder is read.

    Examples:
        >>> ways_of(Path("cells.czi")), ways_of(Path("cells.zarr")), ways_of(Path("a.jpg"))
        (('mosaic',), ('axes',), ())
    """
    if is_zarr(path):
        return ("axes",)
    if is_folder(path):
        return ("pattern",)
    if is_vendors(path):
        return () if path.suffix.lower() in OLYMPUS else ("mosaic",)
    return ("axes",) if SUFFIXES.get(path.suffix.lower()) == "TIFF" else ()
