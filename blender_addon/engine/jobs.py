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

from .. import status
from ..core.calls import Call, Event
from ..core.errors import AddonError, JobCancelled
from ..core.progress import Progress, time_left
from . import process

_TICK = 0.05
"""Seconds between two looks at the engine's messages."""
_PATIENCE = 0.01
"""Seconds that a waiting caller sleeps between looks."""
_APPLY_SECONDS = 0.03
"""Seconds of a tick that handlers of events may take, so that the window stays responsive."""
_AT_ONCE = 0.001
"""Seconds until the next tick while the job itself is at work."""


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


Steps = Generator[Request | None, dict[str, Any] | None, str]
"""A job's generator; what it returns is a note for the panel.

It may yield None to let the window breathe in long work of its own.
"""


class Job:
    """One job on its way.

    Args:
        title: what the panel calls it.
        steps: the generator.
        undo: name of the undo step that its changes make; "" if it changes nothing of the file.
    """

    def __init__(self, title: str, steps: Steps, undo: str) -> None:
        self.title, self.undo = title, undo
        self._steps = steps
        self._call: Call | None = None
        self._request: Request | None = None
        self._events: list[Event] = []
        self._progress = Progress(time.perf_counter())
        self.cancelled = self._pushed = False
        self.warnings: list[str] = []
        self.finished = False
        self.error: AddonError | None = None

    @property
    def waits(self) -> bool:
        """Whether the engine is at work now, not the job itself."""
        return self._call is not None

    def start(self) -> None:
        """Run up to the first request."""
        told = status.get()
        told.title, told.factor = self.title, 0.0
        told.stage = told.left = ""
        told.error = told.details = told.note = told.warnings = ""
        self._advance(lambda: next(self._steps))

    def cancel(self) -> None:
        """Ask the engine to stop what this job waits for."""
        self.cancelled = True
        if self._call is not None:
            self._call.cancel()

    def abandon(self) -> None:
        """Stop without looking at the scene, which may be gone: temporary files are removed."""
        self.cancel()
        self._steps.close()
        self.finished, self._call = True, None

    def poll(self) -> None:
        """Take what the engine has said since; go on when it has answered."""
        if self.finished:
            return
        if self._call is None:  # the job itself is at work
            self._advance(lambda: self._steps.send(None))
            return
        try:
            process.check_greeting()
        except AddonError as error:
            self._fail(error)
            return
        self._events += self._call.poll()
        self._show()
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
        for message in _warnings_of(result):
            self._warn(message)
        self._advance(lambda: self._steps.send(result))

    def _take(self, event: Event) -> None:
        if event.kind == "frame" and self._request is not None and self._request.on_frame:
            self._request.on_frame(event.index)
        elif event.kind == "warning":
            self._warn(event.message)
        elif event.kind == "progress":
            self._progress.update(event.stage, event.done, event.total, time.perf_counter())

    def _warn(self, message: str) -> None:
        """Keep a warning; the engine may say the same of each frame."""
        if message and message not in self.warnings:
            self.warnings.append(message)
            status.get().warnings = "\n".join(self.warnings)

    def _show(self) -> None:
        told = status.get()
        factor, left = self._progress.look(time.perf_counter())
        told.stage, told.factor, told.left = self._progress.stage, factor, time_left(left)

    def _fail(self, error: AddonError) -> None:
        self._call = None
        self._advance(lambda: self._steps.throw(error))

    def _advance(self, go_on: Callable[[], Request | None]) -> None:
        """Run the job's own code up to its next request or its end."""
        try:
            self._call = None
            with ready_context():
                self._request = go_on()
            if self.cancelled:
                raise JobCancelled("Stopped.")
            if self._request is not None:
                self._ask(self._request)
        except StopIteration as stop:
            self._finish(stop.value or "")
        except JobCancelled:  # nothing of the scene was changed, or the steps had ended in order
            self._steps.close()
            self._end(None, "Stopped.")
        except Exception as error:
            self._steps.close()
            self._end(self._sentence(error), "")

    def _ask(self, request: Request) -> None:
        starting = not process.runs()
        self._call = process.request(request.method, request.params)
        self._progress.begin(request.method, starting, time.perf_counter())

    def _sentence(self, error: Exception) -> AddonError:
        """Any error as one for the panel; a job that did not end would hold up all others."""
        if isinstance(error, AddonError):
            return error
        if isinstance(error, OSError):
            return AddonError(f"A file could not be read or written: {error}.")
        message = f"'{self.title}' failed because of a bug in the add-on; please report it."
        return AddonError(message, "".join(traceback.format_exception(error)))

    def _finish(self, note: str) -> None:
        if self.undo and not self._pushed:
            self.push_undo()
        self._end(None, note)

    def push_undo(self) -> None:
        """Make the undo step of what was changed so far; at its end the job makes no other."""
        self._pushed = True
        with ready_context():
            bpy.ops.ed.undo_push(message=self.undo)

    def _end(self, error: AddonError | None, note: str) -> None:
        self.finished, self.error, self._call = True, error, None
        status.show_error(error)
        told = status.get()
        told.title = told.stage = told.left = ""
        told.note = note


def _warnings_of(answer: dict[str, Any]) -> list[str]:
    """What an answer of the engine says besides its result, each a sentence."""
    return [
        text.strip()
        for name in ("warnings", "notes")
        for text in (answer.get(name) if isinstance(answer.get(name), list) else [])
        if isinstance(text, str)
    ]


_job: Job | None = None


def busy() -> str:
    """A sentence about the job that must end before another may begin, "" if there is none."""
    if _job is None or _job.finished:
        return ""
    return f"Wait for '{_job.title}' to end, or cancel it."


def push_undo() -> None:
    """Called by a job that has changed the scene and goes on: this is its undo step.

    Blender crashes in an undo if a data-block was added or removed since the last step.
    """
    if _job is not None:
        _job.push_undo()


def current() -> Job | None:
    """The job on its way, if any."""
    return _job


def run(title: str, steps: Steps, *, undo: str, wait: bool = False) -> Job:
    """Start a job; in a window return at once, else (or if `wait`) when it has ended.

    Raises:
        AddonError: if another job runs; when waiting, also what the job ended with.
    """
    global _job
    if busy():
        raise AddonError(busy())
    _job = Job(title, steps, undo)
    _job.start()
    if bpy.app.background or wait:
        while not _job.finished:
            _job.poll()
            if _job.waits:
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
    status.changed()
    if _job.finished:
        return None
    return _TICK if _job.waits else _AT_ONCE


def stop() -> None:
    """Forget the job, as when another file is loaded or the add-on is switched off."""
    global _job
    if _job is not None and not _job.finished:
        _job.abandon()
    _job = None
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


@contextmanager
def ready_context() -> Iterator[None]:
    """A context with a window where there is one: timers have none."""
    windows = bpy.data.window_managers[0].windows
    if bpy.context.window is None and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            yield
    else:
        yield
