"""Prepared data as segments for the generator's training."""

from types import SimpleNamespace

import numpy as np
import pytest
from generator_support import segment

from osmnet_sdk.research.data import prepared_segments as module
from osmnet_sdk.research.data.prepared_segments import prepared_segments


@pytest.mark.parametrize("size", [32, 16])
def test_samples_become_segments_of_the_size_asked_for(size, monkeypatch):
    sample = segment("a")
    monkeypatch.setattr(
        module,
        "PreparedData",
        lambda folder: SimpleNamespace(
            entries=("a",),
            clip=lambda entry: (sample.clip, sample.pictures),
        ),
    )
    (found,) = prepared_segments("folder", size=size, frames=5)
    assert len(found) == 5
    assert len(found.clip.samples) == 5 * 640
    pictures = found.pictures[np.array([1, 3])]
    assert pictures.shape == (2, size, size, 3)
    if size == 32:
        assert (pictures == sample.pictures[np.array([1, 3])]).all()
    assert np.abs(pictures.mean(axis=(1, 2)) - sample.pictures[[1, 3]].mean(axis=(1, 2))).max() < 3
