"""Frames drawn in batches: one batch ahead of what is asked for, smaller where memory runs out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Generic, TypeVar

import torch

from osmnet_sdk.core.devices import is_out_of_memory
from osmnet_sdk.errors import DeviceError
from osmnet_sdk.progress import awaited, cancellable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Work on many items, some at a time.

    All batches have one size, or a device might take other kernels for the last one and a result
    would depend on where it lies: what is missing there is filled up, and its results dropped.

    Args:
        work: makes the results of a batch, in the order of its items, each from its own item.
        size: items of a batch; halved, and so kept, where memory runs out.
        device: where the work is done.
        shape: (height, width) of what an item becomes, pixels; for the error.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        size: int,
        device: torch.device,
        shape: tuple[int, int],
    ) -> None:
        self._work, self._size, self._device, self._shape = work, size, device, shape

    def ahead(self, items: Sequence[Item]) -> Generator[Result]:
        """Results one after the other; the next batch is made on another thread meanwhile.

        Raises:
            DeviceError: if there is no memory for a single item.
        """
        stopped = threading.Event()

        def results(part: Sequence[Item]) -> list[Result]:
            with cancellable(stopped.is_set):
                return self.results(part)

        threads = torch.get_num_threads()  # a new thread would have those of the one before it
        with ThreadPoolExecutor(1, "osmnet-batch", torch.set_num_threads, (threads,)) as pool:
            waiting: deque[Future[list[Result]]] = deque()
            size = self._size  # it may become less meanwhile
            parts = (items[start : start + size] for start in range(0, len(items), size))
            try:
                for part in islice(parts, 2):
                    waiting.append(pool.submit(results, part))
                while waiting:
                    done = awaited(waiting.popleft())
                    waiting.extend(pool.submit(results, part) for part in islice(parts, 1))
                    yield from done
            finally:
                stopped.set()
                for future in waiting:
                    future.cancel()

    def results(self, items: Sequence[Item]) -> list[Result]:
        """The results of all items, made in as many batches as memory asks for.

        Raises:
            DeviceError: if there is no memory for a single item.
        """
        done: list[Result] = []
        while len(done) < len(items):
            part = list(items[len(done) : len(done) + self._size])
            filled = part + part[-1:] * (self._size - len(part))
            try:
                with memory_for_a_frame(self._device, self._shape):
                    done += list(self._work(filled)[: len(part)])
            except DeviceError:
                if self._size == 1:
                    raise
                self._size //= 2
        return done


@contextmanager
def memory_for_a_frame(device: torch.device, shape: tuple[int, int]) -> Iterator[None]:
    """Say it plainly where a device has no memory for a frame (height, width).

    Raises:
        DeviceError: if memory runs out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"'{device}' has no memory for one frame of {shape[1]} × {shape[0]} pixels; close "
            "other programs or use another device."
        ) from error
