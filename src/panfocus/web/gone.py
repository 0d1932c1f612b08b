"""What was there and is not any more: pages may ask for it in good faith."""

from __future__ import annotations

from panfocus.errors import UsageError


class GoneError(UsageError):
    """A stack or a result was closed or dropped, or another place of a volume is shown.

    A page that has asked in the meantime has done nothing wrong: it is told of the change.
    """
