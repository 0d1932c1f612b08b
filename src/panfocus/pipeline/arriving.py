"""Fuse the frames of a folder while they arrive there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic, sleep

from panfocus import io
from panfocus.arrays.types import Pixels
from panfocus.errors import InputError
from panfocus.io.find import find_frames
from panfocus.io.frames import FrameInfo
from panfocus.pipeline.fuse import Fusion
from panfocus.pipeline.options import Options
from panfocus.pipeline.streaming import StreamingFusion

#: Seconds for which a file must not have changed, and between looks.
SETTLE_S, LOOK_S = 1.0, 0.25
#: After so many seconds a folder from which nothing can be taken is told of.
TROUBLE_S = 10.0

#: Size and time of change of a file.
_Facts = tuple[int, int]


class ArrivingFrames:
    """The pictures of a folder, each once, when it has stopped changing."""

    def __init__(self, folder: Path, *, exclude: Sequence[Path], prefer_raw: bool) -> None:
        """Watch a folder.

        Args:
            folder: where frames come; what lies there already comes first.
            exclude: files in it that are none.
            prefer_raw: as in `Options`.
        """
        self._folder = folder
        self._exclude = exclude
        self._prefer_raw = prefer_raw
        self._seen: dict[Path, tuple[_Facts, float]] = {}
        self._given: set[Path] = set()
        self._trouble = ("", 0.0)

    def poll(self) -> list[FrameInfo]:
        """Return the frames that have come since the last look, in natural order."""
        try:
            infos, _ = find_frames(
                [self._folder], exclude=self._exclude, prefer_raw=self._prefer_raw
            )
        except InputError as error:  # empty, away, or a file that is half there
            text = error.text()
            self._trouble = self._trouble if self._trouble[0] == text else (text, monotonic())
            return []
        self._trouble = ("", 0.0)
        fresh = [info for info in infos if info.path not in self._given and self._rests(info.path)]
        self._given |= {info.path for info in fresh}
        return fresh

    def lasting_trouble(self) -> str | None:
        """Return why nothing can be taken, once that has lasted for longer than a copy takes."""
        text, since = self._trouble
        return text if text and monotonic() - since >= TROUBLE_S else None

    def _rests(self, path: Path) -> bool:
        try:
            stat = path.stat()
        except OSError:
            return False
        facts, now = (stat.st_size, stat.st_mtime_ns), monotonic()
        before = self._seen.get(path)
        if before is None or before[0] != facts:
            self._seen[path] = (facts, now)
            return False
        return now - before[1] >= SETTLE_S


def fuse_as_they_arrive(
    frames: ArrivingFrames,
    settings: Options,
    *,
    idle_s: float,
    begun: Callable[[], None],
    first: Callable[[FrameInfo], None],
    told: Callable[[str, int], None],
    trouble: Callable[[str], None],
    preview: Callable[[Pixels, int], None] | None = None,
) -> Fusion:
    """Fuse what comes until nothing has come for a time; two frames at least are waited for.

    Args:
        frames: that arrive.
        settings: how to fuse.
        idle_s: seconds without a frame that end it.
        begun: called once all that can be refused beforehand is checked.
        first: called with the first frame's header, before any work; may refuse.
        told: called with every frame's name, and how many there are with it.
        trouble: called with what keeps frames from being taken, once where it lasts.
        preview: as of `StreamingFusion`.

    Raises:
        InputError: a frame does not fit the others, or cannot be read.
        UsageError: an option that frames which come once cannot have.
    """
    chosen = {name: value for name, value in asdict(settings).items() if name != "system"}
    paths: list[Path] = []
    troubles: set[str] = set()
    last = monotonic()
    develop = None
    with StreamingFusion(settings.system, preview=preview, **chosen) as stream:
        begun()
        while len(paths) < 2 or monotonic() - last < idle_s:
            for found in frames.poll():
                info = replace(found, lenient=settings.lenient)
                if not paths:
                    first(info)
                    developed, _ = io.develop_alike([info], 0, settings.raw_tone)
                    develop = developed[0].develop
                info = replace(info, develop=develop if info.format == "camera RAW" else None)
                stream.push(io.read_frame(info))
                paths.append(info.path)
                last = monotonic()
                told(info.name, len(paths))
            found_trouble = frames.lasting_trouble()
            if found_trouble is not None and found_trouble not in troubles:
                troubles.add(found_trouble)
                trouble(found_trouble)
            sleep(LOOK_S)
        return replace(stream.finish(), sources=tuple(dict.fromkeys(paths)))
