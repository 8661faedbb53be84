"""Ledgers: what counts as finished, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from osmnet_sdk.core.resuming import LEDGER, Ledger, job_digest


@pytest.fixture
def folder(tmp_path):
    with Ledger(tmp_path) as ledger:
        for name in ("a.png", "b.png"):
            (tmp_path / name).write_bytes(name.encode())
            ledger.add(name, "job")
    return tmp_path


def test_a_finished_file_of_the_same_job_is_known_again(folder):
    ledger = Ledger(folder)
    assert ledger.holds("a.png", "job")
    assert not ledger.holds("a.png", "another")
    assert not ledger.holds("c.png", "job")


@pytest.mark.parametrize("data", [b"", b"a.pn", b"b.png", b"a.png and more", None])
def test_a_file_that_was_changed_is_not_finished(folder, data):
    path = folder / "a.png"
    path.unlink() if data is None else path.write_bytes(data)
    assert not Ledger(folder).holds("a.png", "job")
    assert Ledger(folder).holds("b.png", "job")


def test_a_file_is_of_the_job_that_made_it_last(folder):
    with Ledger(folder) as ledger:
        ledger.add("a.png", "another")
    assert not Ledger(folder).holds("a.png", "job")
    assert Ledger(folder).holds("a.png", "another")
    assert Ledger(folder).holds("b.png", "job")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema_name": "osmnet.made/9", "jobs": {}}',
        '{"jobs": {"job": {"a.png": [5]}}}',
        "[" * 100_000,
        "\0",
    ],
)
def test_a_ledger_that_cannot_be_read_knows_nothing(folder, text):
    (folder / LEDGER).write_text(text, encoding="utf-8")
    with Ledger(folder) as ledger:
        assert not ledger.holds("a.png", "job")
        ledger.add("a.png", "job")
    assert Ledger(folder).holds("a.png", "job")


def test_a_ledger_is_written_meanwhile_and_after_an_error(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    with pytest.raises(KeyboardInterrupt), Ledger(tmp_path) as ledger:
        ledger.add("a.png", "job")
        assert Ledger(tmp_path).holds("a.png", "job")
        ledger.add("b.png", "job")
        raise KeyboardInterrupt
    assert Ledger(tmp_path).holds("b.png", "job")


def test_ledgers_of_the_same_files_are_the_same(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    with Ledger(other) as ledger:
        for name in ("b.png", "a.png"):
            (other / name).write_bytes(name.encode())
            ledger.add(name, "earlier")
            ledger.add(name, "job")
    assert (other / LEDGER).read_bytes() == (folder / LEDGER).read_bytes()


@dataclass
class Part:
    values: object


def test_jobs_differ_where_a_part_does():
    ones = np.ones((2, 2), np.float32)
    parts = [
        1, 1.0, True, None, "1", "", [], [1], [[1]], [1, 1], {}, {"a": 1}, {"b": 1}, Part(1),
        Fraction(1, 2), ones, ones[:1], ones.ravel(), ones.astype(np.float64), -ones,
        Part(ones), ["ab", "c"], ["a", "bc"],
    ]  # fmt: skip
    digests = {job_digest(part=part) for part in parts}
    assert len(digests) == len(parts)
    assert job_digest(part=ones.T) == job_digest(part=ones.copy())
    assert job_digest(a=1, b=2) == job_digest(b=2, a=1)
    with pytest.raises(TypeError):
        job_digest(part=object())
