"""What is made of the options' schema is up to date, and a new option gets everywhere."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from osmnet_sdk.options import Options, option

ROOT = Path(__file__).parents[2]
tables: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "tables.py"))


def test_tables_and_the_extensions_schema_are_up_to_date():
    for path, text in tables["made"]().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run `make tables`"


def test_a_table_has_a_row_for_each_field():
    class Scarf(Options):
        """Nothing else knows it."""

        warmth: float = option(2.0, "How warm it is", least=-5.0, largest=7.5, unit="clo")
        fringe: bool = option(True, "Whether it has a fringe")

    assert tables["table"](Scarf).splitlines()[2:] == [
        "| `warmth` | 2 | −5 to 7.5 clo | How warm it is |",
        "| `fringe` | True |  | Whether it has a fringe |",
    ]


def test_a_page_changes_between_its_markers_alone():
    kept = "a\n<!-- options: Limits -->\n{}<!-- end -->\nb"
    made = tables["page"](kept.format("old\n"))
    assert made == tables["page"](made) != kept.format("old\n")
    assert made.startswith("a\n<!-- options: Limits -->\n| option |")
    assert made.endswith("<!-- end -->\nb")
