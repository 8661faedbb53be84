# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a job is and how long it will still take, from the engine's irregular messages.

A job is a row of requests, and a request a row of stages. Some stages are counted ("frame 12 of
90"), others only begin and end; those fill up with time, by how long they usually take.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

STARTING = "Starting the engine"
"""What goes on from a request until an engine that did not run says something."""

_STAGES: dict[str, dict[str, float]] = {
    "fit_head": {"Fitting the photo": 4.0},
    "sample_takes": {
        "Fitting the photo": 2.0, "Reading sound": 0.5, "Listening": 1.0,
        "Predicting expression": 1.0, "Sampling takes": 3.0,
    },
    "predict_phones": {"Reading sound": 0.5, "Listening": 2.0},
    "render_frames": {"Fitting the photo": 2.0, "Rendering": 30.0},
}  # fmt: skip
"""Stages of each request in their order, and seconds that each may take: weights of the bar."""

_START_SECONDS = {True: 6.0, False: 0.3}
"""Seconds until the first message, by whether the engine has to be started."""
_OTHER_SECONDS = 2.0
_FULL = 0.98
"""What a stage that is not counted comes near to as long as it lasts."""

_MEMORY = 12.0
"""Seconds over which speed is measured: long against a batch of frames, short against a job."""
_FIRST_SECONDS, _FIRST_SHARE = 3.0, 0.03
"""How much of a stage must be over before its speed says anything."""
_SETTLING = 4.0
"""Seconds in which the time left follows a change of speed."""


@dataclass
class _Stage:
    """One stage: what it weighs, when it began, and how much of it is done."""

    name: str
    seconds: float
    begun: float = -1.0
    share: float = 0.0
    counted: bool = False


class Progress:
    """The progress of one job; times are seconds of any clock that only goes forward.

    Args:
        now: when the job begins.
    """

    def __init__(self, now: float) -> None:
        self._stages: list[_Stage] = []
        self._at = -1
        self._past: deque[tuple[float, float]] = deque()
        self._factor = 0.0
        self._left, self._left_at = -1.0, now

    @property
    def stage(self) -> str:
        """Name of the stage that goes on; empty between a request and its first message."""
        return self._stages[self._at].name if self._at >= 0 else ""

    def begin(self, method: str, starting: bool, now: float) -> None:
        """A request was sent; `starting` tells that the engine has to be started first."""
        del self._stages[self._at + 1 :]
        self._stages.append(_Stage(STARTING if starting else "", _START_SECONDS[starting]))
        self._stages += [_Stage(*item) for item in _STAGES.get(method, {}).items()]
        self._enter(self._at + 1, now)

    def update(self, stage: str, done: int, total: int, now: float) -> None:
        """The engine said how far it is; `total` is 0 if it does not know."""
        if stage != self.stage:
            self._enter(self._place_of(stage), now)
        current = self._stages[self._at]
        if total > 1:
            current.counted, current.share = True, min(max(done / total, 0.0), 1.0)
            self._past.append((now, current.share))
        elif total and done >= total:
            current.counted, current.share = True, 1.0
        while len(self._past) > 2 and now - self._past[1][0] > _MEMORY:
            self._past.popleft()

    def look(self, now: float) -> tuple[float, float]:
        """What to show: the share that is done, 0 to 1, and seconds left, below 0 if not known."""
        if self._at < 0:
            return 0.0, -1.0
        self._let_time_pass(now)
        done = sum(item.seconds * item.share for item in self._stages)
        self._factor = max(self._factor, done / sum(item.seconds for item in self._stages))
        self._estimate(now)
        return min(self._factor, 1.0), self._left

    def _place_of(self, stage: str) -> int:
        for place in range(self._at + 1, len(self._stages)):
            if self._stages[place].name == stage:
                return place
        self._stages.insert(self._at + 1, _Stage(stage, _OTHER_SECONDS))
        return self._at + 1

    def _enter(self, place: int, now: float) -> None:
        if self._at >= 0:
            current = self._stages[self._at]
            current.share, current.seconds = 1.0, max(now - current.begun, 0.01)
        del self._stages[self._at + 1 : place]  # stages that were not needed this time
        self._at += 1
        self._stages[self._at].begun = now
        self._past.clear()
        self._past.append((now, 0.0))
        self._left = -1.0

    def _let_time_pass(self, now: float) -> None:
        current = self._stages[self._at]
        spent = now - current.begun
        if not current.counted:
            current.share = _FULL * (1 - math.exp(-spent / current.seconds))
        elif (rest := self._rest(now)) >= 0:
            current.seconds = spent + rest  # weigh what was measured

    def _rest(self, now: float) -> float:
        """Seconds that the current stage will still take at its present speed, −1 if not known."""
        current = self._stages[self._at]
        spent = now - current.begun
        if not current.counted or spent < _FIRST_SECONDS or current.share < _FIRST_SHARE:
            return -1.0
        (since, before), (last, share) = self._past[0], self._past[-1]
        if share <= before or last <= since:
            return -1.0
        # what is not told yet goes on at the same speed, for as long as messages usually take
        unheard = min(now - last, (last - since) / (len(self._past) - 1))
        return max((1 - share) * (last - since) / (share - before) - unheard, 0.0)

    def _estimate(self, now: float) -> None:
        rest = self._rest(now)
        passed, self._left_at = now - self._left_at, now
        if rest < 0:
            self._left = -1.0
            return
        rest += sum(item.seconds for item in self._stages[self._at + 1 :])
        if self._left < 0:
            self._left = rest
            return
        expected = max(self._left - passed, 0.0)
        follow = 1 - math.exp(-passed / _SETTLING)
        self._left = expected + follow * (rest - expected)


def time_left(seconds: float) -> str:
    """Seconds left as a person would say it, "" if they are not known (below 0)."""
    if seconds < 0:
        return ""
    if seconds < 60:
        step = 1 if seconds < 10 else 5
        return f"{max(step, step * math.ceil(seconds / step))} s left"
    return f"{math.ceil(seconds / 60)} min left"
