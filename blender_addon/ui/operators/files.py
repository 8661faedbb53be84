# SPDX-License-Identifier: GPL-3.0-or-later
"""Take files and Live Link Face recordings, in and out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from ...core.errors import AddonError
from ...core.takes import read_take, write_take
from ...engine import jobs
from ...rig.head import need_rig, rig_of_id
from ...takes import collection, nla
from ..properties import ABOUT_KEYS, KEYS
from .base import FileWindow, JobOperator, a_rig, a_take, existing_file, no_job, output_file


class _FileOperator(FileWindow, JobOperator):
    filter_glob: StringProperty(default="*.npz;*.csv", options={"HIDDEN"})  # type: ignore[valid-type]


class ImportTake(_FileOperator, bpy.types.Operator):
    """Add a take from a take file (.npz) or a Live Link Face recording (.csv)."""

    bl_idname = "osmnet.import_take"
    bl_label = "Import Take"
    title = "Importing a take"
    needs = (no_job, a_rig)

    keys: EnumProperty(  # type: ignore[valid-type]
        name="Keys", description=ABOUT_KEYS, items=KEYS, default="EVERY"
    )

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Read and add."""
        rig = need_rig(context)
        source = existing_file(self.filepath, "a take file")
        return _import(rig.osmnet.rig_id, context.scene.name, source, self.keys == "FEW")


def _import(rig_id: str, scene_name: str, source: Path, few: bool) -> jobs.Steps:
    if source.suffix.lower() == ".csv":
        with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
            output = Path(folder) / "take.npz"
            yield jobs.Request("convert_take", {"source": str(source), "output": str(output)})
            file = read_take(output)
    else:
        file = read_take(source)
    rig, scene = rig_of_id(rig_id), bpy.data.scenes[scene_name]
    timing = collection.timing_for(rig, file, scene)
    index = collection.add(rig, source.stem, timing, file.curves, file.provenance, few=few)
    nla.choose(rig, index)
    return f"'{source.name}' imported: {len(file)} samples, {file.seconds:.1f} s."


class ExportTake(_FileOperator, bpy.types.Operator):
    """Write what plays now, edits included, as a take file (.npz) or Live Link Face CSV."""

    bl_idname = "osmnet.export_take"
    bl_label = "Export Take"
    title = "Exporting a take"
    needs = (no_job, a_take)
    changes = False

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Read the rig and write."""
        target = output_file(self.filepath, ".npz")
        if target.suffix.lower() not in (".npz", ".csv"):
            raise AddonError(f"'{target.name}' must end in .npz or .csv.")
        return _export(need_rig(context), target)


def _export(rig: bpy.types.Object, target: Path) -> jobs.Steps:
    file = collection.as_file(rig)
    if target.suffix.lower() == ".csv":
        with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
            source = Path(folder) / "take.npz"
            write_take(source, file)
            yield jobs.Request("convert_take", {"source": str(source), "output": str(target)})
    else:
        write_take(target, file)
    return f"'{target.name}' written: {len(file)} samples, {file.seconds:.1f} s."


CLASSES = (ImportTake, ExportTake)
