"""Vowels that are held: the mouth keeps their shape; instruments and noise leave it at rest."""

from pathlib import Path

import librosa
import numpy as np
import pytest

import osmnet_sdk as sdk
from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.vowels import VowelStream, joined
from osmnet_sdk.options import ExpressionOptions
from osmnet_sdk.research.evaluation.expression.still_sounds import still_sounds

RATE = 16000
VOICE = Path(__file__).parents[2] / "examples" / "voice.flac"
FORMANTS = {"a": (750, 1250, 2600), "e": (480, 1900, 2550), "o": (450, 850, 2500)}


@pytest.fixture(scope="module")
def osm():
    """With the rule of held vowels, which mel windows need."""
    return sdk.OSMNet("cpu", audio_features="mel")


@pytest.fixture(scope="module")
def hearing():
    return sdk.OSMNet("cpu")


def at_level(sound, decibels=-20.0):
    return (sound * 10 ** (decibels / 20) / sound.std()).astype(np.float32)


def faded(sound, seconds=0.05):
    ramp = np.minimum(1.0, np.arange(len(sound)) / (seconds * RATE))
    return sound * ramp * ramp[::-1]


def sung(vowel, pitch=150.0, seconds=2.0, sway=0.03):
    """A glottal pulse train through the resonances of a vowel."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = pitch * (time + sway * np.sin(2 * np.pi * 5.5 * time) / (2 * np.pi * 5.5))
    sound = np.zeros(len(time))
    for number in range(1, int(5000 / pitch)):
        sound += np.sin(2 * np.pi * number * phase) / number
    for centre, width in zip(FORMANTS[vowel], (80, 100, 140), strict=True):
        radius = np.exp(-np.pi * width / RATE)
        turn = 2 * np.pi * centre / RATE
        sound = resonated(sound, radius, turn)
    return at_level(faded(sound))


def resonated(sound, radius, turn):
    from scipy.signal import lfilter

    gain = 1 - 2 * radius * np.cos(turn) + radius**2
    return lfilter([gain], [1, -2 * radius * np.cos(turn), radius**2], sound)


def spoken_vowel():
    """0.1 s of a vowel in the sample voice: an open one."""
    samples = sdk.load_audio(VOICE).samples
    starts = np.arange(1600, len(samples) - 3200, 400)
    hertz = np.fft.rfftfreq(1600, 1 / RATE)
    middle = (hertz > 450) & (hertz < 1200)  # where open vowels are loud and murmurs are not
    score = [np.abs(np.fft.rfft(samples[s : s + 1600])[middle]).sum() for s in starts]
    start = int(starts[int(np.argmax(score))])
    return samples[start : start + 1600]


def gap(osm, sound, **options):
    track = osm.predict_expression((sound, RATE), options=ExpressionOptions(**options))
    return sdk.lip_gap(track)


@pytest.mark.filterwarnings("ignore::osmnet_sdk.errors.OSMNetWarning")
@pytest.mark.parametrize("pause", [0.0, 0.4])
@pytest.mark.parametrize("vowel", FORMANTS)
def test_a_sung_vowel_holds_the_mouth_open_as_long_as_it_sounds(osm, vowel, pause):
    sound = np.concatenate([np.zeros(int(pause * RATE)), sung(vowel, seconds=4.0)])
    sound = np.concatenate([sound, np.zeros(RATE)]).astype(np.float32)
    first = round(pause * 25)
    for rest in (True, False):
        opened = gap(osm, sound, rest_in_silence=rest)
        held = opened[first + 14 : first + 96]
        assert held.min() > 0.08
        assert np.ptp(held) < 0.1
        assert opened[first + 114 :].max() < 0.02


@pytest.mark.parametrize("vowel", FORMANTS)
def test_what_hears_speech_knows_a_held_vowel_by_itself(hearing, vowel):
    sound = np.concatenate([np.zeros(8000), sung(vowel, seconds=4.0), np.zeros(RATE)])
    opened = gap(hearing, sound.astype(np.float32))
    assert np.mean(opened[18:106] > 0.05) > 0.9
    assert opened[116:].max() < 0.02


def test_music_noise_hum_applause_and_an_offset_are_no_voice_to_what_hears_speech(hearing):
    generator = np.random.default_rng(11)
    long_noise = at_level(generator.standard_normal(40 * RATE))
    for name, sound in {**still_sounds(), "40 s of another noise": long_noise}.items():
        with pytest.warns(sdk.OSMNetWarning, match=r"No (voice|speech) was found"):
            assert np.percentile(gap(hearing, sound), 95) < 0.02, name


@pytest.mark.filterwarnings("ignore::osmnet_sdk.errors.OSMNetWarning")
def test_an_open_vowel_is_wider_than_a_close_one_and_a_back_one_is_round(osm):
    tracks = {v: osm.predict_expression((sung(v, seconds=3.0), RATE)) for v in FORMANTS}
    middle = slice(30, 60)
    opened = {v: sdk.lip_gap(t)[middle].mean() for v, t in tracks.items()}
    round_ = {v: t.column("mouthPucker")[middle].mean() for v, t in tracks.items()}
    assert opened["a"] > opened["e"] + 0.03
    assert round_["o"] > round_["e"] + 0.2
    assert round_["o"] > round_["a"] + 0.2


def test_a_spoken_vowel_that_is_drawn_out_is_held(osm):
    voice = sdk.load_audio(VOICE).samples
    drawn = at_level(faded(librosa.effects.time_stretch(spoken_vowel(), rate=1 / 20, n_fft=1024)))
    sound = np.concatenate([voice[: 2 * RATE], drawn, np.zeros(RATE, np.float32)])
    opened = gap(osm, sound)
    held = opened[50 + 16 : 50 + len(drawn) // 640 - 3]
    assert np.mean(held > 0.08) > 0.8
    assert opened[-12:].max() < 0.02


def test_speech_that_is_drawn_out_opens_the_mouth_as_often(osm):
    voice = sdk.load_audio(VOICE).samples[: 4 * RATE]
    usual = np.mean(gap(osm, voice) > 0.1)
    for slower in (3, 4):
        drawn = librosa.effects.time_stretch(voice, rate=1 / slower)
        assert np.mean(gap(osm, drawn) > 0.1) > 0.5 * usual


@pytest.mark.filterwarnings("ignore::osmnet_sdk.errors.OSMNetWarning")
def test_instruments_noise_and_hum_leave_the_mouth_at_rest(osm):
    time = np.arange(3 * RATE) / RATE
    generator = np.random.default_rng(4)
    pitches = (130.8, 164.8, 196.0, 261.6)
    overtones = range(1, 20)
    sounds = {
        "sine": np.sin(2 * np.pi * 220 * time),
        "saw": sum(np.sin(2 * np.pi * 220 * n * time) / n for n in range(1, 30)),
        "square": sum(np.sin(2 * np.pi * 220 * n * time) / n for n in range(1, 30, 2)),
        "chord": sum(np.sin(2 * np.pi * p * n * time) / n for p in pitches for n in overtones),
        "hum": sum(np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 12)),
        "noise": generator.standard_normal(len(time)),
        "applause": generator.standard_normal(len(time))
        * np.repeat(generator.random(len(time) // 320) ** 4, 320),
        "bells": sum(
            np.sin(2 * np.pi * p * time) * np.exp(-(time % 1.0) / 0.4) for p in (523, 1411, 2203)
        ),
    }
    music = {name: s[: 8 * RATE] for name, s in still_sounds().items() if "music" in name}
    for name, sound in {**sounds, **music}.items():
        # How a burst goes on cannot be known in its first tenths.
        opened = gap(osm, at_level(sound), rest_in_silence=False)[12:]
        assert np.percentile(opened, 95) < 0.02, name


@pytest.mark.filterwarnings("ignore::osmnet_sdk.errors.OSMNetWarning")
def test_a_stream_holds_what_the_whole_holds(osm):
    sound = np.concatenate([sdk.load_audio(VOICE).samples[: 2 * RATE], sung("a", 180.0)])
    whole = osm.predict_expression((sound, RATE)).coefficients
    stream = osm.expression_stream()
    pieces = [stream.feed(sound[at : at + 977]) for at in range(0, len(sound), 977)]
    np.testing.assert_allclose(np.concatenate([*pieces, stream.finish()]), whole, atol=1e-5)


def test_pieces_are_judged_as_the_whole():
    sound = HighPass().push(np.concatenate([sung("e"), sung("o", 220.0), np.zeros(1280)]))
    whole = VowelStream().push(sound)
    stream = VowelStream()
    parts = joined([stream.push(sound[at : at + 640]) for at in range(0, len(sound), 640)])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    assert len(whole.clear) == len(sound) // 640 - 1
    steady = whole.formants[10:40]
    assert np.median(steady[:, 0]) == pytest.approx(FORMANTS["e"][0], rel=0.15)
    assert np.median(steady[:, 1]) == pytest.approx(FORMANTS["e"][1], rel=0.1)
