"""Fuse by a system that decides: frame by frame through the fold, its weights mix the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from panfocus.arrays.types import Pixels
from panfocus.errors import InputError
from panfocus.frame import Frame
from panfocus.fusion.banding import mended
from panfocus.fusion.boundaries import Boundaries
from panfocus.fusion.composite import Composer
from panfocus.fusion.decision import Decision
from panfocus.fusion.focus_curves import LEAST, FocusCurves
from panfocus.fusion.fold import make_fold, upsample
from panfocus.fusion.grain import smoothed
from panfocus.fusion.noise_averaging import AVERAGED, SMOOTHED, Calm
from panfocus.fusion.refinement import Refine
from panfocus.fusion.restoration import Restoration, restorer_of
from panfocus.fusion.translucency import Preference
from panfocus.pipeline.depth import finest_depth
from panfocus.pipeline.journal import Journal
from panfocus.pipeline.memory import Groups, groups, memory_limit
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.timing import Shares
from panfocus.pipeline.working_scale import decided_at
from panfocus.resources.spare import OF_FRAMES
from panfocus.systems import (
    System,
    traits,
)

if TYPE_CHECKING:
    from panfocus.fusion.spread.mending import PairSpread
    from panfocus.fusion.spread.stack import StackSpread
    from panfocus.guard.guard import Guard
    from panfocus.guard.spot_watch import SpotWatch


class Again(NamedTuple):
    """Frames in place a second time.

    Attributes:
        frames: yields all of them in order.
        reader: returns what reads them by number.
    """

    frames: Callable[[], Iterator[Frame]]
    reader: Callable[[], Callable[[int], Frame]]


def _refinement(system: System) -> Refine | None:
    own = traits.refinement(system)
    return None if own is None else Refine(*own)


class Mixing:
    """What a fusion by decisions holds; made anew where all frames before showed nothing."""

    def __init__(
        self,
        journal: Journal,
        system: System,
        factor: int,
        group: Groups,
        again: Again | None = None,
    ) -> None:
        reads_again = again is not None and group.reads_again(journal.total)
        self._journal = journal
        self._guard = guard_of(journal)
        self._watch = _watch_of(journal, system)
        self.fold = make_fold(
            system,
            factor,
            group=group.compared,
            many=group.held(again=reads_again),
            again=again.reader() if again is not None and reads_again else None,
            wants_depth=journal.settings.maps,
            prefer=_preference(journal),
            guard=self._guard,
            watch=self._watch,
        )
        mode = journal.settings.mode
        self._restoration = Restoration(restorer_of(system)) if mode == "restore" else None
        self._factor = factor
        self._has_alpha = False
        self.curves = FocusCurves(factor) if _needs_curves(journal, system) else None
        self._spread = _spread_of(journal, again)
        self._calm = _calm_of(journal, factor)
        self.composer = Composer(
            factor,
            mode=mode,
            refine=_refinement(system),
            boundaries=Boundaries.of(system, factor, is_guarded=self._guard is not None),
            maps=journal.settings.maps or self._restoration is not None,
        )
        self._shares = Shares()

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        if self._calm is not None:
            self._calm.push(frame)
        if self._spread is not None:
            self._spread.push(frame)
        self._has_alpha = frame.has_alpha
        if self.curves is not None:
            with self._journal.clock.stage("curves"):
                self.curves.push(frame)
        if self._restoration is not None:  # after what looks at frames as they were taken
            with self._journal.clock.stage("blend"):
                self._restoration.push(frame.pixels, has_alpha=frame.has_alpha)
        self._take(self.fold.push(frame))

    def picture(self) -> Pixels:
        """Return the fused picture ``(H, W[, C])``, mended and restored where that is asked for."""
        blended = self._mended()
        grain = self._calm.grain if self._calm and not self._has_alpha else None
        if grain is None:
            return blended
        with self._journal.clock.stage("void"):
            return smoothed(blended, grain)

    def _mended(self) -> Pixels:
        blended, largest = self.composer.picture, self.composer.largest
        if self.curves is not None and _mends_bands(self._journal):
            with self._journal.clock.stage("banding"):
                curves, factor = self.curves, self._factor
                blended, part = mended(blended, curves, factor, has_alpha=self._has_alpha)
            self._journal.report.mended_bands = part
        if self._spread is not None:
            with self._journal.clock.stage("spread"):
                blended, part = self._spread.mended(blended)
            self._journal.report.mended_spread = part
        if self._restoration is None or largest is None:
            return blended
        with self._journal.clock.stage("restore"):
            return self._restoration.of(blended, largest)

    def finish(self) -> None:
        """Take what the fold held back, and put what was done into the report."""
        self._take(self.fold.finish())
        self._shares.write(self._journal.report.frames)
        self._journal.note_guard(self._guard or self._watch)

    def _take(self, decisions: Iterator[Decision]) -> None:
        while True:
            with self._journal.clock.stage("decide"):
                decision = next(decisions, None)
            if decision is None:
                return
            with self._journal.clock.stage("blend"):
                self._shares.add(decision)
                self.composer.apply(self._calm.soften(decision) if self._calm else decision)
            if self._spread is not None:
                self._spread.take(decision)
            if self.curves is not None:
                with self._journal.clock.stage("curves"):
                    self.curves.take(decision)


def fuse_decisions(
    journal: Journal,
    system: System,
    source: Iterator[Frame],
    again: Again | None = None,
) -> FusedPicture:
    """Fuse frames in place by a system that decides between them.

    Args:
        journal: of the fusion.
        system: what decides.
        source: the frames.
        again: has them a second time; None where they come only once.
    """
    first = next(source, None)
    if first is None:
        raise InputError("there are no frames to fuse", expected="at least 2 frames", got="none")
    height, width = first.shape[:2]
    factor = decided_at(system, journal.settings, height, width)
    journal.report.working_factor = factor
    budget = memory_limit(journal.settings)
    pixels = height * width
    size = int(np.prod(first.shape)) * first.dtype.itemsize
    group = groups(system, size, pixels, pixels // factor**2, budget)

    def mixing_anew() -> Mixing:
        return Mixing(journal, system, factor, group, again)

    mixing = mixing_anew()
    frames = _back([first], source)
    del first
    with OF_FRAMES.kept():
        for frame, restarts in journal.screened(frames):
            if restarts:
                mixing = mixing_anew()
            mixing.push(frame)
        mixing.finish()
    fold, composer = mixing.fold, mixing.composer
    index = depth = confidence = None
    if journal.settings.maps:
        index, depth = composer.index, finest_depth(composer, fold, mixing.curves)
        depth = None if depth is None else journal.measured(depth)
        confidence = np.clip(upsample(fold.margin(), height, width), 0, 1)
        confidence = journal.doubted(np.asarray(confidence, np.float32))
    report, metadata = journal.report, journal.metadata
    return FusedPicture(mixing.picture(), index, depth, confidence, report, metadata)


def guard_of(journal: Journal) -> Guard | None:
    """Return what gives a second opinion on a network; None where none is wanted."""
    card = journal.system.card
    if journal.settings.guard != "auto" or not card.is_guarded:
        return None
    from panfocus.guard.guard import Guard  # noqa: PLC0415  only networks need it

    return Guard(card.name)


def _watch_of(journal: Journal, system: System) -> SpotWatch | None:
    """Return what keeps spots for a system that measures frames alone; None for any other."""
    if journal.settings.guard != "auto" or not traits.keeps_spots(system):
        return None
    from panfocus.guard.spot_watch import SpotWatch  # noqa: PLC0415  networks do without

    return SpotWatch(system.card.name)


def _taken(journal: Journal) -> int | None:
    """Return how many frames take part, as far as is known before they come; None if not at all."""
    if journal.total is None or journal.registration is None or journal.settings.guard == "off":
        return journal.total
    alignment = journal.registration.alignment
    return sum(alignment.left_out(n) is None for n in range(len(alignment.frames)))


def _smooths_grain(journal: Journal) -> bool:
    return journal.settings.void == "smooth" and journal.settings.mode == "blend"


def _calm_of(journal: Journal, factor: int) -> Calm | None:
    """Return what averages frames; None where values of single frames are asked for."""
    if journal.settings.void == "off" or journal.settings.mode == "select":
        return None
    return Calm(factor, SMOOTHED if _smooths_grain(journal) else AVERAGED)


def _mends_bands(journal: Journal) -> bool:
    return journal.settings.banding == "mend" and journal.settings.mode == "blend"


def _spread_of(journal: Journal, again: Again | None) -> PairSpread | StackSpread | None:
    """Return what mends spread light; None where there is none to mend."""
    settings = journal.settings
    if settings.spread == "off" or settings.mode != "blend":
        return None
    # imported for those who need it
    is_linear = settings.raw_tone == "linear"
    if _taken(journal) in (None, 2):
        from panfocus.fusion.spread.mending import PairSpread  # noqa: PLC0415

        return PairSpread(is_linear=is_linear)
    from panfocus.fusion.spread.stack import StackSpread  # noqa: PLC0415

    return StackSpread(
        is_linear=is_linear,
        again=None if again is None else lambda: map(journal.uncovered, again.frames()),
    )


def _needs_curves(journal: Journal, system: System) -> bool:
    """Whether curves of focus are asked for: to mend bands, or for depth that weights do not tell.

    Two frames have none.
    """
    taken = _taken(journal)
    if taken is not None and taken < LEAST:
        return False
    return _mends_bands(journal) or (journal.settings.maps and not traits.measures_alone(system))


def _preference(journal: Journal) -> Preference | None:
    if journal.settings.prefer == "none":
        return None
    later = (journal.settings.prefer == "far") == (journal.settings.order == "near-first")
    return Preference(later=later, is_pair=_taken(journal) == 2)


def _back(taken: list[Frame], rest: Iterator[Frame]) -> Iterator[Frame]:
    """Yield frames that were taken already, and the rest; none is held, as frames are large."""
    while taken:
        yield taken.pop(0)
    yield from rest
