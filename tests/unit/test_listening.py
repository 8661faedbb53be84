"""A network that hears speech hears a recording once: lips, phones and activity share it."""

from __future__ import annotations

import numpy as np
import pytest
from expression_support import small_encoder, small_extractor, voice

from osmnet_sdk.audio.load import load_audio
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.errors import ModelError
from osmnet_sdk.expression.network import PHONE_CLASSES, ExtractorConfig
from osmnet_sdk.expression.predict import ExpressionPredictor
from osmnet_sdk.expression.stream import ExpressionStream
from osmnet_sdk.options import ExpressionOptions

CONFIG = ExtractorConfig(features="speech", speech=16, layers=1, ahead=0, width=16, hidden=16)


def predictor() -> ExpressionPredictor:
    return ExpressionPredictor(small_extractor(CONFIG), small_encoder())


def recording(seconds: float = 3.0):
    return load_audio((voice(seconds, 5), SAMPLE_RATE))


def test_a_recording_is_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    ear = ExpressionPredictor._ear
    monkeypatch.setattr(
        ExpressionPredictor, "_ear", lambda *args, **kw: made.append(1) or ear(*args, **kw)
    )
    hearing, sound = predictor(), recording()
    track = hearing.predict(sound)
    told = hearing.listen(sound)
    assert hearing.hear(sound).phones.shape == (2 * (len(track) + 25), len(PHONE_CLASSES))
    assert hearing.listen(sound) is told
    assert len(made) == 1
    # Another network hears for itself, and by level alone nothing is told.
    assert predictor().listen(sound) is not told
    assert len(made) == 2
    assert sound.analysis.voice is None
    np.testing.assert_array_equal(told.activity, hearing.hear(sound).spoken[: len(track)])


def test_lips_of_what_was_heard_are_those_of_hearing_it_anew() -> None:
    hearing, sound = predictor(), recording(2.0)
    stream = ExpressionStream(hearing._ear(None, whole=True))
    # With the second of silence that is heard after a recording.
    parts = [stream.feed(sound.samples), stream.feed(np.zeros(SAMPLE_RATE)), stream.finish()]
    anew = np.concatenate(parts)[: sound.frames]
    np.testing.assert_allclose(hearing.predict(sound).coefficients, anew, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.08, 0.2])
def test_what_was_heard_reaches_as_far_as_smoothing_asks(smoothing: float) -> None:
    track = predictor().predict(recording(2.03), options=ExpressionOptions(smoothing=smoothing))
    assert len(track) == 51
    assert np.isfinite(track.coefficients).all()


def test_in_digital_silence_nobody_speaks() -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    sound = load_audio((np.concatenate([voice(1.0, 5), pause, voice(1.0, 6)]), SAMPLE_RATE))
    hearing = predictor()
    spoken = hearing.listen(sound).activity
    rings = 4  # frames in which the high-pass rings on, and one beside them
    assert spoken[:25].max() > 0.2
    assert spoken[25 + rings : 49].max() == 0.0
    assert spoken[50:].max() > 0.2
    nothing = hearing.predict((np.zeros(2 * SAMPLE_RATE, np.float32), SAMPLE_RATE))
    assert np.abs(nothing.coefficients).max() == 0.0


def test_mel_windows_tell_no_phones() -> None:
    hearing = ExpressionPredictor(small_extractor())
    sound = recording()
    with pytest.raises(ModelError, match="features of speech"):
        hearing.hear(sound)
    assert hearing.listen(sound) is sound.analysis
