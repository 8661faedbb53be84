"""Which channel and which track of a sound is the voice, and what nobody hears."""

import warnings
from fractions import Fraction

import av
import numpy as np
import pytest
from media import write_sound

from osmnet_sdk.audio import analysis
from osmnet_sdk.audio.channels import parsed_channel
from osmnet_sdk.audio.load import Audio, load_audio
from osmnet_sdk.errors import AudioError, OSMNetWarning
from osmnet_sdk.formats.video_writer import VideoWriter

RATE = 16000


def syllables(seconds=4.0, seed=1, turn=None):
    """Bursts of noise of 0.2 s with pauses of 0.1 s; with `turn`, in every other second alone."""
    time = np.arange(int(seconds * RATE)) / RATE
    wave = np.convolve(
        np.random.default_rng(seed).standard_normal(len(time)), np.hanning(12), "same"
    )
    wave = np.diff(wave, prepend=0.0)
    wave *= (time % 0.3) < 0.2
    if turn is not None:
        wave *= (time.astype(int) % 2) == turn
    return (0.1 * wave / wave.std()).astype(np.float32)


def write_tracks(path, tracks, *, default=None, titles=()):
    with av.open(str(path), "w") as container:
        streams = []
        for number, samples in enumerate(tracks):
            stream = container.add_stream("aac", rate=RATE)
            stream.layout = "mono"
            if number < len(titles):
                stream.metadata["title"] = titles[number]
            if default is not None:
                kinds = type(stream.disposition)
                stream.disposition = kinds.default if number == default else kinds(0)
            streams.append((stream, samples))
        for stream, samples in streams:
            frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def alike(one, other):
    size = min(len(one), len(other))
    return float(np.corrcoef(one[:size], other[:size])[0, 1])


@pytest.mark.parametrize(
    ("channel", "place"), [("left", 0), ("right", 1), (1, 0), ("2", 1), ("LEFT", 0)]
)
def test_a_channel_that_is_named_is_the_one_that_is_heard(tmp_path, channel, place):
    both = np.stack([syllables(seed=1), syllables(seed=2)], axis=1)
    path = write_sound(tmp_path / "a.wav", both, RATE, "pcm_f32le", layout="stereo")
    for source in (path, (both, RATE)):
        audio = load_audio(source, channel=channel)
        np.testing.assert_array_equal(audio.samples, both[:, place])
        again = load_audio(audio, channel="mix")
        np.testing.assert_allclose(again.samples, both.mean(axis=1), atol=1e-6)


def test_the_centre_of_surround_sound_is_heard_where_it_speaks(tmp_path):
    six = np.stack([syllables(seed=k) * np.float32(0.3) for k in range(6)], axis=1)
    path = write_sound(tmp_path / "a.wav", six, RATE, "pcm_f32le", layout="5.1")
    np.testing.assert_array_equal(load_audio(path).samples, six[:, 2])
    np.testing.assert_array_equal(load_audio(path, channel="centre").samples, six[:, 2])
    six[:, 2] = 0
    path = write_sound(tmp_path / "b.wav", six, RATE, "pcm_f32le", layout="5.1")
    np.testing.assert_allclose(load_audio(path).samples, six.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("gain", [-1.0, -0.8])
def test_a_mix_that_cancels_gives_way_to_a_channel(rate, gain):
    voice = np.repeat(syllables(), 3)[: rate * 3]
    for offset in (0.0, 0.3):  # an offset survives the mix, the voice does not
        both = np.stack([voice, np.float32(gain) * voice], axis=1) + np.float32(offset)
        with pytest.warns(OSMNetWarning, match="cancel"):
            audio = load_audio((both, rate))
        assert abs(alike(load_audio((voice, rate)).samples, audio.samples)) > 0.99
        assert audio.origin.channel == (1 if gain > -1 else audio.origin.channel)


def test_ordinary_stereo_is_mixed_without_a_word():
    voice = syllables()
    wide = np.stack([voice + 0.3 * syllables(seed=2), voice + 0.3 * syllables(seed=3)], axis=1)
    for both in (wide, np.stack([voice, 0 * voice], axis=1), np.stack([voice, voice], axis=1)):
        np.testing.assert_allclose(load_audio((both, RATE)).samples, both.mean(axis=1), atol=1e-6)


def test_two_voices_on_two_channels_are_told():
    both = np.stack([syllables(8.0, turn=0), syllables(8.0, seed=2, turn=1)], axis=1)
    with pytest.warns(OSMNetWarning, match="two voices"):
        load_audio((both, RATE))
    load_audio((both, RATE), channel="left")
    load_audio((both, RATE), channel="mix")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_track_in_which_somebody_speaks_is_found_or_named(tmp_path, name):
    silent, voice = np.zeros(4 * RATE, np.float32), syllables()
    path = write_tracks(tmp_path / name, [silent, voice], titles=["Desktop", "Mic"], default=0)
    with pytest.warns(OSMNetWarning, match=r"Nobody speaks in track 1.*track 2"):
        audio = load_audio(path)
    assert alike(audio.samples, voice) > 0.97
    assert audio.origin.tracks == load_audio(path, track=1).origin.tracks == 2
    assert alike(load_audio(path, track=2).samples, voice) > 0.97
    assert np.abs(load_audio(path, track=1).samples).max() < 1e-3
    for track in (0, 3, -1):
        with pytest.raises(AudioError, match="2 sound tracks"):
            load_audio(path, track=track)


def test_the_default_track_is_heard(tmp_path):
    one, two = syllables(seed=1), syllables(seed=2)
    path = write_tracks(tmp_path / "a.mkv", [one, two], default=1)
    assert alike(load_audio(path).samples, two) > 0.97


def test_a_video_carries_what_was_chosen(tmp_path):
    one, two = syllables(seed=1), syllables(seed=2)
    path = write_tracks(tmp_path / "a.mkv", [one, two], default=0)
    pair = np.stack([one, two], axis=1)
    for source, expected in (
        (load_audio(path, track=2), two),
        (load_audio((pair, RATE), channel="right"), two),
        (path, one),
    ):
        film = tmp_path / "film.mp4"
        with VideoWriter(film, fps=25, audio=source) as writer:
            for _ in range(100):
                writer.write(np.zeros((64, 64, 3), np.uint8))
        assert alike(load_audio(film).samples, expected) > 0.95


@pytest.mark.parametrize("channel", ["up", "", 0, 65, -1, 1.5, True, "x" * 900, "٣"])
def test_channels_that_cannot_be_are_refused(channel):
    with pytest.raises(AudioError) as caught:
        parsed_channel(channel)
    assert len(str(caught.value)) < 200


def test_a_track_is_listened_to_once(tmp_path, monkeypatch):
    """What the choice of a track heard is what takes are made from later."""
    heard = []

    def counted(level):
        heard.append(len(level))
        return made(level)

    made = analysis.level_activity
    monkeypatch.setattr(analysis, "level_activity", counted)
    silent, voice = np.zeros(4 * RATE, np.float32), syllables()
    for tracks, times in (([voice, silent], 1), ([silent, voice], 2)):
        heard.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OSMNetWarning)
            audio = load_audio(write_tracks(tmp_path / f"{times}.mkv", tracks, default=0))
        assert audio.analysis.activity.max() > 0.5
        assert len(heard) == times


def test_channels_and_tracks_that_are_not_there_are_refused():
    voice = syllables()
    for channel in ("left", "right", 2, "centre"):
        with pytest.raises(AudioError, match="1 channel"):
            load_audio((voice, RATE), channel=channel)
    with pytest.raises(AudioError, match="track 2"):
        load_audio((voice, RATE), track=2)
    with pytest.raises(AudioError, match="made of samples"):
        load_audio(Audio(voice), channel=1)


@pytest.mark.parametrize("name", ["offset", "rumble", "both"])
def test_what_nobody_hears_is_not_listened_to(name):
    voice = syllables()
    time = np.arange(len(voice)) / RATE
    energy = 0.0 * time
    if name != "rumble":
        energy = energy + 0.3
    if name != "offset":
        energy = energy + 0.2 * np.sin(2 * np.pi * 9 * time)
    plain, loaded = (
        load_audio(((voice + extra).astype(np.float32), RATE)) for extra in (0 * time, energy)
    )
    assert (
        np.abs(plain.analysis.heard - loaded.analysis.heard)[4000:].max()
        < 0.01 * np.abs(voice).max()
    )
    assert alike(plain.analysis.heard, plain.samples) > 0.99
    # The digest is over what was decoded, so that takes that were made before still match.
    assert loaded.sha256 == Audio(loaded.samples).sha256


def test_sound_that_begins_with_an_offset_begins_without_a_thump():
    silent = load_audio((np.full(RATE, 0.4, np.float32), RATE))
    assert np.abs(silent.analysis.heard).max() < 1e-6
