"""Fuse while frames arrive: push one after the other, see what there is so far, finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Pixels
from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.fusion.composite import Composer
from panfocus.fusion.fold import make_fold
from panfocus.fusion.refinement import Refine
from panfocus.pipeline.chosen import Chosen
from panfocus.pipeline.fuse import Fusion
from panfocus.pipeline.journal import Journal
from panfocus.pipeline.plan import check_system
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import fuse_arriving
from panfocus.pipeline.settings import check_uncalibrated, make_settings
from panfocus.schema import is_between, said
from panfocus.systems import PictureSystem, System, load_system, traits
from panfocus.systems.checks import adopt

#: Called with what is fused so far, small, and the number of frames in it.
Preview = Callable[[Pixels, int], None]
#: What decides in previews: it measures each frame alone, so that every frame shows at once.
_QUICK = "guided"


class StreamingFusion:
    """A fusion whose frames are pushed as a camera or microscope takes them.

    Two frames are held at a time, or as many as the system compares, however many come. The first
    is the reference: the others are put where it has what they show, and the size stays. The result
    is that of `panfocus.fuse` of the same frames as an iterable.

    Args:
        system: as for `panfocus.fuse`.
        preview: called after every frame with the picture so far ``(h, w[, C])``, of the frames'
            dtype, and the number of frames in it; from another thread, while `push` waits.
            `guided` decides in it, whatever the system of the result.
        preview_size: pixels at its longer side, at most.
        **options: fields of `Options`, but for `cull`, as frames come once.

    Raises:
        UsageError, SystemError_: as `panfocus.fuse`.

    Examples:
        >>> import numpy as np
        >>> frames = np.random.default_rng(0).integers(0, 255, (3, 64, 96), np.uint8)
        >>> shown = []
        >>> with StreamingFusion("guided", preview=lambda _, count: shown.append(count)) as stream:
        ...     for frame in frames:
        ...         stream.push(frame)
        ...     fusion = stream.finish()
        >>> shown, fusion.image.shape
        ([1, 2, 3], (64, 96))
    """

    def __init__(
        self,
        system: str | Path | System | PictureSystem | None = None,
        *,
        preview: Preview | None = None,
        preview_size: int = 1024,
        **options: Unpack[Chosen],
    ) -> None:
        if not is_between(preview_size, 64, 2**20):
            raise UsageError(
                "a preview cannot be so large",
                where="preview_size",
                expected="64 or more pixels",
                got=said(preview_size),
            )
        asked: dict[str, Any] = {**options}
        own = None if system is None or isinstance(system, (str, Path)) else adopt(system)
        if system is not None:
            asked["system"] = own.card.name if own is not None else str(system)
        settings = make_settings(**asked)
        check_uncalibrated(settings, "frames in memory")
        if settings.cull:
            raise UsageError("frames that come one by one cannot be culled", where="cull")
        threads, device = settings.threads, settings.device
        loaded = own or load_system(settings.system, threads=threads, device=device)
        check_system(settings, loaded)
        self._journal = Journal(settings, loaded, None, None, self._is_cancelled)
        self._preview = None if preview is None else _PreviewFold(preview, preview_size)
        self._frames: SimpleQueue[NDArray[Any] | Frame | None] = SimpleQueue()
        self._taken = Event()  # what was pushed has gone through, or nothing more will
        self._stops = False
        self._results: list[FusedPicture] = []
        self._error: BaseException | None = None
        self._is_over = False
        # a daemon: whoever forgets to finish must not keep the interpreter waiting
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()
        self._taken.wait()
        self._raise()

    def push(self, frame: NDArray[Any] | Frame) -> None:
        """Take the next frame; returns once it has gone through, preview and all.

        Args:
            frame: ``(H, W[, C])`` uint8, uint16, or float32 in [0, 1]; not changed, and held on to
                only as long as it is needed: take a copy of a buffer that a camera writes into.

        Raises:
            InputError: it does not fit those before it.
            UsageError: the fusion is finished.
            Exception: what the preview has raised.
        """
        if self._is_over:
            raise UsageError("the fusion is finished: it takes no more frames", where="push")
        self._hand_over(frame)

    def finish(self) -> Fusion:
        """Return the fusion of all frames.

        Raises:
            InputError: fewer than two were pushed.
            UsageError: it was finished already, or stopped.
        """
        if not self._is_over:
            self._is_over = True
            self._hand_over(None)
            self._thread.join()
        if not self._results:
            raise UsageError("the fusion is finished, and its result was taken", where="finish")
        return Fusion.of(self._results.pop())

    def cancel(self) -> None:
        """Stop; what was fused so far is gone."""
        self._stops = self._is_over = True
        self._frames.put(None)
        self._thread.join()
        self._results.clear()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, unless it is finished."""
        if not self._is_over:
            self.cancel()

    def _is_cancelled(self) -> bool:
        return self._stops

    def _hand_over(self, frame: NDArray[Any] | Frame | None) -> None:
        """Hand a frame, or the end, to the thread; raise what went wrong in it."""
        self._taken.clear()
        self._frames.put(frame)
        self._taken.wait()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            self._is_over = True
            raise self._error

    def _work(self) -> None:
        seen = None if self._preview is None else self._preview.push
        try:
            arriving = cast("Any", self._arriving())
            self._results.append(fuse_arriving(arriving, self._journal, seen))
        except BaseException as error:  # raised again where it is waited for
            self._error = error
        finally:
            self._taken.set()

    def _arriving(self) -> Iterator[NDArray[Any] | Frame]:
        while True:
            self._taken.set()
            frame = self._frames.get()
            if frame is None:
                return
            yield frame


class _PreviewFold:
    """Fuses the frames in place once more, small, for the eye."""

    def __init__(self, tell: Preview, size: int) -> None:
        self._tell = tell
        self._size = size
        self._system = cast("System", load_system(_QUICK))
        self._fold = make_fold(self._system, 1)
        own = traits.refinement(self._system)
        self._composer = Composer(1, refine=None if own is None else Refine(*own), maps=False)
        self._count = 0

    def push(self, frame: Frame) -> None:
        """Take a frame in place, and show what there is."""
        factor = max(-(-max(frame.shape[:2]) // self._size), 1)
        small = Frame.of(frame.number, _reduced(frame, factor))
        for decision in self._fold.push(small):
            self._composer.apply(decision)
        self._count += 1
        self._tell(np.array(self._composer.picture), self._count)


def _reduced(frame: Frame, factor: int) -> Pixels:
    """Return a frame's colours, shrunk; its own pixels stay unmade, which the fusion goes by."""
    held = frame.held
    if not isinstance(held, np.ndarray):
        return held.whole() if factor == 1 else held.colour(factor)
    colours = held[..., :-1] if frame.has_alpha else held
    colours = colours[..., 0] if colours.ndim == 3 and colours.shape[2] == 1 else colours
    return shrink(np.ascontiguousarray(colours), factor)
