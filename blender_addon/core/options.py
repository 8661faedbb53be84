# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of takes, as the schema of the SDK's classes tells them.

`options.json` is what the engine answers to `options`; `docs/tables.py` of the project writes it.
"""

from __future__ import annotations

import json
from pathlib import Path

from .option_fields import OptionField, option_fields


def simple_options() -> dict[str, dict[str, OptionField]]:
    """Numbers, switches and choices among the options, by name, of "motion" and of "expression"."""
    text = Path(__file__).with_name("options.json").read_text(encoding="utf-8")
    return {
        part: {name: it for name, it in option_fields(schema).items() if it.kind != "other"}
        for part, schema in json.loads(text).items()
    }
