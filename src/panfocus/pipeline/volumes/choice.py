"""What of a volume is fused, and how: which positions, times, channels and planes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from panfocus.errors import InputError, UsageError
from panfocus.io.volumes.colours import are_rgb
from panfocus.io.volumes.open import open_volume
from panfocus.io.volumes.vendors import Mosaic
from panfocus.io.volumes.volume import Position, Volume
from panfocus.pipeline.options import Options
from panfocus.pipeline.settings import check_uncalibrated, make_settings
from panfocus.schema import said

#: Axes along which something can be chosen, and what one step along each is called.
_AXES: Mapping[str, str] = {"P": "position", "T": "time", "C": "channel", "Z": "plane"}
_PART = re.compile(r"(?:^|,)\s*([A-Za-z])\s*=")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_EXPECTED = "axes and what of them, like T=0,C=DAPI or P=0-3,T=0,2,Z=5-20"

Told: TypeAlias = int | str
Wanted: TypeAlias = "str | Mapping[str, Told | Sequence[Told]] | Only"


#: What volumes begin with, where photographs begin with something else.
_OWN = {"align": "none", "banding": "off", "spread": "off", "void": "average"}


def volume_settings(**options: Any) -> Options:  # noqa: ANN401  checked by `make_settings`
    """Return checked settings for volumes: planes in place, and their values as they are.

    They are aligned, detail between them is raised, and spread light taken away, only where that is
    asked for.

    Raises:
        UsageError: unknown option or value.

    Example:
        >>> volume_settings(system="guided").align
        'none'
    """
    own = {name: options.get(name) or value for name, value in _OWN.items()}
    settings = make_settings(**{**options, **own})
    check_uncalibrated(settings, "planes of volumes")
    return settings


@dataclass(frozen=True)
class Only:
    """Which positions, times, channels and planes are fused; all along axes that are not named.

    Attributes:
        parts: letter of an axis (P, T, C or Z), and what was told of it: numbers from 0, and texts
            of names, numbers and ranges by commas.
    """

    parts: tuple[tuple[str, tuple[Told, ...]], ...] = ()

    @classmethod
    def of(cls, wanted: Wanted) -> Only:
        """Read what a user wants.

        Args:
            wanted: as ``T=0,C=DAPI``, or by axis, as ``{"T": 0, "C": ["DAPI", "GFP"]}``.

        Raises:
            UsageError: no such axis, or nothing told of one.

        Examples:
            >>> Only.of("T=0-2,4,C=DAPI").parts
            (('T', ('0-2,4',)), ('C', ('DAPI',)))
        """
        if isinstance(wanted, Only):
            return wanted
        if isinstance(wanted, str):
            found = list(_PART.finditer(wanted))
            ends = [*(match.start() for match in found[1:]), len(wanted)]
            told = [
                (match[1].upper(), (wanted[match.end() : end].strip(),))
                for match, end in zip(found, ends, strict=False)
            ]
            is_whole = bool(found) and not wanted[: found[0].start()].strip()
        elif not isinstance(cast("object", wanted), Mapping):
            told, is_whole = [], False
        else:
            told = [
                (str(axis).upper(), (items,) if isinstance(items, (int, str)) else tuple(items))
                for axis, items in wanted.items()
            ]
            is_whole = True
        axes = [axis for axis, _ in told]
        is_sound = is_whole and set(axes) <= set(_AXES) and len(set(axes)) == len(axes)
        if not is_sound or any(item == "" for _, items in told for item in items):
            raise UsageError(
                "this does not tell what of a volume is fused",
                where="only",
                expected=_EXPECTED,
                got=(wanted if isinstance(wanted, str) else said(wanted)) or "nothing",
            )
        return cls(tuple(told))

    def along(self, axis: str, count: int, names: Sequence[str], where: str) -> list[int]:
        """Return the numbers that are chosen along an axis, in the order of the volume.

        Args:
            axis: its letter.
            count: size of the axis.
            names: of what lies along it; none where it has none.
            where: for the message.

        Raises:
            UsageError: there is no such number or name.
        """
        told = dict(self.parts).get(axis)
        if told is None:
            return list(range(count))
        chosen = {n for item in told for n in _numbers(item, count, names)}
        if not chosen or not all(0 <= n < count for n in chosen):
            listed = ", ".join(f"{n} ({name})" if name else str(n) for n, name in enumerate(names))
            raise UsageError(
                f"there is no such {_AXES[axis]}",
                where=f"only, {where}",
                expected=f"of {axis}: " + (listed or (f"0 to {count - 1}" if count > 1 else "0")),
                got=f"{axis}={','.join(map(str, told))}",
            )
        return sorted(chosen)


def _numbers(item: Told, count: int, names: Sequence[str]) -> Iterator[int]:
    """Yield the numbers that an item means, -1 for one that means nothing."""
    if isinstance(item, int):
        yield item
        return
    named = _named(item, names)
    if named is not None:
        yield named
        return
    for word in map(str.strip, item.split(",")):
        named = _named(word, names)
        match = _RANGE.fullmatch(word)
        if named is not None:
            yield named
        elif match is None:
            yield -1
        else:
            first, last = int(match[1]), int(match[2] or match[1])
            yield from range(first, min(last, count) + 1) if first <= last else [-1]


def _named(word: str, names: Sequence[str]) -> int | None:
    if word in names:
        return names.index(word)
    folded = [n for n, name in enumerate(names) if name.casefold() == word.casefold()]
    return folded[0] if len(folded) == 1 else None


@dataclass(frozen=True)
class Choice:
    """What of a file is fused, and how.

    Attributes:
        settings: how; of `volume_settings`, unless planes are to be aligned.
        axes: letters for a file that does not say them.
        guide: channel, by number or name, that decides for all; None: each decides for itself.
        only: what of the volume is fused; None for all.
        pattern: of the names in a folder of planes; None to see by the usual words.
        mosaic: what tiles of a mosaic are; None to put them together.
        in_colour: whether three channels that are red, green and blue are fused as one picture.
    """

    settings: Options
    axes: str | None = None
    guide: str | None = None
    only: Only | None = None
    pattern: str | None = None
    mosaic: Mosaic | None = None
    in_colour: bool = False

    def open(self, source: Path) -> Volume:
        """Open the file or folder; no pixel is read.

        Raises:
            InputError: missing, damaged, cut off, or of kinds that are not taken.
            UsageError: axes or a pattern that do not fit; an extra is missing.
        """
        return open_volume(
            source,
            self.axes,
            lenient=self.settings.lenient,
            pattern=self.pattern,
            mosaic=self.mosaic,
        )

    def selected(self, volume: Volume) -> list[Selection]:
        """Return what of each position is fused.

        Raises:
            UsageError: there is no such position, time, channel or plane, or guide channel.
        """
        only = self.only or Only()
        names = [position.name for position in volume.positions]
        numbers = only.along("P", len(names), names, str(volume.path))
        return [self._of_position(volume, only, p) for p in numbers]

    def _of_position(self, volume: Volume, only: Only, number: int) -> Selection:
        position = volume.positions[number]
        where = f"{volume.path}, position {position.name}"
        channels = only.along("C", len(position.channels), _names(position), where)
        if self.guide is not None:
            position.channel(self.guide)  # it need not be one of those that are chosen
        depths = only.along("Z", position.depths, (), where)
        if not depths:
            raise InputError(
                "there are no planes along Z", where=where, expected="two or more", got="none"
            )
        if depths != list(range(depths[0], depths[-1] + 1)):
            raise UsageError(
                "planes along Z are chosen from one to another, without gaps",
                where="only",
                expected="a range, like Z=5-20",
                got=",".join(map(str, depths)),
            )
        times = only.along("T", position.times, (), where)
        return Selection(position, times, channels, range(depths[0], depths[-1] + 1), number)

    def groups(self, selected: Sequence[Selection]) -> list[Group]:
        """Return what is fused together, in the order of the output."""
        out: list[Group] = []
        for one in selected:
            told = [one.position.channels[c] for c in one.channels]
            if self.guide is not None:
                guide = one.position.channel(self.guide)
                parts = [(list(one.channels), guide)]
            elif self.in_colour and are_rgb(told):
                parts = [(list(one.channels), None)]
            else:
                parts = [([c], c) for c in one.channels]
            out += [Group(one, t, channels, guide) for t in one.times for channels, guide in parts]
        return out


def _names(position: Position) -> list[str]:
    return [channel.name for channel in position.channels]


@dataclass(frozen=True)
class Selection:
    """What of a position is fused and written.

    Attributes:
        position: of the volume.
        times: numbers along T.
        channels: numbers along C.
        depths: numbers along Z, without gaps.
        number: of the position in its volume.
    """

    position: Position
    times: Sequence[int]
    channels: Sequence[int]
    depths: range
    number: int = 0

    @classmethod
    def whole(cls, position: Position, number: int = 0) -> Selection:
        """Return all of a position."""
        channels = range(len(position.channels))
        return cls(position, range(position.times), channels, range(position.depths), number)


@dataclass(frozen=True)
class Group:
    """What is fused along Z together.

    Attributes:
        selection: that it belongs to.
        time: number along T.
        channels: numbers along C, one or those that share a decision.
        guide: the channel that decides; None: all together, as colours of one picture.
    """

    selection: Selection
    time: int
    channels: Sequence[int]
    guide: int | None

    @property
    def where(self) -> str:
        """The words that name it in messages."""
        return self.selection.position.where(self.time, self.channels[0])

    @property
    def planes(self) -> int:
        """How many frames are read of it."""
        return len(self.selection.depths)
