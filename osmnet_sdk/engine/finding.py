"""Where the Python is that OSM-Net is installed in; the Blender extension carries a copy.

The standard library only, as Blender's own Python has none of our packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ENVIRONMENTS = ("osmnet", ".osmnet", "osmnet-env", ".venv-osmnet")
"""Names of virtual environments that are looked for."""


class NoPython(Exception):
    """One sentence: where there is no Python, and what to do."""


_CHECK = "import osmnet_sdk.version as v; print(v.__version__)"
_CHECK_SECONDS = 20.0


def engine_command(python: str) -> list[str]:
    """The command line of the engine."""
    return [python, "-I", "-u", "-m", "osmnet_sdk.engine"]


def clean_environment() -> dict[str, str]:
    """The environment without what points a Python at another one's modules."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in ("PYTHONHOME", "PYTHONPATH")
    }


def no_window() -> int:
    """Flags for a child process that opens no console window on Windows."""
    return int(getattr(subprocess, "CREATE_NO_WINDOW", 0))


def candidates(environ: Mapping[str, str], home: Path, platform: str) -> list[Path]:
    """Where OSM-Net's Python may be, likeliest first; nothing is looked up on the disk.

    Args:
        environ: environment variables: OSMNET_PYTHON, PATH, LOCALAPPDATA, VIRTUAL_ENV.
        home: the user's folder.
        platform: as in `sys.platform`.

    Returns:
        Executables and folders of virtual environments, each once, for `python_of`.
    """
    return list(dict.fromkeys(_candidates(environ, home, platform)))


def _candidates(environ: Mapping[str, str], home: Path, platform: str) -> Iterator[Path]:
    windows = platform == "win32"
    if environ.get("OSMNET_PYTHON"):
        yield Path(environ["OSMNET_PYTHON"])
    if environ.get("VIRTUAL_ENV"):
        yield Path(environ["VIRTUAL_ENV"])
    entries = environ.get("PATH", "").split(";" if windows else ":")
    folders = [Path(entry.strip('"')) for entry in entries if entry.strip('" ')]
    yield from (folder / ("osmnet.exe" if windows else "osmnet") for folder in folders)
    yield from (home / name for name in ENVIRONMENTS)
    data = user_data(environ, home, platform)
    yield data / "osmnet"
    yield from (
        home / base / "osmnet-sdk" for base in (".local/share/uv/tools", ".local/share/pipx/venvs")
    )
    yield data / "uv" / "tools" / "osmnet-sdk"
    yield home / "pipx" / "venvs" / "osmnet-sdk"
    yield from (
        home / base / "envs" / "osmnet" for base in ("miniconda3", "anaconda3", "miniforge3")
    )
    for name in ("python.exe", "py.exe") if windows else ("python3", "python"):
        yield from (folder / name for folder in folders)


def user_data(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    """Where a user's programs keep their data on this platform."""
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")


def user_cache(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    """Where a user's programs keep what they can make again on this platform."""
    if platform == "win32":
        return user_data(environ, home, platform)
    if platform == "darwin":
        return home / "Library" / "Caches"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache")


def python_of(path: str | os.PathLike[str]) -> Path:
    """The Python of a path: a Python itself, a virtual environment, or an osmnet executable.

    Links are not resolved, as a virtual environment's Python is one.

    Raises:
        NoPython: if there is none.
    """
    given = Path(str(path).strip().strip('"')).expanduser()
    if given.is_dir():
        found = _python_in(given)
    elif given.is_file() and given.stem.casefold() == "osmnet":
        script = given.resolve()
        found = _python_in(script.parent) or _python_in(script.parent.parent) or _shebang(script)
    elif given.is_file() and os.access(given, os.X_OK):
        return given
    elif given.exists():
        raise NoPython(f"'{given}' is not a Python; choose that of OSM-Net's environment.")
    else:
        raise NoPython(f"'{given}' does not exist; choose the Python of OSM-Net's environment.")
    if found is None:
        raise NoPython(f"There is no Python at '{given}'; choose that of OSM-Net's environment.")
    return found


def _python_in(folder: Path) -> Path | None:
    names = ("Scripts/python.exe", "bin/python", "bin/python3", "python.exe", "python", "python3")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _shebang(script: Path) -> Path | None:
    """The Python that a script names in its first line."""
    with script.open("rb") as stream:
        line = stream.readline(1000).decode("utf-8", "replace").strip()
    python = Path(line.removeprefix("#!").strip())
    return python if line.startswith("#!") and python.is_file() else None


def find(environ: Mapping[str, str] | None = None) -> Path | None:
    """The first Python that has OSM-Net installed, or None; may take seconds.

    Args:
        environ: environment variables; those of this process by default.
    """
    return next((python for python, _ in find_all(environ)), None)


def find_all(environ: Mapping[str, str] | None = None) -> Iterator[tuple[Path, str]]:
    """Each Python that has OSM-Net installed, with its version, in the order of `find`."""
    tried: set[Path] = set()
    variables = os.environ if environ is None else environ
    for candidate in candidates(variables, Path.home(), sys.platform):
        try:
            python = python_of(candidate)
        except (NoPython, OSError):
            continue
        if python not in tried and python.is_absolute() and (version := installed_version(python)):
            yield python, version
        tried.add(python)


def installed_version(python: str | os.PathLike[str]) -> str | None:
    """The version of OSM-Net that a Python has installed, or None."""
    try:
        answer = subprocess.run(
            [os.fspath(python), "-I", "-c", _CHECK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK_SECONDS,
            env=clean_environment(),
            creationflags=no_window(),
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.decode("utf-8", "replace").split()
    return lines[-1] if answer.returncode == 0 and lines else None
