"""Errors of others, told as ours."""

import pytest

from panfocus.errors import InputError, UsageError, others_told


def test_errors_of_others_are_told_and_ours_pass():
    def tell(error):
        return InputError("damaged", got=str(error))

    with pytest.raises(InputError, match="no number") as caught, others_told(tell, ValueError):
        int("no number")
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(UsageError, match="wrong"), others_told(tell, ValueError):
        raise UsageError("wrong")  # a ValueError too
    with pytest.raises(KeyError), others_told(tell, ValueError):
        raise KeyError("others")
