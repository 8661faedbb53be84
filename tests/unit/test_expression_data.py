import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.audio.mel import SILENCE
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import FPS, SAMPLE_RATE
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.coarticulation import TimedPhone
from osmnet_sdk.expression.given_phones import loudness_emphasis
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import PHONE_CLASSES, ExtractorConfig
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.progress import Reporter
from osmnet_sdk.research.trainers.expression.augmentation import (
    AugmentationConfig,
    augmented,
    change_speed,
    coloured_noise,
    music,
    telephone,
)
from osmnet_sdk.research.trainers.expression.clips import cached_clips, hears, mel_context
from osmnet_sdk.research.trainers.expression.data import (
    held_clips,
    invented_text,
    phone_labels,
    still_clips,
)
from osmnet_sdk.research.trainers.expression.held_vowels import held_vowels
from osmnet_sdk.research.trainers.expression.mel_augmentation import (
    band_limited,
    masked,
    recoloured,
)
from osmnet_sdk.research.trainers.expression.recipe import ExpressionRecipe

ALWAYS = AugmentationConfig(
    noise=1.0, babble=0.5, reverb=1.0, equaliser=1.0, telephone=1.0, clipping=1.0
)


def tone(seconds=1.0, frequency=440.0):
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return 0.3 * np.sin(2 * np.pi * frequency * times)


def band_energy(samples, low, high):
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    return power[(frequency >= low) & (frequency < high)].sum() / power.sum()


@given(seed=st.integers(0, 10_000), count=st.integers(400, 20_000))
def test_augmentation_keeps_length_and_level(seed, count):
    rng = np.random.default_rng(seed)
    voice = 0.1 * rng.standard_normal(count)
    result = augmented(voice, rng, ALWAYS, [voice.astype(np.float32)])
    assert result.shape == voice.shape
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 0.91
    assert np.abs(result).max() >= 0.9 * 10 ** (-40 / 20) - 1e-9


def test_augmentation_is_decided_by_its_seed():
    once, again, other = (
        augmented(tone(), np.random.default_rng(seed), ALWAYS, []) for seed in (1, 1, 2)
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_speed_moves_pitch_and_length():
    fast = change_speed(tone(1.0), 1.25)
    assert len(fast) == pytest.approx(SAMPLE_RATE / 1.25, rel=0.01)
    assert band_energy(fast, 540, 560) > 0.9


def test_telephone_keeps_its_band():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    assert band_energy(telephone(noise), 300, 3400) > 0.9


def test_noise_and_music_have_unit_level():
    rng = np.random.default_rng(0)
    for sound in (coloured_noise(20_000, rng), music(20_000, rng)):
        assert sound.std() == pytest.approx(1.0, rel=0.01)


def test_invented_words_are_rich_in_lips():
    text = invented_text(np.random.default_rng(0), words=200)
    letters = [letter for letter in text if letter.isalpha()]
    assert np.mean([letter in "pbm" for letter in letters]) > 0.12
    assert text == invented_text(np.random.default_rng(0), words=200)


def test_louder_vowels_are_emphasised():
    samples = np.concatenate([0.1 * tone(0.2), tone(0.2), 0.3 * tone(0.2)]).astype(np.float32)
    phones = tuple(TimedPhone("aa", 0.2 * i, 0.2 * (i + 1)) for i in range(3))
    emphasis = loudness_emphasis(samples, phones, "arpabet")
    assert emphasis[0] < emphasis[2] == 1.0 < emphasis[1]


def test_mel_context_has_a_window_for_each_frame_and_its_context():
    config = ExtractorConfig(bands=24, layers=2, ahead=1)
    for seconds in (0.02, 1.0, 1.013):
        samples = tone(seconds).astype(np.float32)
        frames = -(-len(samples) * int(FPS) // SAMPLE_RATE)
        assert mel_context(samples, config).shape == (11 + frames + 1, 24, 16)


def test_cache_gives_back_what_was_made_and_notices_changes(tmp_path):
    hear = hears(ExtractorConfig(layers=1, ahead=1))

    def make():
        return still_clips(3, hear, AugmentationConfig(), np.random.default_rng(0))

    path = tmp_path / "folder" / "still.npz"
    made = cached_clips(path, ["one"], make(), Reporter())
    stored = cached_clips(path, ["one"], iter(()), Reporter())
    assert len(made) == len(stored) == 3
    for one, other in zip(made, stored, strict=True):
        assert np.array_equal(one.heard, other.heard)
        assert np.array_equal(one.coefficients, other.coefficients)
        assert np.array_equal(one.said, other.said)
    before = path.stat().st_mtime_ns
    assert len(cached_clips(path, ["two"], make(), Reporter())) == 3
    assert path.stat().st_mtime_ns != before


def test_phones_are_labelled_where_they_sound_and_a_voice_around_them():
    said = phone_labels([TimedPhone("p", 0.4, 0.48), TimedPhone("a", 0.48, 0.6)], "ipa", 25)
    assert said.shape == (50, 2)
    names = [PHONE_CLASSES[number] for number in said[:, 0]]
    assert names == ["silence"] * 20 + ["bilabial"] * 4 + ["a"] * 6 + ["silence"] * 20
    heard = np.flatnonzero(said[:, 1])
    assert 12 < heard.min() < 20
    assert 30 <= heard.max() < 38


@pytest.mark.parametrize("seed", range(6))
def test_held_vowels_sound_as_long_as_they_are_said_to(seed):
    sound, vowels = held_vowels(np.random.default_rng(seed))
    assert np.isfinite(sound).all()
    assert sound.std() == pytest.approx(1.0, rel=0.01)
    inside = np.zeros(len(sound), bool)
    for vowel in vowels:
        inside[int(vowel.start * SAMPLE_RATE) : int(vowel.end * SAMPLE_RATE) + 400] = True
    assert (sound[inside] ** 2).mean() > 100 * (sound[~inside] ** 2).mean()


def test_the_mouth_is_open_in_held_vowels():
    geometry = LipGeometry.from_model(load_face_model(find_bundle()))
    hear = hears(ExtractorConfig(layers=1, ahead=1))
    made = held_clips(5, geometry, hear, AugmentationConfig(), np.random.default_rng(0))
    for clip in made:
        gap = geometry.gap(clip.coefficients.astype(float)) - geometry.rest
        vowels = clip.said[::2, 0] != PHONE_CLASSES.index("silence")
        assert gap[vowels].mean() > 0.05


def test_recipes_are_read_or_refused(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text('{"voices": [], "steps": 5}')
    assert ExpressionRecipe.read(path).steps == 5
    for wrong in ("", "[]", '{"voices": [], "steps": 0}', '{"voices": [], "colour": 1}'):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"recipe\.json"):
            ExpressionRecipe.read(path)
    with pytest.raises(InputError):
        ExpressionRecipe.read(tmp_path / "none.json")


def speech_like(seed, frames=60):
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.random(frames // 6) > 0.4, 6)
    mel = np.where(level[:, None, None], -3.0, -10.0) + rng.normal(0, 0.2, (frames, 16, 16))
    return np.maximum(mel, SILENCE).astype(np.float32)


@given(seed=st.integers(0, 10_000), count=st.integers(0, 3))
def test_masking_fills_the_gaps_and_leaves_the_loud_parts(seed, count):
    mel = speech_like(seed)
    others = [speech_like(seed + 1 + k) for k in range(count)]
    result = masked(mel, others, np.random.default_rng(seed))
    assert result.shape == mel.shape
    assert result.dtype == np.float32
    assert (result >= mel - 1e-4).all()
    loud = mel > -4
    if loud.any():
        assert np.abs(result - mel)[loud].mean() < 0.9


@given(seed=st.integers(0, 10_000))
def test_recolouring_and_band_limits_stay_above_silence(seed):
    mel = speech_like(seed)
    for change in (recoloured, band_limited):
        result = change(mel, np.random.default_rng(seed))
        assert result.shape == mel.shape
        assert result.min() >= SILENCE - 1e-5
        assert not np.array_equal(result, mel)
