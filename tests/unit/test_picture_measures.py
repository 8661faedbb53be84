"""Sharpness and flicker of pictures whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from osmnet_sdk.research.evaluation.video.picture_measures import (
    blur_detection,
    flicker,
    gradient_energy,
)


def blurred(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma)


def edge(width, contrast=200, size=128):
    """A grey ramp of `width` pixels down the middle of each 64-pixel block."""
    ramp = np.interp(np.arange(64) - 32, [0, width], [20, 20 + contrast])
    row = np.concatenate([ramp, ramp[::-1]])[:size]
    return np.repeat(np.tile(row, (size, 1))[..., None], 3, axis=2).round().astype(np.uint8)


def moved(image, right):
    return np.roll(image, right, axis=1)


@pytest.mark.parametrize(
    ("width", "contrast", "sharp"),
    [(1, 200, 1), (3, 200, 1), (4, 200, 0), (4, 40, 1), (5, 40, 1), (6, 40, 0)],
)
def test_an_edge_is_sharp_up_to_the_just_noticeable_width(width, contrast, sharp):
    assert blur_detection(edge(width, contrast)) == sharp


def test_blur_is_detected(astronaut):
    found = [blur_detection(image) for image in (astronaut, *map(blurred, [astronaut] * 2, (1, 2)))]
    assert 0.4 < found[0] <= 1
    assert found[0] > 2 * found[1] > 4 * found[2]


def test_a_picture_without_edges_has_no_sharpness():
    assert np.isnan(blur_detection(np.full((128, 128, 3), 90, np.uint8)))
    assert np.isnan(blur_detection(np.zeros((40, 40, 3), np.uint8)))


def test_gradient_energy_is_that_of_the_boxes_in_levels_per_pixel():
    ramp = np.zeros((32, 64, 3), np.uint8)
    ramp[:, :32] = 3 * np.arange(32, dtype=np.uint8)[None, :, None]
    assert gradient_energy(ramp, [(4, 4, 20, 20)]) == pytest.approx(9)
    assert gradient_energy(ramp, [(40, 4, 60, 20)]) == 0
    assert gradient_energy(ramp, [(4, 4, 20, 20), (40, 4, 56, 20)]) == pytest.approx(4.5)


def test_gradient_energy_falls_with_blur(astronaut):
    eye = [(180, 90, 260, 130)]
    energies = [gradient_energy(blurred(astronaut, sigma), eye) for sigma in (0.1, 1, 3)]
    assert energies == sorted(energies, reverse=True)


def test_what_only_moves_does_not_flicker(astronaut):
    path = [moved(astronaut, right) for right in (0, 2, 4, 6)]
    assert flicker([astronaut] * 3) == 0
    rng = np.random.default_rng(0)
    noisy = [np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
             for image in path]  # fmt: skip
    difference = np.abs(path[1].astype(int) - path[0]).mean()
    assert flicker(path) < 0.25 * difference
    assert flicker(noisy) > 3 + flicker(path)
