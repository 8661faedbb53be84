"""What the engine and its clients say to each other; standard library only.

JSON-RPC 2.0, one object per line in UTF-8, over the engine's standard input and output; `encode`
writes ASCII with escapes, which carry any file name. The extension carries a copy of this file, so
that both sides read the same names. Files are named by path; no pixels travel.

Requests of the client, with their parameters (? may be left out) and results:

    hello          protocol                             protocol, version, python, pid
    check          device?, bundle?                     version, python, device, bundle,
                                                        bundle_version, bundle_sha256, renderer,
                                                        renderers
    options                                             motion, expression
    fit_head       photo, folder, face_index?           head, portrait, still: paths
    sample_takes   audio, folder, takes, photo?,        takes: one path each
                   face_index?, motion?, expression?,
                   channel?, track?, phones?,
                   follow?
    retake         source, output, audio, start, end,   output, seed
                   seed?, take?, motion?, eyes?,
                   channel?, track?, follow?
    predict_phones audio, output, channel?, track?      output, seconds, count
    render_frames  photo, tracks, folder, face_index?,  frames: their number
                   size?, label?, renderer?, audio?
    write_video    folder, first, count, fps, output,   output, frames
                   audio?, start?, channel?, track?
    convert_take   source, output, fps?                 output, frames, fps
    shutdown                                            {}

`takes` is a list of {"seed", "take"}; `motion` and `expression` hold fields of `SampleOptions` and
`ExpressionOptions`, whose JSON schemas `options` answers, with description, default, range and unit
of each. `channel` and `track` name the voice among the sounds of a file. `phones` is a file of what
is said and when (docs/formats.md), which then decides the lips. `predict_phones` writes what it
hears in a voice, as the suffix of `output` says (.TextGrid, .json, .tsv, .srt); `count` is the
number of phones without silences. `follow` is a take file or a video whose slow motion the takes go
around. `retake` samples `start` to `end` (seconds) of the take `source` anew, as `OSMNet.retake`
does; without `seed`, with one that the take has not seen.
`size` is "crop", "photo" or [height, width]; `renderer` is "auto" or a name out of `renderers`.
`tracks` is an .npz file with `rotation` (T, 3) degrees, `translation` (T, 3)
metres, `coefficients` (T, 52), all float32, of T frames, which need not be neighbours in time
unless the renderer looks at those; `keys` (N,), text; and, unless N = T and all are wanted,
`frames` (N,) int32, the rows to render: the frame of row frames[i] is written to
folder/keys[i].png. It may have `meta`, a JSON text that goes into the metadata of each frame. If
that has the take's `audio` and `audio_sha256`, as its provenance does, and `audio` is given, the
sound of the scene, a warning tells where the two are not the same sound.
`write_video` makes a video of the pictures frame_000000.png and so on of a folder, from number
`first` on, at `fps` such as "24" or "30000/1001", with the sound of `audio` from `start` seconds
on.
`renderers` has the number of rows on either side that a frame depends on besides its own, by the
names of the renderers that the bundle has weights for; `renderer` names the one that "auto" means.
Every request but hello and shutdown takes device? and bundle?, which hold until another is named.

Notifications of the engine, `id` being that of the request:

    progress       id, stage, done, total (0: not known)
    warning        id, message
    frame          id, index: this frame of render_frames is on disk

Notification of the client:

    cancel         id: stop that request; it answers with the error CANCELLED
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

PROTOCOL = 3
"""Version of this protocol; both sides must have the same."""

HEAD_SCHEMA = "osmnet.head/1"
"""Schema of the head file that `fit_head` writes."""

MAX_LINE = 8_000_000
"""Bytes that one message may have."""

FAILED = -32000
"""Error code: `message` is one sentence for the user; data.kind names the class of the error."""

CANCELLED = -32800
"""Error code: stopped by `cancel`."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
"""Error code: a bug; data.details is the traceback."""


class ProtocolError(ValueError):
    """A line is not a message of this protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """One line of a message, newline included."""
    text = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False)
    return text.encode("ascii") + b"\n"


def decode(line: bytes, parse: Callable[[bytes], Any] = json.loads) -> dict[str, Any]:
    """The message of one line.

    Args:
        line: with or without its end.
        parse: reads the JSON; it raises ValueError for what it refuses.

    Raises:
        ProtocolError: if the line is no JSON object of JSON-RPC 2.0.
    """
    try:
        message = parse(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("The line is not JSON, or goes beyond a bound.") from error
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError("The line is not a JSON-RPC 2.0 object.")
    return message


def request(number: int, method: str, params: dict[str, Any]) -> bytes:
    """A request line."""
    return encode({"id": number, "method": method, "params": params})


def notification(method: str, params: dict[str, Any]) -> bytes:
    """A notification line."""
    return encode({"method": method, "params": params})


def result(number: int, value: dict[str, Any]) -> bytes:
    """The line that answers a request."""
    return encode({"id": number, "result": value})


def failure(
    number: int | None, code: int, message: str, *, kind: str = "", details: str = ""
) -> bytes:
    """The line that refuses a request; `details` may hold a traceback."""
    data = {"kind": kind, "details": details}
    return encode({"id": number, "error": {"code": code, "message": message, "data": data}})
