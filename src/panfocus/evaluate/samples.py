"""Samples of a dataset, and the files that they are found among."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from natsort import natsort_keygen, ns

from panfocus.errors import DataError
from panfocus.evaluate.names import is_truth
from panfocus.io.folder import is_machine_folder
from panfocus.io.formats import SUFFIXES
from panfocus.resources.paths import is_file, is_folder, listed

natural = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)
LAYOUTS = (
    "A/ B/ [C/ ...] [GT/], source_1/ source_2/ [full_clear/], NEAR/ FAR/ and the like with equal "
    "file names, name-A.png name-B.png ... or name_1.png name_2.png ... in one folder, a folder "
    "per stack, or a folder of such folders"
)
#: Folders that `evaluate` writes besides its scores, and by which scores it is known.
_SCORES, _WRITTEN = "scores.csv", ("plots", "fused")


@dataclass(frozen=True)
class ScoredSample:
    """One focal stack to be fused.

    Attributes:
        name: of the sample, unique in its dataset.
        frames: files in focus order.
        truth: the picture that is sharp everywhere, if there is one.
        band: a mask of where fusion is hard, if there is one; white counts.
        is_guess: only its folder says that the frames belong together.
    """

    name: str
    frames: tuple[Path, ...]
    truth: Path | None = None
    band: Path | None = None
    is_guess: bool = False

    @property
    def files(self) -> list[Path]:
        """All files that a score depends on."""
        return [*self.frames, *(p for p in (self.truth, self.band) if p is not None)]


@dataclass(frozen=True)
class Dataset:
    """What was found in a folder.

    Attributes:
        samples: in natural order of their names.
        problems: name and reason of what looks like a sample and cannot be one.
        notes: what was left out, for the user.
    """

    samples: list[ScoredSample] = field(default_factory=list[ScoredSample])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(self.samples or self.problems)


def pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder, in natural order."""
    files = (p for p in listed(folder, DataError) if is_file(p) and not p.name.startswith("."))
    return _sorted(p for p in files if p.suffix.lower() in SUFFIXES)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in natural order, but for those that programs made."""
    found = [p for p in listed(folder, DataError) if is_folder(p) and not p.name.startswith(".")]
    ours = _WRITTEN if is_file(folder / _SCORES) else ()
    return _sorted(
        p
        for p in found
        if not is_machine_folder(p.name)
        and p.name not in ours
        and not is_file(p / _SCORES)  # an earlier evaluation's --out
    )


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda p: (natural(str(p)), str(p)))


def by_stem(folder: Path | None) -> dict[str, Path]:
    """Return the pictures in a folder by their stems; none without a folder."""
    return {} if folder is None else {path.stem: path for path in pictures(folder)}


def truth_folder(folder: Path) -> Path | None:
    """Return the folder in a folder that holds truths, by its name."""
    return next((p for p in subfolders(folder) if is_truth(p.name)), None)
