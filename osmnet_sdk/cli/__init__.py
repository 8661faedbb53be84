"""The command line: one file a group of commands; `application` puts them together.

Nothing is loaded before it is asked for: `diagnosis` must work where packages are damaged.
"""

from __future__ import annotations

from typing import Any


def main() -> None:
    """Run the command line."""
    from osmnet_sdk.cli.application import main as run

    run()


def __getattr__(name: str) -> Any:
    if name == "app":
        from osmnet_sdk.cli.application import app

        return app
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
