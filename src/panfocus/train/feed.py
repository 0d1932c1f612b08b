"""Batches for the loop, made while the step before trains: by a thread, or by processes.

A batch is a function of its step alone, so whoever makes it makes the same.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Protocol, runtime_checkable

import cv2
import torch

Arrays = tuple[Any, ...]


class Maker(Protocol):
    """Makes batches."""

    def batch(self, step: int, progress: float, rank: int, world: int) -> Arrays:
        """Make this process's share of the batch of `step`: numpy arrays or tensors."""
        ...


@runtime_checkable
class Supplying(Protocol):
    """A task whose batches other processes can make."""

    def maker(self) -> Maker:
        """Return what makes them: data without networks, as it is copied to every process."""
        ...


def feed(
    task: Maker, step: int, progress: Callable[[int], float], place: tuple[int, int], loaders: int
) -> Iterator[tuple[float, Arrays]]:
    """Yield (progress, batch) for ever.

    Args:
        task: makes the batches, or tells what does (`Supplying`).
        step: of the first batch.
        progress: returns the share of the run that is done before a step, as far as is known.
        place: rank and number of the processes that train together.
        loaders: processes that make batches; 0 for a thread of this one, which does on a
            processor: numpy, OpenCV and torch let go of the interpreter while they compute.
    """
    if loaders > 0 and isinstance(task, Supplying):
        pool, make = _in_processes(task.maker(), loaders)
        ahead = loaders + 1
    else:
        pool, make = ThreadPoolExecutor(1, "batches"), task.batch
        ahead = 1
    waiting: deque[tuple[float, Future[Arrays]]] = deque()
    with pool:
        try:
            while True:
                while len(waiting) <= ahead:
                    done = progress(step)
                    waiting.append((done, pool.submit(make, step, done, *place)))
                    step += 1
                done, batch = waiting.popleft()
                yield done, batch.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _in_processes(maker: Maker, count: int) -> tuple[Executor, Callable[..., Arrays]]:
    # spawned: a fork would copy threads' locks, and a graphics card's state
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, _begin, (maker,)), _made


#: In a process that makes batches: what makes them.
_makers: list[Maker] = []


def _begin(maker: Maker) -> None:
    """Set a new process up: one core each, and ends when the loop ends, not before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _makers[:] = [maker]


def _made(step: int, progress: float, rank: int, world: int) -> Arrays:
    # tensors travel in shared memory, arrays through a pipe: hundreds of megabytes a second
    made = _makers[0].batch(step, progress, rank, world)
    return tuple(torch.as_tensor(array) for array in made)
