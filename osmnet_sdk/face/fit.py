"""Fit of the morphable model to tracked landmarks by a bounded Gauss–Newton solve.

Each step solves a small quadratic problem in which the expression coefficients stay within
[0, 1] by an active set; clipping them after an unbounded step breaks the fit. Residuals are
measured in pixels of a 256-pixel head crop, whatever the size of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.camera import Camera, Pose
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.progress import check_cancelled

Array = NDArray[np.float64]

_IDENTITY_WEIGHT = 1.2
"""Residual, in crop pixels, that one standard deviation of an identity component is worth."""
_EXPRESSION_WEIGHT = 2.0
"""The same for a full blendshape."""
_UNSEEN = ("tongueOut", "cheekPuff", "mouthShrugUpper", "jawForward")
"""Blendshapes that the landmarks of one camera cannot tell from others: never fitted."""
_NEARLY_DEGENERATE = {
    "jawLeft": 3.0, "jawRight": 3.0, "noseSneer": 1.5, "mouthDimple": 1.5, "mouthLeft": 2.5,
    "mouthRight": 2.5, "mouthClose": 1.5, "mouthShrugLower": 1.5, "mouthPress": 1.5,
    "eyeSquint": 3.0,
}  # fmt: skip
"""Factor on the expression weight, by the start of the name."""
MAX_IDENTITY = 3.0
"""Standard deviations of an identity component, to either side."""


@dataclass(frozen=True, eq=False)
class FaceFit:
    """The morphable model laid over one picture.

    Attributes:
        identity: (K,) float64, standard deviations.
        expression: (52,) float64 in [0, 1].
        pose: pose of the head before the camera.
        camera: camera of the picture.
        residual: weighted mean landmark distance, in pixels of a 256-pixel head crop.
    """

    identity: Array
    expression: Array
    pose: Pose
    camera: Camera
    residual: float


def landmark_weights() -> Array:
    """(478,) weight of each landmark: lips and lids most, the sliding silhouette least."""
    weights = np.full(sets.LANDMARK_COUNT, 0.35)
    for indices, weight in (
        (sets.FACE_OVAL, 0.2),
        (sets.LEFT_BROW + sets.RIGHT_BROW, 0.8),
        (sets.LIPS_OUTER + sets.LIPS_INNER, 1.6),
        (sets.LEFT_EYE + sets.RIGHT_EYE, 1.6),
        (sets.LEFT_IRIS + sets.RIGHT_IRIS, 0.0),
        ((sets.LEFT_IRIS[0], sets.RIGHT_IRIS[0]), 1.2),
    ):
        weights[list(indices)] = weight
    return weights


def solve_bounded(hessian: Array, gradient: Array, low: Array, high: Array) -> Array:
    """The step d that makes ½ dᵀHd + gᵀd small with low ≤ d ≤ high, by an active set.

    A few rounds are enough: what is still outside afterwards is put on its bound.

    Args:
        hessian: (n, n), positive definite.
        gradient: (n,).
        low: (n,) lower bounds, may be −inf.
        high: (n,) upper bounds, may be inf.
    """
    step = np.zeros(len(gradient))
    held = np.zeros(len(gradient), bool)
    for _ in range(8):
        check_cancelled()
        free = ~held
        right = -(gradient[free] + hessian[np.ix_(free, held)] @ step[held])
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], right)
        outside = free & ((step < low) | (step > high))
        if not outside.any():
            break
        step[outside] = np.clip(step[outside], low[outside], high[outside])
        held |= outside
    return np.clip(step, low, high)


def _image_motion(gradient: Array, basis: Array) -> Array:
    """(2N, m) change of the residual for each of m shapes (3, N, m), given its gradient (2N, 3)."""
    upper, lower = np.split(gradient[:, :, None], 2)
    return np.concatenate(
        [sum(half[:, axis] * basis[axis] for axis in range(3)) for half in (upper, lower)]
    )


class FaceFitter:
    """Fits a morphable model to landmarks; reusable, holds no state between calls."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        self._weights = landmark_weights()
        self._used = np.flatnonzero(self._weights > 0)
        self._w = self._weights[self._used]
        self._mean = model.landmark_mean[self._used].astype(np.float64)
        self._identity = model.landmark_identity[:, self._used].astype(np.float64)
        self._fitted = np.array([i for i, n in enumerate(ARKIT_NAMES) if n not in _UNSEEN])
        self._expression = model.landmark_expression[self._fitted][:, self._used].astype(float)
        self._identity_motion = np.ascontiguousarray(self._identity.transpose(2, 1, 0))
        self._expression_motion = np.ascontiguousarray(self._expression.transpose(2, 1, 0))
        names = [ARKIT_NAMES[i] for i in self._fitted]
        factors = [
            next((f for s, f in _NEARLY_DEGENERATE.items() if n.startswith(s)), 1.0) for n in names
        ]
        self._prior = (_EXPRESSION_WEIGHT * np.array(factors)) ** 2

    @cached_property
    def _stable(self) -> NDArray[np.intp]:
        """Landmarks (indices into the used ones) that neither slide nor move with speech."""
        moving = set(sets.FACE_OVAL + sets.LIPS_OUTER + sets.LIPS_INNER)
        moving |= set(sets.LEFT_IRIS + sets.RIGHT_IRIS)
        return np.flatnonzero([index not in moving for index in self._used])

    def start_pose(self, points: Array, camera: Camera, identity: Array | None = None) -> Pose:
        """First guess of the pose by perspective-n-point on the rest shape.

        Args:
            points: (478, 2+) landmarks in pixels.
            camera: camera of the picture.
            identity: (K,) shape if it is known.
        """
        shape = self._mean
        if identity is not None:
            shape = shape + np.tensordot(identity, self._identity, 1)
        matrix = np.array(
            [[camera.focal, 0, camera.centre[0]], [0, camera.focal, camera.centre[1]], [0, 0, 1]]
        )
        image = np.ascontiguousarray(points[self._used][self._stable, :2], np.float64)
        _, turn, shift = cv2.solvePnP(
            shape[self._stable], image, matrix, None, flags=cv2.SOLVEPNP_SQPNP
        )
        flip = np.diag([1.0, -1.0, -1.0])  # OpenCV looks along +Z with y down
        rotation = flip @ Rotation.from_rotvec(turn.ravel()).as_matrix()
        return Pose(rotation, flip @ shift.ravel())

    def fit(
        self,
        points: NDArray[np.floating],
        camera: Camera,
        *,
        identity: Array | None = None,
        previous: FaceFit | None = None,
        iterations: int = 10,
        continuity: float = 0.0,
    ) -> FaceFit:
        """Fit one picture.

        Args:
            points: (478, 2+) landmarks in pixels.
            camera: camera of the picture.
            identity: (K,) shape to keep; None fits it too.
            previous: fit of the frame before, to start from.
            iterations: Gauss–Newton steps.
            continuity: weight that ties the expression to that of `previous`.

        Returns:
            The fit; its expression is exactly within [0, 1].
        """
        target = np.asarray(points, np.float64)
        count = self.model.identity_count
        shape = np.zeros(count) if identity is None else np.asarray(identity, np.float64)
        if previous is None:
            state = FaceFit(
                shape,
                np.zeros(len(ARKIT_NAMES)),
                self.start_pose(target, camera, identity),
                camera,
                np.inf,
            )
        else:
            state = replace(previous, identity=shape, camera=camera)
        anchor = None if previous is None or continuity == 0 else previous.expression
        wanted = target[self._used, :2]
        for _ in range(iterations):
            check_cancelled()
            state = self._step(state, wanted, identity is None, anchor, continuity)
        return replace(state, residual=self._residual(state, wanted))

    def _landmarks(self, state: FaceFit) -> Array:
        shape = self._mean + np.tensordot(state.identity, self._identity, 1)
        result: Array = shape + np.tensordot(state.expression[self._fitted], self._expression, 1)
        return result

    def _residual(self, state: FaceFit, wanted: Array) -> float:
        seen = state.camera.project(self._landmarks(state), state.pose)[:, :2]
        unit = state.camera.focal / 1024.0
        distance = np.linalg.norm(seen - wanted, axis=1) / unit
        return float((distance * self._w).sum() / self._w.sum())

    def _step(
        self,
        state: FaceFit,
        wanted: Array,
        fit_identity: bool,
        anchor: Array | None,
        continuity: float,
    ) -> FaceFit:
        camera, pose = state.camera, state.pose
        unit = camera.focal / 1024.0  # a crop of 256 pixels has a focal length of 4 · 256
        points = self._landmarks(state)
        turned = points @ pose.rotation.T
        seen = turned + pose.translation
        depth = -seen[:, 2]
        x, y = seen[:, 0], seen[:, 1]
        projected = np.stack(
            [camera.centre[0] + camera.focal * x / depth,
             camera.centre[1] - camera.focal * y / depth], axis=1
        )  # fmt: skip
        weight = self._w / unit
        residual = ((projected - wanted) * weight[:, None]).T.ravel()

        # d(image)/d(camera point), then the chain rule through whatever moves that point
        scale = camera.focal / depth * weight
        zero = np.zeros_like(scale)
        along = np.concatenate(
            [
                np.stack([scale, zero, scale * x / depth], axis=1),
                np.stack([zero, -scale, -scale * y / depth], axis=1),
            ]
        )
        in_head = along @ pose.rotation
        columns = [np.cross(np.tile(turned, (2, 1)), along), along]
        if fit_identity:
            columns.append(_image_motion(in_head, self._identity_motion))
        columns.append(_image_motion(in_head, self._expression_motion))
        jacobian = np.concatenate(columns, axis=1)

        size = jacobian.shape[1]
        first = size - len(self._fitted)
        expression = state.expression[self._fitted]
        prior, pull = np.full(size, 1e-6), np.zeros(size)
        if fit_identity:
            prior[6:first] = _IDENTITY_WEIGHT**2
            pull[6:first] = prior[6:first] * state.identity
        prior[first:] = self._prior
        pull[first:] = self._prior * expression
        if anchor is not None:
            prior[first:] += continuity**2
            pull[first:] += continuity**2 * (expression - anchor[self._fitted])
        low, high = np.full(size, -np.inf), np.full(size, np.inf)
        if fit_identity:
            low[6:first] = -MAX_IDENTITY - state.identity
            high[6:first] = MAX_IDENTITY - state.identity
        low[first:], high[first:] = -expression, 1.0 - expression
        step = solve_bounded(
            jacobian.T @ jacobian + np.diag(prior), jacobian.T @ residual + pull, low, high
        )
        coefficients = state.expression.copy()
        coefficients[self._fitted] = np.clip(expression + step[first:], 0.0, 1.0)
        return replace(
            state,
            identity=state.identity + step[6:first] if fit_identity else state.identity,
            expression=coefficients,
            pose=Pose(
                Rotation.from_rotvec(step[:3]).as_matrix() @ pose.rotation,
                pose.translation + step[3:6],
            ),
        )
