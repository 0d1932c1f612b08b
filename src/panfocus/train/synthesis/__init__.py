"""Training pairs made on the fly: one sharp picture in, two defocused ones and the truth out.

Every sample is a function of its random generator alone, and a batch a function of (seed, step,
position), so that a resumed run sees what an uninterrupted one would have seen, and several
processes share one batch without overlap.

Two syntheses:

* ``published``: crops of 128 x 128, complementary hard masks, a 7 x 7 Gaussian of sigma 1.5
  applied one to three times, JPEG.
* ``varied``: hard composites and occlusion-aware layers (`panfocus.synthesis.layers`), discs and
  Gaussians of 0.6 to 8 px, linear and encoded light, lights beyond white, thin things, empty
  borders, noise, JPEG.

A sample is cut out of its `sources`, lit and photographed (`camera`, `blur`, `drift`), put together
(`pairs`, `published`) and spoilt as cameras and files do (`degradation`).

Here a picture is float32 ``(H, W, 3)`` in [0, 1], a mask float32 ``(H, W)``.
"""

from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.pairs import varied
from panfocus.train.synthesis.published import published
from panfocus.train.synthesis.samples import Sample
from panfocus.train.synthesis.sources import MARGIN, Sources
from panfocus.train.synthesis.stream import Stream

__all__ = ["MARGIN", "Odds", "Sample", "Sources", "Stream", "published", "varied"]
