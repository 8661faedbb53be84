"""The renderer for batches on a device, against that of the CPU, part by part."""

from __future__ import annotations

import cv2
import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from osmnet_sdk.rendering.warp import shade
from osmnet_sdk.rendering.warp.batched import zbuffer
from osmnet_sdk.rendering.warp.batched.pictures import gaussian_blur, sample_cubic, sample_mask
from osmnet_sdk.rendering.warp.batched.zbuffer import rasterize_batch
from osmnet_sdk.rendering.warp.raster import interpolate, rasterize


def scattered(seed, frames=3, triangles=40):
    """Points, some beyond the picture or behind the camera, and triangles that share none."""
    random = np.random.default_rng(seed)
    places = random.uniform([-8, -8, -0.5], [40, 32, 2], (frames, 3 * triangles, 3))
    return places.astype(np.float32), np.arange(3 * triangles, dtype=np.int32).reshape(-1, 3)


def drawn(points, triangles, size):
    return rasterize_batch(torch.from_numpy(points), torch.from_numpy(triangles).long(), size)


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_the_z_buffer_shows_what_the_cpus_shows(seed):
    points, triangles = scattered(seed)
    cover = drawn(points, triangles, (24, 33))
    for frame, places in enumerate(points):
        wanted = rasterize(places, triangles, (24, 33))
        shown, weights = cover.triangle[frame].numpy(), cover.weights[frame].numpy()
        both = (shown >= 0) & (wanted.triangle >= 0)
        # rounding decides whether a pixel on an edge is covered, and what shows where planes cross
        assert ((shown >= 0) != (wanted.triangle >= 0)).sum() <= 2
        depth = (weights * places[triangles[shown], 2]).sum(-1)
        assert_allclose(depth[both], wanted.depth[both], atol=1e-4)
        same = both & (shown == wanted.triangle)
        assert same.sum() > 0.95 * both.sum()
        assert_allclose(weights[same][:, :2], wanted.weights[same], atol=2e-3)
        assert_allclose(weights[same].sum(-1), 1, atol=1e-5)


def test_of_equally_near_triangles_the_first_is_shown():
    square = np.array([[[1, 1, 2], [1, 6, 2], [6, 6, 2]]], np.float32)
    twice = np.array([[0, 1, 2], [0, 1, 2]], np.int32)
    assert set(drawn(square, twice, (8, 8)).triangle.unique().tolist()) == {-1, 0}


def test_triangles_that_face_away_or_have_no_area_are_left_out():
    points = np.array([[[1, 1, 2], [1, 6, 2], [6, 6, 2]]], np.float32)
    none = np.array([[0, 2, 1], [0, 0, 1]], np.int32)
    assert (drawn(points, none, (8, 8)).triangle < 0).all()


def test_the_z_buffer_is_the_same_in_parts(monkeypatch):
    points, triangles = scattered(1)
    whole = drawn(points, triangles, (24, 33))
    monkeypatch.setattr(zbuffer, "_AT_ONCE", 100)
    parts = drawn(points, triangles, (24, 33))
    assert torch.equal(whole.triangle, parts.triangle)
    assert torch.equal(whole.weights, parts.weights)


def test_values_are_interpolated_in_each_frame_from_its_own_vertices():
    points, triangles = scattered(2)
    cover = drawn(points, triangles, (24, 33))
    covered = (cover.triangle >= 0).flatten().nonzero()[:, 0]
    values = cover.interpolate(
        torch.from_numpy(triangles).long(), torch.from_numpy(points[..., :2].copy()), covered
    )
    row, column = covered // 33 % 24, covered % 33
    assert_allclose(values, torch.stack([column, row], 1), atol=2e-3)
    shared = cover.interpolate(
        torch.from_numpy(triangles).long(), torch.from_numpy(points[0]), covered
    )
    wanted = interpolate(rasterize(points[0], triangles, (24, 33)), triangles, points[0])
    first = covered < 24 * 33
    shown = wanted[row[first], column[first]]
    assert_allclose(shared[first][:, :2], shown[:, :2], atol=2e-3)


@numba.njit
def _cubic(texture, places, out):
    for index in range(len(places)):
        for channel in range(3):
            x, y = places[index]
            out[index, channel] = shade.sample_cubic(texture, x, y, channel)


@numba.njit
def _mask(mask, places, out):
    for index in range(len(places)):
        out[index] = shade.sample_mask(mask, places[index, 0], places[index, 1])


def test_samples_are_those_of_the_cpu():
    random = np.random.default_rng(3)
    texture = random.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    places = (random.random((300, 2)) * [36, 26] - 3).astype(np.float32)
    wanted = np.zeros((300, 3), np.float32)
    _cubic(texture, places, wanted)
    sampled = sample_cubic(torch.from_numpy(texture), torch.from_numpy(places))
    assert_allclose(sampled, wanted, atol=1e-3)
    mask, wanted = texture[..., 0].copy(), np.zeros(300, np.float32)
    _mask(mask, places, wanted)
    sampled = sample_mask(torch.from_numpy(mask), torch.from_numpy(places))
    assert_allclose(sampled, wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 31), (3, 40, 3), (1, 5)])
@pytest.mark.parametrize("sigma", [0.3, 0.7, 3.0])
def test_smoothing_is_that_of_opencv(shape, sigma):
    pictures = np.random.default_rng(4).random((2, *shape), np.float32)
    wanted = [cv2.GaussianBlur(picture, (0, 0), sigma) for picture in pictures]
    assert_allclose(gaussian_blur(torch.from_numpy(pictures), sigma), wanted, atol=1e-5)
