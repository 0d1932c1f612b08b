"""At which scale a system decides about pictures of a size."""

from __future__ import annotations

from panfocus.arrays.pixels import working_factor
from panfocus.pipeline.options import Options
from panfocus.systems import PictureSystem, System, traits


def decided_at(system: System | PictureSystem, settings: Options, height: int, width: int) -> int:
    """Return how far pictures are shrunk, per axis, for the decision; 1 at full scale.

    Args:
        system: what decides; one that makes pictures itself sees them whole.
        settings: `working_scale` matters.
        height: of the frames, pixels.
        width: of the frames.

    Example:
        >>> from panfocus.systems import load_system
        >>> guided = load_system("guided")
        >>> decided_at(guided, Options(), 4000, 6000)
        3
        >>> decided_at(guided, Options(working_scale="full"), 4000, 6000)
        1
    """
    if settings.working_scale == "full" or not traits.decides(system):
        return 1
    return working_factor(height, width, system.card.working_pixels)
