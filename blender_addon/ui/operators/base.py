# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators share: sentences instead of tracebacks, jobs, paths."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ... import status
from ...compat import PATH_OPTIONS
from ...core.errors import AddonError
from ...engine import jobs
from ...rig.head import find_rig, why_no_rig
from ...takes import nla
from .. import messages

Need = Callable[[bpy.types.Context], str]
"""Looks whether something is there; returns a sentence about what is missing, or ""."""


def no_job(context: bpy.types.Context) -> str:
    """Nothing may be on its way."""
    return jobs.busy()


def no_missing_field(context: bpy.types.Context) -> str:
    """The panel says of a button which field it still needs; a script gives properties instead."""
    return str(getattr(context, messages.MISSING, "") or "")


def a_rig(context: bpy.types.Context) -> str:
    """There must be a head rig."""
    return why_no_rig(context)


def a_take(context: bpy.types.Context) -> str:
    """There must be a head rig that has takes."""
    rig = find_rig(context)
    if rig is None or len(rig.osmnet.takes):
        return why_no_rig(context)
    return why_no_rig(context) or nla.NO_TAKE


class Polled:
    """An operator whose button is off, and says why, while something that it needs is missing."""

    needs: ClassVar[tuple[Need, ...]] = ()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether all is there; if not, Blender shows the sentence at the button."""
        for need in cls.needs:
            sentence = need(context)
            if sentence:
                cls.poll_message_set(sentence)  # type: ignore[attr-defined]
                return False
        return True


def sentence_errors(execute: Callable[..., set[str]]) -> Callable[..., set[str]]:
    """Show an `AddonError` of an operator's execute in the panel.

    Scripts get it as an exception. So does the status bar, with a pop-up, if it is nowhere else on
    the screen.
    """

    @wraps(execute)
    def wrapped(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            result = execute(self, context)
        except AddonError as error:
            status.show_error(error)
            if not (self.options.is_invoke and messages.are_seen(context)):
                self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return result

    return wrapped


class EditOperator(Polled):
    """An operator that works at once; a subclass defines `edit(context) -> note`."""

    bl_options = {"REGISTER", "UNDO"}
    needs = (no_job, no_missing_field)

    @sentence_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it and say what was done."""
        status.show_error(None)
        status.get().note = self.edit(context)
        status.changed()
        return {"FINISHED"}


class JobOperator(Polled):
    """An operator that needs the engine; a subclass defines `title` and `steps(context)`.

    The job makes its own undo step when it ends, since execute returns before that; `changes` says
    whether there is anything to be undone.
    """

    bl_options = {"REGISTER"}
    needs = (no_job, no_missing_field)
    changes = True

    wait: BoolProperty(  # type: ignore[valid-type]
        name="Wait",
        description="Return when the work is done; always so when Blender has no window",
        default=False,
        options={"SKIP_SAVE"},
    )

    @sentence_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job."""
        undo = f"OSM-Net: {self.bl_label}" if self.changes else ""
        jobs.run(self.title, self.steps(context), undo=undo, wait=self.wait)
        return {"FINISHED"}


class FileWindow:
    """An operator that asks for a file in a window; a subclass defines `filter_glob`."""

    filepath: StringProperty(
        name="File",
        description="File to be read or written",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


def existing_file(path: str, what: str) -> Path:
    """The absolute path of a file that must be there.

    Raises:
        AddonError: if none was given, or it is not there.
    """
    if not path:
        raise AddonError(f"Choose {what} first.")
    result = Path(bpy.path.abspath(path)).resolve()
    if not result.is_file():
        raise AddonError(f"There is no {what.split(' ', 1)[-1]} '{result}'; choose another.")
    return result


def output_file(path: str, suffix: str) -> Path:
    """The absolute path of a file to be written, with a suffix if it has none."""
    if not path:
        raise AddonError("Choose a file name first.")
    result = Path(bpy.path.abspath(path))
    return result if result.suffix else result.with_suffix(suffix)
