# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the engine on their way, and what the engine says about them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import protocol
from .errors import AddonError, EngineRefused, EngineStopped, JobCancelled


@dataclass(frozen=True)
class Event:
    """What the engine says about a request while it works.

    Attributes:
        kind: "progress", "warning" or "frame".
        stage: progress: what is being done.
        done: progress: steps done.
        total: progress: steps in all, 0 if not known.
        message: warning: a sentence.
        index: frame: number of the frame that is on disk.
    """

    kind: str
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    index: int = -1


class Call:
    """One request on its way; its methods may be called from any thread."""

    def __init__(self, cancel: Callable[[], None], log: Callable[[], str]) -> None:
        self._cancel = cancel
        self._log = log
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._result: dict[str, Any] | None = None
        self._error: AddonError | None = None

    @property
    def _ended(self) -> bool:
        return self._result is not None or self._error is not None

    def poll(self) -> list[Event]:
        """The events since the last call, in order; of progress in a row, only the newest."""
        with self._changed:
            events = list(self._events)
            self._events.clear()
        return events

    @property
    def done(self) -> bool:
        """Whether there is a result or an error, and `poll` has given all that came before it.

        The reading thread may add the last events and the answer after a `poll`: a caller that
        polls and then asks this loses none of them.
        """
        with self._changed:
            return not self._events and self._ended

    @property
    def result(self) -> dict[str, Any]:
        """The answer.

        Raises:
            EngineRefused: if the engine answered with an error.
            JobCancelled: if it was cancelled.
            EngineStopped: if the engine ended before it answered.
            RuntimeError: if the call is not done.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            if self._result is None:
                raise RuntimeError("The call is not done.")
            return self._result

    def cancel(self) -> None:
        """Ask the engine to stop this request; it then ends with JobCancelled."""
        with self._changed:
            ended = self._ended
        if not ended:
            self._cancel()

    def wait(
        self, timeout: float | None = None, on_event: Callable[[Event], None] | None = None
    ) -> dict[str, Any]:
        """Wait for the answer and return it.

        Args:
            timeout: seconds, or None for ever.
            on_event: called in this thread with each event.

        Raises:
            EngineStopped: also if the time is over; the call goes on.
            AddonError: as for `result`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._changed:
                if not self._events and not self._ended:
                    self._changed.wait(0.2)  # never long: Ctrl-C does not end a wait on Windows
            for event in self.poll():
                if on_event is not None:
                    on_event(event)
            if self.done:
                return self.result
            if end is not None and time.monotonic() > end:
                raise EngineStopped(
                    f"The engine did not answer within {timeout:g} s; try again, or check its "
                    "Python in the preferences.",
                    self._log(),
                )

    def add(self, event: Event) -> None:
        """Note an event; called by the thread that reads from the engine."""
        with self._changed:
            last = self._events[-1] if self._events else None
            if last and last.kind == event.kind == "progress" and last.stage == event.stage:
                self._events.pop()
            self._events.append(event)
            self._changed.notify_all()

    def end(self, result: dict[str, Any] | None, error: AddonError | None) -> None:
        """Note the answer or the error; the first one counts."""
        with self._changed:
            if not self._ended:
                self._result, self._error = result, error
                self._changed.notify_all()


def event_of(method: str, params: dict[str, Any]) -> Event | None:
    """The event of a notification, or None if it is of no known kind."""
    if method == "progress":
        stage, done, total = str(params["stage"]), int(params["done"]), int(params["total"])
        return Event("progress", stage=stage, done=done, total=total)
    if method == "warning":
        return Event("warning", message=str(params["message"]))
    if method == "frame":
        return Event("frame", index=int(params["index"]))
    return None


def error_of(error: object) -> AddonError:
    """What to raise for the error object of an answer."""
    if not isinstance(error, dict):
        return EngineRefused("The engine gave an answer that cannot be read; update OSM-Net.")
    if error.get("code") == protocol.CANCELLED:
        return JobCancelled("Cancelled.")
    data = error.get("data")
    details = str(data.get("details", "")) if isinstance(data, dict) else ""
    return EngineRefused(str(error.get("message", "The engine refused.")), details)
