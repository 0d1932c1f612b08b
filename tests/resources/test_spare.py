"""Memory that is handed on from one array to the next."""

import gc
from threading import Thread

import numpy as np

from panfocus.resources.spare import LEAST, SpareMemory

SHAPE = (LEAST // 4, 2)


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_is_handed_on_once_the_array_and_all_its_views_are_gone():
    memory = SpareMemory()
    with memory.kept():
        one = memory.empty(SHAPE, np.uint16)
        where, part = place(one), one[10:, ::2][3:]
        del one
        other = memory.empty(SHAPE, np.uint16)
        assert place(other) != where
        part[...] = 7
        assert not (other == 7).all()
        del part
        third = memory.empty((SHAPE[1], SHAPE[0]), np.uint16)
        assert place(third) == where
        assert third.flags.c_contiguous
        assert third.flags.writeable


def test_arrays_of_two_sizes_do_not_take_each_others_memory():
    memory = SpareMemory()
    with memory.kept():
        large, small = memory.empty((2, LEAST), np.uint8), memory.empty((1, LEAST), np.uint8)
        places = place(large), place(small)
        del large, small
        small, large = memory.empty((1, LEAST), np.uint8), memory.empty((2, LEAST), np.uint8)
        assert (place(large), place(small)) == places


def test_nothing_is_kept_but_while_arrays_are_asked_for():
    memory = SpareMemory()
    with memory.kept():
        with memory.kept():
            outlives = memory.empty(SHAPE, np.uint16)
            done = memory.empty(SHAPE, np.uint16)
            del done
        assert memory.held_bytes == outlives.nbytes
        memory.let_go()
        assert memory.held_bytes == 0
    del outlives
    gc.collect()
    assert memory.held_bytes == 0
    assert memory.empty(SHAPE, np.uint16).flags.owndata


def test_small_arrays_are_the_c_librarys():
    memory = SpareMemory()
    with memory.kept():
        assert memory.empty((3, 4), np.float32).flags.owndata


def test_arrays_that_end_in_other_threads_are_handed_on_whole():
    memory, wrong = SpareMemory(), []

    def work(value):
        for _ in range(20):
            mine = memory.empty((LEAST,), np.uint8)
            mine[::4096] = value
            if not (mine[::4096] == value).all():
                wrong.append(value)

    with memory.kept():
        threads = [Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert memory.held_bytes == 0
