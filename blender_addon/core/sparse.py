# SPDX-License-Identifier: GPL-3.0-or-later
"""Few keys for many samples: cubic curves that stay within a tolerance of every sample.

Keys stand at samples, with the samples' own slopes, so that a segment between two keys does not
depend on the others: all segments of all curves are halved at their worst sample, at once, until
none is worse than its tolerance. Handles at a third of a segment let time run evenly, so that
Blender draws the very cubic that was fitted.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .channels import COUNT
from .errors import AddonError

Array = NDArray[np.float64]
Places = NDArray[np.intp]

TOLERANCE = np.array([math.radians(0.2)] * 3 + [0.001] * 3 + [0.01] * (COUNT - 6))
"""Radians, metres and coefficient by which keys may miss a sample: 0.2°, 1 mm, 0.01."""

_INNER = 0.7
"""Part of the tolerance that is used; what lies between samples may be a little off."""
_ARM = 1.0 / 2.5614
"""Length of Blender's automatic handles, as part of the way to the next key."""
_COUNTS = struct.Struct(f"<{COUNT}I")


@dataclass
class Spline:
    """Keys of one curve.

    Attributes:
        place: (K,) rising; in samples from the first, which need not be whole.
        value: (K,).
        slope: (K,), per sample.
    """

    place: Array
    value: Array
    slope: Array

    def rows(self) -> Array:
        """(K, 6): place and value of key, left handle and right handle."""
        steps = np.diff(self.place)
        # From one sample to the next, as with a key for each.
        steps = steps * np.where(np.abs(steps - 1.0) < 1e-9, _ARM, 1.0 / 3.0)
        before = np.concatenate([steps[:1], steps]) if len(steps) else np.ones(1)
        after = np.concatenate([steps, steps[-1:]]) if len(steps) else np.ones(1)
        return np.column_stack(
            [
                self.place, self.value,
                self.place - before, self.value - self.slope * before,
                self.place + after, self.value + self.slope * after,
            ]
        )  # fmt: skip

    def through(self, points: Iterable[tuple[float, float]]) -> Spline:
        """The same with keys at these places and values."""
        place, value, slope = self.place, self.value, self.slope
        for where, wanted in points:
            near = int(np.abs(place - where).argmin())
            if abs(place[near] - where) < 1e-4:
                value = value.copy()
                value[near] = wanted
                continue
            after = int(np.searchsorted(place, where))
            steep = _slope_at(Spline(place, value, slope), after, where)
            place, value, slope = (
                np.insert(column, after, one)
                for column, one in ((place, where), (value, wanted), (slope, steep))
            )
        return Spline(place, value, slope)


def _slope_at(spline: Spline, after: int, where: float) -> float:
    """Slope between two keys; 0 beyond the first and the last."""
    if not 0 < after < len(spline.place):
        return 0.0
    one, two = spline.place[after - 1], spline.place[after]
    length = two - one
    share = (where - one) / length
    rise = (spline.value[after] - spline.value[after - 1]) / length
    first, last = spline.slope[after - 1], spline.slope[after]
    return float(
        6 * share * (1 - share) * rise
        + (1 - share) * (1 - 3 * share) * first
        + share * (3 * share - 2) * last
    )


def slopes(values: ArrayLike) -> Array:
    """Slopes of samples, (T, C) per sample: central differences; 0 at peaks, as clamped handles."""
    samples = np.asarray(values, np.float64)
    steep = np.zeros_like(samples)
    if len(samples) > 2:
        before, after = samples[1:-1] - samples[:-2], samples[2:] - samples[1:-1]
        rising = before * after > 0.0
        # Clamped handles reach no further than the neighbour's value.
        most = np.minimum(np.abs(before), np.abs(after)) / _ARM
        middle = (before + after) / 2.0
        steep[1:-1] = np.where(rising, np.clip(middle, -most, most), 0.0)
    return steep


def fit(
    values: ArrayLike, tolerance: ArrayLike, kept: Iterable[int] = (), slope: Array | None = None
) -> list[Spline]:
    """Curves through few of the samples that miss none by more than a tolerance.

    Args:
        values: (T, C) samples.
        tolerance: (C,) above 0.
        kept: samples that have a key in each curve, besides the first and the last.
        slope: (T, C) slopes at the samples; None are those of `slopes`.

    Returns:
        C curves, whose places are whole.
    """
    samples = np.ascontiguousarray(np.asarray(values, np.float64).T)
    steep = np.ascontiguousarray((slopes(values) if slope is None else slope).T)
    limits = np.asarray(tolerance, np.float64) * _INNER
    channels, count = samples.shape
    wanted = _with_middles(samples, steep)
    ends = np.array(sorted({0, count - 1, *(k for k in kept if 0 <= k < count)}), np.intp)
    chosen = np.zeros((channels, count), bool)
    chosen[:, ends] = True
    curve = np.repeat(np.arange(channels), len(ends) - 1)
    first, last = np.tile(ends[:-1], channels), np.tile(ends[1:], channels)
    while len(curve):
        wide = last - first > 1
        curve, first, last = curve[wide], first[wide], last[wide]
        if not len(curve):
            break
        worst, error = _worst(wanted, samples, steep, curve, first, last)
        bad = error > limits[curve]
        curve, first, last, worst = curve[bad], first[bad], last[bad], worst[bad]
        chosen[curve, worst] = True
        curve = np.concatenate([curve, curve])
        first, last = np.concatenate([first, worst]), np.concatenate([worst, last])
    found = []
    for channel in range(channels):
        places = np.flatnonzero(chosen[channel])
        found.append(
            Spline(places.astype(np.float64), samples[channel, places], steep[channel, places])
        )
    return found


def _with_middles(samples: Array, steep: Array) -> Array:
    """(C, 2 T − 1): samples, and between them what Blender draws with a key for each."""
    wanted = np.empty((len(samples), 2 * samples.shape[1] - 1))
    wanted[:, 0::2] = samples
    middle = (samples[:, 1:] + samples[:, :-1]) / 2.0
    wanted[:, 1::2] = middle + 0.375 * _ARM * (steep[:, :-1] - steep[:, 1:])
    return wanted


def _worst(
    wanted: Array, samples: Array, steep: Array, curve: Places, first: Places, last: Places
) -> tuple[Places, Array]:
    """Of each segment, the sample near which its cubic misses most, and by how much."""
    inside = 2 * (last - first) - 1
    starts = np.concatenate([[0], np.cumsum(inside)[:-1]])
    segment = np.repeat(np.arange(len(curve)), inside)
    step = np.arange(len(segment)) - starts[segment] + 1
    flat, base = samples.ravel(), curve * samples.shape[1]
    slope = steep.ravel()
    length = (last - first).astype(np.float64)
    v0, v1 = flat[base + first], flat[base + last]
    rise, m0, m1 = v1 - v0, slope[base + first] * length, slope[base + last] * length
    quadratic, cubic = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise
    share = step / (2.0 * length[segment])
    drawn = v0[segment] + share * (
        m0[segment] + share * (quadratic[segment] + share * cubic[segment])
    )
    there = (curve * wanted.shape[1] + 2 * first)[segment] + step
    error = np.abs(drawn - wanted.ravel()[there])
    largest = np.maximum.reduceat(error, starts)
    candidates = np.where(error >= largest[segment], step, np.iinfo(np.intp).max)
    near = first + (np.minimum.reduceat(candidates, starts) + 1) // 2
    return np.minimum(near, last - 1), largest


def pack(curves: dict[int, Array]) -> bytes:
    """Keys of channels, (K, 6) each as of `Spline.rows`, to be kept with an action."""
    counts = [len(curves.get(channel, ())) for channel in range(COUNT)]
    rows: Sequence[Array] = [curves[channel] for channel in sorted(curves)]
    body = np.concatenate(rows) if rows else np.zeros((0, 6))
    return _COUNTS.pack(*counts) + zlib.compress(body.T.astype("<f8").tobytes(), 1)


def unpack(data: bytes) -> dict[int, Array]:
    """The keys of `pack`.

    Raises:
        AddonError: if the data are damaged.
    """
    damaged = AddonError("The keys as sampled are damaged; sample or import the take again.")
    if len(data) < _COUNTS.size:
        raise damaged
    counts = np.array(_COUNTS.unpack_from(data), np.int64)
    size = int(counts.sum()) * 48
    decompressor = zlib.decompressobj()
    try:
        body = decompressor.decompress(data[_COUNTS.size :], size + 1)
    except zlib.error as error:
        raise damaged from error
    if len(body) != size or not decompressor.eof or decompressor.unused_data:
        raise damaged
    rows = np.frombuffer(body, "<f8").reshape(6, -1).T
    ends = np.cumsum(counts)
    return {
        channel: rows[end - count : end].copy()
        for channel, (count, end) in enumerate(zip(counts, ends, strict=True))
        if count
    }
