"""Which frames of a stack show another scene than most, or hide theirs: told by their thumbnails.

See `panfocus.arrays.likeness` for what two thumbnails tell of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, pairwise, product

from panfocus.arrays.likeness import ALIKE, EMPTY, Thumbnail, Unlike

#: Share of the frames that tell anything that one scene must have for others to be strangers.
_MOST = 0.6
#: Share of the frames that scenes of two and more must have together for all but the largest to be
#: strangers, where none has so many alone.
_OF_ALL = 0.9
#: Scenes that are told apart, at most, and frames of each that are compared with other scenes'.
_SCENES = 8


def strangers(frames: Sequence[Thumbnail], reference: int = 0) -> dict[int, Unlike]:
    """Return the frames that certainly show another scene than most, or hide it, and which it is.

    Each is not of one scene with the frames beside it, nor with the nearest of the others' scene,
    before and after it, which are of one beyond doubt. Where several scenes are as good as all
    there is, as where stacks lie in one folder, the largest counts.

    Args:
        frames: of a stack, in order.
        reference: of scenes as large, the one that this frame shows counts.

    Returns:
        Their numbers, in order, and in what each departs from the nearest frame of the scene.
    """
    most = max((frame.contrast for frame in frames), default=0.0)
    telling = [n for n, f in enumerate(frames) if f.is_usual and f.contrast > EMPTY * most]
    scenes: list[list[int]] = []
    for n in telling:
        fits = [scene for scene in scenes if frames[n].is_of_scene(frames[scene[-1]])]
        if fits:
            max(fits, key=lambda scene: frames[n].likeness(frames[scene[-1]])).append(n)
        elif len(scenes) < _SCENES:
            scenes.append([n])
    scenes.sort(key=lambda scene: (-len(scene), reference not in scene))
    scene = scenes[0] if scenes else []
    is_most = len(scene) >= max(2, _MOST * len(telling))
    if not is_most and not _are_apart(frames, scenes, len(telling)):
        return {}
    found = {n for n in telling if n not in scene and _is_stranger(frames, n, scene)}
    while tied := {n for n in found if _is_tied(frames, n, found | {*scene})}:
        found -= tied
    unusual = [n for n, f in enumerate(frames) if _shows_much(f, EMPTY * most)]
    if len(scene) >= _MOST * (len(telling) + len(unusual)):
        found |= {n for n in unusual if _spoils(frames, n, scene)}
    return {n: frames[n].departs(frames[_nearest(scene, n)]) for n in sorted(found)}


def _are_apart(frames: Sequence[Thumbnail], scenes: Sequence[Sequence[int]], telling: int) -> bool:
    """Whether scenes are several beyond doubt, and as good as all that frames tell of."""
    several = [scene for scene in scenes if len(scene) >= 2]
    if len(several) < 2 or sum(map(len, several)) < _OF_ALL * telling:
        return False
    if not all(frames[a].is_surely_of_scene(frames[b]) for s in several for a, b in pairwise(s)):
        return False
    few = [scene[:: -(-len(scene) // _SCENES)] for scene in several]
    pairs = (pair for one, other in combinations(few, 2) for pair in product(one, other))
    return all(frames[a].likeness(frames[b]) < ALIKE for a, b in pairs)


def _nearest(scene: Sequence[int], number: int) -> int:
    return min(scene, key=lambda n: abs(n - number))


def _shows_much(frame: Thumbnail, least: float) -> bool:
    """Whether a frame is a picture, but of no usual kind."""
    return not frame.is_usual and not frame.is_noise and frame.contrast > least


def _spoils(frames: Sequence[Thumbnail], number: int, scene: Sequence[int]) -> bool:
    """Whether a picture of no usual kind is one because something hides its scene, or the light.

    A hand before the lens leaves few shades of many. The scene itself is of the usual kind, or
    nothing would be known of it.
    """
    if not _is_stranger(frames, number, scene) or _is_tied(frames, number, {*scene}):
        return False
    why = frames[number].departs(frames[_nearest(scene, number)])
    return why in ("hidden", "darker", "brighter")


def _is_tied(frames: Sequence[Thumbnail], number: int, known: AbstractSet[int]) -> bool:
    """Whether a frame is like one beside it of which nothing is known, whatever that shows."""
    beside = [n for n in (number - 1, number + 1) if 0 <= n < len(frames) and n not in known]
    return any(frames[number].likeness(frames[n]) >= ALIKE for n in beside)


def _is_stranger(frames: Sequence[Thumbnail], number: int, scene: Sequence[int]) -> bool:
    before = [n for n in scene if n < number]
    after = [n for n in scene if n > number]
    near = [before[-1], after[0]] if before and after else (before[-2:] or after[:2])
    one, other = (frames[n] for n in near)
    strange = not any(frames[number].is_of_scene(frame) for frame in (one, other))
    return strange and one.is_surely_of_scene(other)
