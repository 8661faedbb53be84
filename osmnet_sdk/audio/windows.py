"""Long recordings in blocks of frames, so that a network sees a bounded length at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from osmnet_sdk.errors import InputError


class Block(NamedTuple):
    """Frames that are computed together, with their context."""

    start: int
    """First frame whose result is kept."""
    stop: int
    """Frame after the last whose result is kept."""
    context_start: int
    """First frame that is needed for it."""
    context_stop: int
    """Frame after the last that is needed for it."""

    @property
    def kept(self) -> slice:
        """Place of the kept frames among those from `context_start` to `context_stop`."""
        return slice(self.start - self.context_start, self.stop - self.context_start)


def iterate_blocks(frames: int, *, size: int, context: int = 0) -> Iterator[Block]:
    """Cut a track into blocks that follow one another, each with frames of context around it.

    What a network with a field of view of at most ±`context` frames makes of the blocks, joined, is
    what it makes of the whole.

    Args:
        frames: length of the track, 0 or more.
        size: frames kept of a block, 1 or more; the last block may be shorter.
        context: frames before and after, 0 or more; less where the track begins and ends.

    Raises:
        InputError: if a number is out of its range.
    """
    if frames < 0 or size < 1 or context < 0:
        raise InputError(
            f"Blocks need frames ≥ 0, size ≥ 1 and context ≥ 0, not {frames}, {size}, {context}."
        )
    for start in range(0, frames, size):
        stop = min(start + size, frames)
        yield Block(start, stop, max(start - context, 0), min(stop + context, frames))
