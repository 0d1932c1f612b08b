"""From a scene as it was found to sets that can be learned from, and what to say of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from panfocus._version import __version__
from panfocus.arrays.types import Pixels
from panfocus.io.digest import digest_of
from panfocus.train.agree import Grouping, grouped
from panfocus.train.facts import Facts, facts_of
from panfocus.train.levels import MOST_PIXELS, Picture, Range, colours_of, reduced, size_of
from panfocus.train.placing import KIND, Placer
from panfocus.train.scenes import TrainingScene
from panfocus.train.shelf import Shelf
from panfocus.train.told import told_as_data

#: Goes up when the same files give other pictures: what an earlier version kept is not taken.
VERSION = 1


def unheard(_text: str) -> None:
    """For those who do not want to know how far it is."""


@dataclass(frozen=True)
class How:
    """How material is loaded.

    Attributes:
        align: whether frames that do not lie on each other are aligned.
        shelf: where pictures lie.
        digests: of files, by their paths, as far as they are known.
        tell: told what is being done.
    """

    align: bool = True
    shelf: Shelf = field(default_factory=Shelf)
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    tell: Callable[[str], None] = unheard


@dataclass(frozen=True)
class Prepared:
    """What a scene gives: sets of frames that lie on each other, frames that lie on no other."""

    facts: Facts
    sets: list[list[Picture]] = field(default_factory=list[list[Picture]])
    singles: list[Picture] = field(default_factory=list[Picture])


def prepare(scene: TrainingScene, smallest: int, how: How) -> Prepared:
    """Read a scene, and find or make sets in it.

    Args:
        scene: of at least two frames, or of none and a reason.
        smallest: shortest side of a picture, in pixels.
        how: to load.

    Raises:
        DataError: a frame cannot be read.
        OutputError: what is to be kept cannot be written.
    """
    facts = Facts(
        scene.name,
        scene.count,
        scene.height,
        scene.width,
        scene.depth,
        left_out=dict(scene.left_out),
    )
    if not scene.count:
        return Prepared(facts)
    size = size_of(scene.height, scene.width)
    if min(size) < smallest:
        return Prepared(
            replace(facts, left_out={**facts.left_out, scene.name: f"smaller than {smallest} px"})
        )
    facts = replace(facts, size=size)
    # frames of no file have no digest: what was kept might be of others
    key = _key(scene, smallest, how) if how.shelf.keeps and scene.files else ""
    return _found(key, how.shelf) or _made(key, scene, facts, smallest, how)


def _key(scene: TrainingScene, smallest: int, how: How) -> str:
    """Name what files, part of them, and ways of loading give."""
    hashes = [how.digests.get(str(path)) or digest_of(path) for path in scene.files]
    ways = [VERSION, __version__, how.align, KIND, MOST_PIXELS, smallest]
    names = [path.name for path in scene.files]  # they stand in the facts
    text = json.dumps([ways, scene.name, names, hashes, scene.part])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _found(key: str, shelf: Shelf) -> Prepared | None:
    """Return what an earlier run kept whole; None for nothing, or verdicts alone."""
    told = shelf.facts(key) if key else None
    facts = facts_of(told) if told else None
    if facts is None or told is None or not told.get("has_pictures"):
        return None
    wanted = [len(group) for group in facts.groups]
    wanted += [len(facts.singles)] if facts.singles else []
    shape = (*facts.size, 3)
    parts = [shelf.part(key, number, (n, *shape)) for number, n in enumerate(wanted)]
    whole = [part for part in parts if part is not None]
    return _split(facts, whole) if len(whole) == len(wanted) else None


def _split(facts: Facts, parts: list[list[Picture]]) -> Prepared:
    count = len(facts.groups)
    return Prepared(facts, parts[:count], parts[count] if len(parts) > count else [])


def _made(key: str, scene: TrainingScene, facts: Facts, smallest: int, how: How) -> Prepared:
    told = how.shelf.facts(key) if key else None
    earlier = facts_of(told) if told and not told.get("has_pictures") else None
    with told_as_data(scene.name):
        pictures, span = _pictures(scene, how)
    facts = replace(facts, is_stretched=span.stretch is not None)
    if earlier is not None:
        return _split(earlier, _parts(pictures, earlier))
    grouping = grouped(pictures)
    aligned = None
    if how.align and not _is_whole(grouping, scene.count):
        placer = Placer(
            pictures,
            lambda text: how.tell(f"{facts.name}: aligning {text}"),
            needs_proof=scene.is_staged,
        )
        aligned = _aligned(placer, grouping, facts, smallest, how.shelf)
    made = aligned or _as_they_lie(pictures, grouping, facts)
    if not key:
        return made
    # what is read in no time is not written once more
    has_pictures = aligned is not None or _is_on_disk(pictures)
    parts = [*made.sets, *([made.singles] if made.singles else [])] if has_pictures else []
    kept = how.shelf.keep(key, {"facts": asdict(made.facts), "has_pictures": has_pictures}, parts)
    return _split(made.facts, kept) if has_pictures else made


def _is_on_disk(pictures: Sequence[Picture]) -> bool:
    return isinstance(pictures[0], np.memmap)


def _is_whole(grouping: Grouping, count: int) -> bool:
    return len(grouping.groups) == 1 and grouping.kept == count


def _pictures(scene: TrainingScene, how: How) -> tuple[list[Picture], Range]:
    """Read all frames; what is too large to be held is read once for its range, then again."""

    def native() -> Iterator[Pixels]:
        for number, item in enumerate(scene.frames()):
            how.tell(f"{scene.name}: reading frame {number + 1} of {scene.count}")
            yield reduced(colours_of(item))

    held = _held(native(), how.shelf.room)
    span = Range.of(native() if held is None else held, scene.count)
    pictures = (span.picture(p) for p in (native() if held is None else held))
    return how.shelf.hold(pictures, scene.count), span


def _held(frames: Iterator[Pixels], room: int) -> list[Pixels] | None:
    """Return all frames; None if they take more bytes than there is room for."""
    held: list[Pixels] = []
    for frame in frames:
        held.append(frame)
        room -= frame.nbytes
        if room < 0:
            return None
    return held


def _as_they_lie(pictures: Sequence[Picture], grouping: Grouping, facts: Facts) -> Prepared:
    facts = replace(
        facts, groups=grouping.groups, left_out=facts.left_out | _named(facts, grouping.left_out)
    )
    return _split(facts, _parts(pictures, facts))


def _parts(pictures: Sequence[Picture], facts: Facts) -> list[list[Picture]]:
    """Return the pictures of each set, and last those in none."""
    return [[pictures[n] for n in numbers] for numbers in (*facts.groups, facts.singles)]


def _named(facts: Facts, left_out: Mapping[int, str]) -> dict[str, str]:
    return {f"{facts.name} frame {n}": why for n, why in left_out.items()}


def _aligned(
    placer: Placer, before: Grouping, facts: Facts, smallest: int, shelf: Shelf
) -> Prepared | None:
    """Align, and judge again; None where that keeps no more frames than as they lie."""
    sets: list[list[Picture]] = []
    groups: list[tuple[int, ...]] = []
    reasons: dict[int, str] = dict(before.left_out)
    moved, size = 0.0, facts.size
    for placing in placer.placings():
        if min(placing.size) < smallest:
            continue
        placed = shelf.hold(placing.frames(placer.stack), len(placing.numbers))
        after = grouped(placed)
        reasons |= {placing.numbers[n]: why for n, why in after.left_out.items()}
        sets += [[placed[n] for n in group] for group in after.groups]
        groups += [tuple(placing.numbers[n] for n in group) for group in after.groups]
        moved, size = max(moved, placing.moved), min(size, placing.size)
    found = replace(facts, groups=tuple(groups), moved=moved, size=size)
    if (found.kept, -len(groups)) <= (before.kept, -len(before.groups)):
        return None
    left_out = {n: reasons.get(n, "other content") for n in found.singles}
    found = replace(found, left_out=facts.left_out | _named(facts, left_out))
    return Prepared(found, sets, [placer.stack[n] for n in found.singles])
