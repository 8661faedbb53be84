"""Names of basis vectors by rule, poses for pictures, and turning a head, on small networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.face.camera import rotation_matrix
from osmnet_sdk.motion.basis import action_name, basis_vectors, shown_poses
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.network import MotionConfig, MotionNetwork
from osmnet_sdk.motion.shaping import relative_clips
from osmnet_sdk.motion.turning import continued, turn_head, wanted_rotation

SMALL = MotionConfig(basis_vectors=48, feature_size=32, hidden_size=16)

RAMP = np.linspace(0, 1, 9)
SWING = np.sin(np.linspace(0, math.pi, 9))


def clip(pitch=0.0, yaw=0.0, roll=0.0, shape=RAMP):
    return np.outer(shape, [pitch, yaw, roll, 0, 0, 0])


@pytest.mark.parametrize(
    ("curves", "name"),
    [
        (clip(), "still"),
        (clip(1.9, -1.9, 1.9), "still"),
        (clip(pitch=5), "nod down"),
        (clip(pitch=-5), "nod up"),
        (clip(yaw=5), "turn left"),
        (clip(yaw=-5), "turn right"),
        (clip(roll=5), "tilt right"),
        (clip(roll=-5), "tilt left"),
        (clip(pitch=-6, shape=SWING), "nod"),
        (clip(yaw=6, shape=SWING), "shake"),
        (clip(roll=6, shape=SWING), "rock"),
        (clip(yaw=9, pitch=5), "turn left + nod down"),
        (clip(yaw=9, pitch=4), "turn left"),
        (clip(3, -5, -4), "turn right + tilt left + nod down"),
        (clip(pitch=6, shape=SWING) + clip(yaw=-4), "nod + turn right"),
        (clip(yaw=6, shape=np.sin(np.linspace(0, 2 * math.pi, 9))), "shake"),
        (clip(pitch=6, shape=0.6 * SWING + RAMP), "nod down"),
    ],
)
def test_actions_are_named_by_rule(curves, name):
    assert action_name(curves) == name
    assert action_name(curves[:, :3]) == name


def test_translation_has_no_part_in_the_name():
    moved = clip(yaw=5)
    moved[:, 3:] = 100 * RAMP[:, None]
    assert action_name(moved) == "turn left"


angles = st.floats(-40, 40, width=32)
clips = arrays(np.float64, (5, 6), elements=angles).map(lambda values: values - values[:1])

OPPOSITE = str.maketrans({"<": ">", ">": "<"})


@given(clips)
def test_a_mirrored_clip_has_the_mirrored_name(curves):
    mirrored = action_name(curves * [1, -1, -1, 1, 1, 1])
    swapped = action_name(curves).replace("left", "<").replace("right", ">").translate(OPPOSITE)
    assert mirrored == swapped.replace("<", "left").replace(">", "right")


@given(clips)
def test_still_means_that_no_angle_ranges_over_two_degrees(curves):
    assert (action_name(curves) == "still") == bool((np.ptp(curves[:, :3], axis=0) < 2).all())


@given(clips, st.integers(1, 8))
def test_shown_poses_are_the_clip_made_small_enough(curves, count):
    poses, factor = shown_poses(curves, count)
    assert len(poses) == min(count, 4)
    assert 0 < factor <= 1
    assert np.abs(poses[:, :3]).max() <= 20 + 1e-9
    assert np.abs(poses[:, 3:]).max() <= 0.03 + 1e-9
    np.testing.assert_array_equal(poses[-1], curves[-1] * factor)


@given(arrays(np.float64, 6, elements=angles), clips)
def test_a_continued_clip_is_the_same_clip_seen_from_its_first_pose(pose, curves):
    # Relative angles read back from matrices are the clip's where yaw is small enough.
    path = continued(pose, curves)
    np.testing.assert_allclose(path[0], pose, atol=1e-6)
    again = relative_clips(path[:, :3], path[:, 3:], 5)[0]
    np.testing.assert_allclose(again, curves, atol=1e-6)


def network(scale=1.0, clip_frames=5) -> MotionNetwork:
    """A network whose basis moves the head in every direction, as training would make it."""
    torch.manual_seed(3)
    small = MotionNetwork(SMALL.model_copy(update={"clip_frames": clip_frames}))
    small.pose_scale[:3] = scale
    small.pose_scale[3:] = 0.002
    with torch.no_grad():
        still = torch.zeros(SMALL.feature_size)
        still[0] = 1.0
        ways = 0.3 * torch.randn(SMALL.basis_vectors // 2, SMALL.feature_size)
        small.directions.copy_(torch.cat([still + ways, still - ways]))
        small.directions /= small.directions.norm(dim=1, keepdim=True)
        small.motion_encoder.curve[-1].weight.zero_()
        small.motion_encoder.curve[-1].bias.zero_()
        small.decoder.linear.weight.mul_(10)
    return small.eval()


def calibration() -> Calibration:
    still = np.array([0.0, 1.0])
    return Calibration(
        directions=np.eye(2, 32),
        recursion=np.zeros((2, 3)),
        predicted_speed=still,
        gains=np.ones(6),
        octaves=np.ones((6, 5)),
        leaks=np.full(6, 2.0),
        drift=10.0,
        bursts=np.full(6, 0.7),
        flicks=np.full(3, 0.3),
        moods=0.2,
        sizes=still,
        asked=np.eye(2),
        tremor=np.zeros(6),
    )


@pytest.mark.parametrize("clip_frames", [3, 5, 25])
def test_basis_vectors_are_decoded_named_and_held(clip_frames):
    small = network(clip_frames=clip_frames)
    with torch.no_grad():
        small.directions[7] = small.still_feature()[0]
    shares = np.random.default_rng(1).dirichlet(np.ones(48)).astype(np.float32)
    assert all(vector.attention is None for vector in basis_vectors(small, calibration()))
    vectors = basis_vectors(small, calibration(), shares)
    assert [vector.attention for vector in vectors] == shares.tolist()
    assert [vector.index for vector in vectors] == list(range(48))
    assert vectors[7].label == "b08"
    assert vectors[7].name == "still"
    assert np.abs(vectors[7].clip).max() < 1e-5
    for vector in vectors:
        assert vector.clip.shape == (clip_frames, 6)
        assert not vector.clip[0].any()
        assert vector.held.shape == (26, 6)
        assert vector.name == action_name(vector.clip)
        np.testing.assert_array_equal(np.abs(vector.peaks), np.abs(vector.clip[:, :3]).max(axis=0))


@pytest.mark.parametrize("asked", [(0, 20, 0), (-15, 0, 5), (10, -30, -12), (0.2, 0, 0)])
def test_a_head_is_turned_by_mixtures_of_basis_vectors(asked):
    turn = turn_head(network(4.0), asked)
    assert turn.residual < 0.5
    missed = rotation_matrix(turn.reached).T @ rotation_matrix(asked)
    assert math.degrees(math.acos(min(1, (np.trace(missed) - 1) / 2))) < 0.5
    assert (turn.weights >= 0).all()
    np.testing.assert_allclose(turn.weights.sum(axis=1), 1)
    assert len(turn.motion) == 4 * len(turn.weights) + 1
    assert turn.motion.fps == FPS
    assert not turn.motion.rotation[0].any()


def test_no_turn_is_no_motion():
    turn = turn_head(network(), (0, 0, 0))
    assert len(turn.motion) == 1
    assert turn.weights.shape == (0, 48)
    assert turn.residual == 0


def test_a_basis_that_cannot_turn_says_so():
    with pytest.raises(ModelError, match=r"to within \d+\.\d° of the wanted pose"):
        turn_head(network(1e-6), (0, 20, 0))


@pytest.mark.parametrize(
    ("wanted", "axis"),
    [((0, 1000, 0), "yaw"), ((-46, 0, 0), "pitch"), ((0, 0, math.inf), "roll"),
     ((math.nan, 0, 0), "pitch")],
)  # fmt: skip
def test_impossible_angles_are_refused(wanted, axis):
    with pytest.raises(InputError, match=f"^{axis} must lie between −45° and 45°"):
        wanted_rotation(wanted)


@given(arrays(np.float64, 3, elements=st.floats(-40, 40)),
       arrays(np.float64, 3, elements=st.floats(-40, 40)))  # fmt: skip
def test_angles_before_the_camera_are_reached_from_any_rest(rest, wanted):
    head = rotation_matrix(rest)
    track = wanted_rotation(wanted, head)
    np.testing.assert_allclose(head @ rotation_matrix(track), rotation_matrix(wanted), atol=1e-9)
    np.testing.assert_array_equal(wanted_rotation(wanted), wanted)
