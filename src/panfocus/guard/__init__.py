"""A cheap second opinion on what networks decide, and on frames that show nothing.

The second opinion is imported with the first network that needs it (`panfocus.guard.guard`).
"""

from panfocus.guard.blank import Blanks

__all__ = ["Blanks"]
