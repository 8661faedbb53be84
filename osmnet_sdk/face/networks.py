"""The face networks of a bundle, loaded once and used together."""

from __future__ import annotations

from dataclasses import dataclass

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.face.detector import FaceDetector
from osmnet_sdk.face.graph import load_graph
from osmnet_sdk.face.landmarks import FaceLandmarks
from osmnet_sdk.face.mask import PersonMask

TRACKING_FILES = (
    "face_detection_short.safetensors",
    "face_detection_full.safetensors",
    "face_landmarks.safetensors",
)
"""Weights that a face is followed with, by their names in a bundle."""


@dataclass(frozen=True)
class FaceNetworks:
    """Detector, landmark network and person mask."""

    detector: FaceDetector
    landmarks: FaceLandmarks
    person_mask: PersonMask


def load_face_networks(bundle: Bundle, device: str = "cpu") -> FaceNetworks:
    """Load the face networks of a bundle onto a torch device.

    Raises:
        ModelError: if a file is missing, changed or damaged.
    """
    short, full, landmarks = (load_graph(bundle.path(name)) for name in TRACKING_FILES)
    return FaceNetworks(
        FaceDetector(short, full, device),
        FaceLandmarks(landmarks, device),
        PersonMask(load_graph(bundle.path("person_mask.safetensors")), device),
    )
