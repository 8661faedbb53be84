"""Measure the converted face networks: speed, and agreement with MediaPipe's own pipeline.

    python models/recipes/measure_face_networks.py speed models/starter
    # in an environment of its own, with mediapipe==0.10.9 and numpy<2:
    python models/recipes/measure_face_networks.py reference PICTURES_OR_VIDEOS... reference.npz
    # back in the SDK's environment:
    python models/recipes/measure_face_networks.py compare models/starter reference.npz

`reference` stores what MediaPipe's FaceMesh finds (stills one by one, videos as streams, the
first 50 frames); `compare` runs the same files and prints the mean distance of the 478 points in
percent of the distance between the outer eye corners, and how often a face was found.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

FRAMES = 50
RUNS = 60


def pictures(path: Path) -> Iterator[np.ndarray]:
    """The RGB frames of a file, at most `FRAMES`; one for a still."""
    still = cv2.imread(str(path))
    if still is not None:
        yield np.ascontiguousarray(still[:, :, ::-1])
        return
    video = cv2.VideoCapture(str(path))
    for _ in range(FRAMES):
        good, frame = video.read()
        if not good:
            return
        yield np.ascontiguousarray(frame[:, :, ::-1])


def reference(paths: list[Path], target: Path) -> None:
    """Store MediaPipe's points in pixel-index coordinates; frames without a face are NaN."""
    import mediapipe

    stored = {}
    for path in paths:
        frames = list(pictures(path))
        mesh = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=len(frames) == 1, refine_landmarks=True, min_detection_confidence=0.3
        )
        points = np.full((len(frames), 478, 2), np.nan, np.float32)
        for index, frame in enumerate(frames):
            height, width = frame.shape[:2]
            faces = mesh.process(frame).multi_face_landmarks
            if faces:
                marks = [[p.x * width, p.y * height] for p in faces[0].landmark]
                points[index] = np.array(marks) - 0.5
        stored[str(path.resolve())] = points
    np.savez(target, **stored)


def compare(folder: Path, stored: Path) -> None:
    """Print how far the SDK's points lie from the stored ones."""
    from osmnet_sdk.face.detector import FaceDetector
    from osmnet_sdk.face.graph import load_graph
    from osmnet_sdk.face.landmarks import FaceLandmarks, LandmarkTracker, find_landmarks

    short, full, mesh = (
        load_graph(folder / f"{name}.safetensors")
        for name in ("face_detection_short", "face_detection_full", "face_landmarks")
    )
    detector, landmarks = FaceDetector(short, full), FaceLandmarks(mesh)
    differences: dict[bool, list[float]] = {True: [], False: []}
    ours_found = theirs_found = total = 0
    with np.load(stored, allow_pickle=False) as archive:
        for name, expected in archive.items():
            still = len(expected) == 1
            tracker = LandmarkTracker(detector, landmarks)
            errors = []
            for frame, truth in zip(pictures(Path(name)), expected, strict=True):
                if still:
                    found = find_landmarks(frame, detector, landmarks)
                else:
                    found = tracker.track(frame)
                known = not np.isnan(truth).any()
                total, theirs_found = total + 1, theirs_found + known
                ours_found += found is not None
                if found is not None and known:
                    eyes = np.linalg.norm(truth[33] - truth[263])
                    away = np.linalg.norm(found.points[:, :2] - truth, axis=1).mean()
                    errors.append(float(away / eyes) * 100)
            if errors:
                differences[still].append(statistics.mean(errors))
                print(f"{Path(name).name}: {differences[still][-1]:.2f} %")
    print(f"found: {ours_found} of {total} (MediaPipe {theirs_found})")
    for still, values in differences.items():
        if values:
            print(f"{'stills' if still else 'videos'}: mean {statistics.mean(values):.2f} %")


def speed(folder: Path) -> None:
    """Print the time of one run of each network on one CPU thread."""
    import torch

    from osmnet_sdk.face.graph import GraphNetwork, load_graph

    for name in ("face_detection_short", "face_detection_full", "face_landmarks", "person_mask"):
        network = GraphNetwork(load_graph(folder / f"{name}.safetensors"))
        image = torch.rand(network.input_shape).to(memory_format=torch.channels_last)
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            network(image)
            times.append((time.perf_counter() - start) * 1000)
        print(f"{name}: best {min(times):.1f} ms, median {statistics.median(times):.1f} ms")


def main() -> None:
    """Dispatch on the first argument."""
    command, *rest = sys.argv[1:] or ["help"]
    paths = [Path(item) for item in rest]
    if command == "speed" and len(paths) == 1:
        speed(paths[0])
    elif command == "reference" and len(paths) >= 2:
        reference(paths[:-1], paths[-1])
    elif command == "compare" and len(paths) == 2:
        compare(*paths)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
