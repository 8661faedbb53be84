"""The baked head, and fits whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError, OutputError
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.camera import Camera, Pose, rotation_matrix
from osmnet_sdk.face.fit import FaceFitter, solve_bounded


@pytest.fixture(scope="module")
def model(osm):
    return osm.face_model


@pytest.fixture(scope="module")
def fitter(model):
    return FaceFitter(model)


def coefficients(**values: float) -> np.ndarray:
    result = np.zeros(52)
    for name, value in values.items():
        result[ARKIT_NAMES.index(name)] = value
    return result


def test_the_head_has_the_size_and_place_of_a_head(model):
    width, height, depth = np.ptp(model.mean, axis=0)
    assert 0.14 < width < 0.20
    assert 0.20 < height < 0.32
    assert 0.17 < depth < 0.26
    nose = model.landmark_mean[sets.NOSE_TIP]
    assert nose[2] == pytest.approx(model.mean[:, 2].max(), abs=0.005)
    left, right = model.eye_centres
    assert left[0] > 0.02
    assert right[0] < -0.02
    assert np.linalg.norm(left - right) == pytest.approx(0.0625, abs=0.005)  # human 54-74 mm


def test_landmarks_are_symmetric(model):
    mouth = model.landmark_mean[[61, 291]]
    eyes = model.landmark_mean[[33, 263]]
    for right, left in (mouth, eyes):
        np.testing.assert_allclose(right * [-1, 1, 1], left, atol=0.0015)


def test_blendshapes_do_what_their_names_say(model):
    def moved(name, landmark):
        return model.landmark_expression[ARKIT_NAMES.index(name), landmark]

    assert moved("jawOpen", sets.CHIN)[1] < -0.01
    assert moved("eyeBlinkLeft", 386)[1] < -0.004  # the left upper lid falls
    assert np.abs(moved("eyeBlinkLeft", 159)).max() < 0.001  # and the right one stays
    assert moved("mouthSmileRight", 61)[1] > 0.002
    assert moved("browInnerUp", 9)[1] > 0
    left_corner, right_corner = moved("mouthPucker", 291), moved("mouthPucker", 61)
    assert left_corner[0] < -0.001 < 0.001 < right_corner[0]


def test_lip_gap_is_zero_at_rest_and_opens_with_the_jaw(model, osm):
    assert model.lip_gap(np.zeros(52)) == 0
    gaps = model.lip_gap(np.stack([coefficients(jawOpen=value) for value in (0.1, 0.3, 1.0)]))
    assert (np.diff(gaps) > 0).all()
    assert 0.15 < gaps[1] < 0.3
    assert model.lip_gap(coefficients(jawOpen=0.3, mouthClose=0.3)) < 0.02
    np.testing.assert_array_equal(osm.lip_gap(coefficients(jawOpen=0.3)), gaps[1])
    with pytest.raises(InputError, match="52"):
        model.lip_gap(np.zeros((4, 51)))


def test_lip_gap_grows_without_a_step(model):
    jaw = np.zeros((401, 52), np.float32)
    jaw[:, ARKIT_NAMES.index("jawOpen")] = np.linspace(0, 0.4, 401)
    steps = np.diff(model.lip_gap(jaw))
    assert steps.min() >= 0
    assert steps.max() < 0.001


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb"])
def test_export_can_be_read_back(model, tmp_path, suffix):
    path = model.export(tmp_path / f"head.{suffix}", expression=coefficients(jawOpen=0.5))
    mesh = trimesh.load(path, force="mesh", process=False)
    assert len(mesh.faces) == len(model.triangles)
    np.testing.assert_allclose(
        mesh.bounds, trimesh.Trimesh(model.vertices(None, coefficients(jawOpen=0.5)),
                                     model.triangles, process=False).bounds, atol=1e-5,
    )  # fmt: skip


def test_export_refuses_other_suffixes(model, tmp_path):
    with pytest.raises(OutputError, match=r"\.obj, \.ply or \.glb"):
        model.export(tmp_path / "head.stl")
    assert not list(tmp_path.iterdir())


@given(st.integers(0, 1000), st.integers(1, 12))
def test_the_bounded_solve_meets_the_optimality_conditions(seed, size):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size + 3, size))
    hessian = root.T @ root + 0.1 * np.eye(size)
    gradient = rng.normal(size=size) * 3
    low, high = -rng.uniform(0, 1, size), rng.uniform(0, 1, size)
    step = solve_bounded(hessian, gradient, low, high)
    assert (step >= low).all()
    assert (step <= high).all()

    def value(d):
        return 0.5 * d @ hessian @ d + gradient @ d

    clipped = np.clip(np.linalg.solve(hessian, -gradient), low, high)
    assert value(step) <= value(clipped) + 1e-9


@pytest.mark.parametrize("angles", [(0, 0, 0), (10, -25, 5), (-12, 30, -15)])
def test_a_known_head_is_found_again(model, fitter, angles):
    rng = np.random.default_rng(3)
    identity = rng.normal(0, 0.7, model.identity_count)
    truth = coefficients(jawOpen=0.35, mouthSmileLeft=0.4, mouthSmileRight=0.4, eyeBlinkLeft=0.6)
    camera = Camera.of_square(256)
    pose = Pose(rotation_matrix(angles), np.array([0.01, -0.02, -1.25]))
    points = model.landmark_mean + np.tensordot(identity, model.landmark_identity, 1)
    points = points + np.tensordot(truth, model.landmark_expression, 1)
    seen = camera.project(points, pose)[:, :2]
    fit = fitter.fit(seen, camera, iterations=15)
    assert fit.residual < 0.6
    np.testing.assert_allclose(fit.pose.angles, angles, atol=4.0)
    assert fit.expression[ARKIT_NAMES.index("jawOpen")] == pytest.approx(0.35, abs=0.15)
    assert fit.expression[ARKIT_NAMES.index("eyeBlinkLeft")] == pytest.approx(0.6, abs=0.3)
    assert fit.expression.min() >= 0
    assert fit.expression.max() <= 1


def test_the_fit_does_not_depend_on_the_size_of_the_picture(model, fitter):
    pose = Pose(rotation_matrix([5, 10, 0]), np.array([0, -0.02, -1.25]))
    fits = []
    for side in (128, 1024):
        camera = Camera.of_square(side)
        fits.append(fitter.fit(camera.project(model.landmark_mean, pose)[:, :2], camera))
    np.testing.assert_allclose(fits[0].pose.angles, fits[1].pose.angles, atol=0.05)
    np.testing.assert_allclose(fits[0].pose.translation, fits[1].pose.translation, atol=1e-3)
