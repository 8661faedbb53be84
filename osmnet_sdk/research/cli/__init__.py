"""osmnet train, evaluate and prepare; `cli.application` imports them when one is asked for."""

from __future__ import annotations

from typing import Any


def commands() -> dict[str, Any]:
    """The commands by their names."""
    import typer.main

    from osmnet_sdk.research.cli.evaluate import evaluate_app
    from osmnet_sdk.research.cli.evaluate_generator import generator
    from osmnet_sdk.research.cli.prepare import prepare
    from osmnet_sdk.research.cli.train import train_app

    evaluate_app.command("generator")(generator)
    app = typer.Typer()
    app.command()(prepare)
    app.add_typer(train_app, name="train")
    app.add_typer(evaluate_app, name="evaluate")
    return dict(typer.main.get_group(app).commands)
