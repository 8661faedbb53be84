"""The card beside the generator's weights: how they were made and what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers.generator.figures import SelfDriven
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe

_TEXT = """# Video Generator

Weights of the paper's Video Generator (section III-C) in `generator.safetensors`, with the motion
decoder that was trained end to end with it. A photo, head poses and expression coefficients go in;
frames come out.

The people in the clips below can be recognised in what a generator draws that has seen few of
them: use clips of people who agreed, and say here under which licence you pass the weights on.

## Made by

    osmnet train generator RECIPE DATA

```json
{recipe}
```

| data (frames at 25 fps) | clips | speakers | minutes |
|---|---|---|---|
{data}

## Figures

Self-driven from the first frame of each clip, mean SSIM. "Real motion": driven by the features of
the clip's own motion. "Sound": by what the motion network hears, from a real pose at the start of
each window; expression is the tracked one in both.

| | frames | real motion | sound | first frame held still |
|---|---|---|---|---|
{figures}
"""


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
    data = [_data("training", training), _data("validation, other speakers", validation)]
    rows = [
        f"| {name} | {found.frames} | {found.real:.3f} | {found.heard:.3f} | {found.still:.3f} |"
        for name, found in figures.items()
    ]
    return _TEXT.format(
        recipe=recipe.model_dump_json(indent=2), data="\n".join(data), figures="\n".join(rows)
    )


def _data(name: str, segments: Sequence[Segment]) -> str:
    frames = sum(len(segment) for segment in segments)
    speakers = len({segment.clip.speaker for segment in segments})
    return f"| {name} | {len(segments)} | {speakers} | {frames / 25 / 60:.1f} |"
