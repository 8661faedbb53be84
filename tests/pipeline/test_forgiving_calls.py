"""What a user writes at first guess works, or is told in one sentence before any work."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile
from small_sampler import small_voice

import osmnet_sdk as sdk
from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.rendering.output import sound_digest

# The small voice is noise in syllables.
pytestmark = pytest.mark.filterwarnings("ignore:No (speech|voice) was found")


@pytest.fixture(scope="module")
def audio():
    return small_voice(1.0)


@pytest.fixture(scope="module")
def take(osm, audio):
    return osm.sample_takes(audio, seed=3)[0]


def refused(call, *words):
    with pytest.raises(sdk.InputError) as caught:
        call()
    said = str(caught.value)
    assert all(word in said for word in words), said


def test_options_may_be_given_by_their_names(osm, audio):
    calm = sdk.SampleOptions(epsilon=0.5)
    motions = osm.sample_motions(audio, options=calm)
    assert osm.sample_motions(audio, epsilon=0.5) == motions
    directed = sdk.SampleOptions(epsilon=0.5, pitch=2.0)
    assert osm.sample_motions(audio, options=calm, pitch=2.0) == osm.sample_motions(
        audio, options=directed
    )
    jaw = sdk.ExpressionOptions(jaw=0.5)
    assert osm.predict_expression(audio, jaw=0.5) == osm.predict_expression(audio, options=jaw)
    both = osm.sample_takes(audio, epsilon=0.5, jaw=0.5)
    assert both == osm.sample_takes(audio, options=calm, expression_options=jaw)
    (made,) = both
    assert made.provenance.options == {"motion": {"epsilon": 0.5}, "expression": {"jaw": 0.5}}


def test_what_is_misspelt_is_told_with_the_near_name(osm, monkeypatch):
    def work(*_, **__):
        raise AssertionError("work began")

    monkeypatch.setattr("osmnet_sdk.client.load_audio", work)
    for call in (osm.sample_motions, osm.sample_takes):
        refused(lambda call=call: call("x.wav", epsilom=0.5), "epsilom", "did you mean epsilon?")
        refused(lambda call=call: call("x.wav", sed=5), "did you mean seed?")
    refused(lambda: osm.sample_takes("x.wav", epsilon=9), "'epsilon' cannot be 9", "0 to 3")
    refused(
        lambda: osm.sample_takes("x.wav", intensity=2), "options=SampleOptions(intensity=…)",
        "expression_options=ExpressionOptions(intensity=…)",
    )  # fmt: skip
    refused(lambda: osm.predict_expression("x.wav", jow=0.5), "did you mean jaw?")
    refused(lambda: osm.expression_stream(lag=5), "did you mean lag_ms?")


@pytest.mark.parametrize(
    ("make", "near"),
    [
        (lambda: sdk.SampleOptions(epsilom=1), "epsilon"),
        (lambda: sdk.SampleOptions(limits={"yow": 1}), "yaw"),
        (lambda: sdk.SampleOptions(pins=[{"time": 1, "rotatoin": (1, 2, 3)}]), "rotation"),
        (lambda: sdk.Limits(translate=0.1), "translation"),
        (lambda: sdk.Pin(1.0, rotatoin=(1, 2, 3)), "rotation"),
        (lambda: sdk.ExpressionOptions(Jaw=1), "jaw"),
        (lambda: sdk.ExpressionOptions(gains={"jawOpn": 1}), "jawOpen"),
    ],
)
def test_all_options_name_the_near_one(make, near):
    refused(make, f"did you mean {near}?")


def test_sizes_and_frames_may_be_numbers_and_slices(osm, face, take):
    def drawn(**how):
        return list(osm.render(face, take, renderer="warp", **how))

    (square,) = drawn(size=64, frames=3)
    np.testing.assert_array_equal(square, drawn(size=(64, 64), frames=[3])[0])
    part = drawn(size=64, frames=slice(20, None, 2))
    assert len(part) == len(range(20, 25, 2))
    np.testing.assert_array_equal(part[1], drawn(size=(64, 64), frames=[22])[0])
    refused(lambda: drawn(size=None), "size must be")
    refused(lambda: drawn(size=(64, "x")), "size must be")
    refused(lambda: drawn(frames=[1.5]), "frames must be")
    refused(lambda: drawn(frames="all"), "frames must be")
    refused(lambda: osm.render(face, "take.npz"), "load_take")
    refused(lambda: osm.render(face, take.motion, "expression.npz"), "ExpressionTrack.load")


@pytest.mark.filterwarnings("ignore::osmnet_sdk.OSMNetWarning")
def test_a_photo_goes_where_a_face_is_wanted(osm, face, photo, take):
    (by_path,) = osm.render(photo, take, renderer="warp", frames=[3])
    (by_face,) = osm.render(face, take, renderer="warp", frames=[3])
    np.testing.assert_array_equal(by_path, by_face)
    assert len(repr(face)) < 80


def test_a_missing_video_is_no_photo(osm, tmp_path):
    with pytest.raises(sdk.InputError) as caught:
        osm.track_video(tmp_path / "none.mp4")
    assert not isinstance(caught.value, sdk.PhotoError)


def test_a_film_is_another_with_another_channel_or_source_of_its_sound(tmp_path):
    sound = (8000 * np.sin(np.arange(16000) / 20)).astype(np.int16)
    path, other = tmp_path / "voice.wav", tmp_path / "other.wav"
    wavfile.write(path, 16000, np.stack([sound, sound], axis=1))
    wavfile.write(other, 16000, sound)
    loaded = [load_audio(path, channel="left"), load_audio(path), load_audio(other)]
    assert len({audio.sha256 for audio in loaded}) == 1
    assert len({sound_digest(audio) for audio in loaded}) == 3
    assert sound_digest(load_audio(path)) == sound_digest(load_audio(path))
    assert sdk.ARKIT_NAMES[17] == "jawOpen"
