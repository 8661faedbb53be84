"""How long calls tell what they do and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from osmnet_sdk.errors import Cancelled

ProgressCallback = Callable[[str, int, int], None]
"""Called as `progress(stage, done, total)`; `total` is 0 while it is not known."""

CancelCallback = Callable[[], bool]
"""Asked between steps; returning True makes the call raise `Cancelled`."""


_Item = TypeVar("_Item")


class Reporter:
    """Joins a progress callback and a cancel callback; both may be None.

    Args:
        progress: called with (stage, done, total).
        cancel: asked at every step.
    """

    def __init__(
        self, progress: ProgressCallback | None = None, cancel: CancelCallback | None = None
    ) -> None:
        self._progress = progress
        self._cancel = cancel

    def step(self, stage: str, done: int, total: int = 0) -> None:
        """Report that `done` of `total` units of `stage` are finished.

        Raises:
            Cancelled: if the cancel callback returns True.
        """
        if self._cancel is not None and self._cancel():
            raise Cancelled(f"Stopped on request during '{stage}'.")
        if self._progress is not None:
            self._progress(stage, done, total)

    def each(self, stage: str, items: Iterable[_Item], total: int = 0) -> Iterator[_Item]:
        """Hand items on; report before each how many are finished, and at the end that all are.

        Args:
            stage: as for `step`.
            items: taken one by one.
            total: their number, 0 if it is not known.

        Raises:
            Cancelled: if the cancel callback returns True.
        """
        done = 0
        for item in items:
            self.step(stage, done, total)
            yield item
            done += 1
        self.step(stage, done, done)
