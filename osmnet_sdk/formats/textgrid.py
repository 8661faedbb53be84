"""Praat's TextGrid files: tiers of labelled intervals, in the long and the short text format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osmnet_sdk.core.conventions import MAX_PHONES
from osmnet_sdk.core.json_reading import Unreadable
from osmnet_sdk.core.wording import quoted

_MOST_TIERS = 1000
_LONGEST_LABEL = 200
"""Characters of a label that are kept: sentences are no phones."""

# Praat reads free-standing numbers, texts in quotes and flags in angle brackets; all else, such as
# "intervals [1]:" and "xmin =", and what follows a "!", is for people to read. Nothing is tried
# twice (*+), so that a text of millions of letters takes no memory for each of them.
_TOKEN = re.compile(
    r'"(?P<text>[^"]*+(?:""[^"]*+)*+)"|(?<!\S)<(?P<flag>exists|absent)>(?!\S)'
    r"|(?<!\S)(?P<number>[-+]?\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,3})?)(?!\S)"
    r"|(?<!\S)![^\n]*"
)


@dataclass(frozen=True)
class Interval:
    """A labelled range of time, in seconds."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Tier:
    """Intervals of one kind, such as phones or words, in order of time."""

    name: str
    intervals: Sequence[Interval]


def is_textgrid(text: str) -> bool:
    """Whether a text begins as a TextGrid does."""
    return "ooTextFile" in text[:200]


def textgrid_text(tiers: Sequence[Tier], seconds: float) -> str:
    """A TextGrid in the long format; the intervals of each tier must fill the whole time."""
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ",
        f"xmax = {_seconds(seconds)} ", "tiers? <exists> ", f"size = {len(tiers)} ", "item []: ",
    ]  # fmt: skip
    for index, tier in enumerate(tiers, 1):
        lines += [
            f"    item [{index}]:", '        class = "IntervalTier" ',
            f'        name = "{_escaped(tier.name)}" ', "        xmin = 0 ",
            f"        xmax = {_seconds(seconds)} ",
            f"        intervals: size = {len(tier.intervals)} ",
        ]  # fmt: skip
        for number, each in enumerate(tier.intervals, 1):
            lines += [
                f"        intervals [{number}]:", f"            xmin = {_seconds(each.start)} ",
                f"            xmax = {_seconds(each.end)} ",
                f'            text = "{_escaped(each.label)}" ',
            ]  # fmt: skip
    return "\n".join([*lines, ""])


def parse_textgrid(text: str) -> tuple[list[Tier], float]:
    """The tiers of intervals in a TextGrid, and its length in seconds.

    Times count from the file's own beginning (xmin). Tiers of points are left out.

    Raises:
        Unreadable: if it is none, or goes beyond the bounds.
    """
    tokens = _Tokens(text)
    if tokens.text() != "ooTextFile" or tokens.text() != "TextGrid":
        raise Unreadable("it is no TextGrid.")
    start, end = tokens.number(), tokens.number()
    if not tokens.exists():
        return [], end - start
    tiers = []
    for _ in range(tokens.count(_MOST_TIERS, "tiers")):
        kind, name = tokens.text(), tokens.text()
        tokens.number()
        tokens.number()
        size = tokens.count(MAX_PHONES, "intervals")
        if kind == "IntervalTier":
            intervals = [
                Interval(tokens.number() - start, tokens.number() - start, tokens.text())
                for _ in range(size)
            ]
            tiers.append(Tier(name, intervals))
        elif kind == "TextTier":
            for _ in range(size):
                tokens.number()
                tokens.text()
        else:
            raise Unreadable(f"it has a tier of the kind {quoted(kind)}.")
    return tiers, end - start


class _Tokens:
    """The values of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._found = (each for each in _TOKEN.finditer(text) if each.lastgroup)

    def _next(self) -> re.Match[str]:
        found = next(self._found, None)
        if found is None:
            raise Unreadable("it ends before all that it announces.")
        return found

    def text(self) -> str:
        found = self._next()
        if found["text"] is None:
            raise Unreadable(f"it has {quoted(found[0], 24)} where a text is expected.")
        return found["text"][:_LONGEST_LABEL].replace('""', '"')

    def number(self) -> float:
        found = self._next()
        value = float(found["number"] or "nan")
        if not math.isfinite(value):
            raise Unreadable(f"it has {quoted(found[0], 24)} where a number is expected.")
        return value

    def exists(self) -> bool:
        return self._next()["flag"] == "exists"

    def count(self, most: int, what: str) -> int:
        value = self.number()
        if not 0 <= value <= most or value != int(value):
            raise Unreadable(f"it announces {value:g} {what}; at most {most} are read.")
        return int(value)


def _seconds(value: float) -> str:
    return format(round(value, 6), ".6f").rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    return text.replace('"', '""')


def phone_tier(tiers: Sequence[Tier]) -> Tier:
    """The tier that holds phones: by its name, or else the one with the most intervals.

    Raises:
        Unreadable: if there is no tier of intervals.
    """
    if not tiers:
        raise Unreadable("it has no tier of intervals.")
    named = list(_named(tiers))
    return max(named or tiers, key=lambda tier: len(tier.intervals))


def _named(tiers: Sequence[Tier]) -> Iterator[Tier]:
    for tier in tiers:
        name = tier.name.casefold()
        if "phon" in name or "segment" in name or name.endswith("mau"):
            yield tier
