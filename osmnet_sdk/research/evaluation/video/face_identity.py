"""Who is seen in a picture, by a network that no other part of the package knows.

The network is dlib's (dlib_face_recognition_resnet_model_v1, public domain) as the package
face_recognition_models brings it: both are in the extra `evaluate`. The landmarks that come with
that package are not used; those of the tracker say where eyes and nose are.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.errors import InputError

Image = NDArray[np.uint8]
Array = NDArray[np.float64]

_WEIGHTS = Path("models", "dlib_face_recognition_resnet_model_v1.dat")
_ALIGNED_BY = (263, 362, 33, 133, 2)
"""Landmarks of the eyes' corners and of the nose's base, in dlib's order."""


class FaceEmbedder:
    """Makes embeddings of faces.

    Raises:
        InputError: if the packages are not installed.
    """

    def __init__(self) -> None:
        package = find_spec("face_recognition_models")
        if find_spec("dlib") is None or package is None or package.origin is None:
            raise InputError(
                'Identity needs the packages of the extra "evaluate"; install them with '
                'pip install "osmnet-sdk[evaluate]".'
            )
        import dlib

        # the package itself cannot be imported where setuptools has no pkg_resources any more
        weights = Path(package.origin).parent / _WEIGHTS
        self._network = dlib.face_recognition_model_v1(str(weights))
        self._dlib = dlib

    def __call__(self, image: Image, landmarks: NDArray[np.floating]) -> Array:
        """The embedding (128,) of the face in uint8 RGB with landmarks (478, 2+) in pixels."""
        points = np.round(landmarks[list(_ALIGNED_BY), :2]).astype(int)
        height, width = image.shape[:2]
        face = self._dlib.full_object_detection(
            self._dlib.rectangle(0, 0, width - 1, height - 1),
            [self._dlib.point(int(x), int(y)) for x, y in points],
        )
        image = np.ascontiguousarray(image)
        return np.asarray(self._network.compute_face_descriptor(image, face), np.float64)


def identity_similarity(faces: Array, others: Array) -> float | None:
    """Mean of 1 − distance between embeddings of different moments.

    The network was trained so that two pictures of one person are less than 0.6 apart; others are
    about 0.85. Their cosines say little: 0.98 of one person, 0.82 of two.

    Args:
        faces: (N, 128), one row a moment; NaN where no face was found.
        others: (N, 128), of the same moments, two or more; a moment is not compared with itself,
            so that the similarity of real frames with themselves tells what is to be expected.

    Returns:
        1 or less; None if there is no pair.
    """
    apart = np.linalg.norm(faces[:, None] - others[None], axis=2)
    pairs = 1.0 - apart[~np.eye(len(faces), dtype=bool)]
    return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else None
