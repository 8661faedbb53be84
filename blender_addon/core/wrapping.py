# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in lines that fit; Blender's labels do not wrap."""

from __future__ import annotations

from collections.abc import Callable


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Break a text into lines at its spaces, and words that are too long, as paths are, anywhere.

    Args:
        text: a text; its own line breaks stay.
        width: that no line may exceed, in the units of `measure`.
        measure: width of a text.

    Returns:
        The lines. Each has at least one letter, however narrow the place is.
    """
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if measure(longer) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            *full, line = _pieces(word, width, measure)
            lines += full
        if line:
            lines.append(line)
    return lines


def _pieces(word: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """A word in pieces that fit, broken after a slash where there is one."""
    pieces = []
    while measure(word) > width and len(word) > 1:
        fits = 1
        while fits < len(word) - 1 and measure(word[: fits + 1]) <= width:
            fits += 1
        slash = max(word.rfind(mark, 1, fits) for mark in "/\\") + 1
        cut = slash if slash > fits // 2 else fits
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]
