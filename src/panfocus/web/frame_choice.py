"""Which frames of an open stack are fused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import RLock

from panfocus.errors import UsageError
from panfocus.io import FrameInfo
from panfocus.web.chosen import among, are_distinct, are_part_of_a_file, files_of
from panfocus.web.frames import FileFrames, StackFrames


class FrameChoice:
    """Frames, and whether each is used.

    Args:
        inputs: as the user named them.
        frames: found there.
    """

    def __init__(self, inputs: Sequence[Path], frames: StackFrames) -> None:
        self.lock = RLock()
        self.inputs = list(inputs)
        self.frames: StackFrames = frames
        self.used = [True] * frames.shape[0]

    @property
    def can_switch(self) -> bool:
        """Whether single frames can be left out: those of files can, planes cannot."""
        frames = self.frames
        return isinstance(frames, FileFrames) and are_distinct(frames.infos)

    def switch_one(self, number: int, used: bool) -> None:
        """Say whether a single frame is fused, whatever is said of others at the same time.

        Raises:
            UsageError: as `switch`, or no such frame.
        """
        with self.lock:
            if number >= len(self.used):
                raise UsageError("there is no such frame", where="frame", got=str(number))
            self.switch([used if n == number else one for n, one in enumerate(self.used)])

    def switch(self, used: Sequence[bool]) -> None:
        """Say of all frames which are fused.

        Raises:
            UsageError: fewer than two, another number of them, or planes of a volume.
        """
        if not self.can_switch and not all(used):
            raise UsageError(
                "planes of a volume, and frames that are named twice, are fused together",
                remedy="save them as files of their own to leave some out",
            )
        if len(used) != len(self.used) or sum(used) < 2:
            raise UsageError("at least two frames must be left")
        self.used = [bool(one) for one in used]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the frames that are used."""
        return tuple(n for n, used in enumerate(self.used) if used)

    def inputs_of(self, used: Sequence[int]) -> list[Path]:
        """Return what to name to `plan` or a command line for some of the frames."""
        if len(used) == len(self.used) or not isinstance(self.frames, FileFrames):
            return self.inputs
        return files_of(self.frames.infos, used)

    def chosen(self, infos: Sequence[FrameInfo], used: Sequence[int]) -> Sequence[FrameInfo]:
        """Return, of all frames of the files that have some of the stack's, these."""
        if len(used) == len(self.used) or not isinstance(self.frames, FileFrames):
            return infos
        return among(infos, self.frames.infos, used)

    def is_part(self, used: Sequence[int]) -> bool:
        """Whether a file that has some of these frames has others besides."""
        frames = self.frames
        return isinstance(frames, FileFrames) and are_part_of_a_file(frames.infos, used)
