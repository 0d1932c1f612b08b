"""A stack that is open: its frames, which of them are used, and what was made of them."""

from __future__ import annotations

import secrets
import shutil
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

from panfocus.errors import UsageError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.options import MAP_KINDS, Options
from panfocus.pipeline.project_content import Place, ProjectContent
from panfocus.web.frame_choice import FrameChoice
from panfocus.web.frames import StackFrames, VolumeFile
from panfocus.web.gone import GoneError
from panfocus.web.levels import PLAIN
from panfocus.web.mending import DrawnStrokes, Native
from panfocus.web.pictures import FramePicture
from panfocus.web.placed_strokes import PlacedStrokes
from panfocus.web.pyramids import Viewable
from panfocus.web.readings import reading_facts
from panfocus.web.results import Result
from panfocus.web.stack_facts import PlaceShown
from panfocus.web.survey import PlaceFacts, Survey

DRAFT = "draft"
#: Places of a volume whose drafts are kept while another place is shown.
_MOST_DRAFTS = 12


class OpenStack(FrameChoice):
    """Frames of one scene, and the results of fusing them.

    Args:
        inputs: as the user named them.
        title: for people.
        frames: found.
        notes: for the user.
        work: folder for its results.
        volume: that the frames are planes of.
    """

    def __init__(
        self,
        inputs: Sequence[Path],
        title: str,
        frames: StackFrames,
        *,
        notes: Sequence[str],
        work: Path,
        volume: VolumeFile | None = None,
    ) -> None:
        super().__init__(inputs, frames)
        self.id = secrets.token_hex(6)
        self.named = self.inputs  # or the project that names them
        self.title = title
        self.notes = list(notes)
        self.work = work / self.id
        self.volume = volume
        self.place: Place = (0, 0, 0)
        self.is_dropped = self.is_hurried = False
        self.version = self.revision = self._made = 0
        self.survey = Survey()
        self.levels = PLAIN
        self.results: dict[str, Result] = {}
        self._elsewhere: OrderedDict[Place, PlaceFacts] = OrderedDict()
        self.strokes = PlacedStrokes()
        self.native: tuple[str, Native] | None = None
        self.project: Path | None = None
        self.projects: dict[str, ProjectContent] = {}
        self.left_over: ProjectContent | None = None
        self.keeping = RLock()
        self.options: dict[str, Any] = {}

    @property
    def reading(self) -> VolumeReading:
        """How it is read, where the user has said so."""
        return VolumeReading() if self.volume is None else self.volume.reading

    @property
    def key(self) -> str:
        """Name of its frames in the cache of pictures: another one for another place."""
        return self.key_at(self.place)

    def key_at(self, place: Place) -> str:
        """Return the same of any place."""
        return f"{self.id}.{'.'.join(map(str, place))}"

    @property
    def mending(self) -> DrawnStrokes:
        """The strokes of the place that is shown; photographs have one place."""
        return self.strokes.at(self.place)

    def mending_of(self, result: Result) -> DrawnStrokes:
        """Return the strokes of the place that a result is of, whichever is shown."""
        return self.strokes.at(self.place if result.place is None else result.place)

    @property
    def folder(self) -> Path:
        """Where its results are saved unless another place is named."""
        first = self.inputs[0]
        return first if first.is_dir() and self.volume is None else first.parent

    def new_id(self) -> str:
        """Return a name for the next result."""
        with self.lock:
            self._made += 1
            return f"r{self._made}"

    def result_name(self, options: Options) -> str:
        """Return a name for people: the system's, numbered where there is one already."""
        system = Path(options.system).name
        taken = {r.name for r in self.all_results() if r.id != DRAFT}
        number = 2
        name = system
        while name in taken:
            name, number = f"{system} {number}", number + 1
        return name

    def all_results(self) -> list[Result]:
        """Return the results of the place that is shown: jobs add others all the while."""
        with self.lock:
            return list(self.results.values())

    def result(self, id_: str) -> Result:
        """Return a result by its name in addresses.

        Raises:
            GoneError: it was dropped, or is of a place that is not shown any more.
            UsageError: there was never one of that name.
        """
        found = self.results.get(id_)
        if found is None:
            kind = GoneError if self.has_gone(id_) else UsageError
            raise kind("there is no such result", where="result", got=id_[:40])
        return found

    def has_gone(self, picture: str, version: str = "") -> bool:
        """Whether a picture is of a result or place that was shown, and is not any more.

        Args:
            picture: as an address names it.
            version: that the address has; a frame's begins with the `key` of its place.
        """
        key = version.partition("~")[0]
        if key.startswith(f"{self.id}.") and key != self.key:
            return True
        id_ = (
            picture.partition("@")[2] if picture.startswith("frame-") else picture.partition("-")[0]
        )
        number = id_[1:] if id_[:1] == "r" else ""
        was = id_ == DRAFT or (number.isdecimal() and len(number) < 7 and int(number) <= self._made)
        return was and id_ not in self.results

    def drop(self, id_: str) -> None:
        """Forget a result and its files."""
        with self.lock:
            found = self.results.pop(id_, None)
        if found is not None:
            self.mending_of(found).forget(id_)
            found.delete()

    def frame_picture(self, number: int, result: Result | None) -> Viewable:
        """Return a frame to be looked at, where the result has it, or as it is."""
        with self.lock:  # the key is of these frames, whatever is shown later
            key, frames = self.key, self.frames
        if not 0 <= number < frames.shape[0]:
            raise UsageError("there is no such frame", where="frame", got=str(number))
        plain = FramePicture(key, frames, number, levels=self.levels)
        if result is None or result.id == DRAFT or number not in result.used:
            return plain
        found = result.fusion.registration
        place = result.used.index(number)
        return replace(plain, registration=found, place=place, version=result.id)

    def result_picture(self, result: Result) -> Viewable:
        """Return a result to be looked at."""
        return result.picture(self.key, self.levels)

    def picture(self, name: str) -> Viewable:
        """Return what an address names: ``frame-3``, ``frame-3@r1``, ``r1``, ``r1-depth``.

        Raises:
            UsageError: there is none of that name.
        """
        if name.startswith("frame-"):
            number, _, id_ = name.removeprefix("frame-").partition("@")
            if number.isdecimal() and len(number) < 7:
                return self.frame_picture(int(number), self.result(id_) if id_ else None)
        id_, _, kind = name.partition("-")
        found = self.result(id_)
        picture = self.result_picture(found) if not kind else None
        for known in MAP_KINDS:
            picture = found.map_picture(self.key, known) if known == kind else picture
        if picture is None:
            raise UsageError("there is no such picture", where="picture", got=name[:40])
        return picture

    def shown(self) -> PlaceShown:
        """Return what it shows now, all of one moment."""
        with self.lock:
            return PlaceShown(
                key=self.key,
                place=self.place,
                frames=self.frames,
                used=tuple(self.used),
                survey=self.survey,
                levels=self.levels,
                results=[(each, self.is_part(each.used)) for each in self.results.values()],
                version=self.version,
                strokes=self.mending.count,
                mended=self.mending.version,
                volume=self.volume,
            )

    def facts(self) -> dict[str, Any]:
        """Return what a page is told."""
        return {
            "id": self.id,
            "title": self.title,
            "folder": str(self.folder),
            "can_switch": self.can_switch,
            "reading": reading_facts(self.inputs, self.reading),
            "notes": self.notes,
            "options": self.options,
            "dropped": self.is_dropped,
            **self.shown().facts(),
        }

    def frames_at(self, place: Place) -> StackFrames:
        """Return the frames of a place, whichever is shown."""
        with self.lock:
            if self.volume is None or place == self.place:
                return self.frames
        return self.volume.frames(place)

    def put(self, result: Result, place: Place) -> None:
        """Add a result to those of the place that it was fused from, whichever is shown now."""
        with self.lock:
            if place == self.place:
                self.results[result.id] = result
            else:
                self._elsewhere.setdefault(place, PlaceFacts()).results[result.id] = result
            self.version += 1

    def go_to(self, place: Place) -> None:
        """Show another position, T and C of a volume; what was made of the one before is kept.

        Raises:
            UsageError: there is no such place, or the stack is no volume.
        """
        if self.volume is None:
            raise UsageError("photographs have no T and no C")
        positions = self.volume.volume.positions
        p, t, c = place
        if not (
            0 <= p < len(positions)
            and 0 <= t < positions[p].times
            and 0 <= c < len(positions[p].channels)
        ):
            raise UsageError("there is no such stack", got=str(place))
        frames = self.volume.frames(place)  # looks through them: nobody waits for that
        with self.lock:
            self._elsewhere[self.place] = PlaceFacts(self.survey, self.levels, self.results)
            found = self._elsewhere.pop(place, PlaceFacts())
            self.frames = frames
            self.place = place
            self.used = [True] * self.frames.shape[0]
            self.survey, self.levels, self.results = found.survey, found.levels, found.results
            self.version += 1  # the draft of another place has the same name
            self._forget_drafts()

    def _forget_drafts(self) -> None:
        """Let go of the oldest drafts of places that are not shown; fusions stay."""
        drafted = [each for each in self._elsewhere.values() if DRAFT in each.results]
        for each in drafted[:-_MOST_DRAFTS]:
            each.results.pop(DRAFT).delete()
            each.survey = Survey()  # it is looked at anew

    def close(self) -> None:
        """Forget it, and delete what was made for it."""
        if self.volume is not None:
            self.volume.close()
        shutil.rmtree(self.work, ignore_errors=True)
