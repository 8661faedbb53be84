"""The head of a photo as a mesh that can be posed: corrected to meet the photo exactly.

Lengths are metres in the head frame; picture positions are pixels of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.core.curves import smoothstep
from osmnet_sdk.face import landmark_sets as sets
from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.fit import FaceFit, landmark_weights
from osmnet_sdk.face.landmark_sets import LOWER_LIP, MOUTH_CORNERS, UPPER_LIP
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.rendering.warp.raster import FAR, rasterize, vertex_normals

Array = NDArray[np.float64]

WORK_SIZE = 256
"""Pixels of the head crop at which masks and visibility are worked out."""

_CORRECTION_REACH = 0.016
"""Metres over which the correction at a landmark spreads."""
_CORRECTION_SMOOTHING = 0.15
_FACE_INSIDE, _FACE_FEATHER = -0.002, 0.012
"""Metres inside the face oval where the mesh's own warp starts, and over which it fades in."""
_LID_OVERLAP = 0.0004
"""Metres by which closed lids overlap, so that no slit is left."""
EYES_BACK = 0.003
"""Metres by which eyeballs are drawn deeper: lids move on straight lines and would cut them."""
_LIP_REACH = 0.008
_CLOSED_GAP = 0.06
"""Lip gap, over the mouth's width, below which lips are drawn together."""

_NARROWING = 1.4
"""Factor on how far puckered lips draw together across. Seen from the front, that is all that shows
of their coming forward, and the model's own shapes look weak."""

LIDS = {"Left": sets.LEFT_EYE_LIDS, "Right": sets.RIGHT_EYE_LIDS}


@dataclass(frozen=True, eq=False)
class HeadGeometry:
    """A source head, ready to be posed.

    Attributes:
        face: the fitted photo.
        rest: (V, 3) vertices in the photo's expression, corrected to meet the photo.
        source: (V, 3) where the photo shows each vertex: x, y in pixels, depth in metres.
        alpha: (V,) weight of the mesh's own warp against that of the photo grid, 0 to 1.
        lids: (V, 2) how much a vertex belongs to the left and right moving lid, 0 to 1.
        shapes: (52, V · 3) float32 blendshapes, with blinks that close these eyes and puckers that
            narrow the mouth.
        seal: (V, 3) offset that closes what gap the fit leaves between the lips.
        face_height: pixels from the top of the forehead to the chin.
        down: (2,) unit vector from forehead to chin in the photo.
    """

    face: SourceFace
    rest: NDArray[np.float32]
    source: Array
    alpha: NDArray[np.float32]
    lids: NDArray[np.float32]
    shapes: NDArray[np.float32]
    seal: NDArray[np.float32]
    face_height: float
    down: Array

    @property
    def model(self) -> FaceModel:
        """The morphable model of the face."""
        return self.face.model

    @property
    def fit(self) -> FaceFit:
        """The fit of the photo."""
        return self.face.fit

    @cached_property
    def eyes(self) -> NDArray[np.intp]:
        """Vertices of the eyeballs."""
        return np.unique(self.model.triangles_of("left_eye", "right_eye"))

    def posed(self, expression: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vertices (V, 3) of an expression (52,)."""
        change = (np.asarray(expression) - self.fit.expression).astype(np.float32)
        # Not a matrix product: the threads of BLAS would wait, busily, beside those that draw.
        vertices = self.rest + np.einsum("k,kv->v", change, self.shapes).reshape(-1, 3)
        return np.asarray(vertices + self.seal * self.sealed(expression), np.float32)

    def sealed(self, expressions: NDArray[np.floating]) -> NDArray[np.float32]:
        """How far `seal` draws the lips together in expressions (…, 52), 0 to 1."""
        gap = self.model.lip_gap(expressions, self.fit.identity)
        return np.asarray(1.0 - smoothstep(gap / _CLOSED_GAP), np.float32)

    def project(self, vertices: NDArray[np.floating], pose: Pose) -> Array:
        """Where a pose shows vertices: x, y in the photo's pixels and depth, eyes set back."""
        points = self.fit.camera.project(vertices, pose)
        points[self.eyes, 2] += EYES_BACK
        return points

    def closure(self, vertices: NDArray[np.floating]) -> dict[str, float]:
        """How far each eye is closed against the photo, 0 to 1."""
        return {
            side: float(
                np.clip(1.0 - _aperture(self.model, vertices, *LIDS[side])
                        / max(_aperture(self.model, self.rest, *LIDS[side]), 1e-4), 0.0, 1.0)
            )
            for side in LIDS
        }  # fmt: skip


def _aperture(model: FaceModel, vertices: NDArray[np.floating], upper: int, lower: int) -> float:
    """Vertical distance in metres of two landmarks, below 0 when they have passed each other."""
    pick = [upper, lower]
    corners = vertices[model.triangles[model.landmark_triangles[pick]]]
    points = (corners * model.landmark_weights[pick][..., None]).sum(1)
    return float(points[0, 1] - points[1, 1])


def build_geometry(face: SourceFace) -> HeadGeometry:
    """Make the posable head of a fitted photo."""
    fit, model = face.fit, face.model
    rest = _corrected(model.vertices(fit.identity, fit.expression), face, model)
    source = fit.camera.project(rest, fit.pose)
    shapes, gains = exact_shapes(model, rest, fit)
    chin, top = face.landmarks[sets.CHIN], face.landmarks[10]
    height = float(np.linalg.norm(chin - top))
    return HeadGeometry(
        face=face,
        rest=rest,
        source=source,
        alpha=_mesh_alpha(model, rest, source, face),
        lids=_lid_weights(model, gains),
        shapes=shapes,
        seal=_lip_seal(model, rest, fit),
        face_height=height,
        down=np.asarray((chin - top) / height, np.float64),
    )


def _corrected(
    vertices: NDArray[np.float32], face: SourceFace, model: FaceModel
) -> NDArray[np.float32]:
    """Shift vertices in the image plane so that the model's landmarks meet the tracked ones."""
    fit = face.fit
    used = np.flatnonzero(landmark_weights() >= 0.35)
    used = used[used < sets.RIGHT_IRIS[0]]
    points = model.at_landmarks(vertices)[used]
    seen = fit.camera.project(points, fit.pose)
    missed = face.landmarks[used] - seen[:, :2]
    field = RBFInterpolator(
        points,
        missed,
        kernel="gaussian",
        epsilon=1.0 / _CORRECTION_REACH,
        smoothing=_CORRECTION_SMOOTHING,
        degree=-1,
    )(vertices)
    depth = fit.camera.project(vertices, fit.pose)[:, 2:]
    shift = np.concatenate([field * [1.0, -1.0] * depth / fit.camera.focal, 0 * depth], axis=1)
    return (vertices + shift @ fit.pose.rotation).astype(np.float32)


def exact_shapes(
    model: FaceModel, rest: NDArray[np.float32], fit: FaceFit
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Blendshapes whose blinks close exactly the eyes of this photo, and whose puckers narrow."""
    shapes = model.expression_basis.copy()
    gains = {}
    for side, (upper, lower) in LIDS.items():
        index = ARKIT_NAMES.index(f"eyeBlink{side}")
        moved = model.landmark_expression[index]
        travel = float(moved[lower, 1] - moved[upper, 1])
        left = max(1.0 - float(fit.expression[index]), 0.2)
        gain = (_aperture(model, rest, upper, lower) + _LID_OVERLAP) / (travel * left)
        gains[side] = float(np.clip(gain, 0.5, 2.0))
        shapes[index] *= gains[side]
    for name in ("mouthPucker", "mouthFunnel"):
        shapes[ARKIT_NAMES.index(name), :, 0] *= _NARROWING
    return shapes.reshape(len(ARKIT_NAMES), -1), gains


def _lid_weights(model: FaceModel, gains: dict[str, float]) -> NDArray[np.float32]:
    skin = np.unique(model.triangles_of("skin", "eye_socket"))
    weights = np.zeros((len(model.mean), 2), np.float32)
    for column, side in enumerate(gains):
        moved = np.linalg.norm(model.expression_basis[ARKIT_NAMES.index(f"eyeBlink{side}")], axis=1)
        weights[skin, column] = smoothstep(moved / (0.6 * moved[skin].max()))[skin]
    return weights


def _lip_seal(model: FaceModel, rest: NDArray[np.float32], fit: FaceFit) -> NDArray[np.float32]:
    """Offset that brings the lips together where the fit explains less gap than the photo has."""
    right, left = model.landmark_mean[list(MOUTH_CORNERS)]
    width = float(np.linalg.norm(right - left))
    explained = float(model.lip_gap(fit.expression, fit.identity)) * width
    left_over = max(0.0, _aperture(model, rest, UPPER_LIP, LOWER_LIP) - explained)
    opening = model.expression_basis[ARKIT_NAMES.index("jawOpen")]
    lower = opening[:, 1] < 0.5 * opening[np.unique(model.triangles_of("skin")), 1].min()
    at_rest = model.mean
    inner = model.landmark_mean[list(sets.LIPS_INNER)]
    distance = np.linalg.norm(at_rest[:, None] - inner[None], axis=-1).min(1)
    weight = np.exp(-((distance / _LIP_REACH) ** 2)) * (left_over / 2)
    corner = np.clip(1.0 - np.abs(at_rest[:, 0]) / (0.5 * width), 0.0, 1.0)
    seal = np.zeros_like(rest)
    seal[:, 1] = np.where(lower, weight, -weight) * smoothstep(corner * 2)
    return seal


def _mesh_alpha(
    model: FaceModel, rest: NDArray[np.float32], source: Array, face: SourceFace
) -> NDArray[np.float32]:
    """Weight of the mesh's own warp: 1 in the middle of the visible face, 0 beyond its oval."""
    oval = model.landmark_mean[list(sets.FACE_OVAL)][:, :2] * 1e4
    hull = cv2.convexHull(oval.astype(np.float32).reshape(-1, 1, 2))
    inside = np.array(
        [cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in model.mean[:, :2] * 1e4]
    ) / 1e4  # fmt: skip
    normals = vertex_normals(model.mean, model.triangles_of("skin"))
    oval_weight = np.clip((inside - _FACE_INSIDE) / _FACE_FEATHER, 0, 1)
    front = np.clip((normals[:, 2] + 0.05) / 0.3, 0, 1)
    alpha = oval_weight * front
    interior = np.setdiff1d(np.arange(len(rest)), np.unique(model.triangles_of("skin")))
    alpha[interior] = 1.0
    visible = _visible(model, source, face)
    visible[interior] = 1.0
    deep = smoothstep((inside - 0.002) / 0.015)
    return (alpha * np.maximum(visible, deep)).astype(np.float32)


def _visible(model: FaceModel, source: Array, face: SourceFace) -> Array:
    """1 for vertices that the photo shows, 0 for those behind others."""
    scale = WORK_SIZE / face.crop.side
    points = (source - [face.crop.x, face.crop.y, 0.0]) * [scale, scale, 1.0]
    depth = rasterize(points, model.triangles, (WORK_SIZE, WORK_SIZE)).depth
    near = cv2.dilate(np.where(depth >= FAR, -1.0, depth), np.ones((3, 3), np.uint8))
    pixel = np.clip(np.round(points[:, :2]).astype(int), 0, WORK_SIZE - 1)
    visible: Array = (points[:, 2] <= near[pixel[:, 1], pixel[:, 0]] + 0.004).astype(np.float64)
    return visible
