"""Outputs of the public calls, each with a name: what `golden` takes the digests of."""

from __future__ import annotations

import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from golden_digests import PACKAGE, ROOT, digest, named, npz, steady

VOICE = ROOT / "examples" / "voice.flac"
SECONDS = 2.4

MOTION_OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "epsilon": {"epsilon": 2.0},
    "epsilon 0": {"epsilon": 0.0},
    "intensity": {"intensity": 0.5},
    "axes": {"pitch": 0.5, "yaw": 2.0, "roll": 0.0, "translation": 1.5},
    "smoothing": {"smoothing": 0.2},
    "limits": {"limits": {"pitch": 4.0, "yaw": 3.0, "roll": 2.0, "translation": 0.01}},
    "tempo": {"tempo": 1.6},
    "basis": {"basis": {1: 2.0, 3: 0.0}},
    "start and end": {"start": (5.0, -10.0, 2.0), "end": (0, 8, 0, 0.01, 0, 0)},
    "still": {"still": [(0.8, 1.6)]},
    "pins": {
        "pins": [
            {"time": 1.0, "rotation": (None, 12.0, None)},
            {"time": 1.83, "rotation": (-4.0, 0.0, 1.0), "translation": (0.01, None, None)},
        ]
    },
    "blinks": {"blinks_per_minute": 30.0},
    "no blinks": {"blinks_per_minute": 0.0},
    "gaze": {"gaze": 2.5},
    "brow activity": {"brow_activity": 2.0},
}

EXPRESSION_OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "intensity": {"intensity": 0.6},
    "regions": {"jaw": 1.4, "lips": 0.7, "brows": 2.0, "cheeks": 0.0},
    "smoothing": {"smoothing": 0.1},
    "lag": {"lag_ms": 80.0},
    "lead": {"lag_ms": -60.0},
    "open silence": {"rest_in_silence": False},
    "gains": {"gains": {"jawOpen": 1.5, "mouthClose": 0.5}},
    "offsets": {"offsets": {"mouthSmileLeft": 0.3, "jawOpen": -0.1}},
}


class Outputs:
    """Makes every output once, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        import torch

        import osmnet_sdk as sdk

        torch.set_num_threads(1)
        self.sdk, self.folder = sdk, folder
        self.digests: dict[str, str] = {}
        self.osm = sdk.OSMNet(device="cpu")
        sound = sdk.load_audio(VOICE)
        self.voice = (sound.samples[: int(SECONDS * 16000)], 16000)
        self.files = self._files()

    def _files(self) -> dict[str, Path]:
        """A voice, a portrait, to be named on command lines."""
        import soundfile
        from PIL import Image
        from skimage.data import astronaut

        files = {"voice": self.folder / "voice.wav", "photo": self.folder / "portrait.png"}
        soundfile.write(files["voice"], *self.voice, subtype="PCM_16")
        Image.fromarray(astronaut()).save(files["photo"])
        return files

    def keep(self, name: str, value: Any) -> None:
        """Add an output."""
        assert name not in self.digests, name
        self.digests[name] = digest(value)

    def make(self) -> dict[str, str]:
        """All outputs, by name."""
        for part in self.parts():
            started = time.perf_counter()
            part()
            print(f"{part.__name__}: {time.perf_counter() - started:.1f} s", file=sys.stderr)
        return self.digests

    def parts(self) -> tuple[Callable[[], None], ...]:
        """What is made, in an order in which each finds what it needs."""
        return (
            self.surface, self.motions, self.expressions, self.takes, self.face, self.frames,
            self.files_of_frames, self.figures,
        )  # fmt: skip

    def surface(self) -> None:
        """Public names, options and the bundle."""
        self.keep("public names", self.sdk.__all__)
        for kind in (self.sdk.SampleOptions, self.sdk.ExpressionOptions):
            self.keep(f"schema of {kind.__name__}", kind.model_json_schema())
        self.keep("bundle manifest", (self.osm.bundle.folder / "manifest.json").read_bytes())
        facts = {k: v for k, v in self.osm.info().items() if k not in ("version", "device")}
        self.keep("info", {**facts, "bundle_folder": "…"})
        self.keep("motion basis", self.osm.motion_basis())

    def motions(self) -> None:
        """Head motion with each option."""
        for name, values in MOTION_OPTIONS.items():
            options = self.sdk.SampleOptions(**values)
            count = 2 if name == "defaults" else 1
            made = self.osm.sample_motions(self.voice, n=count, seed=7, options=options)
            self.keep(f"motion, {name}", made)
            if name == "epsilon":
                self.wide = made[0]
        around = self.sdk.SampleOptions(epsilon=0.5)
        self.keep(
            "motion, follow",
            self.osm.sample_motions(self.voice, seed=1, first=3, options=around, follow=self.wide),
        )

    def expressions(self) -> None:
        """Expression with each option, as a whole and as a stream."""
        for name, values in EXPRESSION_OPTIONS.items():
            options = self.sdk.ExpressionOptions(**values)
            track = self.osm.predict_expression(self.voice, options=options)
            self.keep(f"expression, {name}", track)
            if name in ("defaults", "smoothing", "lead"):
                stream = self.osm.expression_stream(options=options)
                samples = self.voice[0]
                pieces = [
                    stream.feed(samples[at : at + 1234]) for at in range(0, len(samples), 1234)
                ]
                self.keep(f"stream, {name}", [*pieces, stream.finish(), stream.look_ahead])
        self.keep("lip gap", self.osm.lip_gap(track))

    def takes(self) -> None:
        """Takes with eyes and brows, retakes, files."""
        for name in ("defaults", "blinks", "no blinks", "gaze", "brow activity", "pins", "tempo"):
            options = self.sdk.SampleOptions(**MOTION_OPTIONS[name])
            [take] = self.osm.sample_takes(self.voice, seed=3, options=options)
            self.keep(f"take, {name}", take)
            if name == "defaults":
                self.take = take
        spoken = self.sdk.ExpressionOptions(brows=2.0, lag_ms=40.0)
        self.keep(
            "takes, expression options",
            self.osm.sample_takes(self.voice, n=2, seed=4, expression_options=spoken),
        )
        for name, track, options in (
            ("take", self.take, {}),
            ("take, eyes kept", self.take, {"eyes": False}),
            ("motion", self.take.motion, {"seed": 9, "take": 2}),
        ):
            self.keep(f"retake, {name}", self.osm.retake(track, self.voice, 0.8, 1.9, **options))
        path = self.take.save(self.folder / "take.npz")
        self.keep("take file", npz(path))
        self.keep("take file, read", self.sdk.load_take(path))
        csv = self.folder / "take.csv"
        self.sdk.write_livelink_csv(self.take, csv)
        self.keep("Live Link CSV", csv.read_bytes())
        self.keep("Live Link CSV, read", self.sdk.read_livelink_csv(csv))
        self.keep("slice and resample", [self.take.slice(5, 40), self.take.motion.resample(30)])

    def face(self) -> None:
        """The face of a photo, and takes of that face."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", self.sdk.OSMNetWarning)
            self.head = self.osm.fit_face(self.files["photo"])
        own = {n: v for n, v in vars(self.head).items() if n != "model"}
        self.keep("face", own)
        self.keep("face, warnings", [steady(str(w.message), self.folder) for w in said])
        self.keep("face, take", self.osm.sample_takes(self.voice, seed=3, face=self.head))
        self.keep("head turn", self.osm.head_turn(self.head, yaw=15.0, pitch=-5.0))
        self.keep("rotate", self.osm.rotate(self.head, yaw=10.0, renderer="warp"))

    def frames(self) -> None:
        """Frames of each renderer and size."""
        drawn = self.osm.render
        sizes: dict[str, Any] = {"crop": "crop", "photo": "photo", "90 by 160": (90, 160)}
        for renderer in ("warp", "guided"):
            for name, size in sizes.items():
                wanted = {"renderer": renderer, "size": size, "frames": [0, 20, 45]}
                self.keep(
                    f"frames, {renderer}, {name}", list(drawn(self.head, self.take, **wanted))
                )
        bare = {"label": False, "keep_rest": False, "frames": [30], "renderer": "warp"}
        self.keep("frames, bare", list(drawn(self.head, self.take, **bare)))
        self._batched()
        self._paper()

    def _batched(self) -> None:
        """The forms of the renderers that GPUs run, on the CPU."""
        import torch

        torch.set_num_threads(1)  # the guided renderer has set it, in threads of its own
        was = [
            (module, module.draws_batches)
            for name, module in list(sys.modules.items())
            if name.startswith(PACKAGE) and "draws_batches" in vars(module)
        ]
        for module, _ in was:
            module.draws_batches = lambda device: True
        osm = self.sdk.OSMNet(device="cpu")
        for renderer in ("warp", "guided"):
            wanted: dict[str, Any] = {"renderer": renderer, "frames": [0, 20]}
            self.keep(
                f"frames, batched {renderer}", list(osm.render(self.head, self.take, **wanted))
            )
        for module, function in was:
            module.draws_batches = function

    def _paper(self) -> None:
        """The paper's generator with small weights made by chance."""
        import torch

        folder = self.folder / "paper bundle"
        folder.mkdir()
        for name in self.osm.bundle.manifest.files:
            if not name.startswith("guided"):
                shutil.copy(self.osm.bundle.path(name), folder)
        config = named("GeneratorConfig")(
            image_size=64, half_window=3, driving_size=16, channels=(4, 6, 8), residual_layers=1
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            generator = named("VideoGenerator")(config)
            decoder = named("PoseDecoder")(named("MotionConfig")(feature_size=8))
        stored = named("stored_generator")(generator, decoder)
        named("save_arrays")(folder / "generator.safetensors", *stored)
        named("write_manifest")(folder, name="with paper", version="1", licence="none")
        osm = self.sdk.OSMNet("cpu", folder)
        for size in ("crop", "photo"):
            wanted: dict[str, Any] = {"renderer": "paper", "size": size, "frames": [0, 30]}
            self.keep(f"frames, paper, {size}", list(osm.render(self.head, self.take, **wanted)))
        self.keep("paper bundle", osm.info()["renderers"])

    def files_of_frames(self) -> None:
        """Videos and pictures."""
        import av

        few = self.take.slice(0, 6)
        for name, options in (
            ("mp4", {"audio": self.files["voice"]}),
            ("mp4 at 30 per second", {"fps": "30000/1001", "size": (96, 128)}),
        ):
            path = self.osm.render_video(
                self.head, few, self.folder / f"{name}.mp4", renderer="warp", **options
            )
            with av.open(path) as video:
                rate = video.streams.video[0].average_rate
                frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
            with av.open(path) as video:
                sound = (
                    [frame.to_ndarray() for frame in video.decode(audio=0)] if name == "mp4" else []
                )
            self.keep(f"video, {name}", [rate, frames, sound])
        images = self.folder / "images"
        self.osm.render_images(self.head, few.slice(0, 2), images, renderer="warp")
        self.keep("PNG files", {path.name: path.read_bytes() for path in sorted(images.iterdir())})

    def figures(self) -> None:
        """Measures of the evaluation that cost nothing."""
        path = np.concatenate([self.wide.rotation, self.wide.translation], axis=1)
        for name in ("octave_power", "head_speed", "windows"):
            self.keep(f"figures, {name}", named(name)(path))
        picture = next(self.osm.render(self.head, self.take, renderer="warp", frames=[3]))
        self.keep("figures, blur", named("blur_detection")(picture))
        self.keep("figures, flicker", named("flicker")([picture, picture[::-1]]))
