from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from osmnet_addon.core import edits
from osmnet_addon.core.errors import AddonError


def curves(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).normal(size=(frames, 58))


@pytest.mark.parametrize("frames", [0, 1, 25, 1500])
def test_packed_curves_come_back(frames: int) -> None:
    values = curves(frames)
    data = edits.pack(values)
    assert isinstance(data, bytes)
    back = edits.unpack(data)
    assert back.shape == (frames, 58)
    assert back.dtype == np.float64
    np.testing.assert_array_equal(back, values.astype(np.float32))


def test_wrong_shapes_are_not_packed() -> None:
    with pytest.raises(ValueError, match="shape"):
        edits.pack(np.zeros((3, 57)))


@pytest.mark.parametrize("cut", [0, 5, 12, 40, -1])
def test_cut_data_are_refused(cut: int) -> None:
    with pytest.raises(AddonError, match="damaged"):
        edits.unpack(edits.pack(curves(25))[:cut])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 255))
def test_damaged_data_are_refused_or_harmless(place: int, value: int) -> None:
    data = bytearray(edits.pack(curves(10)))
    data[place % len(data)] = value
    with suppress(AddonError):
        assert edits.unpack(bytes(data)).shape == (10, 58)


def test_newer_and_huge_data_are_refused() -> None:
    with pytest.raises(AddonError, match="newer"):
        edits.unpack(struct.pack("<4sII", b"OSMc", 2, 1) + b"?")
    with pytest.raises(AddonError, match="damaged"):
        edits.unpack(struct.pack("<4sII", b"OSMc", 1, 2**32 - 1) + zlib.compress(b""))
    with pytest.raises(AddonError, match="damaged"):
        edits.unpack(struct.pack("<4sII", b"OSMc", 1, 1) + zlib.compress(bytes(10**8)))


def test_rounding_is_no_edit() -> None:
    sampled = curves(30)
    edited = sampled + 0.9e-5
    edited[3, 4] += 0.5
    change = edits.difference(edited, sampled)
    assert np.argwhere(change).tolist() == [[3, 4]]
    assert change[3, 4] == pytest.approx(0.5, abs=1e-4)
    assert not edits.difference(edits.unpack(edits.pack(sampled)), sampled).any()
    assert edits.difference(edited, sampled, tolerance=1.0).any() == np.False_


def test_keys_stand_only_around_edits() -> None:
    change = np.zeros((10, 58))
    change[4:6, 7] = 0.5, 0.25
    frames = 1 + np.arange(10) * 0.96
    layer = edits.layer_keys(frames, change)
    assert list(layer) == [7]
    np.testing.assert_array_equal(layer[7], np.column_stack([frames[3:7], [0, 0.5, 0.25, 0]]))


def test_edits_at_the_ends_have_no_zero_beyond() -> None:
    change = np.zeros((4, 58))
    change[0, 0] = change[3, 0] = 1.0
    assert edits.layer_keys(np.arange(4), change)[0].tolist() == [[0, 1], [1, 0], [2, 0], [3, 1]]
    change[1:3, 0] = 1.0
    assert edits.layer_keys(np.arange(4), change)[0].tolist() == [[0, 1], [1, 1], [2, 1], [3, 1]]


@settings(deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 40), st.just(58)),
        elements=st.sampled_from([0.0, 0.0, 0.0, 0.1, -0.7, 1.0]),
        fill=st.just(0.0),
    )
)
def test_interpolated_keys_give_the_difference_back(change: np.ndarray) -> None:
    frames = 1.5 + np.arange(len(change)) * 1.199
    layer = edits.layer_keys(frames, change)
    assert set(layer) == set(np.flatnonzero(change.any(axis=0)))
    for channel, keys in layer.items():
        assert (np.diff(keys[:, 0]) > 0).all()
        values = np.interp(frames, keys[:, 0], keys[:, 1])
        np.testing.assert_array_equal(values, change[:, channel])
