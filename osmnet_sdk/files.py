"""Writing files so that a crash leaves either the old file or the new one, never half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osmnet_sdk.errors import OutputError


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary name keeps the suffix of `path`, since writers choose a format by it.

    Raises:
        OutputError: if the folder does not exist or cannot be written to.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise OutputError(f"Cannot write '{target}': it is a folder; give a file name.")
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise OutputError(
            f"Cannot write '{target}': {error.strerror or error}; choose a folder that exists "
            "and may be written to."
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        _open_to_all(temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _open_to_all(path: Path) -> None:
    """Give a temporary file, private when made, the rights of an ordinary new file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
