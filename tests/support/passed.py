"""Frames that are gone through in one way only."""


class Passed:
    """Frames that can be gone through again and again, and no other way."""

    def __init__(self, frames):
        self.frames = frames

    def __len__(self):
        return len(self.frames)

    def __iter__(self):
        return iter(self.frames)
