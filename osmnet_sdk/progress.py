"""How long calls tell what they do and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from osmnet_sdk.errors import Cancelled

ProgressCallback = Callable[[str, int, int], None]
"""Called as `progress(stage, done, total)`; `total` is 0 while it is not known."""

CancelCallback = Callable[[], bool]
"""Asked between steps; returning True makes the call raise `Cancelled`."""


_Item = TypeVar("_Item")
_Arguments = ParamSpec("_Arguments")

_asked: ContextVar[CancelCallback | None] = ContextVar("osmnet_cancel", default=None)
_ASK_EVERY = 0.03
"""Seconds between two questions while another thread is waited for."""


@contextmanager
def cancellable(cancel: CancelCallback | None) -> Iterator[None]:
    """While this lasts, `check_cancelled` on this thread asks `cancel`, however deep it is called.

    Steps that take long, a network or a large frame, ask between their parts, so that a call
    answers within 0.2 s. None leaves what was asked before. A generator must not yield within it.
    """
    token = _asked.set(cancel or _asked.get())
    try:
        yield
    finally:
        _asked.reset(token)


def asks_often(call: Callable[_Arguments, _Item]) -> Callable[_Arguments, _Item]:
    """A function that asks its argument `cancel` between the parts of its long steps, too."""

    @wraps(call)
    def asking(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Item:
        cancel = kwargs.get("cancel")
        with cancellable(cancel if callable(cancel) else None):
            return call(*args, **kwargs)

    return asking


def check_cancelled() -> None:
    """A moment at which a long step may be left.

    Raises:
        Cancelled: if the cancel callback of `cancellable` returns True.
    """
    cancel = _asked.get()
    if cancel is not None and cancel():
        raise Cancelled("Stopped on request.")


def awaited(future: Future[_Item]) -> _Item:
    """The result of another thread's work; meanwhile it is asked whether to go on waiting.

    Raises:
        Cancelled: as `check_cancelled`; the work goes on, the caller is to end it.
    """
    while True:
        try:
            return future.result(timeout=_ASK_EVERY)
        except TimeoutError:
            if future.done():  # it came from the work itself
                raise
            check_cancelled()


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

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While this lasts, `check_cancelled` asks this cancel callback."""
        with cancellable(self._cancel):
            yield

    def step(self, stage: str, done: int, total: int = 0) -> None:
        """Report that `done` of `total` units of `stage` are finished.

        Raises:
            Cancelled: if the cancel callback returns True.
        """
        if self._cancel is not None and self._cancel():
            raise Cancelled(f"Stopped on request during '{stage}'.")
        check_cancelled()
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
