"""Waiting for engines, with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60.0
"""A bound for what must not hang."""


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
