"""A cheap second opinion on what networks decide, and on frames that show nothing."""

from panfocus.guard.blank import Blanks
from panfocus.guard.guard import Guard

__all__ = ["Blanks", "Guard"]
