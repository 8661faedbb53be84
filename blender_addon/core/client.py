# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a child process: requests, their events, and what happens when it dies."""

from __future__ import annotations

import atexit
import re
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from . import protocol
from .calls import Call, Event, error_of, event_of
from .errors import EngineRefused, EngineStopped
from .locate import clean_environment, no_window

HELLO_SECONDS = 30.0
"""Time that the engine has to answer the first request; a cold disk is slow."""

__all__ = ["HELLO_SECONDS", "Call", "EngineClient", "Event"]

_CLOSE_SECONDS = 2.0
_NOT_INSTALLED = re.compile("No module named '?osmnet_sdk")
_MAX_STRAY = 20
"""Lines that are no messages before what runs is taken for something else than the engine."""


class EngineClient:
    """Starts the engine, sends it requests, and starts it again after its death.

    Args:
        command: the engine's command line, see `locate.engine_command`.
        log_lines: lines of the engine's log that are kept.
    """

    def __init__(self, command: Sequence[str], log_lines: int = 200) -> None:
        self._command = list(command)
        self._log_lines = log_lines
        self._lock = threading.RLock()
        self._process: _Process | None = None

    @property
    def alive(self) -> bool:
        """Whether the engine runs."""
        process = self._process
        return process is not None and process.alive

    @property
    def last_lines(self) -> str:
        """The end of the engine's log, also after its death."""
        process = self._process
        return "" if process is None else process.last_lines

    def start(self) -> None:
        """Start the engine unless it runs.

        Raises:
            EngineStopped: if the command cannot be started.
        """
        with self._lock:
            if self.alive:
                return
            self.close()
            self._process = _Process(self._command, self._log_lines)
            atexit.register(self.close)  # or its threads outlive the interpreter

    def request(self, method: str, params: dict[str, Any]) -> Call:
        """Send a request, and start the engine first if it does not run.

        Raises:
            EngineStopped: if the engine cannot be started.
        """
        with self._lock:
            self.start()
            assert self._process is not None
            return self._process.request(method, params)

    def hello(self, timeout: float = HELLO_SECONDS) -> dict[str, Any]:
        """Say hello and check that both sides speak the same protocol; return the answer.

        Raises:
            EngineStopped: if there is no engine, it does not answer in time, or it speaks another
                protocol; it does not run any more then.
        """
        try:
            answer = self.request("hello", {"protocol": protocol.PROTOCOL}).wait(timeout)
        except EngineStopped as error:
            self.close()
            if _NOT_INSTALLED.search(error.details):
                raise EngineStopped(
                    f"'{self._command[0]}' has no OSM-Net: install it there, or choose another "
                    "Python (Preferences → Find).",
                    error.details,
                ) from error
            raise
        except EngineRefused as error:
            self.close()
            raise EngineStopped(str(error), error.details) from error
        theirs = answer.get("protocol")
        if theirs != protocol.PROTOCOL:
            self.close()
            newer = isinstance(theirs, int) and theirs > protocol.PROTOCOL
            what = "the extension" if newer else "OSM-Net in the engine's Python"
            raise EngineStopped(
                f"The engine speaks protocol {theirs}, this add-on {protocol.PROTOCOL}: "
                f"update {what}."
            )
        return answer

    def close(self) -> None:
        """End the engine: its input is closed, and after a moment it is killed. Harmless twice."""
        with self._lock:
            atexit.unregister(self.close)
            if self._process is not None:
                self._process.close()


class _Process:
    """One life of the engine."""

    def __init__(self, command: Sequence[str], log_lines: int) -> None:
        self._log: deque[str] = deque(maxlen=log_lines)
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # its own, so that reading never waits for a full pipe
        self._calls: dict[int, Call] = {}
        self._number = 0
        self._stray = 0
        self._ended: EngineStopped | None = None
        try:
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=clean_environment(),
                cwd=_working_folder(),
                creationflags=no_window(),
            )
        except (OSError, ValueError) as error:
            raise EngineStopped(
                f"The engine cannot be started with '{command[0]}': choose the Python of "
                "OSM-Net's environment, or look for it with Preferences → Find.",
                str(error),
            ) from error
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._log_reader.start()
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._ended is None and self._child.poll() is None

    @property
    def last_lines(self) -> str:
        with self._lock:
            return "\n".join(self._log)

    def request(self, method: str, params: dict[str, Any]) -> Call:
        with self._lock:
            self._number += 1
            cancel = protocol.notification("cancel", {"id": self._number})
            call = Call(lambda: self.send(cancel), lambda: self.last_lines)
            if self._ended is not None:
                call.end(None, self._ended)
                return call
            self._calls[self._number] = call
            line = protocol.request(self._number, method, params)
        self.send(line)
        return call

    def send(self, line: bytes) -> None:
        """Write a line; if the engine is dead, the reading thread says so to every call."""
        with self._writing, suppress(OSError, ValueError):
            stdin = _pipe(self._child.stdin)
            stdin.write(line)
            stdin.flush()

    def close(self) -> None:
        if self._child.poll() is not None:
            self._reader.join(_CLOSE_SECONDS)  # it knows why the engine ended
        self._finish(EngineStopped("The engine was stopped."))
        with suppress(OSError, ValueError):
            _pipe(self._child.stdin).close()
        try:
            self._child.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(_CLOSE_SECONDS)

    def _finish(self, error: EngineStopped) -> None:
        """End all calls; the first reason counts."""
        with self._lock:
            if self._ended is None:
                self._ended = error
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call.end(None, self._ended)

    def _read_log(self) -> None:
        with _pipe(self._child.stderr) as stream:
            while line := stream.readline(10_000):
                self._note(line)

    def _note(self, line: bytes) -> None:
        with self._lock:
            self._log.append(line.decode("utf-8", "replace").rstrip())

    def _read(self) -> None:
        stream = _pipe(self._child.stdout)
        error: EngineStopped | None = None
        while error is None and (line := stream.readline(protocol.MAX_LINE + 1)):
            try:
                self._take(protocol.decode(line))
            except Exception:  # whatever a line may hold, this thread must go on
                error = self._note_stray(line)
        if error is not None or self._ended is not None:
            self._child.kill()
        try:
            code = self._child.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:  # it closed its output and lives on
            self._child.kill()
            code = self._child.wait()
        self._log_reader.join(_CLOSE_SECONDS)
        self._finish(
            error
            or EngineStopped(
                f"The engine stopped unexpectedly (exit code {code}); it is started again with "
                "the next call.",
                self.last_lines,
            )
        )
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError, ValueError):
                _pipe(pipe).close()

    def _note_stray(self, line: bytes) -> EngineStopped | None:
        """Keep a line that is no message; too many mean that this is not the engine."""
        self._note(line[:200])
        self._stray += 1
        if self._stray <= _MAX_STRAY and len(line) <= protocol.MAX_LINE:
            return None
        return EngineStopped(
            "What was started as the engine does not speak its protocol: check the engine's "
            "Python in the preferences.",
            self.last_lines,
        )

    def _take(self, message: dict[str, Any]) -> None:
        """Hand a message to its call; those for calls that are over are dropped."""
        if "method" in message:
            params = message["params"]
            call = self._calls.get(params["id"])
            event = event_of(message["method"], params)
            if call is not None and event is not None:
                call.add(event)
            return
        with self._lock:
            call = self._calls.pop(message["id"], None)
        if call is None:
            return
        result = message.get("result")
        if isinstance(result, dict):
            call.end(result, None)
        else:
            call.end(None, error_of(message.get("error")))


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # all three are pipes
    return stream


def _working_folder() -> str:
    """A folder that is there and stays: not Blender's, which an update may replace."""
    with suppress(RuntimeError):  # there need not be a home
        home = Path.home()
        if home.is_dir():
            return str(home)
    return tempfile.gettempdir()
