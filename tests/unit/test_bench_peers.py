"""The peers that `make bench` times have the weights and shapes of the released models."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

PEERS = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "peers.py"))


def millions(module: torch.nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def test_wav2lip_is_as_large_as_the_released_one():
    network = PEERS["Wav2Lip"]().eval()
    assert millions(network) == pytest.approx(36.3, abs=0.05)
    with torch.inference_mode():
        frames = network(*(torch.rand(2, *shape) for shape in network.inputs))
    assert frames.shape == (2, 3, network.side, network.side)


def test_liveportrait_is_as_large_as_the_released_one():
    network = PEERS["LivePortrait"]().eval()
    assert millions(network.warp) == pytest.approx(45.53, abs=0.01)
    assert millions(network.paint) == pytest.approx(55.37, abs=0.01)
    volume, *points = network.inputs
    assert volume[-1] * 8 == network.side
    with torch.inference_mode():  # a quarter of the size: it is a large network
        frames = network(
            torch.rand(1, *volume[:2], 32, 32), *(torch.rand(1, *shape) for shape in points)
        )
    assert frames.shape == (1, 3, 256, 256)
