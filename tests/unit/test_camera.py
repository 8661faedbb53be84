"""Poses and projection, against the conventions in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.face.camera import Camera, Pose, euler_angles, rotation_matrix

FORWARD, LEFT, UP = np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])


def test_pitch_looks_down_yaw_turns_to_the_left_roll_tilts_to_the_right_shoulder():
    assert (rotation_matrix([10, 0, 0]) @ FORWARD)[1] < 0
    assert (rotation_matrix([0, 10, 0]) @ FORWARD)[0] > 0
    # the left ear rises and the top of the head moves to the subject's right
    assert (rotation_matrix([0, 0, 10]) @ LEFT)[1] > 0
    assert (rotation_matrix([0, 0, 10]) @ UP)[0] < 0


def test_rotation_order_is_yaw_pitch_roll():
    pitch, yaw, roll = rotation_matrix([[20, 0, 0], [0, 30, 0], [0, 0, 40]])
    np.testing.assert_allclose(rotation_matrix([20, 30, 40]), yaw @ pitch @ roll, atol=1e-12)


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-179, 179))
def test_angles_come_back(pitch, yaw, roll):
    angles = [pitch, yaw, roll]
    np.testing.assert_allclose(euler_angles(rotation_matrix(angles)), angles, atol=1e-6)


def test_a_track_moves_the_head_about_its_joint_in_its_own_axes():
    rest = Pose(rotation_matrix([0, 90, 0]), np.array([0, 0, -1.0]))
    moved = rest.moved([0, 0, 0], [0.1, 0, 0])  # 10 cm to the subject's left
    np.testing.assert_allclose(moved.translation, [0, 0, -1.1], atol=1e-12)
    turned = rest.moved([0, -90, 0], [0, 0, 0])
    np.testing.assert_allclose(turned.rotation, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turned.translation, rest.translation)


def test_projection_puts_left_right_in_the_image_and_up_at_smaller_y():
    camera = Camera.of_square(256)
    pose = Pose(np.eye(3), np.array([0, 0, -1.2]))
    middle, left, up = camera.project(np.stack([0 * UP, 0.05 * LEFT, 0.05 * UP]), pose)
    assert middle == pytest.approx([127.5, 127.5, 1.2])
    assert left[0] > middle[0]
    assert up[1] < middle[1]


def test_a_scaled_camera_sees_the_resized_picture():
    camera = Camera.of_square(256)
    points = np.random.default_rng(0).normal(0, 0.1, (5, 3))
    pose = Pose(rotation_matrix([5, 10, -5]), np.array([0, 0, -1.2]))
    small, large = camera.project(points, pose), camera.scaled(2).project(points, pose)
    np.testing.assert_allclose(large[:, :2] + 0.5, 2 * (small[:, :2] + 0.5))
