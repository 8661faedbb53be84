"""Tables of Markdown, for cards of weights and what evaluations print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Cell = float | int | str | None


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; fractions have three digits, and None is left empty.

    Example:
        >>> print(markdown_table(["clip", "SSIM"], [["a", 0.51234], ["b", None]]))
        | clip | SSIM |
        |---|---|
        | a | 0.512 |
        | b |  |
    """
    return "\n".join([_line(titles), "|" + "---|" * len(titles), *map(_line, rows)])


def _line(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(map(_text, cells))} |"


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.3f}"
    return "" if cell is None else str(cell)
