"""A request while it runs: what it reports, and how it is asked to stop; standard library only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from osmnet_sdk.engine import protocol
from osmnet_sdk.errors import Cancelled

_INTERVAL = 0.05
"""Seconds between two progress notifications of a stage."""


class ParameterError(Exception):
    """A request has wrong parameters; the message is one sentence that names the first."""


class Request:
    """One request of the client.

    Args:
        number: its id.
        method: its method's name.
        params: its parameters, not yet checked.
        send: writes a line to the client.
    """

    def __init__(
        self, number: int, method: str, params: dict[str, Any], send: Callable[[bytes], None]
    ) -> None:
        self.number = number
        self.method = method
        self.params = params
        self._send = send
        self._stop = threading.Event()
        self._stage: str | None = None
        self._told = 0.0
        self._held_back: tuple[str, int, int] | None = None

    def cancel(self) -> None:
        """Ask the request to stop."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Whether the request was asked to stop; the `cancel` callback of long calls."""
        return self._stop.is_set()

    def check_cancelled(self) -> None:
        """Stop here if asked to.

        Raises:
            Cancelled: if the request was asked to stop.
        """
        if self.cancelled():
            raise Cancelled("Stopped on request.")

    def pause(self, seconds: float) -> None:
        """Sleep, but not on when asked to stop."""
        self._stop.wait(seconds)

    def progress(self, stage: str, done: int, total: int) -> None:
        """The `progress` callback of long calls.

        A client needs no more than some 20 notifications a second, but always the first and the
        last of a stage.
        """
        now = time.monotonic()
        if stage != self._stage:
            self.flush()
        elif now - self._told < _INTERVAL and not 0 < total <= done:
            self._held_back = (stage, done, total)
            return
        self._stage, self._told, self._held_back = stage, now, None
        self._notify("progress", stage=stage, done=done, total=total)

    def flush(self) -> None:
        """Send the progress that was held back, since no newer one of its stage will come."""
        if self._held_back is not None:
            stage, done, total = self._held_back
            self._held_back = None
            self._notify("progress", stage=stage, done=done, total=total)

    def warn(self, message: str) -> None:
        """Tell the client what may disappoint."""
        self._notify("warning", message=message)

    def frame(self, index: int) -> None:
        """Tell the client that frame `index` is on disk."""
        self._notify("frame", index=index)

    def _notify(self, method: str, **params: Any) -> None:
        self._send(protocol.notification(method, {"id": self.number, **params}))


Method = Callable[[Request], dict[str, Any]]
"""What answers a request: returns its result, or raises."""
