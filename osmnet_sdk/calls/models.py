"""What every call of `OSMNet` stands on: the device, the bundle, and models loaded when needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from osmnet_sdk.core.bundle import Bundle, find_bundle
from osmnet_sdk.core.devices import resolve_device

if TYPE_CHECKING:
    from osmnet_sdk.expression.predict import ExpressionPredictor
    from osmnet_sdk.face.model import FaceModel
    from osmnet_sdk.face.networks import FaceNetworks
    from osmnet_sdk.motion.sampler import MotionSampler
    from osmnet_sdk.rendering.base import Renderer

PathLike = str | os.PathLike[str]
_Part = TypeVar("_Part")


class Models:
    """A device, a bundle, and its models; base of the groups of calls.

    Models are loaded when they are first needed, once, from whatever thread.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        bundle: name or folder of the bundle of weights.

    Raises:
        DeviceError: if the device is not there.
        ModelError: if the bundle is missing or damaged.
    """

    def __init__(self, device: str = "auto", bundle: PathLike = "starter") -> None:
        self.device = str(resolve_device(device))
        self.bundle: Bundle = find_bundle(bundle)
        self._parts: dict[str, Any] = {}
        self._lock = threading.RLock()

    def _part(self, name: str, load: Callable[[], _Part]) -> _Part:
        with self._lock:
            if name not in self._parts:
                self._parts[name] = load()
            part: _Part = self._parts[name]
            return part

    @property
    def face_model(self) -> FaceModel:
        """The morphable head model of the bundle."""
        from osmnet_sdk.face.model import load_face_model

        return self._part("face_model", lambda: load_face_model(self.bundle))

    @property
    def _networks(self) -> FaceNetworks:
        from osmnet_sdk.face.networks import load_face_networks

        return self._part("networks", lambda: load_face_networks(self.bundle, self.device))

    @property
    def _sampler(self) -> MotionSampler:
        from osmnet_sdk.motion.sampler import MotionSampler

        return self._part("sampler", lambda: MotionSampler.from_bundle(self.bundle, self.device))

    @property
    def _predictor(self) -> ExpressionPredictor:
        from osmnet_sdk.expression.predict import ExpressionPredictor

        return self._part(
            "predictor", lambda: ExpressionPredictor.from_bundle(self.bundle, self.device)
        )

    def _renderer(self, name: str) -> Renderer:
        from osmnet_sdk.rendering.registry import load_renderer, renderer_name

        chosen = renderer_name(name, self.bundle)
        return self._part(
            f"renderer {chosen}", lambda: load_renderer(chosen, self.bundle, self.device)
        )
