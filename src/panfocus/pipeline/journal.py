"""What is told and written down while a stack is fused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from panfocus.arrays.types import Float
from panfocus.errors import Cancelled, InputError
from panfocus.frame import Frame, Metadata
from panfocus.fusion.fold import sharpness
from panfocus.guard import Blanks
from panfocus.guard.blank import Verdict
from panfocus.pipeline.bounds import MOST_MOVED, check_count, check_least
from panfocus.pipeline.depth import knows_distances, measured_depth
from panfocus.pipeline.fitting import check_called, check_fits
from panfocus.pipeline.notes import finding_notes, gathered
from panfocus.pipeline.options import Options
from panfocus.pipeline.quality import Surveyor
from panfocus.pipeline.report import Report, versions
from panfocus.pipeline.timing import Clock
from panfocus.registration.misalignment import Glance
from panfocus.registration.options import resolve_reference
from panfocus.registration.stack import Registration
from panfocus.registration.summary import summarise
from panfocus.systems import PictureSystem, System, device_facts, traits

if TYPE_CHECKING:
    from panfocus.guard.guard import Guard
    from panfocus.guard.spot_watch import SpotWatch

Progress = Callable[[float, str, str], None]
Cancel = Callable[[], bool]


class Screened(NamedTuple):
    """A frame that shows something.

    Attributes:
        frame: with black bands along its borders marked as not shown.
        restarts: whether all frames before it have turned out to show nothing.
    """

    frame: Frame
    restarts: bool


class Journal:
    """What is told and written down of one call of `fuse`, and what it goes by.

    Attributes:
        settings: how to fuse.
        system: what decides.
        total: frames of the stack; None where that shows at its end.
        clock: time per stage.
        blanks: which frames show nothing.
        metadata: of the reference frame.
        registration: where the frames lie, once that is known.
        found_reading: name of a frame and what was found while it was read, yet to be told.
        report: of all.
        is_of_volume: whether the frames are planes, which are in order and are not left out.
    """

    def __init__(
        self,
        settings: Options,
        system: System | PictureSystem,
        total: int | None,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> None:
        check_count(total or 0)
        check_called(progress=progress, cancel=cancel)
        self.settings = settings
        self.total = total
        self._progress = progress
        self._cancel = cancel
        self.clock = Clock()
        self.surveyor = Surveyor()
        self.blanks = Blanks()
        placed = settings.align != "none" or settings.load_transforms
        self.glance = None if placed or settings.mode == "best-plane" else Glance()
        self.system = system
        self.metadata = Metadata()
        self.registration: Registration | None = None
        self.is_of_volume = False
        self._span = (0.0, 1.0)
        self.found_reading: list[tuple[str, str]] = []
        self._places_um: list[float | None] = []
        self.report = Report(asdict(settings), versions(), self._system_facts(), {})

    def _system_facts(self) -> dict[str, Any]:
        card = self.system.card
        return {
            "name": card.name,
            "title": card.title,
            "kind": card.kind,
            "sha256": card.sha256,
            "licence": card.licence,
        }

    def tell(self, number: int, stage: str, message: str) -> None:
        """Pass progress on, and stop if the caller wants so."""
        if self._cancel is not None and self._cancel():
            raise Cancelled("stopped as asked", where=message)
        if self._progress is not None:
            share = min(number / self.total, 1.0) if self.total else 0.0
            begin, end = self._span
            self._progress(begin + share * (end - begin), stage, message)

    def admit(self, frame: Frame) -> None:
        """Refuse frames that would take more memory than is allowed, of which this is the first.

        Raises:
            UsageError: they would.
        """
        check_fits(self.system, self.settings, frame, self.total or 2)

    def goes(self, begin: float, end: float) -> None:
        """Let the progress of what follows go from one share of the whole to another."""
        self._span = (begin, end)

    def note_frame(self, frame: Frame) -> None:
        """Put a frame's facts into the report."""
        check_count(frame.number + 1)
        self._places_um.append(frame.place_um)
        facts: dict[str, Any] = {"number": frame.number, "name": frame.name}
        facts["sharpness"] = sharpness(frame.taken_grey)
        if self.registration is not None:
            facts["align"] = self.registration.alignment.facts(frame.number)
            curve = self.registration.curves[frame.number]
            is_matched = curve is not None and bool(curve.log.any())
            gain = [round(float(g), 4) for g in curve.gain] if curve and is_matched else None
            facts["exposure_gain"] = gain
            if curve is not None and curve.lines is not None:
                facts["bands"] = round(float(np.abs(np.expm1(curve.lines)).max()), 4)
        self.report.frames.append(facts)
        self.surveyor.add(frame.name, frame.grey)
        if self.glance is not None and max(frame.shape[:2]) <= MOST_MOVED:
            self.glance.add(frame.name, frame.grey)

    def measured(self, depth: Float) -> Float:
        """Return depth of frames in micrometres where their distances are known; note the unit."""
        step = self.settings.z_step_um
        self.report.depth_unit = "µm" if knows_distances(step, self._places_um) else "frames"
        return measured_depth(depth, step, self._places_um)

    def note_findings(self) -> None:
        """Warn of frames that spoil the stack, and tell what was found while they were read."""
        self.note_read()
        self.report.warnings += self.blanks.notes()
        if self.glance is not None and self.glance.apart is not None:
            self.report.warnings.append(str(self.glance.apart))
        if self.surveyor.scene.is_torn():
            self.report.warnings.append(
                "the frames do not look like one scene; a folder of many scenes is for "
                "`panfocus batch` or `panfocus evaluate`"
            )
        found = self.surveyor.findings(without=self.blanks.left, are_planes=self.is_of_volume)
        can_go = not self.settings.cull and not self.is_of_volume
        self.report.warnings += finding_notes(found, can_go=can_go)

    def note_read(self) -> None:
        """Tell what was found while frames were read, each kind of it once."""
        self.report.warnings += gathered(self.found_reading)
        self.found_reading.clear()

    def note_registration(self) -> str | None:
        """Put into the report what registration did, and warn of frames that it left unaligned.

        Returns:
            The same in a line; None where all frames are in place.
        """
        asked = self.settings.align != "none" or self.settings.load_transforms
        if self.registration is None or not asked:
            return None
        motion, field = self.registration.motion, self.registration.field
        hides = motion is not None and traits.decides(self.system)
        share = motion.share(field) if motion is not None and hides else 0.0
        done = summarise(self.registration.alignment, field, share)
        self.report.registration = done.to_dict()
        told = done.line()
        if told and done.left_unaligned:
            self.report.warnings.append(told)
        return told

    def doubted(self, confidence: Float) -> Float:
        """Return a map of confidence, 0 where something moves and one frame was taken."""
        found = self.registration
        if found is None or found.motion is None:
            return confidence
        return confidence * ~found.motion.in_field(found.motion.moves, found.field)

    def note(self, text: str) -> None:
        """Warn once of what holds for many frames."""
        if text not in self.report.warnings:
            self.report.warnings.append(text)

    @property
    def leaves_out(self) -> bool:
        """Whether frames that add nothing may be left out."""
        return self.settings.guard != "off" and not self.is_of_volume

    def judge(self, frame: Frame) -> Verdict:
        """Return whether a frame shows anything that is worth fusing."""
        if self.settings.guard == "off":
            return "take"
        if self.leaves_out and self.registration is not None:
            why = self.registration.alignment.left_out(frame.number)
            if why is not None:
                return self.blanks.leave(frame.name, frame.grey, why)
        with self.clock.stage("decide"):
            return self.blanks.judge(frame.name, frame.grey)

    def watched(self, source: Iterator[Frame]) -> Iterator[tuple[Frame, Verdict]]:
        """Write frames down, and yield each with whether it shows anything that is worth fusing.

        Raises:
            InputError: there are fewer than two frames, or they are too small.
        """
        count = 0
        for count, frame in enumerate(source, start=1):
            if count == 1:
                self.note_size(frame)
            self.tell(frame.number, "fuse", frame.name)
            self.keep_metadata(frame.number, frame)
            self.note_frame(frame)
            yield frame, self.judge(frame)
        if count < 2:
            raise InputError(
                "one frame cannot be fused",
                expected="at least 2 frames of one scene",
                got=str(count),
            )

    def screened(self, source: Iterator[Frame]) -> Iterator[Screened]:
        """Write frames down, and yield those that show anything that is worth fusing.

        Where none does, the first of them is yielded at the end: it is the picture.

        Raises:
            InputError: as `watched`.
        """
        spare: Frame | None = None
        for frame, verdict in self.watched(source):
            if verdict == "leave":
                spare = frame if spare is None and not self.blanks.has_taken else spare
                continue
            spare = None
            yield Screened(self.uncovered(frame), restarts=verdict == "restart")
        if spare is not None:
            yield Screened(spare, restarts=False)

    def uncovered(self, frame: Frame) -> Frame:
        """Return the frame with black bands along its borders marked as not shown."""
        shown = self.blanks.shown(frame.grey) if self.settings.guard == "auto" else None
        if shown is None:
            return frame
        cover = shown if frame.cover is None else np.minimum(shown, frame.cover)
        return frame.covered(cover)

    def note_guard(self, guard: Guard | SpotWatch | None) -> None:
        """Put what the second opinion mended into the report."""
        if guard is not None:
            self.report.guard = guard.facts()
            self.report.warnings += guard.notes()

    def note_device(self) -> None:
        """Put where the network ran into the report."""
        facts = device_facts(self.system)
        self.report.system["device"] = facts
        if facts is not None and facts["note"]:
            self.note(facts["note"])
        elif facts is None and self.settings.device not in ("auto", "cpu"):
            name = self.system.card.name
            self.note(f"no network has run, as {name} has or needed none: all was the processor's")

    def note_size(self, frame: Frame) -> None:
        """Check and put the picture's size into the report."""
        height, width = frame.shape[:2]
        check_least(height, width, frame.name)
        channels = 1 if len(frame.shape) == 2 else frame.shape[2]
        size = {"height": height, "width": width, "channels": channels}
        self.report.size = {**size, "dtype": str(frame.dtype)}

    def keep_metadata(self, number: int, frame: Frame) -> None:
        """Remember the metadata if this is the reference."""
        if self.total is not None:
            found = self.registration.alignment.reference if self.registration else -1
            chosen = resolve_reference(self.settings.reference, self.total)
            if number == (chosen if found < 0 else found):
                self.metadata, self.report.reference = frame.metadata, frame.name
        elif number == 0:
            self.metadata, self.report.reference = frame.metadata, frame.name
