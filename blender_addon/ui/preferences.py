# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the preferences: where the engine is, its device, and the cache of frames."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from .. import preferences
from . import messages

DEVICES = (
    ("auto", "Automatic", "A GPU if the engine sees one, else the processor"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA", "An NVIDIA graphics card"),
    ("mps", "Metal", "The graphics part of an Apple processor"),
)


class OSMNetPreferences(bpy.types.AddonPreferences):
    """What holds for all files."""

    bl_idname = preferences.ADDON

    engine_python: StringProperty(  # type: ignore[valid-type]
        name="Engine",
        description="Python (or its virtual environment) in which osmnet-sdk is installed",
        subtype="FILE_PATH",
    )
    device: EnumProperty(  # type: ignore[valid-type]
        name="Device", description="What the engine computes on", items=DEVICES, default="auto"
    )
    bundle: StringProperty(  # type: ignore[valid-type]
        name="Bundle",
        description="Weights that the engine uses: the name of a bundle, or the folder of one that "
        "you have trained or were given; empty takes the one that comes with it",
        default=preferences.DEFAULT_BUNDLE,
        subtype="DIR_PATH",
    )
    cache_folder: StringProperty(  # type: ignore[valid-type]
        name="Cache",
        description="Folder for rendered frames; empty takes one in your user folder, which stays "
        "when the add-on is removed",
        subtype="DIR_PATH",
    )
    cache_gigabytes: FloatProperty(  # type: ignore[valid-type]
        name="Size limit",
        description="Frames that were not shown for longest are removed beyond this, in gigabytes",
        default=5.0,
        min=0.1,
        max=1000.0,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        row = layout.row(align=True)
        row.prop(self, "engine_python")
        row.operator("osmnet.find_engine", text="Find")
        row.operator("osmnet.check_engine", text="Check")
        messages.draw_engine(layout, context)
        layout.prop(self, "device")
        layout.prop(self, "bundle")
        layout.prop(self, "cache_folder")
        layout.prop(self, "cache_gigabytes")


CLASSES = (OSMNetPreferences,)
