"""A cheap second opinion on what systems decide, and on frames that show nothing.

It is imported where it is needed: `panfocus.guard.guard` for networks, `panfocus.guard.spot_watch`
for systems that measure every frame alone.
"""

from panfocus.guard.blank import Blanks

__all__ = ["Blanks"]
