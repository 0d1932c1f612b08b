"""How often the varied synthesis does what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from panfocus.schema import SchemaError
from panfocus.train.fields import Share, Within

#: Of a circle of confusion, in pixels: made pictures have a margin for so much.
Blur = Annotated[float, Within(0.1, 100)]


@dataclass(frozen=True)
class Odds:
    """Probabilities and ranges of the varied synthesis.

    Attributes:
        layers: an occlusion-aware pair rather than a hard composite.
        foreign: the foreground comes from another picture.
        from_masks: the matte is cut from the masks given, if any.
        uniform: one picture wholly sharp, the other wholly blurred.
        linear: blur in linear light (with lights, always).
        painted: paint flat shapes with hard edges, white and black ones among them; else every
            sharp white rim would be the rim of a light's disc.
        lights: add lights beyond white.
        soft_source: blur the source a little first: sharpness is relative.
        borders: leave parts of a frame empty, as alignment does.
        shaded: darken the rim of the picture where it is out of focus, as blurring does that takes
            what lies outside for black.
        framed: paint bars along sides of a scene, as scans and prints have them; else a bright
            glow at the rim would look like the light that a shaded rim lacks.
        moved: let what is out of focus lie a little elsewhere and be a little brighter or darker,
            as lenses do that breathe; detail decides, not agreement with the other picture.
        ringed: defocus as of a transparent thing in bright field, which makes its coarse contrast
            stronger, or turns it over; the sharp picture is then the paler one.
        fluorescent: a microscope's stack of light in the dark (Dual-Path).
        misfired: one frame shows nothing (Dual-Path).
        hairy: what stands in front is hair, fur or fibres.
        translucent: what stands in front covers a fifth to four fifths of the light behind it.
        recoloured: exchange the colours of a source and bend its tones; few scenes become many.
        crisp: sharpen a source; for sources that are themselves a little soft.
        noise: add sensor noise.
        jpeg: encode each picture.
        radius: least and largest circle of confusion, in pixels.
    """

    layers: Share = 0.6
    foreign: Share = 0.5
    from_masks: Share = 0.5
    uniform: Share = 0.04
    linear: Share = 0.6
    painted: Share = 0.25
    lights: Share = 0.35
    soft_source: Share = 0.15
    borders: Share = 0.08
    shaded: Share = 0.12
    framed: Share = 0.06
    moved: Share = 0.3
    ringed: Share = 0.1
    fluorescent: Share = 0.15
    misfired: Share = 0.04
    hairy: Share = 0.0
    translucent: Share = 0.0
    recoloured: Share = 0.5
    crisp: Share = 0.0
    noise: Share = 0.3
    jpeg: Share = 0.4
    radius: tuple[Blur, Blur] = (0.6, 10.0)

    def __post_init__(self) -> None:
        """Refuse a range that ends before it begins.

        Raises:
            SchemaError: it does.
        """
        if self.radius[0] > self.radius[1]:
            raise SchemaError("radius", "the least first", f"{self.radius[0]:g} first")
