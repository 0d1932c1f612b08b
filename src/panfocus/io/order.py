"""The order of frames that were found, not named: by their names, or by when they were taken.

Names tell the order but where a camera's counter has rolled over from 9999 to 0001, or where
somebody has renamed files. Then the times of EXIF tell it, if they can be relied on: every frame
has one, and the same camera and program have written them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from panfocus.frozen import frozen
from panfocus.io.ifd import Directory, DirectoryError, Entry, Tag
from panfocus.io.metadata import parse_exif

_MAKE, _MODEL, _TAKEN, _SUBSECOND = 271, 272, 0x9003, 0x9291
_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
#: No digital camera is older; clocks that were never set begin earlier.
_FIRST_YEAR = 1990
_COUNTED = re.compile(r"(?P<head>.*?)(?P<count>\d{4})(?P<tail>\D*)", re.DOTALL)
#: A counter has rolled over if it leaves out this many numbers at one place, while all frames
#: lie within so many of each other across 9999.
_GAP, _NEAR = 9000, 500
_COUNTS = 10_000
#: Names in which letters and one number can differ.
_PLAIN = re.compile(r"(?P<head>[A-Za-z_-]*)(?P<count>\d*)(?P<tail>\.[A-Za-z]+)")


@frozen
class Moment:
    """When a frame was taken.

    Attributes:
        second: "YYYYMMDDhhmmss".
        fraction: digits of the second behind the point, ninths filled with 0; empty if not told.
        by: camera and program, which must be the same for times to be compared.
    """

    second: str
    fraction: str
    by: tuple[bytes, bytes, bytes]


def moment_of(exif: bytes | None) -> Moment | None:
    """Return when EXIF says that a picture was taken; None where it says nothing sound."""
    if not exif:
        return None
    try:
        root = parse_exif(exif).root
    except DirectoryError:
        return None
    inner = root.get(Tag.EXIF_IFD)
    if not isinstance(inner, dict):
        return None
    match = _TIME.fullmatch(_text(inner, _TAKEN).decode("ascii", "replace"))
    if match is None or int(match[1]) < _FIRST_YEAR or not 1 <= int(match[2]) <= 12:
        return None
    fraction = _text(inner, _SUBSECOND).decode("ascii", "replace")
    by = (_text(root, _MAKE), _text(root, _MODEL), _text(root, Tag.SOFTWARE))
    return Moment(
        "".join(match.groups()), fraction.ljust(9, "0") if fraction.isdecimal() else "", by
    )


def _text(directory: Directory, tag: int) -> bytes:
    entry = directory.get(tag)
    return entry.data.strip(b" \0") if isinstance(entry, Entry) else b""


def _plainly_counted(paths: Sequence[Path]) -> list[Path] | None:
    """Return frames of one folder in order where letters and one number tell them apart.

    So most stacks are named, and natsort would put them into the same order, but is slow to import.
    """
    matches = [_PLAIN.fullmatch(path.name) for path in paths]
    found = [match for match in matches if match is not None]
    if len(found) < len(matches) or len({path.parent for path in paths}) != 1:
        return None
    heads = [match["head"].lower() for match in found]
    counts = [match["count"] for match in found]
    if len({match["tail"].lower() for match in found}) > 1:
        return None
    keys: list[tuple[str, int]] = []
    if all(counts):
        keys = list(zip(heads, map(int, counts), strict=True))
    elif not any(counts) and all(head.isalpha() for head in heads):
        keys = [(head, 0) for head in heads]
    if len(set(keys)) < len(paths):  # other names, or 1 and 01
        return None
    order = sorted(range(len(keys)), key=lambda n: keys[n])
    return [paths[n] for n in order]


def in_natural_order(paths: Iterable[Path]) -> list[Path]:
    """Return files in the order of their names as people count: 2 before 10, case left aside."""
    paths = list(paths)
    plain = _plainly_counted(paths)
    if plain is not None:
        return plain
    from natsort import natsort_keygen, ns  # noqa: PLC0415 - not needed for files named one by one

    key: Callable[[str], object] = natsort_keygen(alg=ns.PATH | ns.IGNORECASE)
    return sorted(paths, key=lambda p: (key(str(p)), str(p)))


def in_order(
    paths: Sequence[Path], moments: Sequence[Moment | None]
) -> tuple[list[int], str | None]:
    """Put frames that were found into order.

    Args:
        paths: in natural order of their names, one frame each.
        moments: when each was taken, if known.

    Returns:
        Numbers of the frames in the order to be fused, and a note where that is not by name.
    """
    by_name = list(range(len(paths)))
    rolled = _rolled_over([path.stem for path in paths])
    base = by_name if rolled is None else rolled
    times = _comparable(moments)
    if times is None:
        if rolled is None:
            return by_name, None
        return rolled, f"the counter in the names rolls over: {_ends(paths, rolled)}"
    order = sorted(base, key=lambda n: times[n])  # frames of one instant stay as they are
    if order == by_name:
        return by_name, None
    return order, f"in order of the times they were taken (EXIF), not of names: " \
        f"{_ends(paths, order)}"  # fmt: skip


def disagree(moments: Sequence[Moment | None]) -> bool:
    """Whether frames are in another order than they were taken in, as far as can be told."""
    times = _comparable(moments)
    return times is not None and times != sorted(times)


def _ends(paths: Sequence[Path], order: Sequence[int]) -> str:
    return f"first {paths[order[0]].name}, last {paths[order[-1]].name}"


def _comparable(moments: Sequence[Moment | None]) -> list[str] | None:
    """Return times that can be compared, or None where they cannot be relied on."""
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(moments) or len({moment.by for moment in known}) != 1:
        return None
    has_fractions = all(moment.fraction for moment in known)
    times = [m.second + (m.fraction if has_fractions else "") for m in known]
    return times if len(set(times)) > 1 else None


def _rolled_over(stems: Sequence[str]) -> list[int] | None:
    """Return the order of names whose counter of four digits has passed 9999; None for others."""
    matches = [_COUNTED.fullmatch(stem) for stem in stems]
    found = [match for match in matches if match is not None]
    if len(found) < max(len(stems), 2):
        return None
    if len({(m["head"].lower(), m["tail"].lower()) for m in found}) > 1:
        return None
    counts = [int(match["count"]) for match in found]
    ordered = sorted(counts)
    gaps = [after - before for before, after in pairwise(ordered)]
    widest = max(range(len(gaps)), key=lambda n: gaps[n])
    first = ordered[widest + 1]  # the frame behind the gap is the first that was taken
    if gaps[widest] < _GAP or (ordered[widest] - first) % _COUNTS > _NEAR:
        return None
    return sorted(range(len(counts)), key=lambda n: ((counts[n] - first) % _COUNTS, n))
