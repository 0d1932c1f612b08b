"""Unlabelled material from folders: pairs and focal stacks, never anything that is a truth.

Three layouts are read, at any depth below the folders given:

* pairs: a folder with ``A/`` and ``B/``, or ``a/`` and ``b/``; files of equal name (but for the
  suffix, and for a last A or B) make a set;
* flat pairs: a folder of ``NN-A`` and ``NN-B``, ``NN_1`` and ``NN_2``, and nothing else;
* stacks: a folder of pictures of one size; all its frames make a set, any two of them a pair.

Nothing else is opened: a folder or file named like a truth (``GT``, ``truth``, ``mask`` ...,
`panfocus.train.truths`) is passed over, and so is all below it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.errors import DataError
from panfocus.train.pictures import SUFFIXES, limited, read_colour
from panfocus.train.truths import may_be_truth, stem_may_be_truth

Byte = NDArray[np.uint8]
Float = NDArray[np.float32]

#: A pair that is shifted by more pixels than this, or whose coarse parts correlate less, is no
#: pair: its frames do not show the same thing at the same place.
MOST_SHIFT = 0.5
LEAST_CORRELATION = 0.6
#: Grey levels of contrast that a quarter of the picture needs to tell anything.
LEAST_DETAIL = 1.0


@dataclass(frozen=True)
class FocalSet:
    """Frames of one scene.

    Attributes:
        name: for the log.
        frames: RGB ``(H, W, 3)`` uint8 each, at least two, of one size.
    """

    name: str
    frames: list[Byte]


@dataclass
class Material:
    """What was found.

    Attributes:
        sets: whose frames lie on each other, in the order they were found.
        singles: frames that fit no other; each still is a defocused picture.
        scenes: name of the set that each single frame was left out of.
        left_out: name of a frame or set to the reason why it is in no pair.
    """

    sets: list[FocalSet] = field(default_factory=list[FocalSet])
    singles: list[Byte] = field(default_factory=list[Byte])
    scenes: list[str] = field(default_factory=list[str])
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Let single frames of no named scene be a scene each."""
        self.scenes += [f"frame {n}" for n in range(len(self.scenes), len(self.singles))]

    def pictures(self) -> list[Byte]:
        """Return every frame, whether in a set or not."""
        return [frame for held in self.sets for frame in held.frames] + self.singles

    @property
    def scene_names(self) -> list[str]:
        """Names of all scenes, each once."""
        return list(dict.fromkeys([*(s.name for s in self.sets), *self.scenes]))

    def summary(self) -> str:
        """Say in one line what there is; which frames were left out is for `details`."""
        frames = sum(len(s.frames) for s in self.sets)
        text = f"{len(self.sets)} sets of {frames} frames that lie on each other"
        if self.left_out:
            # "shifted by 0.7 px" and "shifted by 1.2 px" are one reason
            reasons = Counter(re.sub(r" by [0-9.]+ px", "", why) for why in self.left_out.values())
            told = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
            text += f"; {len(self.left_out)} left out of pairs: {told}"
        return text

    def details(self) -> str:
        """Name what was left out, a line each."""
        return "".join(f"{name}: {why}\n" for name, why in self.left_out.items())


def find(folders: Sequence[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Yield (name, files) of every set below `folders`, without opening a file.

    Raises:
        DataError: a folder does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise DataError(
                "the data folder does not exist",
                where=str(folder),
                expected="a folder with A/ and B/, or with stacks",
                remedy="check the path given to --data",
            )
        yield from _find_below(folder)


def _find_below(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    sides = {p.name.lower(): p for p in folder.iterdir() if p.is_dir()}
    if {"a", "b"} <= sides.keys():
        for name, pair in _of_two_folders(sides["a"], sides["b"]).items():
            yield f"{folder.name}/{name}", pair
        return
    files = _pictures(folder)
    flat = _flat_pairs(files)
    if flat:
        for name, pair in flat.items():
            yield f"{folder.name}/{name}", pair
    elif len(files) >= 2:
        yield folder.name, files
    for below in sorted(p for p in folder.iterdir() if p.is_dir()):
        if not may_be_truth(below.name) and not below.name.startswith("."):
            yield from _find_below(below)


def _of_two_folders(first: Path, second: Path) -> dict[str, list[Path]]:
    """Pair files of equal name, then what is left by names without their last A and B."""
    one, two = ({p.stem: p for p in _pictures(folder)} for folder in (first, second))
    found = {name: [one[name], two[name]] for name in one if name in two}
    left, right = (
        {
            _paired(p)[0]: p
            for name, p in side.items()
            if name not in found and _paired(p)[1] == mark
        }
        for side, mark in ((one, "a"), (two, "b"))
    )
    return found | {name: [left[name], right[name]] for name in left if name in right}


def _paired(path: Path) -> tuple[str, str]:
    """Split a stem like ``03-A`` or ``03_1`` into its name and side; ("", "") for others."""
    match = re.fullmatch(r"(.+?)[-_ ]?([abAB])|(.+)[-_ ]([12])", path.stem)
    if match is None:
        return "", ""
    name, letter, other, digit = match.groups()
    return (name, letter.lower()) if letter else (other, digit)


def _flat_pairs(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the pairs of a folder that holds nothing else, by name; nothing if it holds more.

    One pair alone may as well be a stack of two frames, which is the same.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in files:
        name, side = _paired(path)
        found.setdefault(name, {})[side] = path
    whole = [set(sides) in ({"a", "b"}, {"1", "2"}) for sides in found.values()]
    if len(found) < 2 or not all(whole) or 2 * len(found) != len(files):
        return {}
    return {name: [sides[k] for k in sorted(sides)] for name, sides in found.items()}


def _pictures(folder: Path) -> list[Path]:
    """List pictures in a folder but those called like a truth: ``gt.png`` beside the frames."""
    files = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    return sorted(p for p in files if not p.name.startswith(".") and not stem_may_be_truth(p))


def load(folders: Sequence[Path], smallest: int) -> Material:
    """Read every set; frames that do not lie on the others are told and kept apart.

    Args:
        folders: with pairs or stacks.
        smallest: shortest side of a frame, in pixels.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
    """
    out = Material()
    for name, files in find(folders):
        frames = [limited(read_colour(p)) for p in files]
        if any(f.shape != frames[0].shape for f in frames):
            out.left_out[name] = "frames of different size"
        elif min(frames[0].shape[:2]) < smallest:
            out.left_out[name] = f"smaller than {smallest} px"
        else:
            _keep_aligned(out, name, frames)
    if not out.pictures():
        raise DataError(
            "there is nothing to learn from",
            where=", ".join(map(str, folders)),
            expected="pairs in A/ and B/ with equal names, or folders of aligned frames",
            got=out.summary(),
            remedy="align the frames first (`panfocus fuse --align`), or give other folders",
        )
    return out


def _keep_aligned(out: Material, name: str, frames: list[Byte]) -> None:
    """Keep frames that fit on the last one kept as a set, the others by themselves."""
    kept = frames[:1]
    for n, frame in enumerate(frames[1:], start=1):
        why = mismatch(kept[-1], frame)
        if why is None:
            kept.append(frame)
        else:
            out.singles.append(frame)
            out.scenes.append(name)
            out.left_out[f"{name} frame {n}"] = why
    if len(kept) >= 2:
        out.sets.append(FocalSet(name, kept))
    else:
        out.singles += kept
        out.scenes += [name] * len(kept)


def mismatch(first: Byte, second: Byte) -> str | None:
    """Return why two frames do not lie on each other, or None when they do.

    Defocus moves no edge, so the band of frequencies that survives it must match: in each quarter
    of the picture least squares give the shift (Lucas and Kanade), and correlation tells whether
    it is the same content at all. Quarters without detail tell nothing.

    Args:
        first: RGB ``(H, W, 3)``.
        second: of the same size.
    """
    one, two = band(first), band(second)
    rows, columns = one.shape[0] // 2, one.shape[1] // 2
    shifts: list[float] = []
    for place in (np.s_[y : y + rows, x : x + columns] for y in (0, rows) for x in (0, columns)):
        if min(one[place].std(), two[place].std()) > LEAST_DETAIL:
            if np.corrcoef(one[place].ravel(), two[place].ravel())[0, 1] < LEAST_CORRELATION:
                return "other content"
            shifts.append(shift_of(one[place], two[place]))
    if shifts and np.median(shifts) > MOST_SHIFT:
        return f"shifted by {np.median(shifts):.1f} px"
    return None


def shift_of(one: Float, two: Float) -> float:
    """Return the length of the shift that least squares find between two bands ``(H, W)``."""
    mean = (one + two) / 2
    down, across = np.gradient(mean)
    system = np.stack((across.ravel(), down.ravel()), 1)
    shift, *_ = np.linalg.lstsq(system, (one - two).ravel(), rcond=None)
    return float(np.hypot(*shift))


def band(picture: Byte) -> Float:
    """Return the luminance between 3 and 12 px of scale, ``(H, W)``: what defocus leaves."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (3, 12))
    return np.asarray(cv2.subtract(fine, coarse), np.float32)
