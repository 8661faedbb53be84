# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: a job asks the engine and applies the answers, without holding Blender up.

A job is a generator. It yields `Request`s and is sent their results, and changes the scene between
them; errors are thrown into it, so that it can put things back. In the window a timer drives it;
without a window, or when asked to wait, the caller does.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy

from . import engine
from .core.calls import Call, Event
from .core.errors import AddonError, JobCancelled

_TICK = 0.05
"""Seconds between two looks at the engine's messages."""
_PATIENCE = 0.01
"""Seconds that a waiting caller sleeps between looks."""
_APPLY_SECONDS = 0.03
"""Seconds of a tick that handlers of events may take, so that the window stays responsive."""


@dataclass
class Request:
    """What a job asks of the engine.

    Attributes:
        method: of the protocol.
        params: of the method.
        on_frame: called with the index of each frame that is on disk.
    """

    method: str
    params: dict[str, Any]
    on_frame: Callable[[int], None] | None = None


Steps = Generator[Request, dict[str, Any], str]
"""A job's generator; what it returns is a note for the panel."""


class Job:
    """One job on its way.

    Args:
        title: what the panel calls it.
        steps: the generator.
        undo: name of the undo step that its changes make.
    """

    def __init__(self, title: str, steps: Steps, undo: str) -> None:
        self.title, self.undo = title, undo
        self._steps = steps
        self._call: Call | None = None
        self._request: Request | None = None
        self._events: list[Event] = []
        self._cancelled = False
        self._stage, self._since = "", 0.0
        self.warnings: list[str] = []
        self.finished = False
        self.error: AddonError | None = None

    def start(self) -> None:
        """Run up to the first request."""
        status = _status()
        status.title, status.stage, status.factor = self.title, "", 0.0
        status.error = status.details = status.note = ""
        status.seconds_left = -1.0
        self._advance(lambda: next(self._steps))

    def cancel(self) -> None:
        """Ask the engine to stop what this job waits for."""
        self._cancelled = True
        if self._call is not None:
            self._call.cancel()

    def abandon(self) -> None:
        """Stop without looking at the scene, which may be gone: temporary files are removed."""
        self.cancel()
        self._steps.close()
        self.finished, self._call = True, None

    def poll(self) -> None:
        """Take what the engine has said since; go on when it has answered."""
        if self.finished or self._call is None:
            return
        try:
            engine.check_greeting()
        except AddonError as error:
            self._fail(error)
            return
        self._events += self._call.poll()
        over = time.perf_counter() + _APPLY_SECONDS
        while self._events and time.perf_counter() < over:
            try:
                self._take(self._events.pop(0))
            except Exception as error:
                self._call.cancel()
                self._fail(self._sentence(error))
                return
        if self._events or not self._call.done:
            return
        try:
            result = self._call.result
        except AddonError as error:
            self._fail(error)
            return
        self._advance(lambda: self._steps.send(result))

    def _take(self, event: Event) -> None:
        if event.kind == "frame" and self._request is not None and self._request.on_frame:
            self._request.on_frame(event.index)
        elif event.kind == "warning":
            self.warnings.append(event.message)
        elif event.kind == "progress":
            self._show(event)

    def _show(self, event: Event) -> None:
        status, now = _status(), time.perf_counter()
        if event.stage != self._stage:
            self._stage, self._since = event.stage, now
        status.stage = event.stage
        share = event.done / event.total if event.total else 0.0
        status.factor = min(share, 1.0)
        spent = now - self._since
        status.seconds_left = spent * (1 - share) / share if share > 0.02 and spent > 0.5 else -1.0

    def _fail(self, error: AddonError) -> None:
        self._call = None
        self._advance(lambda: self._steps.throw(error))

    def _advance(self, go_on: Callable[[], Request]) -> None:
        """Run the job's own code up to its next request or its end."""
        try:
            with ready_context():
                self._request = go_on()
            if self._cancelled:
                raise JobCancelled("Stopped.")
            self._call = engine.request(self._request.method, self._request.params)
        except StopIteration as stop:
            self._finish(stop.value or "")
        except JobCancelled:
            self._steps.close()
            self._finish("Stopped.")
        except Exception as error:
            self._steps.close()
            self._end(self._sentence(error), "")

    def _sentence(self, error: Exception) -> AddonError:
        """Any error as one for the panel; a job that did not end would hold up all others."""
        if isinstance(error, AddonError):
            return error
        if isinstance(error, OSError):
            return AddonError(f"A file could not be read or written: {error}.")
        message = f"'{self.title}' failed because of a bug in the add-on; please report it."
        return AddonError(message, "".join(traceback.format_exception(error)))

    def _finish(self, note: str) -> None:
        with ready_context():
            bpy.ops.ed.undo_push(message=self.undo)
        self._end(None, " ".join([note, *self.warnings]).strip())

    def _end(self, error: AddonError | None, note: str) -> None:
        self.finished, self.error, self._call = True, error, None
        show_error(error)
        status = _status()
        status.title = status.stage = ""
        status.note = note


_job: Job | None = None


def current() -> Job | None:
    """The job on its way, if any."""
    return _job


def run(title: str, steps: Steps, *, undo: str, wait: bool = False) -> Job:
    """Start a job; in a window return at once, else (or if `wait`) when it has ended.

    Raises:
        AddonError: if another job runs; when waiting, also what the job ended with.
    """
    global _job
    if _job is not None and not _job.finished:
        raise AddonError(f"Wait for '{_job.title}' to end, or cancel it.")
    _job = Job(title, steps, undo)
    _job.start()
    if bpy.app.background or wait:
        while not _job.finished:
            _job.poll()
            time.sleep(_PATIENCE)
        if _job.error is not None:
            raise _job.error
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_TICK)
    return _job


def _tick() -> float | None:
    """Drive the current job from Blender's timer."""
    if _job is None:
        return None
    _job.poll()
    _redraw()
    return None if _job.finished else _TICK


def stop() -> None:
    """Forget the job, as when another file is loaded or the add-on is switched off."""
    global _job
    if _job is not None and not _job.finished:
        _job.abandon()
    _job = None
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def show_error(error: AddonError | None) -> None:
    """Put an error's sentence into the panel, or take it away."""
    status = _status()
    status.error = str(error) if error is not None else ""
    status.details = error.details if error is not None else ""


def _status() -> Any:
    return bpy.data.window_managers[0].osmnet


def _redraw() -> None:
    for window in bpy.data.window_managers[0].windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()


@contextmanager
def ready_context() -> Iterator[None]:
    """A context with a window where there is one: timers have none."""
    windows = bpy.data.window_managers[0].windows
    if bpy.context.window is None and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            yield
    else:
        yield
