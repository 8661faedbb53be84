"""How the command line speaks to people and to programs."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from typer.core import TyperGroup

from osmnet_sdk.core.wording import visible
from osmnet_sdk.errors import InputError, OSMNetError, OSMNetWarning
from osmnet_sdk.progress import ProgressCallback

if TYPE_CHECKING:
    from osmnet_sdk.rendering.frames import Size

EXIT_UNREADABLE = 1
"""Exit code of a command that did its work, but for files that could not be read."""
EXIT_INPUT = 2
"""Exit code of every error that a user can mend."""
EXIT_BUG = 70
"""Exit code of an error that is ours (EX_SOFTWARE)."""
EXIT_STOPPED = 130
"""Exit code after Ctrl-C; another signal's is 128 and its number."""

_stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def show_text(text: str) -> None:
    """Print text of several lines, each as `wording.visible`."""
    print("\n".join(visible(line) for line in text.split("\n")))


def show_result(result: dict[str, Any], as_json: bool) -> None:
    """Print what a command made: one JSON text for programs, else one line a value.

    Several values of one name stand below it.
    """
    if as_json:
        print(json.dumps(result))  # escaped: a pipe of Windows has no letters of other languages
        return
    for key, value in result.items():
        lines = value if isinstance(value, list) else [value]
        if lines:
            separator = "\n  " if len(lines) > 1 else " "
            print(separator.join([f"{key.replace('_', ' ')}:", *map(visible, lines)]))


def frame_size(text: str) -> Size:
    """The size that --size names.

    Raises:
        InputError: if it is none of crop, photo and HEIGHTxWIDTH, or out of range.
    """
    if text == "crop":
        return "crop"
    if text == "photo":
        return "photo"
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise InputError(f"--size must be crop, photo or HEIGHTxWIDTH, not '{text}'.") from None
    from osmnet_sdk.rendering.frames import checked_size

    return checked_size((height, width))


def _say(kind: str, style: str, message: str) -> None:
    text = visible(" ".join(str(message).split()))
    _stderr.print(f"[{style}]{kind}:[/{style}] ", end="")
    _stderr.print(text, markup=False)


def say_error(error: OSMNetError) -> None:
    """Say an error in one line; the command goes on."""
    _say("error", "red", str(error))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn our errors into one line and exit code 2, our warnings into one line each, said once."""
    usual = warnings.showwarning
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, OSMNetWarning):
            if str(message) not in said:  # five videos of one photo have its fault in common
                _say("warning", "yellow", str(message))
            said.add(str(message))
        elif os.environ.get("OSMNET_DEBUG"):
            usual(message, category, *rest, **more)

    warnings.showwarning = show
    warnings.simplefilter("always", OSMNetWarning)
    try:
        yield
    except OSMNetError as error:
        _stop(error)
    except KeyboardInterrupt as stop:
        _say("stopped", "yellow", "Stopped on request; nothing half-written is left.")
        raise SystemExit(getattr(stop, "exit_code", EXIT_STOPPED)) from None
    except BrokenPipeError:
        raise SystemExit(EXIT_INPUT) from None
    except Exception as error:
        if os.environ.get("OSMNET_DEBUG"):
            raise
        _say(
            "error",
            "red",
            f"This should not have happened ({type(error).__name__}: {error}); please report it "
            "with the output of the same command under OSMNET_DEBUG=1.",
        )
        raise SystemExit(EXIT_BUG) from None
    finally:
        warnings.showwarning = usual


def _stop(error: OSMNetError) -> NoReturn:
    say_error(error)
    raise SystemExit(EXIT_INPUT) from None


@contextmanager
def progress_bars(quiet: bool) -> Iterator[ProgressCallback | None]:
    """Progress bars on a terminal, one for each stage; None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bars: dict[str, TaskID] = {}
    progress = Progress(
        TextColumn("{task.description:<22}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_stderr,
    )

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            progress.start()
            bars[stage] = progress.add_task(visible(stage), total=total or None)
        progress.update(bars[stage], completed=done, total=total or None)

    try:
        yield report
    finally:
        progress.stop()


_USAGE_ERROR = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
"""What typer raises of a command line that it cannot read; where it lives hangs on the version."""


class PlainGroup(TyperGroup):
    """Commands whose wrong options and arguments are told as all other errors: in one line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; exit code 2 for what cannot be understood."""
        given = (args, prog_name, complete_var)
        if not standalone_mode:
            return super().main(*given, False, windows_expand_args, **extra)
        try:
            code = super().main(*given, False, windows_expand_args, **extra)
        except typer.Abort:
            raise SystemExit(EXIT_STOPPED) from None
        except Exception as error:
            if not isinstance(error, _USAGE_ERROR):
                raise
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()  # type: ignore[attr-defined]
            else:
                _say("error", "red", _usage(error))
            raise SystemExit(EXIT_INPUT) from None
        raise SystemExit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    """What is wrong with a command line, and where its help is."""
    command = error.ctx.command_path if error.ctx is not None else "osmnet"
    said = error.format_message().rstrip(".")
    return f"{said}; see '{command} -h'."
