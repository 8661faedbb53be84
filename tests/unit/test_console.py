"""How the command line speaks: once, in one line, and to any terminal."""

import io
import json
import sys
import warnings

import pytest
from typer.testing import CliRunner

from osmnet_sdk.cli import application as cli
from osmnet_sdk.cli.console import plain_errors, show_result
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.version import __version__


def test_a_warning_is_said_once(capsys):
    with plain_errors():
        for words in ("The mouth is open.", "The mouth is open.", "The face is small."):
            warnings.warn(words, OSMNetWarning, stacklevel=2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == [
        "The mouth is open.",
        "The face is small.",
    ]


def test_several_values_stand_below_their_name(capsys):
    show_result({"made_by": "me", "files": ["a", "b"], "one": [3], "notes": []}, as_json=False)
    assert capsys.readouterr().out == "made by: me\nfiles:\n  a\n  b\none: 3\n"


def test_info_shows_the_size_of_small_files():
    result = CliRunner().invoke(cli.app, ["info", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert "\nfiles:\n  " in result.output
    assert "motion.md  " in result.output
    assert " kB" in result.output
    assert " 0.0" not in result.output


def test_json_survives_a_pipe_without_letters(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    show_result({"take": "фото ä.npz"}, as_json=True)
    stream.flush()
    assert json.loads(stream.buffer.getvalue()) == {"take": "фото ä.npz"}


def test_paths_survive_a_pipe_without_letters(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(cli, "app", lambda **_: show_result({"take": "фото.npz"}, as_json=False))
    cli.main()
    stream.flush()
    assert stream.buffer.getvalue().startswith(b"take: \\u0444")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_two_names(option):
    for arguments in ([option], ["convert", option]):
        result = CliRunner().invoke(cli.app, arguments)
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_version():
    result = CliRunner().invoke(cli.app, ["--version"])
    assert (result.exit_code, result.output.strip()) == (0, __version__)


def test_a_manifest_of_no_folder(tmp_path):
    result = CliRunner().invoke(cli.app, ["train", "manifest", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "There is no folder" in result.output
