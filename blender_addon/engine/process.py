# SPDX-License-Identifier: GPL-3.0-or-later
"""The one engine process of this Blender: started when first needed, again after it died."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import preferences
from ..core import locate, protocol
from ..core.calls import Call
from ..core.client import EngineClient
from ..core.errors import AddonError, EngineStopped

_client: EngineClient | None = None
_command: list[str] = []
_greeting: Call | None = None


def request(method: str, params: dict[str, Any]) -> Call:
    """Ask the engine, starting it first if need be; returns at once.

    Raises:
        EngineStopped: if it cannot be started.
        AddonError: if no engine is set in the preferences.
    """
    settings = preferences.get()
    named = {"device": settings.device, "bundle": preferences.bundle()}
    return _running(settings).request(method, {**named, **params})


def runs() -> bool:
    """Whether the engine of the preferences runs already."""
    return _client is not None and _client.alive and _command == _wanted_command(preferences.get())


def check_greeting() -> None:
    """Look at the answer to hello, if it has come.

    Raises:
        EngineStopped: if the engine does not speak this add-on's protocol; it is ended.
    """
    global _greeting
    if _greeting is None:
        return
    _greeting.poll()
    if not _greeting.done:
        return
    greeting, _greeting = _greeting, None
    try:
        answer = greeting.result
    except AddonError as error:
        stop()
        raise EngineStopped(str(error), error.details) from error
    if answer.get("protocol") != protocol.PROTOCOL:
        stop()
        raise EngineStopped(
            f"The engine {answer.get('version', '')} does not fit this add-on; update both to the "
            "same version."
        )


def _running(settings: Any) -> EngineClient:
    global _client, _command, _greeting
    command = _wanted_command(settings)
    if _client is not None and (not _client.alive or command != _command):
        stop()
    if _client is None:
        client = EngineClient(command)
        client.start()
        _client, _command = client, command
        _greeting = client.request("hello", {"protocol": protocol.PROTOCOL})
    return _client


def _wanted_command(settings: Any) -> list[str]:
    python = settings.engine_python or os.environ.get("OSMNET_PYTHON", "")
    if not python:
        raise AddonError(
            "No engine is set; install it as the manual says, then press Find in the add-on's "
            "preferences."
        )
    return locate.engine_command(str(locate.python_of(Path(python))))


def stop() -> None:
    """End the engine if it runs."""
    global _client, _greeting
    _greeting = None
    if _client is not None:
        client, _client = _client, None
        client.close()
