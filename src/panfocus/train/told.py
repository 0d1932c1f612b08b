"""What readers refuse, told as of training data."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from panfocus.errors import DataError, InputError, UsageError


@contextmanager
def told_as_data(where: str) -> Generator[None]:
    """Tell of what a reader refuses as of training data.

    Args:
        where: what is read, for errors that do not say it.

    Raises:
        DataError: the reader refused.
    """
    try:
        yield
    except (InputError, UsageError) as error:
        raise DataError(
            "training material cannot be read",
            where=error.where or where,
            expected=error.expected,
            got=": ".join(filter(None, (error.what, error.got))),
            remedy=_remedy(error),
        ) from error


def _remedy(error: InputError | UsageError) -> str:
    # options of `panfocus fuse`, such as --lenient, are no help here
    if error.remedy is None or "--" in error.remedy:
        return "copy or save the file again, or leave it out of the training material"
    return error.remedy
