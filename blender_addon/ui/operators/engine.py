# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and checking the engine, stopping a job, and what went wrong in detail."""

from __future__ import annotations

import os
import textwrap

import bpy

from ... import preferences, status
from ...core import locate
from ...core.errors import AddonError
from ...engine import jobs
from .base import EditOperator, JobOperator, Polled, sentence_errors

_LINES, _LETTERS, _WIDTH = 24, 110, 700
"""Last lines of the details that a pop-up shows, letters in each, and its width in pixels."""


class FindEngine(EditOperator, bpy.types.Operator):
    """Look for a Python in which osmnet-sdk is installed."""

    bl_idname = "osmnet.find_engine"
    bl_label = "Find Engine"
    bl_options = {"REGISTER"}

    def edit(self, context: bpy.types.Context) -> str:
        """Look in the usual places."""
        python = locate.find(dict(os.environ))
        if python is None:
            raise AddonError(
                "No Python with osmnet-sdk was found; install it as the manual says, or choose "
                "its Python yourself."
            )
        preferences.get().engine_python = str(python)
        return f"Found {python}."


class CheckEngine(JobOperator, bpy.types.Operator):
    """Start the engine and ask for its version, device and bundle."""

    bl_idname = "osmnet.check_engine"
    bl_label = "Check Engine"
    title = "Checking the engine"
    changes = False

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Ask once."""
        status.get().engine = ""
        info = yield jobs.Request("check", {})
        text = (
            f"OSM-Net {info['version']}, Python {info['python']}, device {info['device']}, "
            f"bundle {info['bundle']} {info['bundle_version']}"
        )
        status.get().engine = text
        return text


def _a_job(context: bpy.types.Context) -> str:
    return "" if jobs.busy() else "Nothing is on its way."


def _an_error(context: bpy.types.Context) -> str:
    return "" if status.get().error else "There is no message."


def _a_warning(context: bpy.types.Context) -> str:
    return "" if status.get().warnings else "There is no hint."


class Cancel(Polled, bpy.types.Operator):
    """Stop what the engine does now; frames that have arrived stay."""

    bl_idname = "osmnet.cancel"
    bl_label = "Cancel"
    needs = (_a_job,)

    @sentence_errors
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the job to stop."""
        job = jobs.current()
        if job is not None:
            job.cancel()
        return {"FINISHED"}


class ShowDetails(Polled, bpy.types.Operator):
    """Show what the engine said last, to be copied into a report."""

    bl_idname = "osmnet.show_details"
    bl_label = "Details"
    needs = (_an_error,)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the details on the clipboard and into a text data-block."""
        told = status.get()
        text = bpy.data.texts.get("OSM-Net details") or bpy.data.texts.new("OSM-Net details")
        text.clear()
        text.write(f"{told.error}\n\n{told.details}\n")
        context.window_manager.clipboard = text.as_string()
        self.report({"INFO"}, "Copied to the clipboard and to the text 'OSM-Net details'.")
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show them in a pop-up as well."""
        self.execute(context)
        return context.window_manager.invoke_popup(self, width=_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the last lines."""
        told = status.get()
        for line in [told.error, *told.details.splitlines()[-_LINES:]]:
            for part in textwrap.wrap(line, _LETTERS):
                self.layout.label(text=part)


class ClearError(Polled, bpy.types.Operator):
    """Take the message away."""

    bl_idname = "osmnet.clear_error"
    bl_label = "Clear Message"
    needs = (_an_error,)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Clear it."""
        status.show_error(None)
        return {"FINISHED"}


class ClearWarnings(Polled, bpy.types.Operator):
    """Take the hints about photo and voice away."""

    bl_idname = "osmnet.clear_warnings"
    bl_label = "Clear Hints"
    needs = (_a_warning,)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Clear them."""
        status.get().warnings = ""
        return {"FINISHED"}


CLASSES = (FindEngine, CheckEngine, Cancel, ShowDetails, ClearError, ClearWarnings)
