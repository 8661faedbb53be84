from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from osmnet_addon.core import head, retarget
from scipy.spatial.transform import Rotation

ORDERS = retarget.EULER_ORDERS
DEGREES = arrays(np.float64, (12, 3), elements=st.floats(-180, 180))
PLAIN = arrays(np.float64, (12, 3), elements=st.sampled_from([0.0, 90.0, -90.0, 180.0, 45.0, 1e-7]))


def scipy_matrices(degrees: np.ndarray) -> np.ndarray:
    return Rotation.from_euler("YXZ", degrees[:, [1, 0, 2]], degrees=True).as_matrix()


def blender_matrices(radians: np.ndarray, order: str) -> np.ndarray:
    """Blender applies the first axis of the name first: scipy's extrinsic orders."""
    columns = ["XYZ".index(axis) for axis in order]
    return Rotation.from_euler(order.lower(), radians[:, columns]).as_matrix()


def smooth_path(frames: int = 400) -> np.ndarray:
    """Degrees of a head that turns around more than once, through the poles."""
    t = np.linspace(0, 1, frames)[:, None]
    return np.hstack([200 * np.sin(7 * t), 500 * t, 120 * np.sin(5 * t + 1)])


@given(DEGREES)
def test_matrices_are_those_of_the_convention(degrees: np.ndarray) -> None:
    np.testing.assert_allclose(
        retarget.rotation_matrices(degrees), scipy_matrices(degrees), atol=1e-12
    )


def test_signs_of_the_convention() -> None:
    face = np.array([0, 0, 1.0])
    down, left, tilt = retarget.rotation_matrices([[10, 0, 0], [0, 10, 0], [0, 0, 10]])
    assert (down @ face)[1] < 0
    assert (left @ face)[0] > 0
    assert (tilt @ [0, 1, 0])[0] < 0  # the top of the head goes to the subject's right


@settings(deadline=None)
@given(st.one_of(DEGREES, PLAIN))
def test_angles_give_the_rotation_back(degrees: np.ndarray) -> None:
    matrices = scipy_matrices(degrees)
    found = retarget.angles(matrices)
    np.testing.assert_allclose(retarget.rotation_matrices(found), matrices, atol=1e-6)


def test_angles_of_usual_heads_are_the_same_angles() -> None:
    degrees = np.random.default_rng(0).uniform(-60, 60, (100, 3))
    np.testing.assert_allclose(retarget.angles(scipy_matrices(degrees)), degrees, atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
@settings(deadline=None, max_examples=40)
@given(degrees=st.one_of(DEGREES, PLAIN))
def test_euler_gives_the_rotation_back(order: str, degrees: np.ndarray) -> None:
    matrices = scipy_matrices(degrees)
    found = retarget.euler(matrices, order)
    np.testing.assert_allclose(blender_matrices(found, order), matrices, atol=1e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_is_continuous(order: str) -> None:
    matrices = scipy_matrices(smooth_path(4000))
    steps = np.abs(np.diff(retarget.euler(matrices, order), axis=0))
    wrapped = Rotation.from_matrix(matrices).as_euler(order.lower())
    assert steps.max() < np.pi / 2
    assert np.abs(np.diff(wrapped, axis=0)).max() > 3  # so there was something to unwrap


@pytest.mark.parametrize("order", ORDERS)
def test_euler_through_the_pole_is_smooth(order: str) -> None:
    """A quarter turn about the middle axis and on: the outer angles stay, the middle goes on."""
    middle = "XYZ".index(order[1])
    radians = np.zeros((101, 3))
    radians[:, middle] = np.linspace(0, np.pi, 101)
    radians[:, "XYZ".index(order[0])] = 0.3
    found = retarget.euler(blender_matrices(radians, order), order)
    np.testing.assert_allclose(found, radians, atol=1e-6)


def test_euler_refuses_other_orders() -> None:
    with pytest.raises(ValueError, match="XXY"):
        retarget.euler(np.eye(3)[None], "XXY")


@settings(deadline=None)
@given(st.one_of(DEGREES, PLAIN))
def test_quaternions_are_rotations(degrees: np.ndarray) -> None:
    matrices = scipy_matrices(degrees)
    found = retarget.quaternions(matrices)
    back = Rotation.from_quat(found[:, [1, 2, 3, 0]]).as_matrix()
    np.testing.assert_allclose(back, matrices, atol=1e-9)
    assert found[0, 0] >= 0
    assert (np.einsum("ti,ti->t", found[1:], found[:-1]) >= -1e-12).all()


@settings(deadline=None)
@given(st.one_of(DEGREES, PLAIN))
def test_axis_and_angle_are_rotations(degrees: np.ndarray) -> None:
    matrices = scipy_matrices(degrees)
    found = retarget.axis_angle(matrices)
    np.testing.assert_allclose(np.linalg.norm(found[:, 1:], axis=1), 1, atol=1e-9)
    back = Rotation.from_rotvec(found[:, :1] * found[:, 1:]).as_matrix()
    np.testing.assert_allclose(back, matrices, atol=1e-6)


def test_axis_and_angle_swing_through_rest() -> None:
    """Nodding down and up is one axis with an angle of both signs, not an axis that flips."""
    pitch = 20 * np.sin(np.linspace(0, 12, 200))
    found = retarget.axis_angle(
        retarget.rotation_matrices(np.column_stack([pitch, 0 * pitch, 0 * pitch]))
    )
    np.testing.assert_allclose(found[:, 0] * found[:, 1], np.radians(pitch), atol=1e-9)
    assert np.ptp(found[:, 1]) < 1e-6


def test_axis_and_angle_of_rest() -> None:
    found = retarget.axis_angle(np.tile(np.eye(3), (4, 1, 1)))
    np.testing.assert_array_equal(found, np.tile([0, 0, 1, 0], (4, 1)))


def test_axis_and_angle_go_on_beyond_half_a_turn() -> None:
    yaw = np.linspace(1, 700, 300)
    found = retarget.axis_angle(
        retarget.rotation_matrices(np.column_stack([0 * yaw, yaw, 0 * yaw]))
    )
    np.testing.assert_allclose(np.degrees(found[:, 0]), yaw, atol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        retarget.quaternions,
        retarget.axis_angle,
        retarget.angles,
        lambda matrices: retarget.euler(matrices, "XYZ"),
    ],
)
def test_no_frames(function) -> None:  # type: ignore[no-untyped-def]
    assert len(function(np.zeros((0, 3, 3)))) == 0


@given(DEGREES)
def test_armature_axes(degrees: np.ndarray) -> None:
    """Turning a point and then changing axes is changing axes and then turning."""
    points = np.random.default_rng(1).normal(size=(12, 3))
    matrices = scipy_matrices(degrees)
    moved = head.to_blender(np.einsum("tij,tj->ti", matrices, points))
    turned = np.einsum("tij,tj->ti", retarget.in_armature(matrices), head.to_blender(points))
    np.testing.assert_allclose(moved, turned, atol=1e-12)


def test_bones_whose_axes_are_the_heads_see_the_heads_rotation() -> None:
    """A bone that points up, its Z out of the face, has head axes: A is its rest matrix."""
    matrices = scipy_matrices(smooth_path(20))
    in_bone = retarget.in_bone(retarget.in_armature(matrices), retarget.HEAD_TO_BLENDER)
    np.testing.assert_allclose(in_bone, matrices, atol=1e-12)


@given(DEGREES, arrays(np.float64, (1, 3), elements=st.floats(-180, 180)))
def test_bones_of_any_rest(degrees: np.ndarray, rest: np.ndarray) -> None:
    bone = scipy_matrices(rest)[0]
    wanted = retarget.in_armature(scipy_matrices(degrees))
    pose = bone @ retarget.in_bone(wanted, bone)
    np.testing.assert_allclose(pose, wanted @ bone, atol=1e-12)
