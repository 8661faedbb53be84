"""What sound does not decide, laid over what it does: blinks, gaze and brows of one take."""

from __future__ import annotations

from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.expression.adjusting import group_gains, single_gains
from osmnet_sdk.expression.blink import combine, sample_eyes
from osmnet_sdk.expression.brows import sample_brows
from osmnet_sdk.expression.moods import blinking
from osmnet_sdk.options import ExpressionOptions, SampleOptions
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack


def with_gestures(
    spoken: ExpressionTrack,
    motion: MotionTrack,
    sound: SpeechAnalysis,
    *,
    seed: int,
    take: int,
    options: SampleOptions,
    expression_options: ExpressionOptions,
) -> ExpressionTrack:
    """A predicted expression with the blinks, gaze and brows of a take.

    Args:
        spoken: prediction, T frames at 25 fps.
        motion: of the take, T frames; the eyes make up for its turns.
        sound: of T frames.
        seed: of the sampling.
        take: number of the take.
        options: blink rate, strength of gaze and brows.
        expression_options: its gains act on what is sampled, and its moods on how often eyes blink.
    """
    eyes = sample_eyes(
        len(motion), seed=seed, take=take, options=options, speech=sound.activity, motion=motion,
        pace=blinking(expression_options, len(motion)),
    )  # fmt: skip
    brows = sample_brows(sound.level, sound.activity, seed=seed, take=take, options=options)
    gains = group_gains(expression_options) * single_gains(expression_options)
    return combine(spoken, gains * (eyes + brows))
