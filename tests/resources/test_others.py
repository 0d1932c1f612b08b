"""Errors of others, told as ours."""

import errno

import pytest

from panfocus.errors import InputError, PanfocusError, UsageError
from panfocus.resources.others import others_told


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


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (RuntimeError("can't start new thread"), "memory ran out"),
        (ImportError("x.so: failed to map segment from shared object"), "memory ran out"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory ran out"),
        (RuntimeError("(-4:Insufficient memory) Failed to allocate 9 bytes"), "memory ran out"),
    ],
)
def test_what_the_process_lacks_is_not_told_as_damage(lack, words):
    def tell(error):
        return InputError("damaged", where="a.tif", got=str(error))

    with pytest.raises(PanfocusError, match=words) as caught, others_told(tell, Exception):
        raise lack
    assert "damaged" not in str(caught.value)
    assert caught.value.where == "a.tif"


def test_of_much_memory_whoever_reads_has_the_say():
    def tell(error):
        return InputError("damaged", got=str(error))

    with pytest.raises(InputError, match="damaged"), others_told(tell, MemoryError):
        raise MemoryError
