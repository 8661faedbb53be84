"""Small helpers of the tests inside Blender."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

YAW = 1
"""Channel of the head's yaw."""
JAW_OPEN = 6 + 17
"""Channel of jawOpen."""


def status():
    return bpy.context.window_manager.osmnet


def sentence_of(error: RuntimeError) -> str:
    """The one sentence that an operator refuses with, in the panel or at a button that is off."""
    message = str(error).strip()
    if ".poll() " in message:
        message = message.split(".poll() ", 1)[1]
    else:
        message = message.removeprefix("Error: ")
        assert message == status().error
    assert "Traceback" not in message
    assert "\n" not in message
    assert message.endswith(".")
    return message


def curve(addon, action, channel):
    description = addon.core.channels.CHANNELS[channel]
    return addon.compat.curves_of(action).find(description.data_path, index=description.index)


def add_to_key(addon, action, channel, number, value):
    """Move one key as an animator would; return its scene frame."""
    moved = curve(addon, action, channel)
    point = moved.keyframe_points[number]
    point.co[1] += value
    moved.update()
    return point.co[0]


def trim_start(strip, frames):
    """Cut frames from a sound strip's start; 5.1 renamed the property, and the old one goes."""
    name = "left_handle_offset" if hasattr(strip, "left_handle_offset") else "frame_offset_start"
    setattr(strip, name, frames)


def picture(path) -> np.ndarray:
    """(H, W, 3) uint8 pixels of a picture file, top row first."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    shaped = values.reshape(height, width, -1)[::-1, :, :3]
    return np.rint(shaped * 255).astype(np.uint8)


def seen_on_plane(frame: int, folder: Path, size: int = 256) -> np.ndarray:
    """What the scene's camera sees at a frame, rendered by Cycles: (size, size, 3) uint8."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.filter_width = 0.01
    scene.render.filter_size = 0.01
    scene.render.dither_intensity = 0.0
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.image_settings.file_format = "PNG"
    scene.frame_set(frame)
    scene.render.filepath = str(folder / f"seen {frame}.png")
    bpy.ops.render.render(write_still=True)
    return picture(scene.render.filepath)


def shown_file(addon, rig, frame: int) -> Path:
    """The file that Blender's image sequence shows at a scene frame."""
    user = addon.frames.plane.texture_of(rig.osmnet.plane).image_user
    number = frame - user.frame_start + 1
    number = min(max(number, 1), user.frame_duration) + user.frame_offset
    return Path(rig.osmnet.sequence) / f"frame_{number:06d}.png"
