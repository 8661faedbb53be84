# SPDX-License-Identifier: GPL-3.0-or-later
"""OSM-Net for Blender: takes of a head performance as actions, and frames that follow the edits.

Blender's side is imported only when Blender registers the add-on, so that `core` can be used and
tested without bpy.
"""


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the add-on is disabled, updated or removed."""
    from . import registration

    registration.unregister()
