"""The engine's loop: one thread reads the client's lines, the main thread runs the requests.

Reading goes on while a request runs, so that `cancel` and the end of the input are noticed.
Standard library only, so that `hello` is answered at once.
"""

from __future__ import annotations

import os
import queue
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.core.wording import one_line, quoted
from osmnet_sdk.engine import protocol
from osmnet_sdk.engine.request import Method, ParameterError, Request
from osmnet_sdk.errors import Cancelled, OSMNetError, OSMNetWarning

GRACE = 5.0
"""Seconds that a running request has to stop, once nobody listens, before the process ends."""


def claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for the protocol alone: (source, sink).

    Whatever else writes to standard output, in Python or below it, goes to standard error from
    here on. Standard input becomes empty: child processes must not read the client's lines, and on
    Windows a read that waits on the standard handle makes the loading of DLLs wait too.
    """
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without a standard error
        os.dup2(nothing, 1)
    os.close(nothing)
    return source, sink


class Server:
    """Answers requests, one after the other, until `shutdown` or the end of the input.

    Args:
        methods: what answers each method; `shutdown` is the server's own.
        source: where the client's lines come from.
        sink: where answers go, unbuffered.
    """

    def __init__(self, methods: Mapping[str, Method], source: BinaryIO, sink: BinaryIO) -> None:
        self._methods = methods
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()
        self._state = threading.Lock()
        self._open: dict[int, Request] = {}
        self._running: Request | None = None
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._closed = False

    def run(self) -> None:
        """Serve; returns when the client is gone or has asked for it."""
        threading.Thread(target=self._read, name="osmnet-reader", daemon=True).start()
        while not self._closed:
            request = self._waiting.get()
            if request is None or not self._start(request):
                continue
            if request.method == "shutdown":
                self._send(protocol.result(request.number, {}))
                return
            answer = self._answer(request)
            request.flush()
            with self._state:
                self._running = None
                del self._open[request.number]
            self._send(answer)

    # The main thread.

    def _start(self, request: Request) -> bool:
        with self._state:
            if request.number not in self._open:  # cancelled while it waited
                return False
            self._running = request
            return True

    def _answer(self, request: Request) -> bytes:
        """Run a request; the line that answers it, whatever happens."""
        number = request.number
        try:
            with _told_warnings(request):
                return protocol.result(number, self._methods[request.method](request))
        except Cancelled as error:
            return protocol.failure(number, protocol.CANCELLED, _line(error), kind="Cancelled")
        except OSMNetError as error:
            kind = type(error).__name__
            return protocol.failure(number, protocol.FAILED, _line(error), kind=kind)
        except ParameterError as error:
            return protocol.failure(number, protocol.INVALID_PARAMS, _line(error))
        except (Exception, SystemExit) as error:
            kind = type(error).__name__
            return protocol.failure(
                number,
                protocol.INTERNAL_ERROR,
                f"The engine failed at {request.method} ({kind}: {_line(error)[:200]}); please "
                "report it with the details.",
                kind=kind,
                details=traceback.format_exc()[-20_000:],
            )

    # The reader's thread.

    def _read(self) -> None:
        try:
            while line := self._source.readline(protocol.MAX_LINE + 1):
                if len(line) > protocol.MAX_LINE and not line.endswith(b"\n"):
                    self._skip_line()
                    self._refuse(None, protocol.PARSE_ERROR, "The line is too long.")
                elif line.strip():
                    self._take(line)
        except (OSError, ValueError):
            pass  # the pipe broke: the same as its end
        self._close()

    def _skip_line(self) -> None:
        while (part := self._source.readline(protocol.MAX_LINE)) and not part.endswith(b"\n"):
            pass

    def _take(self, line: bytes) -> None:
        try:
            message = protocol.decode(line, partial(parse_json, longest=protocol.MAX_LINE))
        except protocol.ProtocolError as error:
            self._refuse(None, protocol.PARSE_ERROR, str(error))
            return
        number, method = message.get("id"), message.get("method")
        params = message.get("params", {})
        if "id" not in message:
            if method == "cancel" and isinstance(params, dict):
                self._cancel(params.get("id"))
            return  # nobody waits for an answer to a notification
        if not isinstance(number, int) or isinstance(number, bool):
            self._refuse(None, protocol.INVALID_REQUEST, "The id must be a whole number.")
        elif not isinstance(method, str):
            self._refuse(number, protocol.INVALID_REQUEST, "The request names no method.")
        elif method not in self._methods and method != "shutdown":
            self._refuse(
                number, protocol.METHOD_NOT_FOUND, f"The engine has no method {quoted(method)}."
            )
        elif not isinstance(params, dict):
            self._refuse(number, protocol.INVALID_PARAMS, "The parameters must be an object.")
        else:
            self._queue(Request(number, method, params, self._send))

    def _queue(self, request: Request) -> None:
        with self._state:
            taken = request.number in self._open
            if not taken:
                self._open[request.number] = request
        if taken:
            self._refuse(
                None, protocol.INVALID_REQUEST, f"The id {request.number} is in use already."
            )
        else:
            self._waiting.put(request)

    def _cancel(self, number: Any) -> None:
        with self._state:
            request = self._open.get(number) if isinstance(number, int) else None
            if request is None:
                return  # answered already
            request.cancel()
            if request is self._running:
                return  # it notices by itself
            del self._open[request.number]
        self._refuse(
            request.number, protocol.CANCELLED, "Stopped on request before it began.", "Cancelled"
        )

    def _close(self) -> None:
        """Nobody listens any more: stop what runs, and end soon in any case."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            for request in self._open.values():
                request.cancel()
        last_resort = threading.Timer(GRACE, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        self._waiting.put(None)

    # Both threads.

    def _refuse(self, number: int | None, code: int, message: str, kind: str = "") -> None:
        self._send(protocol.failure(number, code, message, kind=kind))

    def _send(self, line: bytes) -> None:
        try:
            with self._writing:
                rest = memoryview(line)
                while rest:
                    rest = rest[self._sink.write(rest) or 0 :]
        except (OSError, ValueError):
            self._close()


@contextmanager
def _told_warnings(request: Request) -> Iterator[None]:
    """While this lasts, our warnings go to the client, the others to standard error."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, OSMNetWarning):
                request.warn(" ".join(str(message).split()))
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        warnings.simplefilter("always", OSMNetWarning)
        yield


def _line(error: BaseException) -> str:
    return one_line(error)
