"""A fixed thousand of odd inputs, and properties of what reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from npz_support import members, write_members

from osmnet_sdk.cli.grammars import named_options
from osmnet_sdk.core.json_reading import Unreadable, parse_json
from osmnet_sdk.core.wording import one_line
from osmnet_sdk.errors import InputError, OSMNetError, TrackError
from osmnet_sdk.options import ExpressionOptions
from osmnet_sdk.tracks import checked_fps, load_take
from tests.fuzz.kinds import sample_option

ROOT = Path(__file__).parents[2]
CASES = 1000

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_thousand_odd_inputs_are_read_or_refused():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--cases", str(CASES), "--jobs", "2"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    total = next(line for line in done.stdout.splitlines() if line.startswith("all"))
    cases, read, refused, failed = map(int, total.split()[1:])
    assert (cases, failed) == (CASES, 0)
    assert min(read, refused) > 100  # inputs that all look alike try nothing


def seen(message: str) -> None:
    """Hold that a message is one line that can be shown anywhere."""
    assert 0 < len(message) <= 500
    assert message.replace("\u200c", "").replace("\u200d", "").isprintable()


@given(st.text(max_size=2000), st.integers(3, 600))
def test_any_text_is_one_short_line_of_visible_letters(text, longest):
    line = one_line(text, longest)
    assert len(line) <= longest
    assert line.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert one_line("a" * 40, 600) == "a" * 40


@given(values)
def test_any_json_value_is_itself_or_refused(value):
    text = json.dumps(value)
    with suppress(Unreadable):
        assert parse_json(text) == value


@settings(max_examples=150)
@given(provenance=values, rest=values, fps=values)
def test_any_text_of_a_take_is_a_take_or_a_sentence(tmp_path_factory, provenance, rest, fps):
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    parts = members(provenance=provenance, rest_rotation=rest, fps=fps)
    for changes in ({"provenance": {"options": provenance}}, {}):
        path = write_members(folder / "a.npz", members(**changes) if changes else parts)
        try:
            take = load_take(path)
        except TrackError as error:
            seen(str(error))
        else:
            json.loads(take.provenance.model_dump_json())


@given(st.text(max_size=60), st.sampled_from(["pins", "hold", "basis", "start", "limits", "end"]))
def test_any_text_of_an_option_is_options_or_a_sentence(text, name):
    for given_ in (text, f"1: yaw={text}", f"yaw={text}", f"{text}=1"):
        try:
            sample_option(name, given_)
        except InputError as error:
            seen(str(error))


@given(st.text(max_size=60))
def test_any_other_text_is_a_value_or_a_sentence(text):
    for read in (partial(named_options(ExpressionOptions, "jaw=1"), "--expression"), checked_fps):
        try:
            read(text)
        except OSMNetError as error:
            seen(str(error))
