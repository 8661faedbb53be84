"""A motion sampler with small made-up weights, so that a test does not hang on a trained bundle."""

from __future__ import annotations

import numpy as np
import torch

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.network import MotionConfig, MotionNetwork
from osmnet_sdk.motion.sampler import MotionSampler

CONFIG = MotionConfig(basis_vectors=6, feature_size=16, hidden_size=8, audio_size=8)


def small_sampler() -> MotionSampler:
    """A sampler whose heads move by some degrees."""
    random = np.random.default_rng(4)
    network = MotionNetwork(CONFIG)
    with torch.no_grad():
        for value in network.parameters():
            size = 0.5 / np.sqrt(value.shape[-1]) if value.ndim > 1 else 0.1
            values = size * random.standard_normal(tuple(value.shape))
            value.copy_(torch.from_numpy(np.asarray(values, np.float32)))
        network.log_kappa.fill_(1.5)
        network.pose_scale.copy_(torch.tensor([1.0, 1.0, 1.0, 0.002, 0.002, 0.002]))
    calibration = Calibration(
        directions=0.4 * random.standard_normal((3, CONFIG.feature_size)),
        recursion=np.tile([1.6, -0.68], (3, 1)),
        predicted_speed=np.array([0.0, 0.2]),
        gains=np.full(6, 1.4),
        octaves=np.tile([0.8, 0.9, 1.0, 1.1, 1.3], (6, 1)),
        leaks=np.full(6, 2.0),
        drift=10.0,
        bursts=np.full(6, 0.7),
        flicks=np.full(3, 0.3),
        moods=0.2,
        sizes=np.array([0.4, 0.2]),
        asked=3.0 * np.eye(3),
        tremor=np.array([0.03, 0.03, 0.03, 3e-5, 3e-5, 1e-5]),
    )
    return MotionSampler(network, calibration)


def small_voice(seconds: float = 4.0) -> Audio:
    """Noise that swells like syllables, with a pause in the middle."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    loud = np.sin(np.pi * 4.0 * time) ** 2 * (np.abs(time - seconds / 2) > 0.4)
    noise = np.random.default_rng(0).standard_normal(len(time))
    return Audio((0.1 * loud * noise + 0.0003 * noise).astype(np.float32))
