"""Small products on the CPU whose results do not depend on the machine's load or on length."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from osmnet_sdk.core.devices import one_thread
from osmnet_sdk.progress import check_cancelled

BATCH = 256
"""Clips that go through the network at once; always as many, so that results do not depend on
the length of the sound."""


def batches(rows: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Batches of always the same size, the last filled up with zeros, and how many rows count."""
    for part in torch.split(rows, BATCH):
        missing = BATCH - len(part)
        if missing:
            filled = torch.cat([part, part.new_zeros(missing, *part.shape[1:])])
            yield filled, len(part)
        else:
            yield part, BATCH


def in_batches(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """The values of a function of rows, one row each, computed batch by batch on one thread.

    They are gathered in one tensor: many small results that are kept between the large ones that
    are not would leave the memory in pieces, a hundred megabytes of them for an hour of sound.

    Args:
        function: from (256, …) to (256, …), each row by itself.
        rows: (N, …), N ≥ 1.

    Returns:
        (N, …).
    """
    values = torch.empty(0)
    with one_thread(), torch.no_grad():
        for number, (part, kept) in enumerate(batches(rows)):
            check_cancelled()
            found = function(part)
            if not number:
                values = found.new_empty(len(rows), *found.shape[1:])
            values[number * BATCH :][:kept] = found[:kept]
    return values
