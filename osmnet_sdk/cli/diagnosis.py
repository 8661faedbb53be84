"""What of an installation works, and how to mend what does not; the standard library alone."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from osmnet_sdk.cli.probes import BUNDLE, FFMPEG, TORCH, broken_imports, facts
from osmnet_sdk.engine.finding import find_all, user_cache
from osmnet_sdk.version import __version__

State = Literal["good", "note", "bad"]
"""Works; works, with something to know; does not work."""

PYTHONS = ((3, 11), (3, 12), (3, 13))
_DISTRIBUTION = "osmnet-sdk"
_MODULES = {
    "opencv-python-headless": "cv2", "pillow": "PIL", "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}  # fmt: skip
"""Names under which packages are imported, where they are not the package's own."""
_OPENCVS = (
    "opencv-python", "opencv-contrib-python", "opencv-python-headless",
    "opencv-contrib-python-headless",
)  # fmt: skip
_ROOM = 1e9
"""Bytes that a few videos and their temporary files take."""
_HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Finding:
    """One line of the answer.

    Attributes:
        name: what was looked at.
        state: "good", "note" or "bad".
        text: what was found.
        mend: what to do; empty where all is good.
    """

    name: str
    state: State
    text: str
    mend: str = ""

    def line(self) -> str:
        """As people read it."""
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.state:<4}  {self.name}: {' '.join(f'{self.text}{mend}'.split())}"


def diagnose(bundle: str = "starter") -> Iterator[Finding]:
    """Look at everything, one finding after the other; some take seconds."""
    yield python()
    yield from packages()
    yield torch_build()
    yield ffmpeg()
    yield weights(bundle)
    yield from room()
    yield from engines()


def print_findings(bundle: str, as_json: bool) -> int:
    """Print what `diagnose` finds; return the exit code: 0, or 1 if something does not work."""
    found = []
    for finding in diagnose(bundle):
        found.append(finding)
        if not as_json:
            print(finding.line(), flush=True)
    good = all(finding.state != "bad" for finding in found)
    if as_json:
        print(json.dumps({"good": good, "findings": [asdict(finding) for finding in found]}))
    return 0 if good else 1


def without_command_line(words: list[str], error: Exception) -> int:
    """Answer a command where what the command line needs raised this; return the exit code."""
    if words[:1] != ["doctor"]:
        print(
            f"error: A package is missing or broken ({error}); `osmnet doctor` tells more.",
            file=sys.stderr,
        )
        return 2
    parser = argparse.ArgumentParser(prog="osmnet doctor")
    parser.add_argument("--bundle", default="starter", help="Name or folder of the weights.")
    parser.add_argument("--json", action="store_true", help="Print one JSON text.")
    given = parser.parse_args(words[1:])
    return print_findings(given.bundle, given.json)


def python() -> Finding:
    """The Python that this runs in."""
    version = ".".join(map(str, sys.version_info[:3]))
    text = f"{version}, {64 if sys.maxsize > 2**32 else 32}-bit, {sys.executable}"
    if sys.version_info[:2] not in PYTHONS:
        return Finding("Python", "bad", text, "make the environment with Python 3.11, 3.12 or 3.13")
    if sys.maxsize < 2**32:
        return Finding("Python", "bad", text, "install a 64-bit Python: torch has no other")
    return Finding("Python", "good", text)


def tested_versions() -> dict[str, str]:
    """Version by package name, in lower case, with which all was tested."""
    places = (_HERE / "tested_versions.txt", _HERE.parent / "constraints.txt")
    lines: list[str] = []
    for place in places:
        if place.is_file():
            lines = place.read_text(encoding="utf-8").splitlines()
            break
    pins = (line.split(";")[0].strip().partition("==") for line in lines if "==" in line)
    return {_plain(name): version for name, _, version in pins}


def packages() -> Iterator[Finding]:
    """Each package that is needed: there, in the range that is allowed, and importable."""
    try:
        needed = list(_requirements())
    except metadata.PackageNotFoundError:
        yield Finding(
            _DISTRIBUTION, "bad", f"{__version__}, found in {_HERE} but not installed",
            "install it with pip into this Python",
        )  # fmt: skip
        return
    yield Finding(_DISTRIBUTION, "good", f"{__version__} in {_HERE}")
    broken = broken_imports([_MODULES.get(name, name) for name, _ in needed])
    tested = tested_versions()
    for name, allowed in needed:
        yield _package(name, allowed, tested.get(name), broken.get(_MODULES.get(name, name)))
    yield from _doubled_opencv()


def _requirements() -> Iterator[tuple[str, str]]:
    """Name and allowed versions of each package that is needed in this environment."""
    for text in metadata.requires(_DISTRIBUTION) or []:
        requirement, _, marker = text.partition(";")
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
        if "extra" not in marker:
            yield _plain(name), requirement.strip()[len(name) :].strip(" ()")


def _package(name: str, allowed: str, tested: str | None, error: str | None) -> Finding:
    again = f'python -m pip install --force-reinstall "{name}{allowed}"'
    version = _version(name)
    if version is None:
        return Finding(name, "bad", "not installed", f'python -m pip install "{name}{allowed}"')
    same = tested in (None, version, version.partition("+")[0])  # "2.13.0+cpu" is 2.13.0, too
    text = version if same else f"{version} (tested with {tested})"
    if not _allows(allowed, version):
        return Finding(name, "bad", f"{text}, but {allowed} is needed", again)
    if error is not None:
        return Finding(name, "bad", f"{text} cannot be imported ({error})", again)
    return Finding(name, "good", text)


def _allows(allowed: str, version: str) -> bool:
    """Whether a version is among those that are allowed; what cannot be judged is."""
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True
    return SpecifierSet(allowed).contains(version, prereleases=True)


def _doubled_opencv() -> Iterator[Finding]:
    """Two wheels of OpenCV write into one folder, and taking one away breaks the other."""
    there = [name for name in _OPENCVS if _version(name)]
    if len(there) > 1:
        yield Finding(
            "OpenCV", "bad", f"{' and '.join(there)} are installed over each other",
            f"python -m pip uninstall {' '.join(there)}, then python -m pip install "
            "opencv-python-headless",
        )  # fmt: skip


def torch_build() -> Finding:
    """For which hardware torch was built, and what it will run on."""
    found, error = facts(TORCH)
    if error:
        return Finding("device", "bad", error, "install torch again, see docs/quickstart.md")
    device = found["device"]
    if found["build"] and device.startswith("cpu"):
        return Finding(
            "device", "note", f"{device}; torch is built for CUDA or ROCm {found['build']}, and "
            "sees no such GPU", "renew the GPU's driver, or take the build for CPUs, which needs "
            "gigabytes less",
        )  # fmt: skip
    if found["mps"] and device.startswith("cpu"):
        return Finding("device", "good", f"{device}; --device mps would use the GPU")
    return Finding("device", "good", f"{device}; torch is built for {found['build'] or 'CPUs'}")


def ffmpeg() -> Finding:
    """The libraries of FFmpeg that come with PyAV, and the codecs that are used."""
    found, error = facts(FFMPEG)
    if error:
        return Finding("ffmpeg", "bad", error, "python -m pip install --force-reinstall av")
    text = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    if found["missing"]:
        return Finding(
            "ffmpeg", "bad", f"{text}, without {', '.join(found['missing'])}",
            "install PyAV's own wheel: python -m pip install --force-reinstall --only-binary av av",
        )  # fmt: skip
    return Finding("ffmpeg", "good", text)


def weights(bundle: str) -> Finding:
    """The bundle of weights, every file compared with the manifest."""
    found, error = facts(BUNDLE, bundle)
    if error:
        return Finding("bundle", "bad", error, "install the packages that are missing first")
    if "error" in found:
        return Finding(
            "bundle", "bad", found["error"], "install osmnet-sdk again for its own bundle"
        )
    return Finding(
        "bundle", "good", f"{found['name']} {found['version']}, {found['files']} files as in its "
        f"manifest ({found['sha256'][:12]})",
    )  # fmt: skip


def room() -> Iterator[Finding]:
    """Free space where results, temporary files and Blender's frames go."""
    places = {
        "space here": Path.cwd(),
        "space for temporary files": Path(tempfile.gettempdir()),
        "space for Blender's frames": user_cache(os.environ, Path.home(), sys.platform),
    }
    for name, place in places.items():
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            yield Finding(name, "bad", f"'{place}' cannot be read ({error.strerror})", "mend that")
            continue
        text = f"{free / 1e9:.1f} GB free in '{place}'"
        writable = os.access(place, os.W_OK)
        if not writable:
            yield Finding(name, "note", f"{text}, where nothing may be written", "choose another")
        elif free < _ROOM:
            yield Finding(name, "bad", text, f"make room: {_ROOM / 1e9:.0f} GB or more is needed")
        else:
            yield Finding(name, "good", text)


def engines() -> Iterator[Finding]:
    """The Pythons that Blender's *Find Engine* finds, the one that it takes first."""
    found = list(find_all())
    if not found:
        yield Finding(
            "Blender's engine", "note", "Find Engine finds none",
            f"name '{sys.executable}' in the add-on's preferences",
        )  # fmt: skip
    for index, (path, version) in enumerate(found):
        text = f"{path}, version {version}" + ("" if index else ", which Find Engine takes")
        if version == __version__:
            yield Finding("Blender's engine", "good", text)
        else:
            yield Finding(
                "Blender's engine", "note", text, f"this is {__version__}: install the same there"
            )


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _version(name: str) -> str | None:
    """The version of a package, if it is installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
