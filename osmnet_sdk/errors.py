"""The tree of errors that this package raises.

A message says in one sentence what is wrong, with the file and the value, and what to do.
"""

from __future__ import annotations

from osmnet_sdk.core.wording import one_line


class OSMNetError(Exception):
    """Base of every error that this package raises on purpose.

    Its message is one line of at most `wording.LONGEST_MESSAGE` characters, all of them visible,
    whatever the values hold that it quotes.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(message))


class InputError(OSMNetError):
    """Something the caller passed cannot be used; also the base of the input errors below."""


class AudioError(InputError):
    """A voice recording cannot be read or used."""


class PhotoError(InputError):
    """A photo or picture cannot be read or used."""


class NoFaceError(PhotoError):
    """No face, or not the face asked for, was found in a picture."""


class TrackError(InputError):
    """A track or take holds values that are not allowed, or its file cannot be read."""


class ModelError(OSMNetError):
    """A bundle or its weights are missing, corrupt or of the wrong kind."""


class DeviceError(OSMNetError):
    """The compute device asked for is not there."""


class OutputError(OSMNetError):
    """A result cannot be written where it was asked for."""


class EngineError(OSMNetError):
    """The engine process failed or broke the protocol."""


class Cancelled(OSMNetError):
    """The caller asked to stop; nothing half-written is left behind."""


class OSMNetWarning(UserWarning):
    """Something went well enough to go on, but the result may disappoint; the message says why.

    The message is one line, as that of an `OSMNetError`.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(message))
