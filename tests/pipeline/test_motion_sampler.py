"""The shipped motion weights on synthesised speech-like sound."""

import math
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.errors import Cancelled, InputError, ModelError
from osmnet_sdk.motion.sampler import WEIGHTS, MotionFeatures, MotionSampler
from osmnet_sdk.motion.shaping import mean_speed, smooth
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.research.data.motion_statistics import head_speed, shifted_correlations
from osmnet_sdk.tracks import MotionTrack

MODELS = Path(__file__).parents[2] / "models" / "starter"


@cache
def stored() -> tuple[dict[str, NDArray[np.generic]], dict[str, str]]:
    return find_bundle().arrays(WEIGHTS)


@cache
def sampler() -> MotionSampler:
    return MotionSampler.from_arrays(*stored(), "a test")


def voice(seconds: float, seed: int, pitch: float = 120.0, level: float = 0.1) -> Audio:
    """Speech-like sound: voiced syllables, 4 to 6 a second, in phrases with pauses between."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    melody = pitch * (1 + 0.15 * np.sin(2 * math.pi * 0.4 * time + generator.uniform(0, 6)))
    phase = 2 * math.pi * np.cumsum(melody) / SAMPLE_RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    loud = np.zeros_like(time)
    start = 0.1
    while start < seconds:
        end = start + generator.uniform(1.5, 4.0)
        while start < end:
            length = generator.uniform(0.12, 0.28)
            syllable = loud[int(start * SAMPLE_RATE) : int((start + length) * SAMPLE_RATE)]
            swell = np.sin(np.linspace(0.0, math.pi, len(syllable)))
            syllable[:] = swell * generator.uniform(0.4, 1.0)
            start += length
        start += generator.uniform(0.3, 0.7)
    noise = 0.003 * generator.standard_normal(len(time))
    return Audio((level * (tone * loud + noise)).astype(np.float32))


@cache
def features(seconds: float, seed: int) -> MotionFeatures:
    return sampler().features(voice(seconds, seed, pitch=100.0 + 40 * seed))


def path(track: MotionTrack) -> NDArray[np.float64]:
    return track.rotation.astype(np.float64)


REAL = {
    "deviation": ([2.4, 2.4, 1.8], [3.8, 4.6, 3.4]),
    "speed": ([8.4, 7.5, 4.1], [12.0, 11.5, 6.9]),
}
"""Lower and upper quartiles over 37 real speakers of pitch, yaw and roll: medians over windows of
4 s of standard deviation in degrees and mean speed in degrees per second (motion_evaluation.md)."""


def test_takes_are_spread_as_real_speakers_are() -> None:
    """The middle half of takes lies where that of real speakers does; nothing is clipped to it."""
    found: dict[str, list[NDArray[np.float64]]] = {"deviation": [], "speed": []}
    for voice_seed in range(3):
        for seed in range(4):
            for take in range(4):
                angles = path(sampler().sample(features(30.0, voice_seed), take=take, seed=seed))
                windows = angles[25:725].reshape(7, 100, 3)
                found["deviation"].append(np.median(windows.std(axis=1), axis=0))
                speeds = 25 * np.abs(np.diff(windows, axis=1)).mean(axis=1)
                found["speed"].append(np.median(speeds, axis=0))
                assert np.abs(angles).max() < 45.0  # no neck turns further
    for name, (lower, upper) in REAL.items():
        low, middle, high = np.percentile(found[name], [25, 50, 75], axis=0)
        assert (middle > 0.9 * np.array(lower)).all(), (name, middle)
        assert (middle < 1.1 * np.array(upper)).all(), (name, middle)
        assert (low / lower > 0.65).all(), (name, low)
        assert (low / lower < 1.4).all(), (name, low)
        assert (high / upper > 0.7).all(), (name, high)
        assert (high / upper < 1.5).all(), (name, high)
        # Some are calmer and some livelier than the middle half of people.
        outside = (np.array(found[name]) < lower) | (np.array(found[name]) > upper)
        assert (outside.mean(axis=0) > 0.2).all(), (name, outside.mean(axis=0))


def test_heads_move_with_what_is_said() -> None:
    """More at accents than between, of their own voice and of no other."""
    own, other = [], []
    for voice_seed in range(3):
        level = voice(30.0, voice_seed, pitch=100.0 + 40 * voice_seed).analysis.level
        another = voice(30.0, voice_seed + 5).analysis.level
        for take in range(6):
            angles = path(sampler().sample(features(30.0, voice_seed), take=take, seed=0))
            own.append(shifted_correlations(head_speed(angles)[25:], level[25:])[0])
            other.append(shifted_correlations(head_speed(angles)[25:], another[25:])[0])
    # Real speakers have 0.26, half of them from 0.1 to 0.4; these syllables are all alike.
    assert 0.1 < np.mean(own) < 0.5
    assert np.mean(own) > abs(np.mean(other)) + 0.08


def test_level_of_the_recording_does_not_matter() -> None:
    loud = sampler().features(voice(10.0, 0, level=0.2))
    soft = sampler().features(voice(10.0, 0, level=0.002))
    one, other = (sampler().sample(heard, take=0, seed=0) for heard in (loud, soft))
    difference = np.sqrt(np.mean((path(one) - path(other)) ** 2))
    assert difference < 0.5


def test_a_take_starts_at_rest() -> None:
    for take in range(5):
        track = sampler().sample(features(10.0, 0), take=take, seed=3)
        assert (track.rotation[0] == 0).all()
        assert (track.translation[0] == 0).all()
        assert np.abs(track.rotation[1]).max() < 0.05  # 1.25 °/s
        assert np.abs(track.rotation[1:25]).max() > 0.2  # and then it moves


def test_takes_set_out_in_different_directions() -> None:
    early = [path(sampler().sample(features(10.0, 0), take=k, seed=0))[35] for k in range(5)]
    for index, one in enumerate(early):
        for other in early[:index]:
            assert np.linalg.norm(one - other) > 0.5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_takes_differ(seed: int) -> None:
    takes = [path(sampler().sample(features(10.0, 1), take=k, seed=seed)) for k in range(5)]
    for index, one in enumerate(takes):
        for other in takes[:index]:
            assert np.sqrt(np.mean(np.sum((one - other) ** 2, axis=1))) >= 1.0


def test_recordings_of_different_length_do_not_share_a_take() -> None:
    """Shots of a series, made with one seed, must not all show the same dance."""
    heard = sampler().features(voice(10.2, 1))
    one = path(sampler().sample(features(10.0, 1), take=0, seed=0))
    other = path(sampler().sample(heard, take=0, seed=0))[: len(one)]
    assert np.sqrt(np.mean((one - other) ** 2)) >= 1.0


def test_seeds_differ() -> None:
    one, other = (sampler().sample(features(10.0, 1), take=0, seed=seed) for seed in (0, 1))
    assert np.sqrt(np.mean((path(one) - path(other)) ** 2)) >= 1.0


def test_same_seed_same_take_on_every_run() -> None:
    first = sampler().sample(features(10.0, 0), take=2, seed=5)
    again = MotionSampler.from_arrays(*stored(), "a test")
    heard = again.features(voice(10.0, 0, pitch=100.0))
    assert again.sample(heard, take=2, seed=5) == first


def test_same_take_in_another_process_with_another_number_of_threads() -> None:
    code = (
        "import hashlib, sys, torch; torch.set_num_threads({threads})\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_motion_sampler import features, sampler\n"
        "track = sampler().sample(features(10.0, 0), take=1, seed=2)\n"
        "values = track.rotation.tobytes() + track.translation.tobytes()\n"
        "print(hashlib.sha256(values).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code.replace("{threads}", str(threads))],
            cwd=MODELS.parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in (1, 4)
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_a_take_is_the_same_whatever_was_sampled_before() -> None:
    heard = features(10.0, 0)
    alone = MotionSampler.from_arrays(*stored(), "a test").sample(heard, take=4, seed=0)
    others = [sampler().sample(heard, take=take, seed=0) for take in range(6)]
    assert others[4] == alone


def test_shorter_takes_are_beginnings() -> None:
    full = sampler().sample(features(10.0, 0), take=0, seed=0)
    short = sampler().sample(features(10.0, 0), take=0, seed=0, frames=40)
    assert short == full.slice(0, 40)


def test_motion_is_smooth() -> None:
    """As little fast motion as 45 clips of real heads: 0.55° at most, without a tracker's noise."""
    for take in range(4):
        angles = smooth(path(sampler().sample(features(30.0, 1), take=take, seed=1)), 0.8)
        fast = angles - smooth(angles, 1.5)
        assert fast.std(axis=0).max() < 0.55
        acceleration = np.abs(np.diff(angles, 2, axis=0)).mean(axis=0) * 625
        assert (acceleration / mean_speed(angles) < 18.0).all()  # real speakers: 9 to 13 per second


def test_five_minutes_do_not_drift() -> None:
    heard = sampler().features(Audio(np.tile(voice(30.0, 2).samples, 10)))
    for take in range(2):
        track = sampler().sample(heard, take=take, seed=0)
        angles = path(track)
        assert len(track) == 7500
        assert np.abs(angles).max() < 30.0
        minutes = angles.reshape(5, 1500, 3).mean(axis=1)
        assert np.abs(minutes).max() < 4.0
        assert np.abs(track.translation).max() < 0.08


def test_silence_is_calmer_than_speech() -> None:
    silent = sampler().features(Audio(np.zeros(20 * SAMPLE_RATE, np.float32)))
    quiet = [mean_speed(path(sampler().sample(silent, take=k, seed=0))).mean() for k in range(4)]
    spoken = [
        mean_speed(path(sampler().sample(features(30.0, 0), take=k, seed=0))).mean()
        for k in range(4)
    ]
    assert 0.1 < np.mean(quiet) / np.mean(spoken) < 0.7  # idle motion remains


def test_head_settles_in_a_long_pause() -> None:
    speech = voice(20.0, 0).samples
    pause = np.zeros(10 * SAMPLE_RATE, np.float32)
    heard = sampler().features(Audio(np.concatenate([speech, pause, speech])))
    ratios = []
    for take in range(6):
        angles = path(sampler().sample(heard, take=take, seed=0))
        speed = np.linalg.norm(np.diff(angles, axis=0), axis=1)
        ratios.append(speed[550:725].mean() / speed[:475].mean())
    assert np.median(ratios) < 0.8


def test_translation_stays_near_the_joint() -> None:
    for take in range(4):
        places = sampler().sample(features(30.0, 1), take=take, seed=0).translation
        assert 0.0005 < places.std(axis=0).max() < 0.025  # real speakers: 0.022 in 95 of 100


def test_options() -> None:
    heard = features(10.0, 0)
    plain = sampler().sample(heard, take=0, seed=0)
    wide = sampler().sample(heard, take=0, seed=0, options=SampleOptions(epsilon=2.0))
    centre = sampler().sample(heard, take=0, seed=0, options=SampleOptions(epsilon=0.0))
    half = sampler().sample(heard, take=0, seed=0, options=SampleOptions(intensity=0.5))
    no_yaw = sampler().sample(heard, take=0, seed=0, options=SampleOptions(yaw=0.0))
    still = sampler().sample(heard, take=0, seed=0, options=SampleOptions(intensity=0.0))
    assert path(wide).std() > 1.3 * path(plain).std()
    # What the voice asks for is a performance by itself.
    assert 0.4 * path(plain).std() < path(centre).std() < 2.0 * path(plain).std()
    np.testing.assert_allclose(half.rotation, plain.rotation / 2, atol=0.5)
    assert (no_yaw.rotation[:, 1] == 0).all()
    np.testing.assert_array_equal(no_yaw.rotation[:, ::2], plain.rotation[:, ::2])
    assert (still.rotation == 0).all()
    assert (still.translation == 0).all()
    assert wide.provenance.options == {"epsilon": 2.0}


def test_centre_does_not_depend_on_the_take() -> None:
    options = SampleOptions(epsilon=0.0)
    one, other = (
        sampler().sample(features(10.0, 0), take=take, seed=take, options=options)
        for take in (0, 1)
    )
    assert one == other
    assert path(one).std() > 0.0


@pytest.mark.parametrize("samples", [1, 639, 640, 641, 1600, 16000])
def test_short_sound(samples: int) -> None:
    heard = sampler().features(Audio(0.1 * np.ones(samples, np.float32)))
    track = sampler().sample(heard, take=0, seed=0)
    assert len(track) == math.ceil(samples / 640)
    assert np.isfinite(track.rotation).all()


def test_numbers_are_checked() -> None:
    heard = features(10.0, 0)
    for values in ({"take": -1, "seed": 0}, {"take": 0, "seed": -1}):
        with pytest.raises(InputError, match="0 or more"):
            sampler().sample(heard, **values)
    for frames in (0, 251):
        with pytest.raises(InputError, match="1 to 250 frames"):
            sampler().sample(heard, take=0, seed=0, frames=frames)


def test_listening_can_be_stopped_and_reports() -> None:
    with pytest.raises(Cancelled):
        sampler().features(voice(3.0, 0), cancel=lambda: True)
    calls: list[tuple[str, int, int]] = []
    sampler().features(voice(30.0, 0), progress=lambda *call: calls.append(call))
    assert calls[0] == ("Listening", 0, 30)
    assert calls[-1] == ("Listening", 30, 30)


def test_stored_weights_make_the_same_sampler() -> None:
    again = MotionSampler.from_arrays(*sampler().stored(), "a test")
    one = again.sample(features(10.0, 0), take=0, seed=0)
    assert one == sampler().sample(features(10.0, 0), take=0, seed=0)
    np.testing.assert_array_equal(again.attention, sampler().attention)
    without = {name: value for name, value in stored()[0].items() if name != "attention"}
    assert MotionSampler.from_arrays(without, stored()[1], "a test").attention is None


def test_other_files_are_refused() -> None:
    arrays, metadata = stored()

    def refused(arrays: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str]) -> str:
        with pytest.raises(ModelError) as caught:
            MotionSampler.from_arrays(arrays, metadata, "a test")
        return str(caught.value)

    said = refused(arrays, {**metadata, "schema": "other/1"})
    assert "weights of a test have schema 'other/1'" in said
    said = refused(arrays, {**metadata, "config": "{"})
    assert "of a test do not fit" in said
    name = "network.directions"
    said = refused({k: v for k, v in arrays.items() if k != name}, metadata)
    assert "of a test do not fit" in said
    said = refused({**arrays, name: np.full_like(arrays[name], np.nan)}, metadata)
    assert "of a test hold values that are not numbers" in said
    refused({k: v for k, v in arrays.items() if k != "calibration.gains"}, metadata)
    assert "gains" in refused({**arrays, "calibration.gains": np.ones(5)}, metadata)
    assert "attention" in refused({**arrays, "attention": np.ones(5, np.float32)}, metadata)


def test_no_basis_vector_is_dead() -> None:
    """Real clips attend to each, each to itself, and no two decode to the same motion."""
    network = sampler().network
    shares = sampler().attention
    assert shares is not None
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)
    assert shares.min() > 0.1 / network.config.basis_vectors
    with torch.no_grad():
        attention = network.log_attention(network.basis).exp()
    assert (attention.diagonal() > 1 / network.config.basis_vectors).all()
    with torch.no_grad():
        changes = network.decode(network.basis)[:, -1, :3]
    assert len(torch.unique(changes.round(decimals=2), dim=0)) == network.config.basis_vectors
