"""The arbiter: a small network that says which of two scales to believe about a place.

OURS, in neither paper. What decides sees some tens of pixels around a place. Where things are out
of focus by more than that, as before a far background, a decision at a reduced scale knows better:
there all blurs are narrower. Where detail is fine the full scale knows better. Both decisions are
made anyway (`panfocus.systems.coarse_to_fine`); where they differ, the arbiter looks at what each
of the two frames in question shows, and says how far to follow the reduced scale. See
docs/decisions/0043-arbiter.md.
"""

from panfocus.systems.arbiter.evidence import CHANNELS, evidence, seen_of
from panfocus.systems.arbiter.network import Arbiter

__all__ = ["CHANNELS", "Arbiter", "evidence", "seen_of"]
