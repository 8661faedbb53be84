"""The sound of a video, and whether it is in step with the lips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from osmnet_sdk.audio.activity import speech_energy
from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.formats.video import video_info
from osmnet_sdk.research.data.layouts import Video

SILENCE = -40.0
"""Sound whose loudest frame is below this is none, dBFS: some videos carry an empty track."""

MAX_LAG = 0.2
"""Seconds between lips and sound from which a video is out of sync."""

_REACH = 25
"""Frames by which lips and sound are shifted against each other, in both directions."""
_SHORTEST = 250
"""Frames (10 s) below which chance decides which lag fits best."""
_CLEAR = 0.3
"""Correlation from which a lag is believed; lips and level of real clips reach 0.25 to 0.4."""
_BETTER = 0.15
"""By how much it must beat every lag that would be in sync."""
_SLOW = 12.5
"""Standard deviation in frames of the trend that is taken off."""
_QUIET = -50.0
"""Levels below count as this, dBFS."""

_Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def sound_of(video: Video) -> NDArray[np.float32] | None:
    """The sound of a video, (n,) float32, 16 kHz mono; None if it has none or it is silent.

    Sample 0 belongs to the first frame. A file beside the video counts before its own track.

    Raises:
        InputError: if the sound or the video cannot be read.
    """
    if video.sound is not None:
        samples = load_audio(video.sound).samples
    elif not video.muted and video_info(video.path).has_audio:
        samples = load_audio(video.path).samples
    else:
        return None
    return samples if is_heard(samples) else None


def is_heard(samples: NDArray[np.float32]) -> bool:
    """Whether samples (n,), 16 kHz mono, are more than silence."""
    return len(samples) > 0 and float(speech_energy(samples).max()) > SILENCE


def lips_behind(
    gaps: Sequence[NDArray[np.float32]], levels: Sequence[NDArray[np.float32]]
) -> float | None:
    """Seconds by which lips come after the sound, where that is clear.

    The lip gap is correlated with the level of the sound at lags of up to a second. That finds
    gross errors only: it takes 10 s of speech, and lips that stand out from the noise of tracking.

    Args:
        gaps: lip gap of each piece of a video, (T,) at 25 fps.
        levels: level of its sound, (T,) dBFS.

    Returns:
        The lag, below 0 where lips lead; None if the pieces do not tell.
    """
    pairs = [
        (_detrended(gap), _detrended(np.maximum(level, _QUIET)))
        for gap, level in zip(gaps, levels, strict=True)
        if len(gap) > 2 * _REACH
    ]
    if sum(len(gap) for gap, _ in pairs) < _SHORTEST:
        return None
    lags = np.arange(-_REACH, _REACH + 1)
    fits = np.array([_correlation(pairs, int(lag)) for lag in lags])
    best = int(fits.argmax())
    near = fits[np.abs(lags) <= MAX_LAG * float(FPS)].max()
    if fits[best] < _CLEAR or (fits[best] > near and fits[best] < near + _BETTER):
        return None
    return float(lags[best] / FPS)


def _detrended(values: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = values.astype(np.float64)
    return np.asarray(exact - gaussian_filter1d(exact, _SLOW), np.float64)


def _correlation(
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], lag: int
) -> float:
    """Of the lips with the sound `lag` frames before."""
    lips = np.concatenate([gap[max(lag, 0) : len(gap) + min(lag, 0)] for gap, _ in pairs])
    sound = np.concatenate([level[max(-lag, 0) : len(level) - max(lag, 0)] for _, level in pairs])
    spread = float(lips.std() * sound.std())
    return float(((lips - lips.mean()) * (sound - sound.mean())).mean()) / spread if spread else 0.0
