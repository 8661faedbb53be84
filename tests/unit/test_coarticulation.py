import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.expression.coarticulation import TimedPhone, viseme_track
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.phones import ARTICULATIONS, phone_classes
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.trainers.expression.facegood import to_arkit
from osmnet_sdk.research.trainers.expression.speech_synthesis import Voice, speak

SYMBOLS = (
    "p",
    "b",
    "m",
    "f",
    "v",
    "t",
    "s",
    "sh",
    "k",
    "w",
    "r",
    "l",
    "aa",
    "ae",
    "iy",
    "uw",
    "ow",
    "ay",
    "eh",
    "ax",
    "pau",
)


@pytest.fixture(scope="module")
def model():
    return load_face_model(find_bundle())


@pytest.fixture(scope="module")
def geometry(model):
    return LipGeometry.from_model(model)


def phones(text, seconds=0.1, start=0.5):
    return [
        TimedPhone(symbol, start + i * seconds, start + (i + 1) * seconds)
        for i, symbol in enumerate(text.split())
    ]


def track(model, geometry, text, seconds=0.1):
    said = phones(text, seconds)
    frames = int(np.ceil((said[-1].end + 0.5) * 25))
    result = viseme_track(said, frames, geometry, alphabet="arpabet")
    return said, result, model.lip_gap(result)


@settings(deadline=None, max_examples=60)
@given(
    symbols=st.lists(
        st.sampled_from(SYMBOLS),
        min_size=1,
        max_size=12,
    ),
    seconds=st.floats(0.04, 0.25),
)
def test_bilabials_always_close_and_values_stay_in_range(symbols, seconds):
    model = load_face_model(find_bundle())
    said, result, gap = track(model, LipGeometry.from_model(model), " ".join(symbols), seconds)
    assert result.min() >= 0
    assert result.max() <= 1
    for phone in said:
        if phone.symbol in ("p", "b", "m"):
            near = gap[int(np.ceil((phone.start - 0.04) * 25)) : int((phone.end + 0.04) * 25) + 1]
            assert near.min() < 0.02


def test_vowels_open_by_how_open_they_are(model, geometry):
    widest = {}
    for vowel in ("aa", "eh", "iy", "uw"):
        _, _, gap = track(model, geometry, f"t {vowel} t", 0.2)
        widest[vowel] = gap.max()
    assert 0.2 < widest["aa"] < 0.4
    assert widest["aa"] > widest["eh"] > widest["iy"] > widest["uw"] > 0.03


def test_mouth_is_at_rest_before_and_after(model, geometry):
    _, result, gap = track(model, geometry, "m aa m aa")
    assert result[:6].max() < 0.02
    assert result[-4:].max() < 0.02
    assert gap[:6].max() < 0.01


def test_rounding_and_spreading(model, geometry):
    pucker, stretch = ARKIT_NAMES.index("mouthPucker"), ARKIT_NAMES.index("mouthStretchLeft")
    _, rounded, _ = track(model, geometry, "w uw w uw")
    _, spread, _ = track(model, geometry, "s iy s iy")
    assert rounded[:, pucker].max() > 0.4 > 10 * spread[:, pucker].max()
    assert spread[:, stretch].max() > 0.15 > 3 * rounded[:, stretch].max()


def test_rounding_is_felt_before_its_sound(model, geometry):
    pucker = ARKIT_NAMES.index("mouthPucker")
    _, before_round, _ = track(model, geometry, "t t uw")
    _, before_spread, _ = track(model, geometry, "t t iy")
    middle_of_second = int(0.65 * 25)
    assert before_round[middle_of_second, pucker] > before_spread[middle_of_second, pucker] + 0.03


def test_louder_vowels_open_wider(model, geometry):
    said = phones("t aa t", 0.15)
    frames = 40
    quiet, loud = (
        model.lip_gap(
            viseme_track(
                said, frames, geometry, alphabet="arpabet", emphasis=np.array([1.0, width, 1.0])
            )
        ).max()
        for width in (0.8, 1.2)
    )
    assert loud > 1.2 * quiet


def test_phones_out_of_order_are_refused(geometry):
    with pytest.raises(InputError, match="out of order"):
        viseme_track([TimedPhone("a", 0.5, 0.6), TimedPhone("m", 0.2, 0.3)], 30, geometry)


@pytest.mark.parametrize(
    ("symbol", "alphabet", "expected"),
    [
        ("p", "arpabet", ("bilabial",)),
        ("ow", "arpabet", ("o", "u")),
        ("pau", "arpabet", ("silence",)),
        ("tʃ", "ipa", ("alveolar", "postalveolar")),
        ("oʊ", "ipa", ("o", "near_u")),
        ("mʲ", "ipa", ("bilabial",)),
        ("ɑː", "ipa", ("a",)),
        ("ã", "ipa", ("a",)),
        ("", "ipa", ("silence",)),
        ("O1", "italian", ("open_o",)),
        ("dZ", "italian", ("alveolar", "postalveolar")),
        ("s~", "czech", ("postalveolar",)),
        ("@:", "finnish", ("ae",)),
        ("bb", "russian", ("bilabial",)),
        ("#", "czech", ("silence",)),
    ],
)
def test_phone_alphabets(symbol, alphabet, expected):
    assert phone_classes(symbol, alphabet) == expected
    assert all(name in ARTICULATIONS for name in expected)


def test_facegood_maps_to_closed_lips_where_its_jaw_is_shut(model, geometry):
    from osmnet_sdk.research.trainers.expression.facegood import _MAP

    names = tuple(dict.fromkeys(source for pairs in _MAP.values() for source, _ in pairs))
    weights = np.zeros((3, len(names)), np.float32)
    weights[1, names.index("mouth_stretch_c")] = 0.4
    for channel in ("mouth_pucker_l", "mouth_pucker_r", "mouth_funnel_ul", "mouth_press_l"):
        weights[2, names.index(channel)] = 0.6
    mapped = to_arkit(weights, names, geometry)
    assert not mapped[0].any()
    gap = model.lip_gap(mapped)
    assert gap[1] > 0.2
    assert gap[2] == 0
    assert mapped[2, ARKIT_NAMES.index("mouthPucker")] > 0.3
    with pytest.raises(InputError, match="no channel"):
        to_arkit(weights[:, 1:], names[1:], geometry)


def test_a_missing_synthesiser_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModelError, match="flite"):
        speak("Hello.", Voice(engine="flite", name="slt"))
