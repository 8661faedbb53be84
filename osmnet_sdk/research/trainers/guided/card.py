"""The card beside the guided generator's weights: how they were made and what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers.guided.figures import WindowFigures
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe

_TEXT = """# Guided generator

Weights of the guided generator in `guided.safetensors`. The warped photo of a face, what the warp
knows of each of its pixels, the photo and what drives the frame go in; what to change comes out.

It learned from the pixels of the clips and portraits below: use pictures whose licence allows it,
and say here under which licence you pass the weights on.

## Made by

    osmnet train guided RECIPE DATA

```json
{recipe}
```

| data | clips | speakers | samples |
|---|---|---|---|
{data}

## Figures

Face windows of {size} × {size} pixels, drawn from other frames of the same clip. Sharpness:
strength of edges over that of the real ones.

| | windows | | SSIM | mouth SSIM | mouth sharpness | eye sharpness |
|---|---|---|---|---|---|---|
{figures}
"""

Measured = tuple[int, WindowFigures, WindowFigures]
"""Number of windows, figures of the plain warp and of the guided generator."""


def guided_card(
    recipe: GuidedRecipe,
    figures: Mapping[str, Measured],
    training: Sequence[Segment],
    validation: Sequence[Segment],
    samples: Mapping[str, int],
) -> str:
    """The card as Markdown.

    Args:
        recipe: that was trained.
        figures: what was measured, by what it was measured on.
        training: clips learned from.
        validation: clips held out.
        samples: numbers of samples: "training", "validation" and "portraits".
    """
    data = [
        _data("training", training, samples["training"]),
        _data("validation, other speakers", validation, samples["validation"]),
        f"| portraits, moved away and back | | | {samples['portraits']} |",
    ]
    rows = []
    for name, (count, plain, guided) in figures.items():
        for kind, found in (("plain warp", plain), ("guided", guided)):
            values = " | ".join(f"{value:.3f}" for value in astuple(found))
            rows.append(f"| {name} | {count} | {kind} | {values} |")
    return _TEXT.format(
        recipe=recipe.model_dump_json(indent=2),
        data="\n".join(data),
        figures="\n".join(rows),
        size=recipe.config.window_size,
    )


def _data(name: str, segments: Sequence[Segment], samples: int) -> str:
    speakers = len({segment.clip.speaker for segment in segments})
    return f"| {name} | {len(segments)} | {speakers} | {samples} |"
