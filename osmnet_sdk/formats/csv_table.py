"""Tables of numbers in CSV files of any tool: encodings, separators, and rows that are damaged."""

from __future__ import annotations

import codecs
import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import MAX_FRAMES
from osmnet_sdk.core.reading import file_name, opened
from osmnet_sdk.core.wording import quoted
from osmnet_sdk.errors import TrackError

Array = NDArray[np.float64]

_LONGEST_LINE = 200_000
"""Characters of a line."""
_MOST_COLUMNS = 5_000
_BLOCK = 4096
"""Rows that are kept together while reading."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class CsvTable:
    """The header of a CSV file, and its rows one by one.

    Args:
        text: the file, open for reading.
        name: how messages call it, in quotes.

    Raises:
        TrackError: if it is no plain text.
    """

    def __init__(self, text: TextIO, name: str) -> None:
        self.name = name
        self._text = text
        lines = self._lines()
        try:
            first = next(lines, "")
            separator = max(",;\t", key=first.count)
            self.header = next(csv.reader([first], delimiter=separator), [])
            self._reader = csv.reader(lines, delimiter=separator)
        except (ValueError, csv.Error) as error:
            raise self._no_text() from error
        if len(self.header) > _MOST_COLUMNS:
            raise TrackError(f"{name} has {len(self.header)} columns; give another file.")

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE or "\0" in line:
                raise self._no_text()
            yield line

    def _no_text(self) -> TrackError:
        return TrackError(f"{self.name} is not a CSV file: it holds no plain text.")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not empty, with their numbers in the file, the header being 1."""
        try:
            for row in self._reader:
                if any(map(str.strip, row)):
                    yield self._reader.line_num + 1, row
        except (ValueError, csv.Error) as error:
            raise self._no_text() from error


@contextmanager
def opened_table(path: str | os.PathLike[str]) -> Iterator[CsvTable]:
    """Open a CSV file.

    Raises:
        TrackError: if it cannot be read, or is no plain text.
    """
    with opened(path, "CSV file") as stream:
        start = stream.read(4096)
        stream.seek(0)
        text = io.TextIOWrapper(stream, encoding=_encoding(start), newline="")
        try:
            yield CsvTable(text, file_name(path))
        finally:
            text.detach()


def _encoding(start: bytes) -> str:
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    if len(start) > 8 and start[1:9:2] == b"\0" * 4:
        return "utf-16-le"
    if len(start) > 8 and start[0:8:2] == b"\0" * 4:
        return "utf-16-be"
    return "utf-8"


def number(text: str) -> float:
    """The number of a cell, with a point or a comma; NaN if it is none."""
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            return math.nan
    return value if math.isfinite(value) else math.nan


class Columns:
    """Rows of numbers as they come in, kept in blocks of single precision.

    Args:
        width: numbers of a row.
        dtype: how they are kept.
    """

    def __init__(self, width: int, dtype: type = np.float32) -> None:
        self._width, self._dtype = width, dtype
        self._blocks: list[NDArray[np.floating]] = []
        self.rows = 0

    def add(self, values: Sequence[float]) -> None:
        """Keep a row."""
        place = self.rows % _BLOCK
        if place == 0:
            self._blocks.append(np.empty((_BLOCK, self._width), self._dtype))
        self._blocks[-1][place] = values
        self.rows += 1

    def column(self, index: int, rows: NDArray[np.bool_] | None = None) -> Array:
        """(rows,) values of a column."""
        whole = np.concatenate([block[:, index] for block in self._blocks])[: self.rows]
        return np.asarray(whole if rows is None else whole[rows], np.float64)


def check_count(rows: int, name: str) -> None:
    """Hold that a file has not too many rows.

    Raises:
        TrackError: if it has.
    """
    if rows > MAX_FRAMES:
        raise TrackError(f"{name} has more than {MAX_FRAMES} rows; cut it into parts.")


def unreadable_cell(name: str, line: int, column: str, text: str, why: str) -> str:
    """What is wrong with a cell, as a sentence without its end."""
    return f"{name}, row {line}, column {column}: {quoted(text, 40)} {why}"
