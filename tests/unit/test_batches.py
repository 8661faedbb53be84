"""Work in batches: order, one size, and what happens where memory runs out."""

from __future__ import annotations

import threading

import pytest
import torch

from osmnet_sdk.errors import DeviceError
from osmnet_sdk.rendering.batches import Batches, memory_for_a_frame

CPU, SHAPE = torch.device("cpu"), (20, 30)


class Work:
    """Squares numbers; has memory for some at a time."""

    def __init__(self, most: int = 100):
        self.most, self.sizes = most, []

    def __call__(self, items):
        self.sizes.append(len(items))
        if len(items) > self.most:
            raise torch.OutOfMemoryError("too many")
        return [item**2 for item in items]


def test_results_come_in_order_from_batches_of_one_size():
    work = Work()
    assert list(Batches(work, 4, CPU, SHAPE).ahead(range(10))) == [i**2 for i in range(10)]
    assert work.sizes == [4, 4, 4]
    assert list(Batches(work, 4, CPU, SHAPE).ahead([])) == []


def test_a_batch_that_needs_too_much_memory_is_halved_and_stays_so():
    work = Work(most=2)
    assert list(Batches(work, 8, CPU, SHAPE).ahead(range(9))) == [i**2 for i in range(9)]
    assert work.sizes == [8, 4, *[2] * 5]


def test_no_memory_for_one_item_is_said_plainly():
    with pytest.raises(DeviceError, match="'cpu' has no memory for one frame of 30 × 20 pixels"):
        list(Batches(Work(most=0), 8, CPU, SHAPE).ahead(range(9)))


def test_other_errors_are_not_taken_for_lack_of_memory():
    def fail(items):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        Batches(fail, 8, CPU, SHAPE).results([1])
    with pytest.raises(ValueError, match="else"), memory_for_a_frame(CPU, SHAPE):
        raise ValueError("something else")


def test_the_next_batch_is_made_while_the_last_one_is_used():
    begun = [threading.Event() for _ in range(3)]

    def work(items):
        begun[items[0]].set()
        return items

    results = Batches(work, 1, CPU, SHAPE).ahead(range(3))
    assert next(results) == 0
    assert begun[1].wait(10)
    results.close()


def test_a_caller_who_stops_leaves_no_thread():
    before = threading.active_count()
    results = Batches(Work(), 2, CPU, SHAPE).ahead(range(100))
    next(results)
    results.close()
    assert threading.active_count() == before
