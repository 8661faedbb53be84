"""The calls that users make; an `OSMNet` owns a device and the models it has loaded."""

from __future__ import annotations

from functools import cache
from typing import Any

from osmnet_sdk.calls.faces import FaceCalls
from osmnet_sdk.calls.rendering import RenderingCalls
from osmnet_sdk.calls.sampling import SamplingCalls
from osmnet_sdk.core.devices import describe_device
from osmnet_sdk.version import __version__


class OSMNet(SamplingCalls, FaceCalls, RenderingCalls):
    """One photo and one voice in, several head performances out.

    Models are loaded when they are first needed. One object may be used from several threads.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        bundle: name or folder of the bundle of weights.

    Raises:
        DeviceError: if the device is not there.
        ModelError: if the bundle is missing or damaged.

    Example:
        >>> osm = sdk.OSMNet(device="cpu")
        >>> len(osm.sample_motions("speech.wav", n=2))
        2
    """

    def info(self) -> dict[str, Any]:
        """Versions, device and bundle, with every file of the bundle checked.

        "renderer" is the one that "auto" means; "renderers" has each one that there are weights
        for, with the neighbouring frames on either side that a frame of it depends on.

        Raises:
            ModelError: if a file of the bundle is missing, changed or damaged.

        Example:
            >>> sdk.OSMNet(device="cpu").info()["bundle"]
            'starter'
        """
        from osmnet_sdk.rendering.registry import renderer_windows

        for name in self.bundle.manifest.files:
            self.bundle.path(name)
        return {
            "version": __version__,
            "device": describe_device(self.device),
            "bundle": self.bundle.name,
            "bundle_version": self.bundle.manifest.version,
            "bundle_folder": str(self.bundle.folder),
            "bundle_sha256": self.bundle.sha256,
            "renderer": self.bundle.manifest.renderer,
            "renderers": renderer_windows(self.bundle),
            "licence": self.bundle.manifest.licence,
            "files": {n: f.model_dump() for n, f in self.bundle.manifest.files.items()},
        }


@cache
def default_osmnet() -> OSMNet:
    """The one object behind the module's functions: device "auto", bundle "starter"."""
    return OSMNet()
