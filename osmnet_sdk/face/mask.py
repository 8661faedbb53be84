"""Separates people from the background: MediaPipe's selfie segmentation (Apache-2.0)."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.face.graph import GraphNetwork, GraphWeights, check_image, image_tensor


class PersonMask:
    """Person mask of a picture; call it like a function.

    Args:
        weights: weights of the selfie segmentation.
        device: torch device.

    Raises:
        ModelError: if the weights are those of another network.
    """

    def __init__(self, weights: GraphWeights, device: torch.device | str = "cpu") -> None:
        self._network = GraphNetwork(weights, device, name="person_mask")
        self._size = self._network.input_shape[2]

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Float32 (height, width) in [0, 1] for uint8 RGB: 1 on people, soft at their edges.

        The network sees the picture squeezed to 256×256, so details finer than 1/256 of the
        picture are not resolved.

        Raises:
            PhotoError: if the image is not uint8 RGB.
        """
        check_image(image)
        height, width = image.shape[:2]
        size = (self._size, self._size)
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        outputs = self._network(image_tensor(small, 0.0, 1.0, self._network.device))
        mask = next(iter(outputs.values()))[0, 0].cpu().numpy()
        full = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full, np.float32)
