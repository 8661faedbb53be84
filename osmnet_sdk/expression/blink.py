"""Blinks and small gaze shifts, sampled with a take, since sound does not decide them.

Rates and shapes after Bentivoglio et al. 1997 (blinks of people who speak), VanderWerf et al.
2003 (a lid closes about twice as fast as it opens) and Bahill et al. 1975 (how long an eye takes to
turn).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.audio.prosody import phrases
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.errors import InputError
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

FloatArray = NDArray[np.float32]

CLOSING, CLOSED, OPENING = 0.080, 0.055, 0.160
"""Seconds that a lid takes to close, stays closed (one frame at least) and takes to open."""

GAZE_DEGREES = {"Out": 20.0, "In": 20.0, "Down": 15.0, "Up": 10.5}
"""Turn of the eye at a coefficient of 1, measured on the bundle's face model."""

_SHORTEST, _LONGEST = 2.02, 14.0  # seconds between blinks: 2 to 30 a minute, whatever is drawn
_SPREAD = 0.8  # of the logarithm of the interval
_PAUSE_REACH = 0.45  # seconds over which the edge of a phrase draws a blink to itself
_HEAD_SHARE = 0.6  # of a head turn that the eyes make up for
_LARGEST_GAZE = 14.0

_DEFAULT_OPTIONS = SampleOptions()


@dataclass(frozen=True)
class _Blink:
    start: float
    lag: float  # of the right eye, seconds
    depth: tuple[float, float]  # of left and right eye


def sample_eyes(
    frames: int,
    *,
    seed: int,
    take: int,
    options: SampleOptions = _DEFAULT_OPTIONS,
    speech: ArrayLike | None = None,
    motion: MotionTrack | None = None,
    pace: ArrayLike = 1.0,
) -> FloatArray:
    """Blinks and gaze of one take, to be added to a predicted expression by `combine`.

    Same arguments, same eyes; a longer take begins with the eyes of a shorter one.

    Args:
        frames: length T of the take, at 25 fps.
        seed: 0 or more.
        take: number of the take, 0 or more.
        options: blink rate and strength of gaze.
        speech: (T,) voice activity in [0, 1]; blinks like to come where phrases end and begin.
        motion: head motion of the take; the eyes hold on to the viewer as the head turns.
        pace: factor on the rate of blinks, or (T,) one for each frame.

    Returns:
        (T, 52) float32 coefficients of the eyes, 0 elsewhere.

    Raises:
        InputError: if a number is negative or a length differs.
    """
    if frames < 0 or seed < 0 or take < 0:
        raise InputError("frames, seed and take must be 0 or more.")
    times = np.arange(frames) / float(FPS)
    edges = _phrase_edges(speech, frames)
    rates = options.blinks_per_minute * np.broadcast_to(np.asarray(pace, np.float64), frames)
    blinks = _blinks(frames / float(FPS), [seed, take, 1], rates, edges)
    result = np.zeros((frames, len(ARKIT_NAMES)))
    for blink in blinks:
        for side, lag, depth in zip(("Left", "Right"), (0.0, blink.lag), blink.depth, strict=True):
            near = slice(
                max(int((blink.start - 0.1) * float(FPS)), 0),
                int((blink.start + 0.5) * float(FPS)) + 2,
            )
            lid = depth * _lid(times[near] - blink.start - lag)
            column = result[near, ARKIT_NAMES.index(f"eyeBlink{side}")]
            np.maximum(column, lid, out=column)
            squint = result[near, ARKIT_NAMES.index(f"eyeSquint{side}")]
            np.maximum(squint, 0.15 * lid, out=squint)
    if options.gaze > 0:
        yaw, pitch = _gaze(times, [seed, take, 2])
        head_yaw, head_pitch = _compensation(motion, frames)
        _put_gaze(result, options.gaze * (yaw + head_yaw), options.gaze * (pitch + head_pitch))
    return result.astype(np.float32)


def combine(expression: ExpressionTrack, eyes: ArrayLike) -> ExpressionTrack:
    """Lay sampled eyes and brows over a predicted expression.

    A blink closes what is left open of the eye, and undoes how wide it is; everything else adds up,
    within [0, 1].

    Args:
        expression: track of T frames.
        eyes: (T, 52), of `sample_eyes`, with those of `brows.sample_brows` added or without.

    Raises:
        InputError: if the shapes differ.
    """
    added = np.asarray(eyes, np.float32)
    base = expression.coefficients
    if added.shape != base.shape:
        raise InputError(f"eyes must have shape {base.shape}, not {added.shape}.")
    total = np.clip(base + added, 0.0, 1.0)
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        column = ARKIT_NAMES.index(name)
        opened = 1.0 - np.clip(added[:, column], 0.0, 1.0)
        total[:, column] = 1.0 - (1.0 - base[:, column]) * opened
        # A lid that is raised wide would else stay short of the lower one.
        wide = ARKIT_NAMES.index(name.replace("Blink", "Wide"))
        total[:, wide] = np.clip(base[:, wide] * opened + added[:, wide], 0.0, 1.0)
    return ExpressionTrack(expression.fps, total, expression.names, expression.provenance)


def _phrase_edges(speech: ArrayLike | None, frames: int) -> NDArray[np.float64]:
    """Seconds at which blinks like to begin: as a phrase ends, and to be shut as one begins.

    Of 289 tracked blinks 2.2 times as many as by chance were shut within 0.1 s of a phrase's
    beginning, and 1.4 times as many 0.3 to 0.7 s after an end.
    """
    if speech is None:
        return np.zeros(0)
    active = np.asarray(speech, np.float64)
    if active.shape != (frames,):
        raise InputError(f"speech must have shape ({frames},), not {active.shape}.")
    starts, ends = phrases(active >= 0.5)
    return np.sort(np.concatenate([ends, starts - CLOSING]))


def _blinks(
    seconds: float, key: list[int], rates: NDArray[np.float64], edges: NDArray[np.float64]
) -> list[_Blink]:
    """Blinks in order of time: log-normal waiting times beyond a shortest one.

    Rates are a minute's, (T,), of which all are 0 or none.
    """
    if not rates.any():
        return []
    rng = np.random.default_rng(key)
    means = 60.0 / rates
    result: list[_Blink] = []
    last, time = -np.inf, float(rng.uniform(0.15, 1.0)) * min(float(means[0]), 6.0)
    while time < seconds:
        mean = float(means[min(int(time * float(FPS)), len(means) - 1)])
        beyond = max(mean - _SHORTEST, 0.0)
        longest = max(_LONGEST, 2.5 * mean)
        wait = _SHORTEST + beyond * float(rng.lognormal(-(_SPREAD**2) / 2, _SPREAD))
        lag, deep = float(rng.normal(0.0, 0.005)), rng.uniform(0.97, 1.0, 2)
        drawn = rng.random() < 0.6
        if len(edges) and drawn:
            nearest = float(edges[np.argmin(np.abs(edges - time))])
            fits = last + _SHORTEST <= nearest <= last + longest
            if abs(nearest - time) < _PAUSE_REACH and fits:
                time = nearest
        result.append(
            _Blink(time, float(np.clip(lag, -0.01, 0.01)), (float(deep[0]), float(deep[1])))
        )
        last = time
        time += min(wait, longest - _PAUSE_REACH)
    return [blink for blink in result if blink.start < seconds]


def _lid(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Closure of a lid, 0 to 1, at times (n,) in seconds from the start of the blink."""
    up = np.clip((time - CLOSING - CLOSED) / OPENING, 0.0, 1.0)
    # It falls like a smooth step and comes up fast at first, then ever slower.
    result: NDArray[np.float64] = smoothstep(time / CLOSING) * (1 - up) ** 2 * (1 + 2 * up)
    return result


def _gaze(
    times: NDArray[np.float64], key: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Yaw (left > 0) and pitch (down > 0) of the gaze in degrees: away and back to the viewer."""
    rng = np.random.default_rng(key)
    yaw, pitch = np.zeros_like(times), np.zeros_like(times)
    seconds = float(times[-1]) if len(times) else 0.0
    place, time, away = np.zeros(2), 0.0, False
    while True:
        stay = rng.lognormal(np.log(0.7), 0.4) if away else rng.lognormal(np.log(1.8), 0.6)
        time += float(np.clip(stay, 0.25, 1.6 if away else 6.0))
        if time > seconds:
            return yaw, pitch
        size, angle = float(rng.uniform(2.0, 8.0)), float(rng.uniform(0.0, 2 * np.pi))
        small = rng.normal(0.0, 0.5, 2)
        leave = not away and rng.random() < 0.75
        # Sideways more than up and down, as eyes do in talk.
        there = size * np.array([np.cos(angle), 0.6 * np.sin(angle)]) if leave else small
        if leave and np.linalg.norm(there) < 2.0:
            there *= 2.0 / np.linalg.norm(there)
        step = there - place
        duration = 0.021 + 0.0022 * float(np.linalg.norm(step))
        share = smoothstep((times - time) / duration)
        yaw += share * step[0]
        pitch += share * step[1]
        place, away = there, leave


def _compensation(
    motion: MotionTrack | None, frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eye turn in degrees that keeps part of a head turn from leading the gaze away."""
    if motion is None:
        return np.zeros(frames), np.zeros(frames)
    if len(motion) != frames or motion.fps != FPS:
        raise InputError(
            f"motion must have {frames} frames at {FPS} fps, not {len(motion)} at {motion.fps}."
        )
    rotation = motion.rotation.astype(np.float64)
    return -_HEAD_SHARE * rotation[:, 1], -_HEAD_SHARE * rotation[:, 0]


def _put_gaze(
    result: NDArray[np.float64], yaw: NDArray[np.float64], pitch: NDArray[np.float64]
) -> None:
    """Turn both eyes; the lids follow a gaze up or down in the blendshapes themselves."""
    yaw = _LARGEST_GAZE * np.tanh(yaw / _LARGEST_GAZE)
    pitch = 0.6 * _LARGEST_GAZE * np.tanh(pitch / (0.6 * _LARGEST_GAZE))

    def put(name: str, degrees: NDArray[np.float64], direction: str) -> None:
        share = np.clip(degrees / GAZE_DEGREES[direction], 0.0, 1.0)
        result[:, ARKIT_NAMES.index(name)] = share

    put("eyeLookOutLeft", yaw, "Out")
    put("eyeLookInRight", yaw, "In")
    put("eyeLookInLeft", -yaw, "In")
    put("eyeLookOutRight", -yaw, "Out")
    for side in ("Left", "Right"):
        put(f"eyeLookDown{side}", pitch, "Down")
        put(f"eyeLookUp{side}", -pitch, "Up")
