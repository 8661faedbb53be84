"""Rows of the video evaluation: means over clips, and what is asked of the last renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from osmnet_sdk.research.evaluation.video.clips import VideoScore
from osmnet_sdk.research.evaluation.video.drawers import BASELINES

REAL = "real"
PLAIN = "warp"
"""The renderer that others must not fall behind."""

FIRST_WARP_MOUTH = 0.7361
"""Mouth SSIM over the fixed clips (`video.CLIPS`) of the warp as it was at commit 00b2e95."""
_ALIKE = 1e-5
"""Difference of two figures that means nothing: unpainted eyes are alike but for rounding."""
_MOUTH_GAIN = 0.02
_SHARPNESS = 0.1
"""How far CPBD may be from that of the real frames, relative to it."""
_IDENTITY = 0.85
_FLICKER = 1.2


@dataclass(frozen=True)
class VideoFigure:
    """One figure, a mean over clips.

    Attributes:
        name: what is measured.
        unit: of the numbers; "" for ratios.
        values: of each renderer, "real" first; None where there is no such thing.
        asked: what the last renderer's must be, in words; "" if nothing is asked.
        passed: whether it is; None if nothing is asked.
    """

    name: str
    unit: str
    values: dict[str, float | None]
    asked: str
    passed: bool | None


Condition = tuple[str, bool]
"""What is asked, and whether it is so."""


class _Means:
    """Scores by clip and renderer, and the conditions on the last renderer."""

    def __init__(self, scores: Sequence[VideoScore], first_warp: bool) -> None:
        self.renderers = list(dict.fromkeys(score.renderer for score in scores))
        self.scores = scores
        self.judged = self.renderers[-1] if self.renderers[-1] not in BASELINES else None
        self.first_warp = first_warp

    def row(
        self,
        name: str,
        unit: str,
        value: Callable[[VideoScore, VideoScore], float | None],
        *conditions: Callable[[dict[str, float]], Condition | None],
    ) -> VideoFigure:
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
        return VideoFigure(
            name, unit, means, ", ".join(text for text, _ in asked),
            all(passed for _, passed in asked) if asked else None,
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
        """The mouth is better than that of the first warp, where the clips are the same."""
        if not self.first_warp:
            return None
        least = FIRST_WARP_MOUTH + _MOUTH_GAIN
        return f"≥ {least:.3f}", means[str(self.judged)] >= least

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


def video_figures(scores: Sequence[VideoScore], *, first_warp: bool) -> list[VideoFigure]:
    """The rows of the table.

    Args:
        scores: of all renderers, "real" first, over the same clips; the last one is judged, unless
            it is a baseline.
        first_warp: whether these are the clips that the first warp was measured on.
    """
    means = _Means(scores, first_warp)
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


def markdown(figures: Sequence[VideoFigure], scores: Sequence[VideoScore]) -> str:
    """The rows, and the scores of each clip, as two tables of Markdown."""
    renderers = list(figures[0].values)
    lines = [_line(["figure", *renderers, "asked", ""]), "|" + "---|" * (len(renderers) + 3)]
    for row in figures:
        passed = {None: "", True: "yes", False: "**no**"}[row.passed]
        values = [_number(row.values[renderer]) for renderer in renderers]
        name = f"{row.name}, {row.unit}" if row.unit else row.name
        lines.append(_line([name, *values, row.asked, passed]))
    names = [field.name for field in fields(VideoScore)]
    lines += ["", _line([name.replace("_", " ") for name in names]), "|" + "---|" * len(names)]
    lines += [_line([_number(value) for value in asdict(score).values()]) for score in scores]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | int | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)
