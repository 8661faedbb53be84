# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of one curve of which a range is replaced while the rest stays, keys and values.

A curve is known between its keys by handles, which Blender may move when a neighbour changes. Where
that would reach out of the range, they are frozen; where no key stands at the range's end, the
curve is split there without a change of its shape (de Casteljau).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAME_FRAME = 1e-3
"""Frames by which two keys at one place may differ."""
_HALVINGS = 60


@dataclass(frozen=True)
class Kinds:
    """Blender's numbers for the kinds of keys that are told apart here."""

    bezier: int
    free: int
    automatic: int


@dataclass
class Keys:
    """The keys of a curve, in order of time.

    Attributes:
        co: (K, 2) scene frames and values.
        left: (K, 2) left handles.
        right: (K, 2) right handles.
        other: (K,) of each other property of a key, by its name: "interpolation",
            "handle_left_type" and so on.
    """

    co: Array
    left: Array
    right: Array
    other: dict[str, NDArray[np.generic]]

    def __len__(self) -> int:
        """Number of keys."""
        return len(self.co)

    def taken(self, places: NDArray[np.intp] | NDArray[np.bool_]) -> Keys:
        """The keys at these places."""
        other = {name: values[places] for name, values in self.other.items()}
        return Keys(self.co[places], self.left[places], self.right[places], other)

    def at(self, frame: float) -> int:
        """The place of the key at a frame; −1 if there is none."""
        if not len(self):
            return -1
        near = int(np.abs(self.co[:, 0] - frame).argmin())
        return near if abs(self.co[near, 0] - frame) < SAME_FRAME else -1


def joined(*parts: Keys) -> Keys:
    """Keys one after another."""
    other = {name: np.concatenate([p.other[name] for p in parts]) for name in parts[0].other}
    return Keys(
        np.concatenate([p.co for p in parts]),
        np.concatenate([p.left for p in parts]),
        np.concatenate([p.right for p in parts]),
        other,
    )


def new_keys(frames: Array, values: Array, like: Keys, kinds: Kinds) -> Keys:
    """Smooth keys with clamped handles; properties that `like` has besides are 0."""
    co = np.column_stack([frames, values])
    other = {name: np.zeros(len(co), array.dtype) for name, array in like.other.items()}
    other["interpolation"][:] = kinds.bezier
    for side in ("handle_left_type", "handle_right_type"):
        other[side][:] = kinds.automatic
    return Keys(co, co.copy(), co.copy(), other)


def split(keys: Keys, frame: float, evaluate: Callable[[float], float], kinds: Kinds) -> Keys:
    """The same curve with a key more, at a frame between its first and its last key.

    Args:
        keys: of the curve, one at the frame is enough.
        frame: scene frame.
        evaluate: the curve's value at a frame.
        kinds: numbers of kinds.
    """
    if keys.at(frame) >= 0 or not keys.co[0, 0] < frame < keys.co[-1, 0]:
        return keys
    after = int(np.searchsorted(keys.co[:, 0], frame))
    one = keys.taken(np.array([after - 1]))  # other kinds of interpolation go on as they are
    one.co[0] = one.left[0] = one.right[0] = (frame, evaluate(frame))
    result = joined(keys.taken(np.arange(after)), one, keys.taken(np.arange(after, len(keys))))
    if keys.other["interpolation"][after - 1] == kinds.bezier:
        points = _divided(keys, after - 1, frame)
        result.right[after - 1], result.left[after], result.co[after] = points[:3]
        # The last two are the handle after the new key and the one before the next.
        result.right[after], result.left[after + 1] = points[3:]
        result.co[after, 0] = frame
        for place in range(after - 1, after + 2):
            _freeze(result, place, kinds)
    return result


def _divided(keys: Keys, place: int, frame: float) -> Array:
    """(5, 2): handles and key that divide a segment at a frame."""
    first, last = keys.co[place], keys.co[place + 1]
    reach = last[0] - first[0]
    inner = []
    for key, handle in ((first, keys.right[place]), (last, keys.left[place + 1])):
        arm = handle - key
        inner.append(key + arm * min(1.0, reach / max(abs(arm[0]), 1e-12)))  # as Blender does
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        place_there = _between(first, inner[0], inner[1], last, middle)[2][0]
        low, high = (middle, high) if place_there < frame else (low, middle)
    return _between(first, inner[0], inner[1], last, (low + high) / 2)


def _between(a: Array, b: Array, c: Array, d: Array, share: float) -> Array:
    ab, bc, cd = a + share * (b - a), b + share * (c - b), c + share * (d - c)
    abc, bcd = ab + share * (bc - ab), bc + share * (cd - bc)
    return np.array([ab, abc, abc + share * (bcd - abc), bcd, cd])


def _freeze(keys: Keys, place: int, kinds: Kinds) -> None:
    for side in ("handle_left_type", "handle_right_type"):
        keys.other[side][place] = kinds.free


def spliced(
    keys: Keys, window: tuple[float, float], new: Keys, ends: tuple[float | None, float | None],
    evaluate: Callable[[float], float], kinds: Kinds,
    arms: tuple[Array | None, Array | None] = (None, None),
) -> Keys:  # fmt: skip
    """A curve with new keys in a range.

    Args:
        keys: of the curve.
        window: first and last scene frame at which it may differ.
        new: keys within the window.
        ends: scene frames within the window before and after the new keys, where the old curve
            goes on; None where it does not.
        evaluate: the curve's value at a frame.
        kinds: numbers of kinds.
        arms: (2,) offsets of the handles there that point to the new keys, where these are given.
    """
    before, after = ends
    for end in ends:
        if end is not None:
            keys = split(keys, end, evaluate, kinds)
    for end, step, arm in ((before, -1, arms[0]), (after, 1, arms[1])):
        place = -1 if end is None else keys.at(end)
        beyond = place + step
        if place < 0:
            continue
        outside = 0 <= beyond < len(keys) and not (
            window[0] - SAME_FRAME <= keys.co[beyond, 0] <= window[1] + SAME_FRAME
        )
        if outside or arm is not None:
            # The neighbour inside would move handles that shape the curve out there.
            _freeze(keys, place, kinds)
        if arm is not None:
            handles = keys.right if step < 0 else keys.left
            handles[place] = keys.co[place] + arm
    times = keys.co[:, 0]
    head = keys.taken(times <= (-np.inf if before is None else before + SAME_FRAME))
    tail = keys.taken(times >= (np.inf if after is None else after - SAME_FRAME))
    return joined(head, new, tail)
