"""What is made of the schema of options: tables of the manual, and the extension's options.json.

    python docs/tables.py            says what is not up to date, with exit code 1
    python docs/tables.py --write    brings it up to date (`make tables`)

A table stands between `<!-- options: CLASS -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from osmnet_sdk import options
from osmnet_sdk.core.option_fields import OptionField, option_fields

ROOT = Path(__file__).parents[1]
PAGES = ("docs/sdk.md",)
SCHEMAS = "blender_addon/core/options.json"
_TABLE = re.compile(r"(<!-- options: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(kind: type[options.Options]) -> str:
    """A class of options in Markdown, a row for each field."""
    rows = ["| option | default | range | |", "|---|---|---|---|"]
    for field in option_fields(kind.model_json_schema()).values():
        rows.append(f"| `{field.name}` | {_default(field)} | {field.range} | {field.says} |")
    return "\n".join(rows) + "\n"


def _default(field: OptionField) -> str:
    if isinstance(field.default, dict) and field.default:
        return ", ".join(f"{name} {value:g}" for name, value in field.default.items())
    if field.kind == "other":
        return "" if field.default is None else "none"
    return f"{field.default:g}" if field.kind == "number" else str(field.default)


def page(text: str) -> str:
    """A page with its tables as they should be."""
    return _TABLE.sub(lambda found: found[1] + table(getattr(options, found[2])) + found[3], text)


def made() -> dict[Path, str]:
    """What each file should hold."""
    texts = {ROOT / name: page((ROOT / name).read_text(encoding="utf-8")) for name in PAGES}
    schemas = json.dumps(options.option_schemas(), indent=1, ensure_ascii=False)
    return texts | {ROOT / SCHEMAS: schemas + "\n"}


def main() -> int:
    """Write or compare."""
    old = 0
    for path, text in made().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--write" in sys.argv[1:]:
            path.write_text(text, encoding="utf-8", newline="\n")
        else:
            print(f"{path.relative_to(ROOT)} is not up to date; run `make tables`.")
            old += 1
    return int(old > 0)


if __name__ == "__main__":
    raise SystemExit(main())
