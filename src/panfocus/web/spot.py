"""What of an open stack is worked on while its page may show something else."""

from __future__ import annotations

from dataclasses import dataclass

from panfocus.errors import Cancelled, UsageError
from panfocus.pipeline.options import Options
from panfocus.pipeline.project_content import Place
from panfocus.pipeline.volumes.run import step_of
from panfocus.web.frames import PlaneFrames, StackFrames
from panfocus.web.stacks import OpenStack


@dataclass(frozen=True)
class Spot:
    """What is fused: the place of a volume that was shown when it was asked for, its planes.

    Attributes:
        place: position, T and C; of photographs the only one.
        frames: of that place.
        used: numbers of those that are fused.
        guide: number of the channel of a volume that decides; None for the one that is shown.
    """

    place: Place
    frames: StackFrames
    used: tuple[int, ...]
    guide: int | None = None

    @classmethod
    def of(cls, stack: OpenStack, guide: int | None = None) -> Spot:
        """Return what a stack shows now.

        Args:
            stack: open.
            guide: the channel that decides, if that is another one.

        Raises:
            UsageError: there is no such channel.
        """
        with stack.lock:
            frames = stack.frames
            count = len(frames.position.channels) if isinstance(frames, PlaneFrames) else 0
            if guide is not None and not 0 <= guide < count:
                raise UsageError("there is no such channel", where="guide_channel", got=str(guide))
            other = None if guide == stack.place[2] else guide
            return cls(stack.place, frames, stack.numbers, other)

    def guided(self) -> StackFrames:
        """Return the frames as they are fused, with the channel that decides; it is looked through.

        Raises:
            InputError: a plane of that channel cannot be read.
        """
        if self.guide is None or not isinstance(self.frames, PlaneFrames):
            return self.frames
        return self.frames.guided(self.guide)

    def check_shown(self, stack: OpenStack) -> None:
        """Give up where another place is shown meanwhile; called with the stack's lock held.

        Raises:
            Cancelled: it is.
        """
        if stack.place != self.place:
            raise Cancelled("another place is shown")

    def step_um(self, options: Options) -> float | None:
        """Return how far planes of a volume are from each other in µm; None for not known."""
        assert isinstance(self.frames, PlaneFrames)
        return step_of(self.frames.position, options)
