"""Puts the renders of blender.py together; run by it, with the engine's Python.

python docs/images/sheets.py FOLDER_WITH_PARTS OUTPUT_FOLDER
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

mpl.use("Agg")

import matplotlib.pyplot as plt

EDIT = (200, 75, 20)
"""Colour of everything that was edited."""
TEXT = (60, 60, 60)
GAP = 6
SIDE = 240
"""Pixels of a frame in the picture of the edit."""


def main() -> None:
    """Make the three pictures."""
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    parts = json.loads((folder / "parts.json").read_text(encoding="utf-8"))
    _take(parts, folder).save(output / "blender-take.jpg", quality=88)
    _edit(parts, folder).save(output / "blender-edit.jpg", quality=88)
    _curve(parts, output / "blender-curve.png")


def _take(parts: dict[str, Any], folder: Path) -> Image.Image:
    """Head mesh and plane at three moments, in a row."""
    pictures = [Image.open(folder / f"both {frame}.png") for frame in parts["moments"]]
    width, height = pictures[0].size
    sheet = Image.new("RGB", (3 * width + 2 * GAP, height), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB"), (place * (width + GAP), 0))
    return sheet


def _edit(parts: dict[str, Any], folder: Path) -> Image.Image:
    """Frames around an edited key: before above, after below, what was rendered again framed."""
    shown, left, top = parts["shown"], 64, 26
    step = SIDE + GAP
    sheet = Image.new("RGB", (left + len(shown) * step - GAP, top + 2 * step), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for row, name in enumerate(("before", "after")):
        pen.text((left - 8, top + row * step + SIDE / 2), name, TEXT, font, anchor="rm")
        for place, frame in enumerate(shown):
            picture = _small(folder / f"{name} {frame}.png")
            corner = (left + place * step, top + row * step)
            sheet.paste(picture, corner)
            if row and picture.tobytes() != _small(folder / f"before {frame}.png").tobytes():
                end = (corner[0] + SIDE - 1, corner[1] + SIDE - 1)
                pen.rectangle((corner, end), outline=EDIT, width=4)
    for place, frame in enumerate(shown):
        pen.text((left + place * step + SIDE / 2, top / 2), f"{frame}", TEXT, font, anchor="mm")
    return sheet


def _small(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _curve(parts: dict[str, Any], path: Path) -> None:
    """The yaw of the take around the edit, with its keys between the scene's frames."""
    first, last = parts["shown"][0] - 3, parts["shown"][-1] + 3
    edit = tuple(value / 255 for value in EDIT)
    figure, axes = plt.subplots(figsize=(8, 3), dpi=110, layout="constrained")
    for name, colour, style in (("after", edit, "-"), ("before", "#30506f", "-")):
        frames, values = zip(*parts[name], strict=True)
        degrees = [math.degrees(value) for value in values]
        axes.plot(frames, degrees, style, color=colour, label=f"{name} the edit", linewidth=1.6)
    keys = [(frame, math.degrees(value)) for frame, value in parts["keys"]]
    axes.plot(
        *zip(*keys, strict=True), "o", color="#30506f", markersize=4, label="keys, 25 a second"
    )
    key = min(keys, key=lambda point: abs(point[0] - parts["key"]))
    axes.plot(*key, "o", color=edit, markersize=8, label="the key that was moved")
    seen = [value for frame, value in keys if first <= frame <= last]
    room = 0.12 * (max(seen) - min(seen))
    axes.set_xlim(first, last)
    axes.set_ylim(min(seen) - room, max(seen) + room)
    axes.set_xticks(range(first, last + 1))
    axes.grid(axis="x", color="#dddddd")
    axes.set_xlabel(f"frames of the scene, {parts['fps']} a second")
    axes.set_ylabel("yaw in degrees")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
