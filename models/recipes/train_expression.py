"""Train the Expression Feature Extractor of the starter bundle.

    python models/recipes/train_expression.py --facegood facegood.npz --cache FOLDER

Needs the system packages espeak-ng, flite and festival with the voices that expression.json names
(Debian: festival, festvox-kdlpc16k, festvox-us-slt-hts, festvox-italp16k, festvox-itapc16k,
festival-czech, festvox-czech-ph, -dita, -machac, -krb, festvox-suopuhe-lj, -mv, festival-ca,
festvox-ca-ona-hts, festvox-ru, festival-hi, festvox-hi-nsk). Takes about 10 minutes to prepare and
10 to train on one CPU core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from rich.progress import Progress

from osmnet_sdk.bundle import find_bundle
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.training.expression import load_recipe, prepare_data, train_expression

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, default=HERE / "expression.json")
    parser.add_argument("--cache", type=Path, required=True, help="folder for prepared clips")
    parser.add_argument("--facegood", type=Path, help="the FACEGOOD recordings (.npz)")
    parser.add_argument(
        "--out", type=Path, default=HERE.parent / "starter" / "expression.safetensors"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = load_recipe(arguments.recipe)
    model = load_face_model(find_bundle())
    with Progress() as bar:
        task = bar.add_task("")

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        data = prepare_data(
            recipe,
            model,
            texts=arguments.recipe.parent / recipe.texts,
            cache=arguments.cache,
            facegood=arguments.facegood,
            progress=report,
        )
        history = train_expression(
            recipe,
            data,
            model,
            out=arguments.out,
            checkpoint=arguments.cache / "checkpoint.safetensors",
            progress=report,
        )
    for step, value in history["validation"]:
        print(f"step {step}: validation {value:.4f}")


if __name__ == "__main__":
    main()
