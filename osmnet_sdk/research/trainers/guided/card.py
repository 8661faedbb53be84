"""The card beside the guided generator's weights: how they were made and what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.tables import markdown_table
from osmnet_sdk.research.trainers.card import TRAINING, VALIDATION, data_table, picture_card
from osmnet_sdk.research.trainers.guided.figures import WindowFigures
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe

_ABOUT = """# Guided generator

Weights of the guided generator in `guided.safetensors`. The warped photo of a face, what the warp
knows of each of its pixels, the photo and what drives the frame go in; what to change comes out.

It learned from the pixels of the clips and portraits below: use pictures whose licence allows it,
and say here under which licence you pass the weights on.
"""
_FIGURES = """\
Face windows of {size} × {size} pixels, drawn from other frames of the same clip. Sharpness:
strength of edges over that of the real ones."""

Measured = tuple[int, WindowFigures, WindowFigures]
"""Number of windows, figures of the plain warp and of the guided generator."""


def guided_card(
    recipe: GuidedRecipe,
    figures: Mapping[str, Measured],
    training: Sequence[Segment],
    validation: Sequence[Segment],
    samples: tuple[int, int, int],
) -> str:
    """The card as Markdown.

    Args:
        recipe: that was trained.
        figures: what was measured, by what it was measured on.
        training: clips learned from.
        validation: clips held out.
        samples: numbers of samples of training, validation and portraits.
    """
    titles = ("", "windows", "", "SSIM", "mouth SSIM", "mouth sharpness", "eye sharpness")
    rows = [
        (name, count, kind, *astuple(found))
        for name, (count, *both) in figures.items()
        for kind, found in zip(("plain warp", "guided"), both, strict=True)
    ]
    data = data_table(
        ("data", "clips", "speakers", "samples"),
        {TRAINING: training, VALIDATION: validation},
        samples[:2],
        [("portraits, moved away and back", None, None, samples[2])],
    )
    return picture_card(
        _ABOUT,
        "osmnet train guided RECIPE DATA",
        recipe,
        data,
        _FIGURES.format(size=recipe.config.window_size),
        markdown_table(titles, rows),
    )
