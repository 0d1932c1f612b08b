"""What of an open stack is worked on while its page may show something else."""

from __future__ import annotations

from dataclasses import dataclass

from panfocus.errors import Cancelled
from panfocus.pipeline.options import Options
from panfocus.pipeline.project_content import Place
from panfocus.pipeline.volumes import step_of
from panfocus.web.frames import PlaneFrames, StackFrames
from panfocus.web.stacks import OpenStack


@dataclass(frozen=True)
class Spot:
    """What is fused: the place of a volume that was shown when it was asked for, its planes.

    Attributes:
        place: position, T and C; of photographs the only one.
        frames: of that place.
        used: numbers of those that are fused.
    """

    place: Place
    frames: StackFrames
    used: tuple[int, ...]

    @classmethod
    def of(cls, stack: OpenStack) -> Spot:
        """Return what a stack shows now."""
        with stack.lock:
            return cls(stack.place, stack.frames, stack.numbers)

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
