"""python -m osmnet_sdk.engine: serve a client over standard input and output."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as of `typing`, which takes long to import
if TYPE_CHECKING:
    from collections.abc import Callable

    from osmnet_sdk.engine.methods import Backend


def _backend() -> Backend:
    from osmnet_sdk.engine.backend import SdkBackend

    return SdkBackend()


def serve(backend: Callable[[], Backend] = _backend) -> None:
    """Run an engine until the client leaves or a signal comes.

    Args:
        backend: makes what heads, takes and frames come from.
    """
    try:
        from osmnet_sdk.core.stopping import exit_on_signals, stopped_by_signals

        exit_on_signals()
    except KeyboardInterrupt:
        os._exit(130)
    from osmnet_sdk.engine.methods import Methods
    from osmnet_sdk.engine.server import Server, claim_standard_streams

    if sys.argv[1:]:
        raise SystemExit("Usage: python -m osmnet_sdk.engine; a program talks to it, see protocol.")
    source, sink = claim_standard_streams()
    with stopped_by_signals():
        Server(Methods(backend).table(), source, sink).run()
    # The reader's thread may still wait in a read, which an orderly exit would wait for.
    os._exit(0)


if __name__ == "__main__":
    serve()
