"""The pipeline: read, align, decide, fold and blend; everything else is a face of `fuse`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

import panfocus
from panfocus import align as registration
from panfocus import io
from panfocus.blend import Pixels, white
from panfocus.compose import Composer, Mode, Refine
from panfocus.errors import Cancelled, InputError, UsageError
from panfocus.fold import Step, View, make_fold, sharpness, working_factor
from panfocus.memory import available_memory, parse_size
from panfocus.optics import Float
from panfocus.systems import (
    DEFAULT_SYSTEM,
    EvidenceSystem,
    FocusMeasureSystem,
    PictureSystem,
    System,
    load_system,
)

Progress = Callable[[float, str, str], None]
Cancel = Callable[[], bool]
BitDepth = Literal["same", "8", "16"]
Source = str | Path | Sequence[str | Path] | NDArray[Any] | Iterable[NDArray[Any]]

_MIN_SIDE = 16


@dataclass(frozen=True)
class Settings:
    """How to fuse; every field is an option of `panfocus fuse` by the same name.

    Attributes:
        system: name of a system or folder of an exported one.
        align: kind of registration.
        reference: "middle", "first", "last" or a frame's number from 0: whose metadata is kept.
        mode: "blend" mixes at boundaries; "select" copies native pixels only.
        bit_depth: "same", "8" or "16".
        max_memory: "auto" (70 % of what is free) or a size such as "2GiB".
        threads: None for all cores.
        maps: whether index, depth and confidence are made.
        z_step_um: distance between frames in micrometres; makes depth a length.
    """

    system: str = DEFAULT_SYSTEM
    align: str = "none"
    reference: str = "middle"
    mode: Mode = "blend"
    bit_depth: BitDepth = "same"
    max_memory: str = "auto"
    threads: int | None = None
    maps: bool = True
    z_step_um: float | None = None


@dataclass
class Report:
    """What was done, in values that JSON can hold."""

    settings: dict[str, Any]
    versions: dict[str, str]
    system: dict[str, Any]
    size: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reference: str | None = None
    working_factor: int = 1
    warnings: list[str] = field(default_factory=list[str])
    timings_s: dict[str, float] = field(default_factory=dict[str, float])

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class Fusion:
    """The result of `fuse`.

    Attributes:
        image: ``(H, W[, C])``, sharp everywhere; dtype and channels of the frames, unless
            another bit depth was asked for.
        index: ``(H, W)`` uint16, which frame won; None when not asked for or not to be had.
        depth: ``(H, W)`` float32, weighted frame number, or micrometres with a z-step; or None.
        confidence: ``(H, W)`` float32 in [0, 1], how clear the decision is; or None.
        report: settings, versions, system, shares, warnings, timings.
        metadata: of the reference frame, for saving.
    """

    image: Pixels
    index: NDArray[np.uint16] | None
    depth: Float | None
    confidence: Float | None
    report: Report
    metadata: io.Metadata

    def save(self, path: str | Path, *, quality: int = 95, overwrite: bool = False) -> list[str]:
        """Write the image with its metadata, atomically.

        Args:
            path: its extension decides the format.
            quality: for JPEG and WebP, 1 to 100.
            overwrite: whether an existing file may be replaced.

        Returns:
            Notes for the user, such as metadata that the format cannot hold.

        Raises:
            OutputError: exists, cannot be written, or the format cannot hold the picture.
        """
        path = Path(path)
        channels = 1 if self.image.ndim == 2 else self.image.shape[2]
        io.check_output(
            path,
            overwrite=overwrite,
            dtype=str(self.image.dtype),
            channels=channels,
            kind="image",
        )
        return io.write_image(
            path, self.image, self.metadata, quality=quality, overwrite=overwrite
        )


@dataclass(frozen=True)
class _Item:
    name: str
    pixels: Pixels
    has_alpha: bool
    metadata: io.Metadata


class _Clock:
    """Seconds per stage, main thread only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start

    def total(self) -> float:
        return perf_counter() - self._started


def _no_metadata() -> io.Metadata:
    return io.Metadata(exif=None, icc=None, xmp=None, dpi=None)


def _from_arrays(arrays: Iterable[NDArray[Any]]) -> Iterator[_Item]:
    first: tuple[tuple[int, ...], np.dtype[Any]] | None = None
    for n, array in enumerate(arrays):
        pixels = np.asarray(array)
        name = f"frame {n}"
        if pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise InputError(
                "this kind of number is not taken",
                where=name,
                expected="uint8, uint16, or float32 in [0, 1]",
                got=str(pixels.dtype),
                remedy="convert the frames before fusing",
            )
        if pixels.ndim not in (2, 3):
            raise InputError(
                "a frame must be a picture",
                where=name,
                expected="(H, W) or (H, W, C)",
                got=f"shape {pixels.shape}",
            )
        first = first or (pixels.shape, pixels.dtype)
        if (pixels.shape, pixels.dtype) != first:
            raise InputError(
                "the frames do not fit together",
                where=name,
                expected=f"shape {first[0]}, {first[1]}",
                got=f"shape {pixels.shape}, {pixels.dtype}",
            )
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        yield _Item(name, np.ascontiguousarray(pixels), has_alpha, _no_metadata())


def _from_files(infos: Sequence[io.FrameInfo]) -> Iterator[_Item]:
    """Decode one frame ahead of the one in use."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(io.read_frame, infos[0])
        for info in infos[1:]:
            frame = ahead.result()
            ahead = pool.submit(io.read_frame, info)
            yield _Item(frame.name, frame.pixels, frame.has_alpha, frame.metadata)
        frame = ahead.result()
        yield _Item(frame.name, frame.pixels, frame.has_alpha, frame.metadata)


def resolve_reference(reference: str, count: int) -> int:
    """Return the number of the reference frame.

    Raises:
        UsageError: not "middle", "first", "last" or a number below `count`.
    """
    names = {"middle": count // 2, "first": 0, "last": count - 1}
    if reference in names:
        return names[reference]
    if reference.isdigit() and int(reference) < count:
        return int(reference)
    raise UsageError(
        "there is no such reference frame",
        where="--reference",
        expected=f"middle, first, last, or 0 to {count - 1}",
        got=reference,
    )


def _is_paths(source: object) -> bool:
    if isinstance(source, (str, Path)):
        return True
    return (
        isinstance(source, Sequence) and len(source) > 0 and isinstance(source[0], (str, Path))
    )


def _versions() -> dict[str, str]:
    return {
        "panfocus": panfocus.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


class _Run:
    """One call of `fuse`."""

    def __init__(
        self, settings: Settings, total: int | None, progress: Progress | None, cancel: Cancel | None
    ) -> None:
        self.settings = settings
        self.total = total
        self._progress = progress
        self._cancel = cancel
        self.clock = _Clock()
        self.system = load_system(settings.system, threads=settings.threads)
        self.metadata = _no_metadata()
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
            share = number / self.total if self.total else 0.0
            self._progress(min(share, 1.0), stage, message)

    def note_frame(self, view: View, name: str, factor: int) -> None:
        """Put a frame's facts into the report."""
        facts = {"number": view.number, "name": name, "sharpness": sharpness(view.grey, factor)}
        self.report.frames.append(facts)

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

    def items(self, source: Iterator[_Item]) -> Iterator[_Item]:
        """Yield items, the time spent waiting for them on the clock."""
        while True:
            with self.clock.stage("read"):
                item = next(source, None)
            if item is None:
                return
            yield item

    def keep_metadata(self, number: int, item: _Item) -> None:
        """Remember the metadata if this is the reference, or might be the last frame."""
        if self.total is not None:
            if number == resolve_reference(self.settings.reference, self.total):
                self.metadata, self.report.reference = item.metadata, item.name
        elif number == 0:
            self.metadata, self.report.reference = item.metadata, item.name


def _refinement(system: System, factor: int) -> Refine | None:
    if isinstance(system, FocusMeasureSystem):
        return Refine(system.radius, system.epsilon)
    return Refine() if factor > 1 else None


def group_size(system: System, height: int, width: int, channels_bytes: int, budget: int) -> int:
    """Return how many frames a system may compare at once within a budget.

    Args:
        system: a system that compares frames.
        height: of a frame.
        width: of a frame.
        channels_bytes: bytes of one pixel.
        budget: bytes for held frames.
    """
    limit = system.card.max_frames
    if limit is not None:
        return limit
    fits = budget // max(height * width * channels_bytes, 1)
    return int(min(max(fits, 2), 16))


def _fuse_decisions(run: _Run, system: System, source: Iterator[_Item]) -> Fusion:
    first = next(source, None)
    if first is None:
        raise InputError("there are no frames to fuse", expected="at least 2 frames", got="none")
    run.note_size(first.pixels)
    height, width = first.pixels.shape[:2]
    factor = working_factor(height, width, system.card.working_pixels)
    run.report.working_factor = factor
    budget = parse_size(run.settings.max_memory) or int(0.7 * available_memory())
    pixel_bytes = first.pixels[0, 0].nbytes
    group = group_size(system, height, width, pixel_bytes, budget // 4)
    fold = make_fold(system, factor, group=group)
    composer = Composer(
        factor,
        mode=run.settings.mode,
        refine=_refinement(system, factor),
        maps=run.settings.maps,
    )
    shares = _Shares()

    def take(steps: Iterator[Step]) -> None:
        while True:
            with run.clock.stage("decide"):
                step = next(steps, None)
            if step is None:
                return
            with run.clock.stage("blend"):
                shares.add(step)
                composer.apply(step)

    count = 0
    for number, item in enumerate(_chain(first, source)):
        run.tell(number, "fuse", item.name)
        run.keep_metadata(number, item)
        view = View.of(number, item.pixels, has_alpha=item.has_alpha)
        run.note_frame(view, item.name, factor)
        take(fold.push(view))
        count += 1
    take(fold.finish())
    _need_two(count)
    shares.write(run.report.frames)
    depth = composer.depth
    if depth is not None and run.settings.z_step_um is not None:
        depth = depth * np.float32(run.settings.z_step_um)
    return Fusion(
        composer.picture, composer.index, depth, composer.confidence, run.report, run.metadata
    )


def _chain(first: _Item, rest: Iterator[_Item]) -> Iterator[_Item]:
    yield first
    yield from rest


def _need_two(count: int) -> None:
    if count < 2:
        raise InputError(
            "one frame cannot be fused",
            expected="at least 2 frames of one scene",
            got=str(count),
        )


class _Shares:
    """Which part of the picture each frame won, at the working scale."""

    def __init__(self) -> None:
        self._index: NDArray[np.uint16] | None = None
        self._best: Float | None = None

    def add(self, step: Step) -> None:
        if self._index is None or self._best is None:
            self._index = np.full(step.alpha.shape, step.view.number, np.uint16)
            self._best = np.ones(step.alpha.shape, np.float32)
            return
        self._best = self._best * (1 - step.alpha)
        won = step.alpha > self._best
        self._index[won] = step.view.number
        np.maximum(self._best, step.alpha, out=self._best)

    def write(self, frames: list[dict[str, Any]]) -> None:
        if self._index is None:
            return
        counts = np.bincount(self._index.ravel(), minlength=len(frames))
        for facts in frames:
            facts["share"] = float(counts[facts["number"]] / self._index.size)


def _fuse_picture(run: _Run, system: PictureSystem, source: Iterator[_Item]) -> Fusion:
    dtype: np.dtype[Any] | None = None
    count = 0
    for number, item in enumerate(source):
        if dtype is None:
            run.note_size(item.pixels)
            dtype = item.pixels.dtype
        run.tell(number, "fuse", item.name)
        run.keep_metadata(number, item)
        run.note_frame(View.of(number, item.pixels, has_alpha=item.has_alpha), item.name, 1)
        with run.clock.stage("fuse"):
            system.push(item.pixels.astype(np.float32) / np.float32(white(dtype)))
        count += 1
    _need_two(count)
    assert dtype is not None
    picture = system.finish() * np.float32(white(dtype))
    picture = picture if dtype.kind == "f" else np.rint(picture)
    return Fusion(picture.astype(dtype), None, None, None, run.report, run.metadata)


def convert_depth(pixels: Pixels, bit_depth: BitDepth) -> Pixels:
    """Return the picture at 8 or 16 bit, full range to full range, rounded."""
    if bit_depth == "same" or pixels.dtype == np.dtype(f"uint{bit_depth}"):
        return pixels
    target = np.dtype(f"uint{bit_depth}")
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * np.uint16(257)
    scaled = pixels.astype(np.float32) * np.float32(white(target) / white(pixels.dtype))
    return np.rint(np.clip(scaled, 0, white(target))).astype(target)


def fuse(
    frames: Source,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Any,  # noqa: ANN401  the fields of Settings, checked there
) -> Fusion:
    """Fuse frames focused at different depths into one picture that is sharp everywhere.

    Args:
        frames: file names, globs, a folder or a multi-page TIFF; an array ``(N, H, W[, C])``;
            or any iterable of arrays ``(H, W[, C])``, of which two are held at a time. Numbers
            are uint8, uint16, or float32 in [0, 1]; 2 or 4 channels end in opacity.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame; True stops with `Cancelled`.
        **options: the fields of `Settings`.

    Returns:
        The picture with its index, depth and confidence maps and a report.

    Raises:
        UsageError: an option or its value is unknown.
        InputError: a frame is unreadable or does not fit the others.
        SystemError_: the system is unknown or damaged.
        Cancelled: `cancel` said so.
    """
    settings = make_settings(**options)
    infos: list[io.FrameInfo] = []
    notes: list[str] = []
    total: int | None = None
    if _is_paths(frames):
        paths = [frames] if isinstance(frames, (str, Path)) else list(frames)
        infos, notes = io.find_frames(paths)  # pyright: ignore[reportArgumentType]
        io.check_frames(infos)
        total = len(infos)
    elif isinstance(frames, (np.ndarray, Sequence)):
        total = len(frames)
    run = _Run(settings, total, progress, cancel)
    run.report.warnings += notes
    if total is not None and total >= 2:
        resolve_reference(settings.reference, total)
    source = _from_files(infos) if infos else _from_arrays(frames)  # pyright: ignore[reportArgumentType]
    return _execute(run, source)


def _execute(run: _Run, source: Iterator[_Item]) -> Fusion:
    threads = cv2.getNumThreads()
    if run.settings.threads:
        cv2.setNumThreads(run.settings.threads)
    items = run.items(source)
    try:
        if isinstance(run.system, PictureSystem):
            result = _fuse_picture(run, run.system, items)
        else:
            result = _fuse_decisions(run, run.system, items)
    finally:
        cv2.setNumThreads(threads)
    run.report.timings_s = {**run.clock.seconds, "total": run.clock.total()}
    run.tell(run.total or 1, "done", "fused")
    image = convert_depth(result.image, run.settings.bit_depth)
    if image.dtype != result.image.dtype:
        run.report.warnings.append(f"converted from {result.image.dtype} to {image.dtype}")
    return Fusion(
        image, result.index, result.depth, result.confidence, run.report, run.metadata
    )


def make_settings(**options: Any) -> Settings:  # noqa: ANN401  checked here
    """Return checked settings.

    Raises:
        UsageError: unknown option or value.
    """
    known = set(Settings.__dataclass_fields__)
    unknown = set(options) - known
    if unknown:
        raise UsageError(
            "unknown option",
            got=", ".join(sorted(unknown)),
            expected=", ".join(sorted(known)),
        )
    settings = Settings(**options)
    registration.check_kind(settings.align)
    choices = {"mode": ("blend", "select"), "bit_depth": ("same", "8", "16")}
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            raise UsageError(
                f"unknown value of {name}",
                where=f"--{name.replace('_', '-')}",
                expected=" or ".join(allowed),
                got=str(getattr(settings, name)),
            )
    parse_size(settings.max_memory)
    if settings.threads is not None and settings.threads < 1:
        raise UsageError("threads must be at least 1", where="--threads", got=str(settings.threads))
    return settings


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
