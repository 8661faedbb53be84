"""The built wheel, alone in an empty environment outside the checkout, does the main job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

JOB = """
import sys, warnings
import numpy as np
import osmnet_sdk as sdk
warnings.simplefilter("ignore", sdk.OSMNetWarning)
from skimage.data import astronaut
folder, voice = sys.argv[1:]
assert "site-packages" in sdk.__file__, sdk.__file__
take = sdk.sample_takes(voice)[0]
face = sdk.fit_face(astronaut())
frame = next(sdk.render(face, take))
assert frame.shape == (256, 256, 3) and frame.std() > 30
path = take.save(folder + "/take.npz")
assert sdk.load_take(path) == take
print("frames", len(take))
"""


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=1200, **options
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_the_wheel_works_on_its_own(tmp_path, voice):
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    wheel = next(tmp_path.glob("*.whl"))
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", environment)
    folder = "Scripts" if os.name == "nt" else "bin"
    python = environment / folder / "python"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel,
        cwd=tmp_path)  # fmt: skip
    assert "frames 2" in run(python, "-c", JOB, tmp_path, voice, cwd=tmp_path)
    command = environment / folder / "osmnet"
    assert "starter" in run(command, "info", cwd=tmp_path)
