"""Made-up heads: drawn from a seed, where they say they are, with lids, eyes and mouths."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.face.upright import find_faces
from osmnet_sdk.research.trainers.guided import samples as guided_samples
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe
from osmnet_sdk.research.trainers.guided.samples import SampleMaker, sample_type
from osmnet_sdk.research.trainers.guided.synthetic.expressions import acted_expressions
from osmnet_sdk.research.trainers.guided.synthetic.heads import SyntheticHead
from osmnet_sdk.research.trainers.guided.synthetic.scene import Light
from osmnet_sdk.research.trainers.guided.synthetic.skin import positions

SIZE = 192
GREEN = np.array([0, 1, 0], np.float32)
BLACK = np.zeros(3, np.float32)


@pytest.fixture(scope="module")
def model(osm) -> FaceModel:  # type: ignore[no-untyped-def]
    return osm.face_model  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def person(model: FaceModel) -> SyntheticHead:
    return SyntheticHead(model, 4, SIZE)


@pytest.fixture
def head(person: SyntheticHead) -> SyntheticHead:
    """A head in even light without shine, black where a test paints nothing."""
    made = copy(person)
    even = np.ones(3, np.float32)
    made.light = Light(np.array([0, 0, 1], np.float32), 0 * even, even, 0.0)
    made.surface = np.zeros_like(made.surface)
    return made


def expression(**values: float) -> NDArray[np.float64]:
    found = np.zeros(52)
    for name, value in values.items():
        found[ARKIT_NAMES.index(name)] = value
    return found


def green(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    red, level, blue = np.moveaxis(picture.astype(int), -1, 0)
    return level > np.maximum(red, blue) + 70


def middle(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.argwhere(mask).mean(0)[::-1]


def test_a_seed_is_a_head(model: FaceModel, person: SyntheticHead) -> None:
    again, other = (SyntheticHead(model, seed, SIZE) for seed in (4, 5))
    smile = expression(mouthSmileLeft=0.5)
    pictures = [made.draw(person.rest, smile) for made in (person, again, other)]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0].astype(int) - pictures[2]).mean() > 10
    assert not np.array_equal(person.identity, other.identity)
    assert pictures[0].shape == (SIZE, SIZE, 3)
    assert pictures[0].dtype == np.uint8


@pytest.mark.parametrize(
    ("turn", "name", "value"),
    [((0, 0, 0), "jawOpen", 0.0), ((8, -20, 5), "mouthLeft", 1.0), ((-8, 15, 0), "jawOpen", 0.4)],
)
def test_lips_are_where_the_landmarks_say(
    head: SyntheticHead, turn: tuple[float, ...], name: str, value: float
) -> None:
    loop = positions(head.mesh.model.landmark_mean)[list(sets.LIPS_OUTER)]
    cv2.fillPoly(head.surface, [np.round(loop).astype(np.int32)], GREEN.tolist())
    pose, acted = head.rest.moved(turn, (0.004, 0, 0)), expression(**{name: value})
    known = head.landmarks(pose, acted)[list(sets.LIPS_OUTER)]
    lips = np.argwhere(green(head.draw(pose, acted)))[:, ::-1]
    np.testing.assert_allclose(lips.min(0), known.min(0), atol=2.0)
    np.testing.assert_allclose(lips.max(0), known.max(0), atol=2.0)


@pytest.mark.parametrize(("left", "right"), [("In", "Out"), ("Out", "In"), ("Down", "Down")])
def test_eyes_look_where_they_are_told(head: SyntheticHead, left: str, right: str) -> None:
    head.looks = replace(head.looks, iris=3 * GREEN, sclera=BLACK, pupil=0.0)
    acted = expression(**{f"eyeLook{left}Left": 0.6, f"eyeLook{right}Right": 0.6})
    seen = green(head.draw(head.rest, acted))
    known = head.landmarks(head.rest, acted)
    for iris in (sets.LEFT_IRIS, sets.RIGHT_IRIS):
        side = np.zeros_like(seen)
        x, y = np.round(known[iris[0]]).astype(int)
        side[y - 8 : y + 9, x - 8 : x + 9] = True
        assert np.abs(middle(seen & side) - known[iris[0]])[0] < 1.2


def test_closed_lids_hide_the_eyes(head: SyntheticHead) -> None:
    head.looks = replace(head.looks, iris=3 * GREEN, sclera=3 * GREEN, pupil=0.0)
    counts = [
        green(head.draw(head.rest, expression(eyeBlinkLeft=shut, eyeBlinkRight=shut))).sum()
        for shut in (0.0, 0.5, 1.0)
    ]
    assert counts[0] > counts[1] > 20
    assert counts[2] == 0


def test_an_open_jaw_shows_the_mouth(head: SyntheticHead) -> None:
    head.looks = replace(head.looks, gum=2 * GREEN, tongue=2 * GREEN, tooth=2 * GREEN, reach=1.0)
    seen = [green(head.draw(head.rest, expression(jawOpen=jaw))) for jaw in (0.0, 0.2, 0.7)]
    assert seen[0].sum() == 0
    assert seen[2].sum() > 2 * seen[1].sum() > 0
    lips = head.landmarks(head.rest, expression(jawOpen=0.7))[list(sets.LIPS_INNER)]
    away = np.abs(middle(seen[2]) - lips.mean(0))
    assert away.max() < 3


def test_a_turn_uncovers_a_cheek(head: SyntheticHead) -> None:
    left = round(head.surface.shape[1] * (0.5 + 1.0 / (2 * np.pi)))
    head.surface[:, left:] = GREEN
    right, front, turned = (
        green(head.draw(head.rest.moved((0, yaw, 0), (0, 0, 0)), expression())).sum()
        for yaw in (25, 0, -25)
    )
    assert turned > 1.5 * front > 2 * right


def test_the_shoulders_stay_and_the_neck_bends(head: SyntheticHead) -> None:
    head.clothes = GREEN
    still, turned = (
        green(head.draw(head.rest.moved((0, yaw, 0), (0, 0, 0)), expression())) for yaw in (0, 30)
    )
    assert still.sum() > 100
    assert (still != turned).sum() < 0.2 * still.sum()


def test_faces_are_found_where_they_are(osm, model: FaceModel) -> None:  # type: ignore[no-untyped-def]
    networks = load_face_networks(osm.bundle)
    for seed in (0, 1):
        made = SyntheticHead(model, seed, 256)
        (_, found), *others = find_faces(made.draw(made.rest, expression()), networks)
        assert not others
        known = made.landmarks(made.rest, expression())
        assert np.linalg.norm(found.points[:, :2] - known, axis=1).mean() < 8


def test_expressions_are_quiet_tracked_or_wide() -> None:
    tracked = np.full((5, 52), 0.04, np.float32)
    quiet, others = acted_expressions(tracked, 9, np.random.default_rng(0))
    assert quiet.max() < 0.02
    assert others.shape == (9, 52)
    assert (others[1::2] == tracked[0]).all()
    assert (others[::2].max(1) >= 0.1).all()
    assert others.max() <= 1
    assert tracked.max() == np.float32(0.04)


def test_samples_lie_on_the_truth(osm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    recipe = GuidedRecipe(synthetic_heads=1, synthetic_drivers=3)
    maker = SampleMaker(recipe, load_face_networks(osm.bundle), osm.face_model, tmp_path)
    quiet = np.zeros((1, 52), np.float32)
    samples = maker.of_synthetic_heads([3], quiet)
    assert len(samples) == 3
    (rows,) = samples.parts
    assert rows.dtype == sample_type(128)
    alike = np.array([
        [structural_similarity(row["truth"], row[n], channel_axis=2) for n in ("warp", "source")]
        for row in rows
    ])  # fmt: skip
    assert alike[:, 0].min() > 0.7
    assert alike[:, 0].mean() > alike[:, 1].mean() + 0.1
    monkeypatch.setattr(guided_samples, "SyntheticHead", None)
    again = maker.of_synthetic_heads([3], quiet)  # kept, not made again
    assert np.array_equal(again.parts[0], rows)
