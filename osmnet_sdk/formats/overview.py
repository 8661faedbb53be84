"""Pictures that lay takes side by side: frames over time, and their curves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import AXES, FPS
from osmnet_sdk.core.files import replaced
from osmnet_sdk.formats.image_sequence import write_png
from osmnet_sdk.tracks import MotionTrack

_GAP = 4
_SPACE = 16
"""Pixels between rows that stand side by side."""
_TITLE = 22
_ACROSS = 6
"""Basis vectors side by side."""


def sheet_frames(frames: int, columns: int = 8) -> list[int]:
    """Frame numbers, spread over a take, that a sheet shows."""
    return sorted({round(i) for i in np.linspace(0, frames - 1, min(columns, frames))})


def sheet_image(
    rows: Sequence[Sequence[NDArray[np.uint8]]], titles: Sequence[str], across: int = 1
) -> NDArray[np.uint8]:
    """Lay rows of frames out, each under its title.

    Args:
        rows: frames (H, W, 3) uint8 RGB, all of one size.
        titles: one line above each row.
        across: rows side by side.

    Returns:
        uint8 (height, width, 3) RGB.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    block = (_TITLE + height + _GAP, columns * (width + _GAP) + (_SPACE if across > 1 else 0))
    lines = -(-len(rows) // across)
    unused = block[1] - columns * (width + _GAP) + _GAP
    sheet = np.full((lines * block[0], across * block[1] - unused, 3), 24, np.uint8)
    for index, (row, title) in enumerate(zip(rows, titles, strict=True)):
        top, left = index // across * block[0], index % across * block[1]
        cv2.putText(
            sheet, title, (left + 6, top + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1,
            cv2.LINE_AA,
        )  # fmt: skip
        for column, frame in enumerate(row):
            x = left + column * (width + _GAP)
            sheet[top + _TITLE : top + _TITLE + height, x : x + width] = frame
    return sheet


def write_sheet(
    path: str | os.PathLike[str],
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    titles: Sequence[str],
    metadata: Mapping[str, str],
) -> Path:
    """Write one picture with a row of frames for each take.

    Args:
        path: .png.
        rows: frames (H, W, 3) uint8 RGB, all of one size.
        titles: one line above each row.
        metadata: put into the file as text, see `provenance.file_metadata`: the picture shows a
            face.

    Raises:
        OutputError: if the file cannot be written.
    """
    write_png(path, sheet_image(rows, titles), metadata, name="The sheet")
    return Path(path)


def write_curves(
    path: str | os.PathLike[str],
    motions: Sequence[MotionTrack],
    titles: Sequence[str],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Plot pitch, yaw and roll of several motions over time, one panel an axis (.png).

    `metadata` is put into the file as text.

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
        figure.savefig(temporary, dpi=110, metadata=dict(metadata or {}))
    return Path(path)


def write_basis(
    path: str | os.PathLike[str],
    names: Sequence[str],
    clips: Sequence[NDArray[np.float64]],
    held: Sequence[NDArray[np.float64]],
    shares: Sequence[float | None],
    held_title: str,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Plot the pitch, yaw and roll of basis vectors, a pair of small panels for each (.png).

    Args:
        path: the file.
        names: above each pair.
        clips: (T, 6) each, 25 fps; the left panels, all on one scale.
        held: (F, 6) each, 25 fps; the right panels, all on one scale.
        shares: of the attention, 0 or more, a bar above each pair, all on one scale; None is none.
        held_title: what the right panels show.
        metadata: put into the file as text.

    Raises:
        OutputError: if the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = -(-len(names) // _ACROSS)
    inches = 0.9 + 1.45 * lines
    figure = Figure(figsize=(17, inches))
    FigureCanvasAgg(figure)
    # A layout solver would take half a minute over a hundred panels.
    grid = {
        "left": 0.02, "right": 0.99, "wspace": 0.3, "hspace": 0.45,
        "bottom": 0.55 / inches, "top": 1 - 0.65 / inches,
    }  # fmt: skip
    panels = figure.subplots(lines, 2 * _ACROSS, squeeze=False, gridspec_kw=grid).reshape(-1, 2)
    scales = [
        1.08 * max(np.abs(curves[:, :3]).max() for curves in group) for group in (clips, held)
    ]
    largest = max((share for share in shares if share), default=1.0)
    for index, (pair, name) in enumerate(zip(panels, names, strict=False)):
        share = shares[index]
        percent = "" if share is None else f"  {100 * share:.1f} %"
        pair[0].set_title(f"{name}{percent}", fontsize=9, loc="left", pad=8)
        # Its length is in widths of the left panel; the longest reaches over both panels.
        pair[0].plot(
            [0, (2 + grid["wspace"]) * (share or 0.0) / largest], [1.04, 1.04], color="0.5",
            linewidth=3, solid_capstyle="butt", transform=pair[0].transAxes, clip_on=False,
        )  # fmt: skip
        for panel, curves, scale in zip(pair, (clips[index], held[index]), scales, strict=True):
            times = np.arange(len(curves)) / float(FPS)
            for axis, colour in enumerate(("C0", "C1", "C2")):
                panel.plot(times, curves[:, axis], color=colour, linewidth=1.4, label=AXES[axis])
            panel.set_ylim(-scale, scale)
            panel.set_xlim(0, times[-1])
            panel.tick_params(labelsize=7, length=2)
            panel.grid(alpha=0.3)
    for panel in panels[len(names) :].ravel():
        panel.remove()
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.suptitle(
        f"Angles in degrees over seconds. Left: the clip of each vector. Right: {held_title}. "
        "Bar and percentage: share of the attention over the training clips.",
        fontsize=11,
    )
    figure.legend(handles, labels, ncols=3, loc="lower center", fontsize=9)
    with replaced(path) as temporary:
        figure.savefig(temporary, dpi=100, metadata=dict(metadata or {}))
    return Path(path)
