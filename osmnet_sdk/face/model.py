"""The morphable model of the head (3DMM): S = S̄ + α·B_id + β·B_exp (paper eq. 6).

B_id is a PCA basis over sampled head shapes, B_exp the 52 ARKit blendshapes. The recipe
`models/recipes/bake_face_model.py` makes the file that is loaded here.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.errors import InputError, ModelError, OutputError
from osmnet_sdk.face.landmark_sets import LOWER_LIP, MOUTH_CORNERS, UPPER_LIP

FILE = "face_model.safetensors"

PARTS = (
    "skin",
    "left_eye",
    "right_eye",
    "upper_teeth",
    "lower_teeth",
    "tongue",
    "mouth_cavity",
    "eye_socket",
)
"""Names of the parts that triangles belong to; `FaceModel.parts` holds indices into this."""


@dataclass(frozen=True, eq=False)
class FaceModel:
    """Head mesh with identity and expression bases, in the head frame (`conventions`), metres.

    The origin is the head joint (skull base). V vertices, F triangles, K identity components.

    Attributes:
        mean: (V, 3) float32, the average head at rest.
        identity_basis: (K, V, 3) float32; coefficients have unit variance over sampled heads.
        expression_basis: (52, V, 3) float32, in the order of `conventions.ARKIT_NAMES`.
        triangles: (F, 3) int32, counter-clockwise seen from outside.
        parts: (F,) int32, index into `PARTS` for each triangle.
        uv: (V, 2) float32, texture coordinates in [0, 1].
        landmark_triangles: (478,) int32, triangle that carries each tracked landmark.
        landmark_weights: (478, 3) float32, barycentric weights in that triangle.
        eye_centres: (2, 3) float32, middle of the left and of the right eyeball.
    """

    mean: NDArray[np.float32]
    identity_basis: NDArray[np.float32]
    expression_basis: NDArray[np.float32]
    triangles: NDArray[np.int32]
    parts: NDArray[np.int32]
    uv: NDArray[np.float32]
    landmark_triangles: NDArray[np.int32]
    landmark_weights: NDArray[np.float32]
    eye_centres: NDArray[np.float32]

    @property
    def identity_count(self) -> int:
        """Number K of identity components."""
        return len(self.identity_basis)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the arrays, in hexadecimal digits, by which a saved face knows its model."""
        found = hashlib.sha256()
        for one in fields(self):
            found.update(np.ascontiguousarray(getattr(self, one.name)).data)
        return found.hexdigest()

    def vertices(
        self, identity: ArrayLike | None = None, expression: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """The mesh of an identity (up to K,) and an expression (52,): (V, 3) metres."""
        result = self.mean.copy()
        if identity is not None:
            alpha = np.asarray(identity, np.float32)
            result += np.tensordot(alpha, self.identity_basis[: len(alpha)], 1)
        if expression is not None:
            beta = np.asarray(expression, np.float32)
            result += (beta @ self._flat_expression).reshape(-1, 3)
        return result

    @cached_property
    def _flat_expression(self) -> NDArray[np.float32]:
        return self.expression_basis.reshape(len(ARKIT_NAMES), -1)

    def at_landmarks(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values per vertex (…, V, D) read at the landmarks: (…, 478, D)."""
        corners = values[..., self.triangles[self.landmark_triangles], :]
        weighted: NDArray[np.float32] = (corners * self.landmark_weights[..., None]).sum(-2)
        return weighted

    @cached_property
    def landmark_mean(self) -> NDArray[np.float32]:
        """(478, 3) landmarks of the average head."""
        return self.at_landmarks(self.mean)

    @cached_property
    def landmark_identity(self) -> NDArray[np.float32]:
        """(K, 478, 3) identity basis at the landmarks."""
        return self.at_landmarks(self.identity_basis)

    @cached_property
    def landmark_expression(self) -> NDArray[np.float32]:
        """(52, 478, 3) expression basis at the landmarks."""
        return self.at_landmarks(self.expression_basis)

    def lip_gap(
        self, expression: ArrayLike, identity: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Distance of the inner lips' mid-points over the mouth's width at rest, no unit.

        It is the distance along the head's vertical, so it grows from 0 without a step: the
        mid-points lie apart in depth even where the lips touch. Lips that are pressed together or
        overlap have a gap of 0.

        Args:
            expression: (52,) or (T, 52) coefficients.
            identity: (up to K,) coefficients of the head; None is the average head.

        Returns:
            () or (T,) float32, 0 or more.

        Raises:
            InputError: if the last axis of `expression` is not 52.
        """
        beta = np.asarray(expression, np.float32)
        if beta.shape[-1:] != (len(ARKIT_NAMES),):
            raise InputError(f"expression must have shape (…, 52), not {beta.shape}.")
        rest = self.landmark_mean
        if identity is not None:
            alpha = np.asarray(identity, np.float32)
            rest = rest + np.tensordot(alpha, self.landmark_identity[: len(alpha)], 1)
        width = np.linalg.norm(rest[MOUTH_CORNERS[0]] - rest[MOUTH_CORNERS[1]])
        moved = self.landmark_expression[:, :, 1]
        apart = rest[UPPER_LIP, 1] - rest[LOWER_LIP, 1]
        apart = apart + beta @ (moved[:, UPPER_LIP] - moved[:, LOWER_LIP])
        result: NDArray[np.float32] = np.maximum(apart / width, 0.0).astype(np.float32)
        return result

    def triangles_of(self, *names: str) -> NDArray[np.int32]:
        """(n, 3) triangles of the named parts, see `PARTS`."""
        wanted = [PARTS.index(name) for name in names]
        return self.triangles[np.isin(self.parts, wanted)]

    def export(
        self,
        path: str | os.PathLike[str],
        identity: ArrayLike | None = None,
        expression: ArrayLike | None = None,
    ) -> Path:
        """Write the mesh as .obj, .ply or .glb (by suffix), metres, +Y up; return the path.

        Raises:
            OutputError: if the suffix is another one or the file cannot be written.
        """
        import trimesh

        target = Path(path)
        kind = check_mesh_suffix(target)
        mesh = trimesh.Trimesh(self.vertices(identity, expression), self.triangles, process=False)
        data = mesh.export(file_type=kind)
        with replaced(target) as temporary:
            temporary.write_bytes(data.encode() if isinstance(data, str) else data)
        return target


def check_mesh_suffix(path: Path) -> str:
    """The format of a mesh file by its suffix: "obj", "ply" or "glb".

    Raises:
        OutputError: if the suffix is another one.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("obj", "ply", "glb"):
        raise OutputError(f"Cannot write '{path}': use the suffix .obj, .ply or .glb.")
    return kind


def load_face_model(bundle: Bundle) -> FaceModel:
    """Load the morphable model of a bundle.

    Raises:
        ModelError: if the bundle has none, or it does not fit this version.
    """
    arrays, metadata = bundle.arrays(FILE)
    try:
        names = tuple(parse_json(metadata["expression_names"]))
        parts = tuple(parse_json(metadata["parts"]))
        model = FaceModel(
            **{
                name: _as(arrays[name], kind)
                for name, kind in (
                    ("mean", np.float32),
                    ("identity_basis", np.float32),
                    ("expression_basis", np.float32),
                    ("triangles", np.int32),
                    ("parts", np.int32),
                    ("uv", np.float32),
                    ("landmark_triangles", np.int32),
                    ("landmark_weights", np.float32),
                    ("eye_centres", np.float32),
                )
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The face model of the bundle '{bundle.name}' is incomplete ({error}); "
            "get the bundle again."
        ) from error
    if names != ARKIT_NAMES or parts != PARTS:
        raise ModelError(
            f"The face model of the bundle '{bundle.name}' was baked for another version; "
            "use a bundle that fits."
        )
    return model


def _as(array: NDArray[Any], kind: type) -> NDArray[Any]:
    result: NDArray[Any] = np.ascontiguousarray(array, kind)
    result.flags.writeable = False
    return result
