"""The face networks of a bundle, loaded once and used together."""

from __future__ import annotations

from dataclasses import dataclass

from osmnet_sdk.bundle import Bundle
from osmnet_sdk.face.detector import FaceDetector
from osmnet_sdk.face.graph import load_graph
from osmnet_sdk.face.landmarks import FaceLandmarks
from osmnet_sdk.face.mask import PersonMask


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
    return FaceNetworks(
        FaceDetector(
            load_graph(bundle.path("face_detection_short.safetensors")),
            load_graph(bundle.path("face_detection_full.safetensors")),
            device,
        ),
        FaceLandmarks(load_graph(bundle.path("face_landmarks.safetensors")), device),
        PersonMask(load_graph(bundle.path("person_mask.safetensors")), device),
    )
