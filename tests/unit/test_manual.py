"""The manual's commands and programs are such: they parse, and the names in them exist."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from pathlib import Path

import pytest
from typer.main import get_command

import osmnet_sdk
from osmnet_sdk.cli.application import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/recipes/*.md")])


def blocks(page: Path, *languages: str) -> list[str]:
    """Contents of a page's fenced blocks of these languages."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(\w+)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(body) for _, language, body in found if language in languages]


def commands(page: Path) -> list[str]:
    """What a page tells to type that begins with osmnet, without its folder."""
    text = "\n".join(blocks(page, "sh", "bat")).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if re.match(r"(\S*[\\/])?osmnet\s", line)]


COMMANDS = sorted({line for page in PAGES for line in commands(page)})
PROGRAMS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(blocks(page, "python"))
]


def test_there_is_something_to_read():
    assert len(COMMANDS) > 25
    assert len(PROGRAMS) > 8


def parse(line: str) -> None:
    """Parse a command without running it; what it names need not be there.

    Raises:
        Exception: the parser's own, if there is no such command, option or value.
    """
    words = shlex.split(line, comments=True)[1:]
    command = get_command(app)
    while hasattr(command, "resolve_command"):
        context = command.make_context("osmnet", list(words))
        _, command, words = command.resolve_command(context, words)
    command.make_context("osmnet", words)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line):
    parse(line)


@pytest.mark.parametrize("line", ["osmnet talks a b", "osmnet sample a.wav --tempi 1"])
def test_commands_that_do_not_exist_are_seen(line):
    with pytest.raises(Exception, match=r"tal|tempi"):
        parse(line)


@pytest.mark.parametrize("text", PROGRAMS)
def test_programs_use_names_that_exist(text):
    tree = ast.parse(text)
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "sdk"
    }
    assert names <= set(osmnet_sdk.__all__)
