"""The card beside the generator's weights: how they were made and what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.tables import markdown_table
from osmnet_sdk.research.trainers.card import TRAINING, VALIDATION, data_table, picture_card
from osmnet_sdk.research.trainers.generator.figures import SelfDriven
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe

_ABOUT = """# Video Generator

Weights of the paper's Video Generator (section III-C) in `generator.safetensors`, with the motion
decoder that was trained end to end with it. A photo, head poses and expression coefficients go in;
frames come out.

The people in the clips below can be recognised in what a generator draws that has seen few of
them: use clips of people who agreed, and say here under which licence you pass the weights on.
"""
_FIGURES = """\
Self-driven from the first frame of each clip, mean SSIM. "Real motion": driven by the features of
the clip's own motion. "Sound": by what the motion network hears, from a real pose at the start of
each window; expression is the tracked one in both."""


def generator_card(
    recipe: GeneratorRecipe,
    figures: Mapping[str, SelfDriven],
    training: Sequence[Segment],
    validation: Sequence[Segment],
) -> str:
    """The card as Markdown.

    Args:
        recipe: that was trained.
        figures: what was measured, by what it was measured on.
        training: segments learned from.
        validation: segments held out.
    """
    clips = {TRAINING: training, VALIDATION: validation}
    minutes = [f"{sum(map(len, found)) / 25 / 60:.1f}" for found in clips.values()]
    titles = ("", "frames", "real motion", "sound", "first frame held still")
    rows = [(name, found.frames, found.real, found.heard, found.still)
            for name, found in figures.items()]  # fmt: skip
    return picture_card(
        _ABOUT,
        "osmnet train generator RECIPE DATA",
        recipe,
        data_table(("data (frames at 25 fps)", "clips", "speakers", "minutes"), clips, minutes),
        _FIGURES,
        markdown_table(titles, rows),
    )
