"""python -m osmnet_sdk.engine [--fake]: serve a client over standard input and output."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as of `typing`, which takes long to import
if TYPE_CHECKING:
    from osmnet_sdk.engine.methods import Backend

_USAGE = "Usage: python -m osmnet_sdk.engine [--fake]; a program talks to it, see engine/protocol."


def _real_backend() -> Backend:
    from osmnet_sdk.engine.backend import SdkBackend

    return SdkBackend()


def _fake_backend() -> Backend:
    from osmnet_sdk.engine.fake import FakeBackend

    return FakeBackend()


def main() -> None:
    """Run the engine until the client leaves or a signal comes."""
    try:
        from osmnet_sdk.core.stopping import exit_on_signals, stopped_by_signals

        exit_on_signals()
    except KeyboardInterrupt:
        os._exit(130)
    from osmnet_sdk.engine.methods import Methods
    from osmnet_sdk.engine.server import Server, claim_standard_streams

    arguments = sys.argv[1:]
    if arguments not in ([], ["--fake"]):
        raise SystemExit(_USAGE)
    fake = bool(arguments)
    source, sink = claim_standard_streams()
    methods = Methods(_fake_backend if fake else _real_backend, fake=fake)
    with stopped_by_signals():
        Server(methods.table(), source, sink).run()
    # The reader's thread may still wait in a read, which an orderly exit would wait for.
    os._exit(0)


if __name__ == "__main__":
    main()
