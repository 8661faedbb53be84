"""The card beside weights: how they were made, from what, and what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from osmnet_sdk.core.files import replaced
from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.tables import Cell, markdown_table
from osmnet_sdk.research.trainers.recipes import Recipe

TRAINING, VALIDATION = "training", "validation, other speakers"
"""What data and figures are of."""


def write_card(path: Path, text: str) -> None:
    """Write a card as a whole.

    Raises:
        OutputError: if it cannot be written.
    """
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def picture_card(
    about: str,
    command: str,
    recipe: Recipe,
    data: str,
    figures: str,
    table: str,
) -> str:
    """The card of a network that draws pictures.

    Args:
        about: title and what the weights are, Markdown.
        command: that made them.
        recipe: of the training.
        data: table of what was learned from.
        figures: what the figures mean.
        table: of the figures.
    """
    return f"""{about}
## Made by

    {command}

```json
{recipe.model_dump_json(indent=2)}
```

{data}

## Figures

{figures}

{table}
"""


def data_table(
    titles: Sequence[str],
    segments: Mapping[str, Sequence[Segment]],
    amounts: Sequence[Cell],
    others: Sequence[Sequence[Cell]] = (),
) -> str:
    """Clips and speakers by name, each with a further amount; then `others` as they are."""
    rows: list[Sequence[Cell]] = [
        (name, len(found), len({segment.clip.speaker for segment in found}), amount)
        for (name, found), amount in zip(segments.items(), amounts, strict=True)
    ]
    return markdown_table(titles, [*rows, *others])
