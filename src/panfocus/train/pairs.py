"""Unlabelled material from folders: pairs and focal stacks, never anything that is a truth.

What is found (`panfocus.train.found`) is read as for fusing (`scenes`, `levels`), held against
itself (`agree`), aligned where it does not lie on itself (`placing`), and kept (`shelf`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from panfocus.errors import DataError
from panfocus.train import own_data
from panfocus.train.agree import mismatch
from panfocus.train.facts import Facts
from panfocus.train.found import find
from panfocus.train.levels import Picture
from panfocus.train.prepare import How, Prepared, prepare
from panfocus.train.scenes import TrainingScene, of_arrays, scenes_of

__all__ = ["Facts", "FocalSet", "How", "Material", "find", "load", "mismatch", "survey"]


@dataclass(frozen=True)
class FocalSet:
    """Frames of one scene that lie on each other.

    Attributes:
        name: for the log.
        frames: RGB ``(H, W, 3)`` uint8 or uint16 each, at least two, of one size; may lie on disk.
    """

    name: str
    frames: Sequence[Picture]


@dataclass
class Material:
    """What was found.

    Attributes:
        sets: whose frames lie on each other, in the order they were found.
        singles: frames that fit no other; each still is a defocused picture.
        scenes: name of the set that each single frame was left out of.
        left_out: name of a frame or set to the reason why it is in no pair.
        facts: of every scene that was looked at.
    """

    sets: list[FocalSet] = field(default_factory=list[FocalSet])
    singles: list[Picture] = field(default_factory=list[Picture])
    scenes: list[str] = field(default_factory=list[str])
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    facts: list[Facts] = field(default_factory=list[Facts])

    def __post_init__(self) -> None:
        """Let single frames of no named scene be a scene each."""
        self.scenes += [f"frame {n}" for n in range(len(self.scenes), len(self.singles))]

    def pictures(self) -> list[Picture]:
        """Return every frame, whether in a set or not."""
        return [frame for held in self.sets for frame in held.frames] + self.singles

    @property
    def scene_names(self) -> list[str]:
        """Names of all scenes, each once."""
        return list(dict.fromkeys([*(s.name for s in self.sets), *self.scenes]))

    def summary(self) -> str:
        """Say in one line what there is; which frames were left out is for `details`."""
        frames = sum(len(s.frames) for s in self.sets)
        return summary(len(self.sets), frames, self.facts, self.left_out)

    def details(self) -> str:
        """Name what was left out, a line each."""
        return "".join(f"{name}: {why}\n" for name, why in self.left_out.items())

    def add(self, prepared: Prepared) -> None:
        """Take what a scene gives."""
        facts = prepared.facts
        self.sets += [FocalSet(facts.name, frames) for frames in prepared.sets]
        self.singles += prepared.singles
        self.scenes += [facts.name] * len(prepared.singles)
        self.left_out |= facts.left_out
        self.facts.append(facts)


def summary(sets: int, frames: int, facts: Sequence[Facts], left_out: dict[str, str]) -> str:
    """Say in one line how many sets and frames there are, what was aligned and left out."""
    text = f"{sets} sets of {frames} frames that lie on each other"
    moved = [f for f in facts if f.moved]
    if moved:
        text += f", {sum(f.kept for f in moved)} of them once {len(moved)} scenes were aligned"
    if left_out:
        # "shifted by 0.7 px" and "shifted by 1.2 px" are one reason
        reasons = Counter(re.sub(r" by [0-9.]+ px", "", why) for why in left_out.values())
        told = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
        text += f"; {len(left_out)} left out of pairs: {told}"
    return text


def survey(folders: Sequence[Path], smallest: int, how: How | None = None) -> Iterator[Prepared]:
    """Read every scene in turn, and hold none.

    Args:
        folders: with pairs, stacks or volumes.
        smallest: shortest side of a picture, in pixels.
        how: to load; by default aligned, and kept nowhere.

    Raises:
        DataError: no folder, or an unreadable file.
        OutputError: what is to be kept cannot be written.
    """
    how = how or How()
    for folder in folders:
        for scene in _scenes_in(folder):
            yield prepare(scene, smallest, how)


def _scenes_in(folder: Path) -> Iterator[TrainingScene]:
    """Yield the scenes of a folder, or of a reader of the user's own."""
    if own_data.is_own(folder):
        for name, frames in own_data.read(folder):
            yield of_arrays(name, frames)
        return
    for name, files in find([folder]):
        yield from scenes_of(name, files)


def load(folders: Sequence[Path], smallest: int, how: How | None = None) -> Material:
    """Read every set; frames that do not lie on the others are told and kept apart.

    Args:
        folders: with pairs, stacks or volumes.
        smallest: shortest side of a picture, in pixels.
        how: to load; by default aligned, and kept nowhere.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
        OutputError: what is to be kept cannot be written.
    """
    how = how or How()
    out = Material()
    for prepared in survey(folders, smallest, how):
        how.shelf.spend(frame for frames in prepared.sets for frame in frames)
        how.shelf.spend(prepared.singles)
        out.add(prepared)
    if not out.pictures():
        raise nothing(folders, out.summary())
    return out


def nothing(folders: Sequence[Path], found: str) -> DataError:
    """Return the error for folders that hold nothing to be trained on."""
    return DataError(
        "there is nothing to learn from",
        where=", ".join(map(str, folders)),
        expected="pairs in A/ and B/ with equal names, folders of frames, or volumes along Z",
        got=found,
        remedy="--dry-run lists what was found, and why it was left out; or give other folders",
    )
