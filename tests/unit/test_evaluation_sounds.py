"""Sound that predicted lips are measured on: made worse, or no voice."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.research.evaluation.expression.degraded_speech import (
    faster,
    softer,
    through_telephone,
    with_babble,
)
from osmnet_sdk.research.evaluation.expression.still_sounds import SECONDS, still_sounds
from osmnet_sdk.research.evaluation.expression.voiced_sounds import voiced_sounds


def tone(pitch: float, seconds: float = 2.0) -> np.ndarray:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)


def pitch(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(power.argmax() * SAMPLE_RATE / len(sound))


def bursts(seconds: float) -> np.ndarray:
    """A voice of half-second syllables, as far as levels go."""
    noise = np.random.default_rng(3).standard_normal(int(seconds * SAMPLE_RATE))
    return (0.1 * noise * (np.arange(len(noise)) % 16000 < 8000)).astype(np.float32)


@pytest.mark.parametrize("others", [1, 2, 9])
def test_babble_lies_below_the_speech_by_its_ratio(others: int) -> None:
    speech = bursts(6.0)
    voices = [tone(200.0 + 50 * k, 3.0) for k in range(others)]
    babble = with_babble(speech, voices, 10.0) - speech
    spoken = np.sqrt(np.mean(speech[speech != 0] ** 2))
    ratio = 20 * np.log10(spoken / np.sqrt(np.mean(babble**2)))
    assert ratio == pytest.approx(10.0, abs=1.5)  # activity lasts on a little after each syllable
    assert np.array_equal(babble, with_babble(speech, voices, 10.0) - speech)


def test_a_telephone_keeps_its_band_and_time() -> None:
    def kept(pitch: float) -> float:
        sound = tone(pitch)
        heard = through_telephone(sound)
        assert len(heard) == len(sound)
        middle = slice(8000, 24000)
        return float(np.std(heard[middle]) / np.std(sound[middle]))

    assert kept(1000.0) == pytest.approx(1.0, abs=0.05)
    assert max(kept(80.0), kept(5000.0)) < 0.05
    click = np.zeros(16001, np.float32)
    click[8000] = 1.0
    assert abs(int(np.abs(through_telephone(click)).argmax()) - 8000) <= 2


def test_softer_speech_has_the_steps_of_16_bits() -> None:
    soft = softer(tone(440.0), 40.0)
    assert np.std(soft) == pytest.approx(0.01 * np.std(tone(440.0)), rel=0.01)
    assert np.abs(soft * 32768 - np.round(soft * 32768)).max() < 1e-3


def test_faster_speech_keeps_its_pitch_and_its_order() -> None:
    sound = np.concatenate([tone(300.0), 0 * tone(300.0), tone(900.0)])
    fast = faster(sound, 2.0)
    assert len(fast) == pytest.approx(len(sound) / 2, abs=800)
    assert pitch(fast[2000:14000]) == pytest.approx(300.0, abs=8)
    assert pitch(fast[34000:46000]) == pytest.approx(900.0, abs=8)
    loud = np.abs(fast) > 0.1
    assert np.flatnonzero(loud[:24000]).max() / SAMPLE_RATE == pytest.approx(1.0, abs=0.03)
    assert loud[24000:].argmax() / SAMPLE_RATE + 1.5 == pytest.approx(2.0, abs=0.03)


def test_sounds_without_a_voice_have_their_levels() -> None:
    sounds = still_sounds()
    levels = {"silence": 0.0, "level without sound": 0.0, "quiet room at −60 dB": 0.001}
    assert sum(name.startswith("music") for name in sounds) == 3
    for name, sound in sounds.items():
        assert sound.dtype == np.float32
        assert len(sound) == SECONDS * SAMPLE_RATE
        assert np.std(sound) == pytest.approx(levels.get(name, 0.1), rel=1e-3, abs=1e-6)
        assert np.array_equal(sound, still_sounds()[name])


def test_voices_that_are_seldom_recorded_last_and_keep_their_time() -> None:
    voice = bursts(6.0)
    made = voiced_sounds([voice])
    assert list(made) == ["held vowels", "song", "whisper", "music 10 dB below"]
    for sounds in made.values():
        for sound in sounds:
            assert len(sound.spoken) == len(sound.open) == -(-len(sound.samples) // 640)
            assert sound.spoken.any()
            assert not (sound.open & ~sound.spoken).any()
    held = made["held vowels"][0]
    assert pitch(held.samples[8000:56000]) == pytest.approx(98.0 * 7, abs=60)  # the first resonance
    assert np.abs(held.samples[:8000]).max() == 0.0
    # Whisper is loud where the voice is, and has no tone.
    whisper = made["whisper"][0].samples
    loud = np.abs(whisper).reshape(-1, 8000).mean(axis=1)
    assert loud[::2].min() > 5 * loud[1::2].max()
    music = made["music 10 dB below"][0].samples - voice
    assert 20 * np.log10(0.1 / np.std(music)) == pytest.approx(10.0, abs=1.5)
