"""Work beside the caller's own: its result, its error, and what it holds."""

import gc
import weakref
from threading import Event

import pytest

from panfocus.resources.later import Later


def test_it_goes_on_beside_the_caller():
    go = Event()
    later = Later(lambda: go.wait(10) and "done")
    go.set()
    assert later.result() == "done"


def test_its_error_is_raised_where_the_result_is_asked_for():
    def fail():
        raise ValueError("broken")

    later = Later(fail)
    with pytest.raises(ValueError, match="broken"):
        later.result()


def test_it_holds_neither_work_nor_result_once_that_is_taken():
    class Large:
        pass

    later = Later(Large)
    seen = weakref.ref(later.result())
    gc.collect()
    assert seen() is None
