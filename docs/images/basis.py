"""Makes basis.jpg: one basis vector for each plain action, its face moved by it alone.

python docs/images/basis.py
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import OSMNetWarning
from osmnet_sdk.formats.overview import sheet_image
from osmnet_sdk.motion.basis import shown_poses
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

ACTIONS = (
    "still", "nod down", "nod up", "turn left", "turn right", "tilt left + nod up", "tilt right",
    "turn left + nod down",
)  # fmt: skip
SIDE = 128


def main() -> None:
    """Make the picture."""
    osm = OSMNet()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        face = osm.fit_face(astronaut())
    rows, titles = [], []
    for action in ACTIONS:
        named = [vector for vector in osm.motion_basis() if vector.name == action]
        if not named:
            continue
        vector = max(named, key=lambda vector: np.abs(vector.peaks).max())
        poses, _ = shown_poses(vector.clip, 3)
        motion = MotionTrack(FPS, poses[:, :3], poses[:, 3:])
        own = ExpressionTrack(FPS, np.tile(face.fit.expression, (len(poses), 1)))
        rows.append(list(osm.render(face, motion, own, size=(SIDE, SIDE), keep_rest=False)))
        titles.append(f"{vector.label} {vector.name}")
    picture = Image.fromarray(sheet_image(rows, titles, across=2))
    picture.save(Path(__file__).with_name("basis.jpg"), quality=85)


if __name__ == "__main__":
    main()
