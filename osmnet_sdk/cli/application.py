"""The command line: osmnet talk, sample, express, phones, render, retake, track, check, …"""

from __future__ import annotations

import importlib
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from rich.filesize import decimal

from osmnet_sdk.cli.arguments import Run
from osmnet_sdk.cli.check import check
from osmnet_sdk.cli.console import PlainGroup
from osmnet_sdk.cli.doctor import doctor
from osmnet_sdk.cli.motion import basis, rotate
from osmnet_sdk.cli.parameters import command
from osmnet_sdk.cli.phones import phones
from osmnet_sdk.cli.render import convert, head, render, track
from osmnet_sdk.cli.sample import express, retake, sample
from osmnet_sdk.cli.talk import talk
from osmnet_sdk.version import __version__

_ORDER = (
    talk, sample, express, render, retake, track, check, convert, phones, head, rotate, basis,
    doctor,
)  # fmt: skip
"""Commands by use, as the help lists them."""

_RESEARCH = {
    "prepare": "Cut, track and crop videos into shards for training; what is done is not done "
    "again.",
    "train": "Make the weights of a bundle.",
    "evaluate": "Measure against real recordings.",
}
"""What the help says of the commands that few need; they are imported when one is asked for."""


class _MainGroup(PlainGroup):
    """The commands; those of research by name and sentence alone, until one is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and further words of a command line."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in _RESEARCH:
            command = importlib.import_module("osmnet_sdk.research.cli").commands()[name]
        return name, command, rest


app = typer.Typer(
    cls=_MainGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _function in _ORDER:
    app.command()(_function)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def osmnet(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """One photo and one voice in, several natural head performances out.

    The person in the photo must have agreed.
    """


@app.command()
@command
def info(run: Run) -> None:
    """Show versions, device and bundle; check every file of the bundle."""
    facts = run.osmnet().info()
    if not run.as_json:
        facts["renderers"] = ", ".join(facts["renderers"])
        facts["files"] = [
            f"{name}  {decimal(entry['bytes'])}" for name, entry in facts["files"].items()
        ]
    run.show(facts)


for _name, _says in _RESEARCH.items():
    app.command(_name, help=_says)(lambda: None)


def main() -> None:
    """Run the command line."""
    if isinstance(sys.stdout, TextIOWrapper):  # a pipe of Windows lacks most letters
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="osmnet")  # as in completion scripts and docs, however it was started
