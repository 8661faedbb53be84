"""Scores of a photo's aspects: each falls for its own fault, and the worst one counts."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face.covered import Covered
from osmnet_sdk.face.photo_quality import photo_quality

MODEL = SimpleNamespace(lip_gap=lambda expression, _: expression[ARKIT_NAMES.index("jawOpen")])

BARE = Covered(mouth=0.1, eyes=0.1)


def picture(contrast: float = 1.0, blur: float = 0.0) -> np.ndarray:
    """A sharp pattern of blocks, 320 pixels high."""
    blocks = np.random.default_rng(1).integers(0, 256, (40, 40)).astype(np.uint8)
    sharp = cv2.resize(blocks, (320, 320), interpolation=cv2.INTER_NEAREST)
    if blur:
        sharp = cv2.GaussianBlur(sharp, (0, 0), blur)
    grey = (128 + (sharp.astype(float) - 128) * contrast).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def quality(
    photo=None,
    *,
    pixels=300.0,
    inside=1.0,
    angles=(0.0, 0.0, 0.0),
    covered=BARE,
    **coefficients,
):
    expression = np.zeros(52)
    for name, value in coefficients.items():
        expression[ARKIT_NAMES.index(name)] = value
    fit = SimpleNamespace(
        pose=SimpleNamespace(angles=np.array(angles)), expression=expression, identity=None
    )
    corners = np.array([[5.0, 5.0], [5.0 + pixels, 5.0 + pixels]])
    photo = picture() if photo is None else photo
    return photo_quality(
        photo, corners, fit, MODEL, inside=inside, covered=covered, name="'me.jpg'"
    )


def test_a_good_photo_has_nothing_to_wish_for():
    good = quality()
    assert good.score == 1.0
    assert good.warnings == ()
    assert not good.warns_of("room")
    assert {aspect.name for aspect in good.aspects} == {
        "size", "sharpness", "light", "pose", "mouth", "eyes", "room",
        "covered mouth", "covered eyes",
    }  # fmt: skip
    assert {aspect.advice for aspect in good.aspects} == {None}


@pytest.mark.parametrize(
    ("fault", "name", "says"),
    [
        ({"pixels": 90.0}, "size", "90 pixels high"),
        ({"photo": picture(blur=6.0)}, "sharpness", "blurred"),
        ({"photo": picture(contrast=0.1)}, "light", "light and shade"),
        ({"angles": (0.0, -32.0, 0.0)}, "pose", "yaw -32°"),
        ({"angles": (26.0, 0.0, 20.0)}, "pose", "pitch 26°"),
        ({"jawOpen": 0.2}, "mouth", "open"),
        ({"eyeBlinkLeft": 0.9}, "eyes", "closed"),
        ({"inside": 0.6}, "room", "cut off"),
        ({"covered": Covered(0.95, 0.0), "jawOpen": 0.4}, "covered mouth", "mouth in"),
        ({"covered": Covered(0.0, 0.95), "eyeBlinkLeft": 1.0}, "covered eyes", "dark glasses"),
    ],
)
def test_each_fault_is_named(fault, name, says):
    found = quality(**fault)
    assert found.aspects[0].name == name
    assert found.score == found.aspects[0].score < 0.5
    assert len(found.warnings) == 1
    assert says in found.warnings[0]
    assert "'me.jpg'" in found.warnings[0]
    assert found.warns_of(name)
    assert all((aspect.advice is None) == (aspect.score == 1.0) for aspect in found.aspects)


def test_the_worst_fault_counts_and_comes_first():
    found = quality(jawOpen=0.2, inside=0.5, eyeBlinkRight=0.3)
    assert [aspect.name for aspect in found.aspects[:3]] == ["room", "mouth", "eyes"]
    assert found.score == 0.0
    assert len(found.warnings) == 2


def test_a_face_beyond_the_edge_is_judged_by_what_is_there():
    assert quality(pixels=3000.0).score == 1.0
