"""What the motion network hears, and how it is computed in batches of one size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_sampler import small_voice

from osmnet_sdk.audio.activity import voice_activity
from osmnet_sdk.audio.analysis import SpeechAnalysis
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import mel_windows
from osmnet_sdk.motion.batches import BATCH, in_batches
from osmnet_sdk.motion.mel_input import MelInput


@pytest.mark.parametrize("seconds", [0.01, 4.0, 60.0])
def test_patches_are_mel_windows_around_the_mean_of_speech(seconds: float) -> None:
    samples = small_voice(seconds).samples
    sound = MelInput(SpeechAnalysis(samples), 16, 16)
    heard = HighPass().push(samples)
    mel = mel_windows(heard)
    activity = voice_activity(heard)
    spoken = activity > 0.5
    usual = np.average(mel.mean(axis=2), axis=0, weights=spoken if spoken.any() else None)
    expected = np.clip(mel - usual.astype(np.float32)[:, None], -5, 4)
    assert len(sound) == len(mel)
    np.testing.assert_array_equal(sound.activity, activity)
    np.testing.assert_array_equal(sound.patches(slice(None)), expected)
    chosen = np.array([len(mel) - 1, 0, 0])
    np.testing.assert_array_equal(sound.patches(chosen), expected[chosen])


def test_the_gain_of_a_recording_falls_out() -> None:
    samples = small_voice().samples
    loud, soft = (
        MelInput(SpeechAnalysis(np.float32(gain) * samples), 16, 16) for gain in (1, 0.25)
    )
    spoken = loud.activity > 0.5
    difference = loud.patches(spoken) - soft.patches(spoken)
    assert np.abs(difference).mean() < 0.02


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_rows_are_computed_in_batches_of_one_size(count: int) -> None:
    sizes = []

    def doubled(rows: torch.Tensor) -> torch.Tensor:
        sizes.append(len(rows))
        return 2 * rows[:, None].expand(-1, 3)

    rows = torch.arange(count)
    assert torch.equal(in_batches(doubled, rows), 2 * rows[:, None].expand(-1, 3))
    assert set(sizes) == {BATCH}
