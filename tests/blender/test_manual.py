"""The manual: its example script runs, and its table of operators is whole."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import bpy
from support import status

MANUAL = (Path(__file__).parents[2] / "docs" / "blender.md").read_text(encoding="utf-8")


def test_example(addon, material, tmp_path, monkeypatch):
    (script,) = re.findall(r"```python\n(.*?)```", MANUAL, flags=re.S)
    out = tmp_path / "out"
    arguments = [str(material.portrait), str(material.voice), str(out)]
    monkeypatch.setattr(sys, "argv", ["blender", "-b", "-P", "takes.py", "--", *arguments])
    exec(compile(script, "takes.py", "exec"), {})
    assert sorted(path.name for path in out.glob("*.npz")) == [
        f"my voice {number:02d}.npz" for number in range(1, 6)
    ]
    assert len(list((out / "frames").glob("*.png"))) == 72
    assert (out / "takes.blend").is_file()
    rendered = int(status().note.split()[0])
    assert 10 < rendered < 40, status().note


def test_operators(addon):
    table = MANUAL.split("## Scripting", 1)[1].split("```", 1)[0]
    rows = re.findall(r"^\|(.*?)\|(.*)\|.*\|$", table, flags=re.M)
    names, properties, last = set(), {}, []
    for operators, given in rows:
        found = re.findall(r"`(\w+)`", operators)
        names.update(found)
        last = found or last  # a row without an operator goes on with the one above
        for name in last:
            properties.setdefault(name, set()).update(re.findall(r"`([a-z_]+)`", given))
    real = {name.bl_idname.removeprefix("osmnet.") for name in addon.ui.operators.CLASSES}
    assert names == real
    for name in names:
        kind = getattr(bpy.ops.osmnet, name).get_rna_type()
        known = {item.identifier for item in kind.properties}
        known -= {"rna_type", "wait", "filter_glob", "check_existing"}
        if "epsilon" in known:  # the manual names the options' own table
            known -= {name for fields in addon.ui.options.OPTIONS.values() for name in fields}
        assert known == properties.get(name, set()), name
