"""python -m osmnet_sdk.engine [--fake]: serve a client over standard input and output."""

from __future__ import annotations

import contextlib
import os
import sys

from osmnet_sdk.engine.methods import Backend, Methods
from osmnet_sdk.engine.server import Server, claim_standard_streams

_USAGE = "Usage: python -m osmnet_sdk.engine [--fake]; a program talks to it, see engine/protocol."


def _real_backend() -> Backend:
    from osmnet_sdk.engine.backend import SdkBackend

    return SdkBackend()


def _fake_backend() -> Backend:
    from osmnet_sdk.engine.fake import FakeBackend

    return FakeBackend()


def main() -> None:
    """Run the engine until the client leaves."""
    arguments = sys.argv[1:]
    if arguments not in ([], ["--fake"]):
        raise SystemExit(_USAGE)
    fake = bool(arguments)
    source, sink = claim_standard_streams()
    methods = Methods(_fake_backend if fake else _real_backend, fake=fake)
    with contextlib.suppress(KeyboardInterrupt):
        Server(methods.table(), source, sink).run()
    # The reader's thread may still wait in a read, which an orderly exit would wait for.
    os._exit(0)


if __name__ == "__main__":
    main()
