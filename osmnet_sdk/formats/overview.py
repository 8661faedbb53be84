"""Pictures that lay takes side by side: frames over time, and their curves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from osmnet_sdk.conventions import AXES
from osmnet_sdk.files import replaced
from osmnet_sdk.tracks import MotionTrack

_GAP = 4
_TITLE = 22


def sheet_frames(frames: int, columns: int = 8) -> list[int]:
    """Frame numbers, spread over a take, that a sheet shows."""
    return sorted({round(i) for i in np.linspace(0, frames - 1, min(columns, frames))})


def write_sheet(
    path: str | os.PathLike[str],
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    titles: Sequence[str],
) -> Path:
    """Write one picture with a row of frames for each take.

    Args:
        path: .png or .jpg.
        rows: frames (H, W, 3) uint8 RGB, as many in each row, all of one size.
        titles: one line above each row.

    Raises:
        OutputError: if the file cannot be written.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    block = _TITLE + height + _GAP
    sheet = np.full((len(rows) * block, columns * (width + _GAP) - _GAP, 3), 24, np.uint8)
    for index, (row, title) in enumerate(zip(rows, titles, strict=True)):
        top = index * block
        cv2.putText(
            sheet, title, (6, top + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1,
            cv2.LINE_AA,
        )  # fmt: skip
        for column, frame in enumerate(row):
            left = column * (width + _GAP)
            sheet[top + _TITLE : top + _TITLE + height, left : left + width] = frame
    with replaced(path) as temporary:
        PilImage.fromarray(sheet).save(temporary, quality=90)
    return Path(path)


def write_curves(
    path: str | os.PathLike[str], motions: Sequence[MotionTrack], titles: Sequence[str]
) -> Path:
    """Plot pitch, yaw and roll of several motions over time, one panel an axis (.png).

    Raises:
        OutputError: if the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(3, 1, sharex=True)
    for axis, panel in enumerate(panels):
        for motion, title in zip(motions, titles, strict=True):
            times = np.arange(len(motion)) / float(motion.fps)
            panel.plot(times, motion.rotation[:, axis], label=title, linewidth=1.4)
        panel.set_ylabel(f"{AXES[axis]} (°)")
        panel.grid(alpha=0.3)
    panels[0].legend(ncols=min(5, len(motions)), loc="upper center", bbox_to_anchor=(0.5, 1.25))
    panels[-1].set_xlabel("time (s)")
    with replaced(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return Path(path)
