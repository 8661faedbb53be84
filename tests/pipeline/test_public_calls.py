"""Every public call works whenever it is made: first, again, and after all else was imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

CALLS = """
import sys, types, warnings
from pathlib import Path
import numpy as np
import osmnet_sdk as sdk

warnings.simplefilter("ignore", sdk.OSMNetWarning)
folder, voice, photo = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sound = sdk.load_audio(voice).samples[:4000], 16000
face = sdk.fit_face(photo)
take = sdk.sample_takes(sound)[0]
video = sdk.render_video(face, take, folder / "take.mp4", renderer="warp")

calls = {
    "predict_phones": lambda: sdk.predict_phones(sound).seconds == 0.25,
    "sample_motions": lambda: len(sdk.sample_motions(sound)) == 1,
    "predict_expression": lambda: len(sdk.predict_expression(sound)) == len(take),
    "expression_stream": lambda: sdk.expression_stream().look_ahead > 0,
    "sample_takes": lambda: sdk.sample_takes(sound)[0] == take,
    "retake": lambda: len(sdk.retake(take, sound, 0.05, 0.15, seed=3)) == len(take),
    "fit_face": lambda: sdk.fit_face(photo).fit is not None,
    "track_video": lambda: len(sdk.track_video(video)) == len(take),
    "render": lambda: next(sdk.render(face, take, renderer="warp")).shape == (256, 256, 3),
    "render_video": lambda: Path(
        sdk.render_video(face, take, folder / "v.mp4", renderer="warp", size=(64, 64))
    ).is_file(),
    "render_images": lambda: sdk.render_images(
        face, take, folder / "frames", renderer="warp", size=(64, 64)
    ),
    "lip_gap": lambda: sdk.lip_gap(np.zeros(52)) >= 0,
    "motion_basis": lambda: len(sdk.motion_basis()) > 1,
    "head_turn": lambda: sdk.head_turn(yaw=5) is not None,
    "rotate": lambda: sdk.rotate(face, yaw=5, renderer="warp").shape == (256, 256, 3),
}
assert set(calls) == set(sdk._CALLS), set(calls) ^ set(sdk._CALLS)
for name, call in calls.items():
    assert call(), name
sdk.OSMNet().info()
for name, call in reversed(calls.items()):
    assert call(), name
for name in sdk.__all__:
    assert not isinstance(getattr(sdk, name), types.ModuleType), name
"""

SUBMODULES = """
import pkgutil, sys, types
from importlib import import_module
from pathlib import Path
import osmnet_sdk as sdk

folder = Path(sys.argv[1])
sdk.__path__.append(str(folder))
before = {}
for name in sdk.__all__:
    (folder / f"{name}.py").write_text("HERE = True")
    if len(sys.argv) > 2:
        before[name] = getattr(sdk, name)
for name in sdk.__all__:
    import_module(f"osmnet_sdk.{name}")
for _, name, _ in pkgutil.iter_modules(sdk.__path__[:1]):
    if name != "__main__":
        import_module(f"osmnet_sdk.{name}")
for name in sdk.__all__:
    assert not isinstance(getattr(sdk, name), types.ModuleType), name
    assert name not in before or getattr(sdk, name) == before[name], name
assert isinstance(sdk.audio, types.ModuleType)  # a name that is not public stays a submodule
"""


def run(code: str, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_call_works_before_and_after_info(voice, photo, tmp_path):
    run(CALLS, tmp_path, voice, photo)


@pytest.mark.parametrize("used", [[], ["used before"]])
def test_no_submodule_takes_the_place_of_a_public_name(used, tmp_path):
    run(SUBMODULES, tmp_path, *used)
