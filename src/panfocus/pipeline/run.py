"""The pipeline: read, align, decide, fold and blend; everything else is a face of `fuse`."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus import io
from panfocus._version import __version__
from panfocus.arrays.pixels import luminance, white, working_factor
from panfocus.arrays.types import Float, Pixels
from panfocus.errors import Cancelled, InputError, UsageError
from panfocus.frame import Frame, Metadata, Stack
from panfocus.fusion.best_plane import best_plane_maps
from panfocus.fusion.composite import Composer, Refine
from panfocus.fusion.fold import Decision, Fold, make_fold, sharpness, upsample
from panfocus.fusion.noise_averaging import Calm
from panfocus.fusion.restoration import Restoration, restorer_of
from panfocus.fusion.translucency import Preference
from panfocus.guard import Blanks
from panfocus.guard.blank import Verdict
from panfocus.pipeline.options import BitDepth, Chosen, Settings, make_settings
from panfocus.pipeline.plan import Plan, check_system, group_size, held_bytes, memory_limit, plan
from panfocus.pipeline.quality import Finding, Surveyor, keep, survey
from panfocus.pipeline.result import Fusion, Report
from panfocus.pipeline.sources import (
    Arrays,
    ArrayStack,
    FileStack,
    ReiterableFrames,
    Source,
    from_arrays,
    is_paths,
)
from panfocus.pipeline.timing import Clock, Shares
from panfocus.registration.alignment import Alignment
from panfocus.registration.misalignment import Glance
from panfocus.registration.options import resolve_reference
from panfocus.registration.stack import OnlineRegistration, Registration, locate, needs_registration
from panfocus.resources.threads import opencv_threads
from panfocus.systems import (
    FocusMeasureSystem,
    PictureSystem,
    System,
    device_facts,
    load_system,
)
from panfocus.systems.checks import adopt, begun, checked_picture

if TYPE_CHECKING:
    from panfocus.guard.guard import Guard

__all__ = [
    "Fusion",
    "Plan",
    "Progress",
    "Report",
    "align",
    "fuse",
    "make_settings",
    "needs_registration",
    "plan",
]

Progress = Callable[[float, str, str], None]
Cancel = Callable[[], bool]

_MIN_SIDE = 16
_MADE_UP = (
    "a system that makes a picture fuses what alignment had to make up along the borders; without "
    "--keep-size it is cropped away"
)
#: Share of the progress that the first look at the frames takes.
_LOOKING = 0.25


def _versions() -> dict[str, str]:
    return {
        "panfocus": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


class _Run:
    """One call of `fuse`."""

    def __init__(
        self,
        settings: Settings,
        system: System | PictureSystem,
        total: int | None,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> None:
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
        self._span = (0.0, 1.0)
        self.report = Report(asdict(settings), _versions(), self._system_facts(), {})

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

    def note_frame(self, frame: Frame) -> None:
        """Put a frame's facts into the report."""
        facts: dict[str, Any] = {"number": frame.number, "name": frame.name}
        facts["sharpness"] = sharpness(frame.grey)
        if self.registration is not None:
            facts["align"] = self.registration.alignment.facts(frame.number)
            gain = self.registration.gains[frame.number]
            facts["exposure_gain"] = None if gain is None else [round(float(g), 4) for g in gain]
        self.report.frames.append(facts)
        self.surveyor.add(frame.name, frame.grey)
        if self.glance is not None:
            self.glance.add(frame.name, frame.grey)

    def note_findings(self) -> None:
        """Warn of frames that spoil the stack."""
        self.report.warnings += self.blanks.notes()
        if self.glance is not None and self.glance.apart is not None:
            self.report.warnings.append(str(self.glance.apart))
        if self.surveyor.scene.is_torn():
            self.report.warnings.append(
                "the frames do not look like one scene; a folder of many scenes is for "
                "`panfocus batch` or `panfocus evaluate`"
            )
        for finding in self.surveyor.findings():
            remedy = " (--cull leaves it out)" if finding.culls and not self.settings.cull else ""
            self.report.warnings.append(f"{finding}{remedy}")

    def note(self, text: str) -> None:
        """Warn once of what holds for many frames."""
        if text not in self.report.warnings:
            self.report.warnings.append(text)

    def judge(self, frame: Frame) -> Verdict:
        """Return whether a frame shows anything that is worth fusing."""
        if self.settings.guard == "off":
            return "take"
        with self.clock.stage("decide"):
            return self.blanks.judge(frame.name, frame.grey)

    def uncovered(self, frame: Frame) -> Frame:
        """Return the frame with black bands along its borders marked as not shown."""
        shown = self.blanks.shown(frame.grey) if self.settings.guard == "auto" else None
        if shown is None:
            return frame
        cover = shown if frame.cover is None else np.minimum(shown, frame.cover)
        return replace(frame, cover=cover)

    def note_guard(self, guard: Guard | None) -> None:
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

    def note_size(self, pixels: Pixels) -> None:
        """Check and put the picture's size into the report."""
        height, width = pixels.shape[:2]
        if min(height, width) < _MIN_SIDE:
            raise InputError(
                "the frames are too small to judge their focus",
                expected=f"at least {_MIN_SIDE} x {_MIN_SIDE} pixels",
                got=f"{width} x {height}",
            )
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        self.report.size = {
            "height": height,
            "width": width,
            "channels": channels,
            "dtype": str(pixels.dtype),
        }

    def frames(self, source: Iterator[Frame]) -> Iterator[Frame]:
        """Yield frames, numbered; the time spent waiting for them is on the clock."""
        for number in count():
            with self.clock.stage("read"):
                frame = next(source, None)
            if frame is None:
                return
            self.report.warnings += [f"{frame.name}: {note}" for note in frame.notes]
            yield replace(frame, number=number)

    def in_place(self, source: Stack | Iterator[Frame]) -> Iterator[Frame]:
        """Yield frames where the reference frame has them, in its brightness."""
        if isinstance(source, Iterator):
            yield from self._on_the_way(source)
            return
        if source.shape[0] >= 2 and needs_registration(self.settings):
            self.look(source)
        yield from self.placed(source)

    def look(self, stack: Stack) -> Registration:
        """Find where the frames lie, and put it into the report."""
        self._span = (0.0, _LOOKING)
        with self.clock.stage("align"):
            registration = locate(stack, self.settings, lambda n, name: self.tell(n, "align", name))
        self._span = (_LOOKING, 1.0)
        self.registration = registration
        self.report.warnings += registration.notes
        if registration.field != registration.alignment.whole():
            self.report.cropped_to = asdict(registration.field)
        return registration

    def placed(self, stack: Stack) -> Iterator[Frame]:
        """Yield frames where they were found to lie."""
        for number, frame in enumerate(self.frames(stack.frames())):
            if self.registration is None:
                yield frame
                continue
            with self.clock.stage("align"):
                placed = self.registration.place(number, frame)
            yield placed

    def _on_the_way(self, source: Iterator[Frame]) -> Iterator[Frame]:
        if not needs_registration(self.settings):
            yield from self.frames(source)
            return
        if self.settings.load_transforms:
            raise UsageError(
                "loaded transforms need to know how many frames there are",
                where="load_transforms",
                expected="files, an array or a sequence of frames",
                got="an iterable",
            )
        for frame, registration in OnlineRegistration(self.settings).place(self.frames(source)):
            self.registration = registration
            yield frame

    def keep_metadata(self, number: int, frame: Frame) -> None:
        """Remember the metadata if this is the reference, or might be the last frame."""
        if self.total is not None:
            if number == resolve_reference(self.settings.reference, self.total):
                self.metadata, self.report.reference = frame.metadata, frame.name
        elif number == 0:
            self.metadata, self.report.reference = frame.metadata, frame.name


def _refinement(system: System, factor: int) -> Refine | None:
    if isinstance(system, FocusMeasureSystem):
        return Refine(system.radius, system.epsilon)
    return Refine() if factor > 1 else None


class _Mixing:
    """What a fusion by decisions holds; made anew where all frames before showed nothing."""

    def __init__(self, run: _Run, system: System, factor: int, group: int) -> None:
        self._run = run
        self._guard = _guard(run)
        self.fold = make_fold(
            system,
            factor,
            group=group,
            wants_depth=run.settings.maps,
            prefer=_preference(run),
            guard=self._guard,
        )
        mode = run.settings.mode
        self._restoration = Restoration(restorer_of(system)) if mode == "restore" else None
        smooths = run.settings.void == "smooth" and mode != "select"
        self._calm = Calm(factor) if smooths else None
        self.composer = Composer(
            factor,
            mode=mode,
            refine=_refinement(system, factor),
            maps=run.settings.maps or self._restoration is not None,
        )
        self._shares = Shares()

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        if self._restoration is not None:
            with self._run.clock.stage("blend"):
                self._restoration.push(frame.pixels, has_alpha=frame.has_alpha)
        self._take(self.fold.push(frame))

    def picture(self) -> Pixels:
        """Return the fused picture ``(H, W[, C])``, restored where that is asked for."""
        blended, largest = self.composer.picture, self.composer.largest
        if self._restoration is None or largest is None:
            return blended
        with self._run.clock.stage("restore"):
            return self._restoration.of(blended, largest)

    def finish(self) -> None:
        """Take what the fold held back, and put what was done into the report."""
        self._take(self.fold.finish())
        self._shares.write(self._run.report.frames)
        self._run.note_guard(self._guard)

    def _take(self, decisions: Iterator[Decision]) -> None:
        while True:
            with self._run.clock.stage("decide"):
                decision = next(decisions, None)
            if decision is None:
                return
            with self._run.clock.stage("blend"):
                self._shares.add(decision)
                self.composer.apply(self._calm.soften(decision) if self._calm else decision)


def _fuse_decisions(run: _Run, system: System, source: Iterator[Frame]) -> Fusion:
    first = next(source, None)
    if first is None:
        raise InputError("there are no frames to fuse", expected="at least 2 frames", got="none")
    run.note_size(first.pixels)
    height, width = first.pixels.shape[:2]
    factor = working_factor(height, width, system.card.working_pixels)
    run.report.working_factor = factor
    budget = memory_limit(run.settings)
    held = held_bytes(first.pixels.nbytes, height * width // factor**2)
    group = group_size(system, held, budget)
    mixing = _Mixing(run, system, factor, group)
    spare: Frame | None = None
    taken = 0
    for number, frame in enumerate(_chain(first, source)):
        run.tell(number, "fuse", frame.name)
        run.keep_metadata(number, frame)
        run.note_frame(frame)
        taken += 1
        verdict = run.judge(frame)
        if verdict == "leave":
            # where no frame shows anything, the first is the picture
            spare = frame if spare is None and not run.blanks.has_taken else spare
            continue
        if verdict == "restart":
            mixing = _Mixing(run, system, factor, group)
        spare = None
        mixing.push(run.uncovered(frame))
    _need_two(taken)
    if spare is not None:
        mixing.push(spare)
    mixing.finish()
    fold, composer = mixing.fold, mixing.composer
    index = depth = confidence = None
    if run.settings.maps:
        index, depth = composer.index, _finest(composer, fold)
        if depth is not None and run.settings.z_step_um is not None:
            depth = depth * np.float32(run.settings.z_step_um)
        confidence = np.clip(upsample(fold.margin(), height, width), 0, 1)
    return Fusion(mixing.picture(), index, depth, confidence, run.report, run.metadata)


def _guard(run: _Run) -> Guard | None:
    card = run.system.card
    if run.settings.guard != "auto" or not card.is_guarded:
        return None
    from panfocus.guard.guard import Guard  # noqa: PLC0415  only networks need it

    return Guard(card.name)


def _preference(run: _Run) -> Preference | None:
    if run.settings.prefer == "none":
        return None
    later = (run.settings.prefer == "far") == (run.settings.order == "near-first")
    return Preference(later=later, is_pair=run.total == 2)


def _finest(composer: Composer, fold: Fold) -> Float | None:
    """Return depth ``(H, W)`` with fractions of a frame; None when maps are not wanted.

    The working scale knows the fractions, the full scale the edges: where the two are more than a
    frame apart, an edge has been moved to where the picture has it, and the whole frame is right.
    """
    index, fine = composer.index, fold.depth()
    if index is None or fine is None:
        return composer.depth
    height, width = index.shape
    whole = index.astype(np.float32)
    fine = upsample(fine, height, width)
    return np.where(np.abs(fine - whole) <= 1, fine, whole)


def _chain(first: Frame, rest: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from rest


def _need_two(count: int) -> None:
    if count < 2:
        raise InputError(
            "one frame cannot be fused",
            expected="at least 2 frames of one scene",
            got=str(count),
        )


def _fuse_picture(run: _Run, system: PictureSystem, source: Iterator[Frame]) -> Fusion:
    dtype: np.dtype[Any] | None = None
    shape: tuple[int, ...] = ()
    stack = begun(system)
    taken = 0
    guard = _guard(run)
    looked_at: list[Frame] = []  # by the guard
    spare: Frame | None = None

    def take(frame: Frame) -> None:
        with run.clock.stage("fuse"):
            stack.push(_unit(frame.pixels))
        if guard is not None:
            looked_at.append(frame.alone())

    for number, frame in enumerate(source):
        if dtype is None:
            run.note_size(frame.pixels)
            dtype, shape = frame.pixels.dtype, frame.pixels.shape
        run.tell(number, "fuse", frame.name)
        run.keep_metadata(number, frame)
        run.note_frame(frame)
        if frame.cover is not None:
            run.note(_MADE_UP)
        taken += 1
        verdict = run.judge(frame)
        if verdict == "leave":
            spare = frame if spare is None and not run.blanks.has_taken else spare
            continue
        if verdict == "restart":
            stack = begun(system)
            looked_at.clear()
        spare = None
        take(frame)
    _need_two(taken)
    assert dtype is not None
    if spare is not None:
        take(spare)
    picture = checked_picture(stack.finish(), shape, system.card.name)
    if guard is not None:
        picture = _guarded(guard, looked_at, picture)
        run.note_guard(guard)
    if dtype.kind != "f":  # whole numbers would wrap round
        picture = np.rint(np.clip(picture, 0, 1) * np.float32(white(dtype)))
    return Fusion(picture.astype(dtype), None, None, None, run.report, run.metadata)


def _unit(pixels: Pixels) -> Float:
    return pixels.astype(np.float32) / np.float32(white(pixels.dtype))


def _guarded(guard: Guard, frames: Sequence[Frame], picture: Float) -> Float:
    """Return a network's own picture with the guard's opinion on its colours."""
    if len(frames) < 2:
        return picture
    colours = picture[..., None] if picture.ndim == 2 else picture
    end = colours.shape[-1] - frames[0].has_alpha
    seen = np.stack([_unit(frame.pixels).reshape(colours.shape)[..., :end] for frame in frames])
    mended = guard.check_picture(seen, np.ascontiguousarray(colours[..., :end]))
    return np.concatenate((mended, colours[..., end:]), axis=-1).reshape(picture.shape)


def _take_best(run: _Run, source: Iterator[Frame]) -> Fusion:
    """Take the one frame of highest sharpness, whole, with its own metadata."""
    best: Frame | None = None
    scores: list[float] = []
    for number, frame in enumerate(source):
        if best is None:
            run.note_size(frame.pixels)
        run.tell(number, "fuse", frame.name)
        run.note_frame(frame)
        verdict = run.judge(frame)
        if verdict == "restart":
            scores = [0.0] * len(scores)
        scores.append(0.0 if verdict == "leave" else run.report.frames[-1]["sharpness"])
        if best is None or scores[-1] > max(scores[:-1]):
            best = frame.alone()
    _need_two(len(scores))
    assert best is not None
    run.report.reference, run.metadata = best.name, best.metadata
    maps = (None, None, None)
    if run.settings.maps:
        maps = best_plane_maps(best.pixels.shape, scores, run.settings.z_step_um)
    return Fusion(best.pixels, *maps, run.report, run.metadata)


def convert_depth(pixels: Pixels, bit_depth: BitDepth) -> Pixels:
    """Return the picture at 8 or 16 bit, full range to full range, rounded."""
    if bit_depth == "same":
        return pixels
    if pixels.dtype == np.float32:
        target = np.dtype(f"uint{bit_depth}")
        return np.rint(np.clip(pixels, 0, 1) * np.float32(white(target))).astype(target)
    return io.to_depth(pixels, "uint8" if bit_depth == "8" else "uint16")


def _luminances(frames: Iterable[Frame], cancel: Cancel | None) -> Iterator[tuple[str, Pixels]]:
    for frame in frames:
        if cancel is not None and cancel():
            raise Cancelled("stopped as asked", where=frame.name)
        yield frame.name, luminance(frame.pixels, has_alpha=frame.has_alpha)


def culled(plan_: Plan, cancel: Cancel | None = None) -> Plan:
    """Return the plan without the frames that spoil the stack, told in its notes.

    Reads every frame once, one held at a time.

    Args:
        plan_: of files.
        cancel: asked before every frame.
    """
    findings = survey(_luminances(FileStack(plan_.infos).frames(), cancel))
    kept = keep(findings, plan_.count)
    return replace(
        plan_,
        infos=[plan_.infos[n] for n in kept],
        notes=[*plan_.notes, *_left_out(findings, kept)],
        settings=replace(plan_.settings, cull=False),
    )


def _left_out(findings: Sequence[Finding], kept: Sequence[int]) -> list[str]:
    gone = [f for f in findings if f.culls and f.number not in kept]
    return [f"left out: {finding}" for finding in gone]


def _cull_arrays(
    frames: Arrays, cancel: Cancel | None
) -> tuple[list[NDArray[Any] | Frame], list[str]]:
    """Return the arrays worth fusing, and notes about the others.

    Raises:
        UsageError: the frames can be read only once.
    """
    if _length(frames) is None:
        raise UsageError(
            "frames that can be read only once cannot be culled",
            where="cull",
            expected="files, an array (N, H, W[, C]) or a list of arrays",
            got=type(frames).__name__,
        )
    arrays = list(frames)
    findings = survey(_luminances(from_arrays(arrays), cancel))
    kept = keep(findings, len(arrays))
    return [arrays[n] for n in kept], _left_out(findings, kept)


def fuse(
    frames: Source | Plan,
    *,
    system: str | Path | System | PictureSystem | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Unpack[Chosen],
) -> Fusion:
    """Fuse frames focused at different depths into one picture that is sharp everywhere.

    Args:
        frames: file names, globs, a folder or a multi-page TIFF; an array ``(N, H, W[, C])``;
            any iterable of arrays ``(H, W[, C])``, of which two are held at a time; or a `Plan`.
            Numbers are uint8, uint16, or float32 in [0, 1]; 2 or 4 channels end in opacity.
        system: what decides: a name of `list_systems`, the folder of an exported system, or an
            object of your own with a card and ``decide``; None for the default.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame; True stops with `Cancelled`.
        **options: fields of `Settings`, checked there; a plan brings its own.

    Returns:
        The picture with its index, depth and confidence maps and a report.

    Raises:
        UsageError: an option or its value is unknown.
        InputError: a frame is unreadable or does not fit the others.
        SystemError_: the system is unknown or damaged.
        Cancelled: `cancel` said so.
    """
    own = None if system is None or isinstance(system, (str, Path)) else adopt(system)
    asked: dict[str, Any] = {**options}
    if system is not None and not isinstance(frames, Plan):
        asked["system"] = own.card.name if own is not None else str(system)
    _check_source(frames)
    if is_paths(frames):
        paths = [frames] if isinstance(frames, (str, Path)) else frames
        frames = plan(paths, make_settings(**asked), system=own)
    if isinstance(frames, Plan):
        told, sources = asdict(frames.settings), tuple(info.path for info in frames.infos)
        frames = culled(frames, cancel) if frames.settings.cull else frames
        run = _Run(frames.settings, frames.system, frames.count, progress, cancel)
        run.report.settings = told
        run.report.warnings += frames.notes
        result = _execute(run, FileStack(frames.infos))
        return replace(result, sources=tuple(dict.fromkeys(sources)))
    settings = make_settings(**asked)
    notes: list[str] = []
    if settings.cull:
        frames, notes = _cull_arrays(cast("Arrays", frames), cancel)
    total = _length(frames)
    if total is not None and total >= 2:
        resolve_reference(settings.reference, total)
    loaded = own or load_system(settings.system, threads=settings.threads, device=settings.device)
    check_system(settings, loaded)
    run = _Run(settings, loaded, total, progress, cancel)
    run.report.warnings += notes
    if total is not None:
        return _execute(run, ArrayStack(cast("ReiterableFrames", frames), run.note))
    _check_once(settings)
    return _execute(run, from_arrays(cast("Arrays", frames), run.note))


def _check_source(frames: object) -> None:
    """Refuse what holds no frames at all.

    Raises:
        UsageError: no names, no arrays, nothing to go through.
    """
    is_list = isinstance(frames, (list, tuple))
    names = [isinstance(one, (str, Path)) for one in cast("Any", frames)] if is_list else []
    is_some = isinstance(frames, (str, Path, Plan, Iterable)) and not isinstance(
        frames, (bytes, bytearray, Mapping)
    )
    if not is_some or (any(names) and not all(names)):
        raise UsageError(
            "these are no frames",
            where="frames",
            expected="file names, an array (N, H, W[, C]), or any iterable of arrays (H, W[, C])",
            got="names and arrays mixed" if is_some else type(cast("Any", frames)).__name__,
        )


def _check_once(settings: Settings) -> None:
    """Refuse a reference that frames which can be read only once cannot have.

    Raises:
        UsageError: it is neither the first frame nor left to panfocus.
    """
    if settings.reference not in ("middle", "first", "0"):
        raise UsageError(
            "frames that can be read only once have the first of them for reference",
            where="--reference",
            expected="first, or a sequence of frames in place of an iterable",
            got=settings.reference,
            remedy="collect the frames first: list(frames)",
        )


def align(
    frames: Plan, *, progress: Progress | None = None, cancel: Cancel | None = None
) -> tuple[Report, Alignment, Iterator[Frame]]:
    """Find where the frames of a plan lie, without fusing them.

    Args:
        frames: what to align, and how.
        progress: as for `fuse`.
        cancel: as for `fuse`.

    Returns:
        The report, complete once all frames are taken; where the frames lie; and the frames in
        place, each made when it is asked for.

    Raises:
        InputError: a frame is unreadable.
        UsageError: the plan's settings ask for no alignment.
        Cancelled: `cancel` said so.
    """
    frames = culled(frames, cancel) if frames.settings.cull else frames
    run = _Run(frames.settings, frames.system, frames.count, progress, cancel)
    run.report.warnings += frames.notes
    if not needs_registration(frames.settings):
        raise UsageError(
            "nothing says how to align the frames",
            where="--align",
            expected="a kind of alignment, an exposure to match, or transforms to load",
            got="none",
            remedy="align them by --align auto",
        )
    stack = FileStack(frames.infos)
    registration = run.look(stack)

    def place() -> Iterator[Frame]:
        for number, frame in enumerate(run.placed(stack)):
            run.tell(number, "align", frame.name)
            if number == 0:
                run.note_size(frame.pixels)
            run.keep_metadata(number, frame)
            run.note_frame(frame)
            yield frame
        run.report.timings_s = {**run.clock.seconds, "total": run.clock.total()}
        run.tell(frames.count, "done", "aligned")

    return run.report, registration.alignment, place()


def _length(frames: object) -> int | None:
    """Return how many frames there are, None when that shows only at their end."""
    return len(frames) if isinstance(frames, Sized) else None


def _execute(run: _Run, source: Stack | Iterator[Frame]) -> Fusion:
    frames = run.in_place(source)
    with opencv_threads(run.settings.threads):
        if run.settings.mode == "best-plane":
            result = _take_best(run, frames)
        elif isinstance(run.system, System):
            result = _fuse_decisions(run, run.system, frames)
        else:
            result = _fuse_picture(run, run.system, frames)
    run.note_findings()
    run.note_device()
    run.report.timings_s = {**run.clock.seconds, "total": run.clock.total()}
    run.tell(run.total or 1, "done", "fused")
    image = convert_depth(result.image, run.settings.bit_depth)
    if image.dtype != result.image.dtype:
        run.report.warnings.append(f"converted from {result.image.dtype} to {image.dtype}")
    return replace(result, image=image, transforms=run.registration and run.registration.alignment)
