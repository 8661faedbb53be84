# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators share: sentences instead of tracebacks, jobs, paths."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import jobs
from ..core.errors import AddonError


def sentence_errors(execute: Callable[..., set[str]]) -> Callable[..., set[str]]:
    """Report an `AddonError` of an operator's execute, and show it in the panel."""

    @wraps(execute)
    def wrapped(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            result = execute(self, context)
        except AddonError as error:
            jobs.show_error(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return result

    return wrapped


class EditOperator:
    """An operator that works at once; a subclass defines `edit(context) -> note`."""

    bl_options = {"REGISTER", "UNDO"}

    @sentence_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it and say what was done."""
        job = jobs.current()
        if job is not None and not job.finished:
            raise AddonError(f"Wait for '{job.title}' to end, or cancel it.")
        jobs.show_error(None)
        context.window_manager.osmnet.note = self.edit(context)
        return {"FINISHED"}


class JobOperator:
    """An operator that needs the engine; a subclass defines `title` and `steps(context)`.

    The job makes its own undo step when it ends, since execute returns before that.
    """

    bl_options = {"REGISTER"}

    wait: BoolProperty(  # type: ignore[valid-type]
        name="Wait",
        description="Return when the work is done; always so when Blender has no window",
        default=False,
        options={"SKIP_SAVE"},
    )

    @sentence_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job."""
        jobs.run(self.title, self.steps(context), undo=f"OSM-Net: {self.bl_label}", wait=self.wait)
        return {"FINISHED"}


class FileWindow:
    """An operator that asks for a file in a window; a subclass defines `filter_glob`."""

    filepath: StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]

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
