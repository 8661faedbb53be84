"""How long calls tell what they do and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Callable

from osmnet_sdk.errors import Cancelled

ProgressCallback = Callable[[str, int, int], None]
"""Called as `progress(stage, done, total)`; `total` is 0 while it is not known."""

CancelCallback = Callable[[], bool]
"""Asked between steps; returning True makes the call raise `Cancelled`."""


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
