"""The oldest versions that a wheel says it works with."""

from __future__ import annotations

import zipfile
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement


def requirements(wheel: Path, python: str | None = None) -> list[Requirement]:
    """What the wheel needs without any extra, on one version of Python ("3.11.7") or on any."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    found = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    about = {"extra": ""} | (
        {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
        if python
        else {}
    )
    return [one for one in found if one.marker is None or one.marker.evaluate(about)]


def requirement_of(wheel: Path, name: str) -> str:
    """The requirement of one package, as pip is told it."""
    (found,) = (one for one in requirements(wheel) if one.name.lower() == name)
    return f"{found.name}{found.specifier}"


def oldest_versions(wheel: Path, python: str) -> list[str]:
    """Lines for pip that pin each package that the wheel needs to the oldest version it takes.

    Raises:
        ValueError: if a package has no oldest version.
    """
    lines = []
    for requirement in requirements(wheel, python):
        floors = [one.version for one in requirement.specifier if one.operator == ">="]
        if len(floors) != 1:
            raise ValueError(f"'{requirement}' must name its oldest version.")
        lines.append(f"{requirement.name}=={floors[0]}")
    return lines
