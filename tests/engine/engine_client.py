"""A client of the engine for tests: a real child process, its lines read by a thread."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from osmnet_sdk.engine import protocol

FAKE = str(Path(__file__).with_name("fake_engine.py"))
"""The engine without networks."""

PATIENCE = 120.0
"""Seconds after which an engine that says nothing counts as hung."""


class Engine:
    """A running engine; a context manager that leaves no process behind."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", *(command or ("-m", "osmnet_sdk.engine"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self.said: list[dict[str, Any]] = []
        self.stderr = b""
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._number = 0
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._read, self._drain)
        ]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _drain(self) -> None:
        self.stderr = self.process.stderr.read()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):  # what was not yet written cannot be any more
                stream.close()

    def write(self, line: bytes) -> None:
        """Send bytes as they are."""
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def send(self, method: str, **params: Any) -> int:
        """Send a request; return its id."""
        self._number += 1
        self.write(protocol.request(self._number, method, params))
        return self._number

    def cancel(self, number: int) -> None:
        """Ask a request to stop."""
        self.write(protocol.notification("cancel", {"id": number}))

    def message(self) -> dict[str, Any]:
        """The next message; every line of the engine must be one."""
        line = self._lines.get(timeout=PATIENCE)
        assert line, f"the engine ended: {self.process.wait(PATIENCE)}"
        message = protocol.decode(line)
        self.said.append(message)
        return message

    def until(self, *, method: str | None = None, number: int | None = None) -> dict[str, Any]:
        """The next notification of a method, or the answer of an id."""
        while True:
            message = self.message()
            if method is not None and message.get("method") == method:
                return message
            if method is None and "method" not in message and message["id"] == number:
                return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request: a message with `result` or `error`."""
        return self.until(number=self.send(method, **params))

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a request that must succeed."""
        answer = self.ask(method, **params)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        """The error of a request that must fail, with one sentence."""
        answer = self.ask(method, **params)
        assert "error" in answer, answer
        sentence = answer["error"]["message"]
        assert sentence.strip() == sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return answer["error"]

    def notified(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the notifications so far."""
        return [message["params"] for message in self.said if message.get("method") == method]


def numbers(*pairs):
    """Takes as the engine's methods name them, of pairs of seed and number."""
    return [{"seed": seed, "take": take} for seed, take in pairs]
