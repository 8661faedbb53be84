"""Frames per second of everything that draws, and of two peers; each in a process of its own.

    python -m tests.bench.generators NAME SIZE DEVICE

prints one JSON text with "fps" and "memory" (MB: of the device where it counts its own, else the
largest resident size of the process, libraries included).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from tests.bench.memory import peak_memory

SECONDS = 5.0
"""How long each is timed, to the end of the frame then begun."""

CASES = (
    ("plain warp", 256), ("plain warp", 512),
    ("guided", 256), ("guided", 512),
    ("paper's generator", 256), ("paper's generator", 512),
    ("Wav2Lip", 96), ("LivePortrait", 512),
)  # fmt: skip


def devices() -> list[str]:
    """Every kind of device that torch finds here, the processor first."""
    from osmnet_sdk.core.devices import DEVICE_NAMES, resolve_device
    from osmnet_sdk.errors import DeviceError

    found = []
    for name in DEVICE_NAMES:
        try:
            resolve_device(name)
        except DeviceError:
            continue
        found += [name] if name != "auto" else []
    return found


def measure(name: str, size: int, device: str) -> dict[str, float]:
    """Run this file for one case; an empty dictionary if it failed."""
    command = [sys.executable, "-m", "tests.bench.generators", name, str(size), device]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return {}
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def ours(name: str, size: int, device: str) -> Iterator[Any]:
    """Frames of a performance without end, as an array each."""
    import torch
    from skimage.data import astronaut

    from osmnet_sdk import OSMNet
    from osmnet_sdk.core.conventions import FPS
    from osmnet_sdk.rendering.frames import render_frames
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

    osm = OSMNet(device)
    face = osm.fit_face(astronaut())
    time = np.arange(5000) / 25
    turns = np.stack([4 * np.sin(5 * time), 12 * np.sin(3 * time), 3 * np.sin(4 * time)], axis=1)
    values = np.abs(np.sin(np.outer(time, np.linspace(1, 6, 52)))) * 0.3
    motion = MotionTrack(FPS, turns, np.zeros((len(time), 3)))
    torch.manual_seed(0)
    return render_frames(
        face, motion, ExpressionTrack(FPS, values), size=(size, size), label=False,
        renderer=renderer(name, size, device, osm.bundle),
    )  # fmt: skip


def renderer(name: str, size: int, device: str, bundle: Any) -> Any:
    """What draws: with the bundle's weights where it has some, else random ones, as fast."""
    from osmnet_sdk.core.devices import resolve_device
    from osmnet_sdk.rendering.guided.network import GuidedConfig, GuidedPainter
    from osmnet_sdk.rendering.paper.config import GeneratorConfig
    from osmnet_sdk.rendering.paper.generator import VideoGenerator
    from osmnet_sdk.rendering.paper.painting import prepared
    from osmnet_sdk.rendering.paper.renderer import PaperRenderer
    from osmnet_sdk.rendering.registry import guided_renderer, load_renderer, renderer_windows

    if name == "plain warp":
        return load_renderer("warp", bundle, device)
    if name == "paper's generator":
        generator = VideoGenerator(GeneratorConfig(image_size=size))
        return PaperRenderer(prepared(generator, device))
    if "guided" in renderer_windows(bundle):
        return load_renderer("guided", bundle, device)
    return guided_renderer(GuidedPainter(GuidedConfig()).eval(), resolve_device(device))


def peers(name: str, size: int, device: str) -> Iterator[Any]:
    """Frames of a peer's network on random inputs, as it is fastest here; an array each."""
    import torch

    from osmnet_sdk.core.devices import fast_precision, resolve_device
    from tests.bench.peers import LivePortrait, Wav2Lip

    torch.manual_seed(0)
    place = resolve_device(device)
    kind = {"dtype": fast_precision(place), "device": place}
    network = {"Wav2Lip": Wav2Lip, "LivePortrait": LivePortrait}[name]().eval().to(**kind)
    batch = 1 if place.type == "cpu" else 16
    inputs = [torch.rand(batch, *shape).to(**kind) for shape in network.inputs]
    for _ in count():
        with torch.inference_mode():
            images = network(*inputs).float().cpu().numpy()
        assert images.shape[-1] == size
        yield from images


def frames_per_second(frames: Iterator[Any]) -> float:
    """After a second in which everything is loaded and warm."""
    for seconds in (1.0, SECONDS):
        start, drawn = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            next(frames)
            drawn += 1
    return drawn / (time.perf_counter() - start)


def main() -> None:
    """Time one case and print it."""
    warnings.simplefilter("ignore")
    name, size, device = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    draw = peers if name in ("Wav2Lip", "LivePortrait") else ours
    speed = frames_per_second(draw(name, size, device))
    print(json.dumps({"fps": speed, "memory": peak_memory(device)}))


if __name__ == "__main__":
    main()
