"""What users get: the built wheel in an empty environment outside the checkout does the main job.

    python tests/install/run.py --versions newest --python python3.13

`newest` takes the newest release of everything that pyproject.toml allows, `oldest` the oldest,
`tested` what constraints.txt names. torch comes first, from the index of CPU builds, or as
TORCH says ("torch==2.13.0"); where that index cannot be reached, pip takes what its own offers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from versions import oldest_versions, requirement_of, requirements

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def run(*command: object, timeout: float = 3600, **options) -> str:
    """Run a command outside the checkout; return what it printed, or end with all that it said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout[-3000:]}{done.stderr[-6000:]}")
    return done.stdout


class Environment:
    """An empty virtual environment; only pip is renewed.

    Args:
        folder: where it is made; it must not exist.
        python: whose it is.
    """

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        run(python, "-m", "venv", folder)
        self._scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self._scripts / "python"
        self.osmnet = self._scripts / "osmnet"
        self.install("--upgrade", "pip")

    def run(self, *command: object) -> str:
        """Run a command in the environment's folder, without a trace of the checkout."""
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return run(*command, cwd=self.folder, env=variables)

    def pip(self, *words: object) -> str:
        """Run pip quietly."""
        return self.run(self.python, "-m", "pip", "--quiet", *words)

    def install(self, *words: object) -> None:
        """Install packages; Python compiles what it loads, which is a small part of them."""
        self.pip("install", "--no-compile", *words)

    def versions(self) -> dict[str, str]:
        """Version by name of what is installed."""
        rows = json.loads(self.run(self.python, "-m", "pip", "list", "--format", "json"))
        return {row["name"].lower().replace("_", "-"): row["version"] for row in rows}


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the checkout with the Python that runs this."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    return next(folder.glob("*.whl"))


def constraints(wheel: Path, versions: str, environment: Environment) -> list[object]:
    """What is told to pip, so that it takes the wanted versions."""
    if versions == "newest":
        return []
    if versions == "tested":
        return ["-c", ROOT / "constraints.txt"]
    python = environment.run(environment.python, "-c", "import sys; print(sys.version.split()[0])")
    pins = oldest_versions(wheel, python.strip())
    if os.environ.get("TORCH"):
        pins = [pin for pin in pins if not pin.startswith("torch==")]
    path = environment.folder / "oldest.txt"
    path.write_text("\n".join(pins), encoding="utf-8")
    return ["-c", path]


def install(environment: Environment, wheel: Path, versions: str) -> None:
    """Install the wheel with the wanted versions of what it needs."""
    limits = constraints(wheel, versions, environment)
    _install_torch(environment, wheel, limits)
    environment.install("--only-binary", ":all:", *limits, wheel)
    environment.run(environment.python, "-m", "pip", "check")


def _install_torch(environment: Environment, wheel: Path, limits: list[object]) -> None:
    """Install torch as a CPU build where there is one, as the docs tell users to."""
    given = os.environ.get("TORCH")
    if given:
        environment.install(given)
        return
    # Without what torch needs: that is on the usual index, newer than on torch's.
    where = ["--index-url", CPU_BUILDS, "--retries", 0, "--timeout", 15, "--no-deps"]
    try:
        environment.install(*where, *limits, requirement_of(wheel, "torch"))
    except SystemExit:
        print("  no CPU build of torch can be had: pip takes what its own index offers")


def report(environment: Environment, wheel: Path, seconds: float) -> None:
    """Say which versions were there, and what they took."""
    found = environment.versions()
    names = sorted(requirement.name.lower() for requirement in requirements(wheel))
    megabytes = sum(
        path.lstat().st_size for path in environment.folder.rglob("*") if path.is_file()
    )
    print("  " + ", ".join(f"{name} {found[name]}" for name in names if name in found))
    print(f"  {megabytes / 1e6:.0f} MB, installed in {seconds:.0f} s")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="whose environment is made")
    parser.add_argument("--versions", choices=("newest", "oldest", "tested"), required=True)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="osmnet-install-"))
    try:
        wheel = build_wheel(folder / "wheel")
        start = time.monotonic()
        environment = Environment(folder / "environment", chosen.python)
        python = environment.run(environment.python, "--version").strip()
        print(f"{python}, {chosen.versions} versions", flush=True)
        install(environment, wheel, chosen.versions)
        report(environment, wheel, time.monotonic() - start)
        start = time.monotonic()
        shutil.copy(ROOT / "examples" / "voice.flac", folder / "sample voice.flac")
        job = shutil.copy(HERE / "job.py", folder)
        print(environment.run(environment.python, job, environment.osmnet, folder), end="")
        print(f"  the main job: {time.monotonic() - start:.0f} s", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
