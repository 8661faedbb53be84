"""Rows of the video evaluation: means over clips, and what is asked of the last renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields

import numpy as np

from osmnet_sdk.research.evaluation.table import REAL, Figure, figure_table
from osmnet_sdk.research.evaluation.video.clips import VideoScore
from osmnet_sdk.research.evaluation.video.drawers import BASELINES
from osmnet_sdk.research.tables import markdown_table

PLAIN = "warp"
"""The renderer that others must not fall behind."""

_ALIKE = 1e-5
"""Difference of two figures that means nothing: unpainted eyes are alike but for rounding."""
_SHARPNESS = 0.1
"""How far CPBD may be from that of the real frames, relative to it."""
_IDENTITY = 0.85
_FLICKER = 1.2


Condition = tuple[str, bool]
"""What is asked, and whether it is so."""


class _Means:
    """Scores by clip and renderer, and the conditions on the last renderer."""

    def __init__(self, scores: Sequence[VideoScore], least_mouth: float | None) -> None:
        self.renderers = list(dict.fromkeys(score.renderer for score in scores))
        self.scores = scores
        self.judged = self.renderers[-1] if self.renderers[-1] not in BASELINES else None
        self.least_mouth = least_mouth

    def row(
        self,
        name: str,
        unit: str,
        value: Callable[[VideoScore, VideoScore], float | None],
        *conditions: Callable[[dict[str, float]], Condition | None],
    ) -> Figure:
        """Means of `value(score, score of the clip's real frames)`."""
        own = {score.clip: score for score in self.scores if score.renderer == REAL}
        means: dict[str, float | None] = {}
        for renderer in self.renderers:
            found = [value(s, own[s.clip]) for s in self.scores if s.renderer == renderer]
            known = [number for number in found if number is not None]
            means[renderer] = float(np.mean(known)) if known else None
        numbers = {key: number for key, number in means.items() if number is not None}
        met = [condition(numbers) for condition in conditions if self.judged in numbers]
        asked = [condition for condition in met if condition is not None]
        return Figure(
            name=name, unit=unit, values=means, asked=", ".join(text for text, _ in asked),
            passed=all(passed for _, passed in asked) if asked else None,
        )  # fmt: skip

    def not_below(self, means: dict[str, float]) -> Condition | None:
        """The judged renderer is no lower than the plain warp."""
        if self.judged in (None, PLAIN) or PLAIN not in means:
            return None
        return f"≥ {PLAIN}", means[str(self.judged)] >= means[PLAIN] - _ALIKE

    def not_above(self, means: dict[str, float]) -> Condition | None:
        """The judged renderer is no higher than the plain warp."""
        if self.judged in (None, PLAIN) or PLAIN not in means:
            return None
        return f"≤ {PLAIN}", means[str(self.judged)] <= means[PLAIN] + _ALIKE

    def mouth_gain(self, means: dict[str, float]) -> Condition | None:
        """The mouth is as good as is asked for."""
        if self.least_mouth is None:
            return None
        return f"≥ {self.least_mouth:.3f}", means[str(self.judged)] >= self.least_mouth

    def as_sharp(self, means: dict[str, float]) -> Condition:
        """CPBD is that of the real frames."""
        ratio = means[str(self.judged)] / means[REAL]
        return f"within {_SHARPNESS:.0%} of real", abs(ratio - 1) <= _SHARPNESS

    def identity(self, means: dict[str, float]) -> Condition:
        """The face is nearly as similar as real frames are to each other."""
        least = _IDENTITY * means[REAL]
        return f"≥ {_IDENTITY:g} × real", means[str(self.judged)] >= least

    def steady(self, means: dict[str, float]) -> Condition:
        """Frames change hardly more than the real ones do."""
        return f"≤ {_FLICKER:g}", means[str(self.judged)] <= _FLICKER


def video_figures(
    scores: Sequence[VideoScore], *, least_mouth: float | None = None
) -> list[Figure]:
    """The rows of the table.

    Args:
        scores: of all renderers, "real" first, over the same clips; the last one is judged, unless
            it is a baseline.
        least_mouth: SSIM of the mouth that is asked for, such as another version's and a gain.
    """
    means = _Means(scores, least_mouth)
    rows = [
        means.row("SSIM", "", lambda s, _: s.ssim, means.not_below),
        means.row("SSIM, face", "", lambda s, _: s.face_ssim, means.not_below),
        means.row("SSIM, mouth", "", lambda s, _: s.mouth_ssim, means.not_below, means.mouth_gain),
        means.row("LMD", "px", lambda s, _: s.landmark_distance, means.not_above),
        means.row("LMD, mouth", "px", lambda s, _: s.mouth_distance, means.not_above),
        means.row("CPBD", "", lambda s, _: s.sharpness, means.not_below, means.as_sharp),
        means.row("eye sharpness over real", "", lambda s, _: s.eye_sharpness, means.not_below),
        means.row("identity similarity", "", lambda s, _: s.identity, means.identity),
        means.row("flicker over real", "", _flicker, means.steady),
        means.row("frames without a face", "", lambda s, _: s.lost / s.frames),
    ]
    return [row for row in rows if any(value is not None for value in row.values.values())]


def _flicker(score: VideoScore, own: VideoScore) -> float | None:
    return score.flicker / own.flicker if own.flicker else None  # frozen frames have none


def markdown(figures: Sequence[Figure], scores: Sequence[VideoScore]) -> str:
    """The rows, and the scores of each clip, as two tables of Markdown."""
    titles = [field.name.replace("_", " ") for field in fields(VideoScore)]
    rows = [tuple(asdict(score).values()) for score in scores]
    return f"{figure_table(figures)}\n\n{markdown_table(titles, rows)}"
