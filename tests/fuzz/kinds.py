"""The kinds of input that are tried: what they grow from, how they change, and what reads them."""

from __future__ import annotations

import io
import json
import os
import random
import runpy
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.mutation import mutated_bytes, mutated_json, mutated_npz, mutated_text

ROOT = Path(__file__).parents[2]
Random = random.Random


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        seeds: makes good inputs by name, into which suffix goes; small, since they are many.
        change: makes an odd input of a good one.
        read: reads it as the package would; what it returns does not matter.
    """

    seeds: Callable[[], dict[str, bytes]]
    change: Callable[[bytes, Random], bytes]
    read: Callable[[Path, Random], Any]

    def case(self, folder: Path, rng: Random) -> Path:
        """Write one odd input into a folder; return its path."""
        name, data = rng.choice(sorted(self.seeds().items()))
        path = folder / name
        path.write_bytes(self.change(data, rng))
        return path


def _saved(write: Callable[[Any], Any], suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"seed{suffix}"
        write(path)
        return path.read_bytes()


# Takes, heads and tracks.


def _take() -> Any:
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take

    options = {
        "motion": {"epsilon": 0.5, "pins": [{"time": 0.1, "rotation": [None, 3.0, None]}]},
        "expression": {"gains": {"jawOpen": 1.5}},
        "follow": {"sha256": "a" * 64, "frames": 3, "source": "tracked"},
        "retakes": [{"start": 0.0, "end": 0.1, "eyes": True, "seed": 3, "take": 0, "options": {}}],
    }  # fmt: skip
    random_ = np.random.default_rng(0)
    return Take(
        MotionTrack(25, random_.normal(0, 5, (5, 3)), random_.normal(0, 0.01, (5, 3))),  # type: ignore[arg-type]
        ExpressionTrack(25, random_.uniform(0, 1, (5, 52))),  # type: ignore[arg-type]
        provenance=Provenance(source="sampled", audio="v.wav", seed=1, take=0, options=options),
    )


@cache
def _takes() -> dict[str, bytes]:
    plain = _saved(_take().save, ".npz")
    packed = io.BytesIO()
    with np.load(io.BytesIO(plain)) as archive:
        np.savez_compressed(packed, **archive)
    return {"plain.npz": plain, "packed.npz": packed.getvalue()}


def _read_take(path: Path, rng: Random) -> Any:
    from osmnet_sdk.core.made_by import retaken_provenance, unused_seed
    from osmnet_sdk.formats.livelink_csv import write_livelink_csv
    from osmnet_sdk.tracks import load_take

    take = load_take(path)
    unused_seed(take.provenance)
    again = retaken_provenance(take.provenance, take.provenance, 0.0, 1.0, True)
    again.model_dump_json(exclude_defaults=True)
    take.resample(rng.choice((24, "30000/1001", 1000))).save(path.with_name("again.npz"))
    write_livelink_csv(take, path.with_name("again.csv"))


@cache
def _tracks() -> dict[str, bytes]:
    take, stream = _take(), io.BytesIO()
    np.savez(
        stream, rotation=take.motion.rotation, translation=take.motion.translation,
        coefficients=take.expression.coefficients, keys=np.array(["a", "b"]),
        frames=np.array([0, 3]), meta=np.array(json.dumps({"a": [1]})),
    )  # fmt: skip
    return {"tracks.npz": stream.getvalue()}


def _read_tracks(path: Path, rng: Random) -> Any:
    from osmnet_sdk.engine.frame_files import read_frame_tracks

    read_frame_tracks(path)


@cache
def _heads() -> dict[str, bytes]:
    from osmnet_sdk.engine.head_file import Head, write_head

    points = np.random.default_rng(0).normal(0, 0.1, (20, 3))
    head = Head(
        points, np.zeros((52, 20, 3)), np.zeros((30, 3), int), np.zeros(30, int), ("skin",),
        points[:, :2], np.zeros(52), np.zeros(3), np.zeros(3), "a" * 64, (64, 64), (32, 32), ("x",),
    )  # fmt: skip
    return {"head.npz": _saved(lambda path: write_head(path, head), ".npz")}


# The extension.


_staging = tempfile.TemporaryDirectory(prefix="osmnet-fuzz-")


@cache
def _addon() -> Any:
    staging = Path(_staging.name)
    runpy.run_path(str(ROOT / "blender_addon" / "build.py"))["stage"](staging / "osmnet_addon")
    sys.path.insert(0, str(staging))
    from osmnet_addon.core import head, mapping, takes

    return {"take": takes.read_take, "head": head.read_head, "mapping": mapping.load_mapping}


def _addon_reads(name: str) -> Callable[[Path, Random], Any]:
    return lambda path, rng: _addon()[name](path)


@cache
def _mappings() -> dict[str, bytes]:
    table = {"schema": "osmnet.mapping/1", "shape_keys": {"jawOpen": "Jaw", "mouthLeft": None}}
    return {"mapping.json": json.dumps(table).encode()}


# Bundles.


@cache
def _manifests() -> dict[str, bytes]:
    path = ROOT / "models" / "starter" / "manifest.json"
    return {"manifest.json": path.read_bytes()}


def _read_bundle(path: Path, rng: Random) -> Any:
    from osmnet_sdk.core.bundle import Bundle

    bundle = Bundle(path.parent)
    for name in list(bundle.manifest.files)[:3]:
        bundle.path(name)


@cache
def _weights() -> dict[str, bytes]:
    from osmnet_sdk.core.bundle import save_arrays

    arrays = {"a": np.zeros((3, 4), np.float16), "b.c": np.arange(5), "d": np.ones(1, np.float32)}
    return {
        "w.safetensors": _saved(
            lambda path: save_arrays(path, arrays, {"schema": "x/1", "config": "{}"}),
            ".safetensors",
        )
    }


def _read_weights(path: Path, rng: Random) -> Any:
    from osmnet_sdk.core.bundle import load_arrays

    load_arrays(path, "get it again")


# Tables.


@cache
def _tables() -> dict[str, bytes]:
    from osmnet_sdk.formats.livelink_csv import write_livelink_csv

    text = _saved(lambda path: write_livelink_csv(_take(), path, fps=30), ".csv").decode()
    shifted = text.replace(",", ";").replace(".", ",")
    seconds = "\n".join(
        f"{i},{i / 30},{i / 40}" if i else ",timeCode,blendShapes.JawOpen" for i in range(30)
    )
    return {
        "app.csv": text.encode(), "semicolons.csv": shifted.encode("utf-8-sig"),
        "wide.csv": text.encode("utf-16"), "seconds.csv": seconds.encode(),
    }  # fmt: skip


def _read_table(path: Path, rng: Random) -> Any:
    from osmnet_sdk.formats.livelink_csv import read_livelink_csv

    read_livelink_csv(path, fps=rng.choice((None, None, 30, "30000/1001", 1, 1000)))


# Texts.


@cache
def _lines() -> dict[str, bytes]:
    params: dict[str, dict[str, Any]] = {
        "hello": {"protocol": 3}, "options": {},
        "check": {"device": "cpu", "bundle": "starter"},
        "fit_head": {"photo": "/none/a.png", "folder": "/none/b", "face_index": 0},
        "sample_takes": {"audio": "/none/a.wav", "folder": "/none/b", "motion": {"tempo": 1.5},
                         "expression": {"gains": {"jawOpen": 1}},
                         "takes": [{"seed": 0, "take": 1}]},
        "render_frames": {"photo": "/none/a.png", "tracks": "/none/t.npz", "folder": "/none/b",
                          "size": [64, 64], "label": True, "renderer": "warp"},
        "convert_take": {"source": "/none/a.npz", "output": "/none/b.csv", "fps": "30"},
    }  # fmt: skip
    return {
        f"{name}.json": json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": name, "params": values}
        ).encode()
        for name, values in params.items()
    }


def _read_line(path: Path, rng: Random) -> Any:
    """Give a line to the engine's server and hold what it answers against the same bounds."""
    from osmnet_sdk.engine import methods, protocol, server
    from osmnet_sdk.engine.parameters import SampleTakes
    from osmnet_sdk.options import ExpressionOptions, SampleOptions
    from tests.engine.fake_engine import FakeBackend

    class Backend(FakeBackend):
        def takes(self, wanted: SampleTakes, request: Any) -> Any:
            SampleOptions(**wanted.motion)
            ExpressionOptions(**wanted.expression)
            return super().takes(wanted, request)

    class Sink(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(data)

    sink = Sink()
    table = methods.Methods(Backend).table()
    served = server.Server(table, io.BytesIO(), sink)
    os.chdir(path.parent)
    line = path.read_bytes()[:100_000].replace(b"\n", b" ")
    served._take(line)
    while not served._waiting.empty():
        request = served._waiting.get()
        if request is not None:
            sink.write(served._answer(request))
    for answer in sink.getvalue().splitlines():
        error = json.loads(answer).get("error")
        if error is not None:
            check_message(error["message"])
            assert error["code"] != protocol.INTERNAL_ERROR, error


def sample_option(name: str, text: str) -> Any:
    """Options of sampling, one of them as the command line writes it."""
    from osmnet_sdk.cli.grammars import GRAMMARS, named_options
    from osmnet_sdk.core.option_fields import option_fields
    from osmnet_sdk.options import Limits, SampleOptions

    if name == "limits":
        return SampleOptions(limits=named_options(Limits, "yaw=5")("--limits", text))
    field = option_fields(SampleOptions.model_json_schema())[name]
    grammar = GRAMMARS[field.grammar]
    value = grammar.read(field.flags[0], text)
    return SampleOptions(**{name: grammar.gathered([value]) if grammar.gathered else value})


_WRITTEN = ("pins", "hold", "basis", "start", "end", "limits")
"""Options that are neither numbers nor switches."""


@cache
def _options() -> dict[str, bytes]:
    texts = {
        "pins": "3.2: yaw=30 pitch=-5", "hold": "4-6", "basis": "12=2.0", "start": "yaw=10 x=0.1",
        "limits": "pitch=20 yaw=25 translation=0.05", "size": "256x256", "fps": "30000/1001",
        "expression": "jaw=1.2 lag_ms=20 gains.jawOpen=1.1 rest_in_silence=no",
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


def _read_options(path: Path, rng: Random) -> Any:
    from osmnet_sdk.cli.console import frame_size
    from osmnet_sdk.cli.grammars import named_options
    from osmnet_sdk.options import ExpressionOptions
    from osmnet_sdk.tracks import checked_fps

    text = path.read_bytes().decode("utf-8", "surrogateescape")
    readers: dict[str, Callable[[str], Any]] = {
        **{name: partial(sample_option, name) for name in _WRITTEN},
        "expression": lambda text: named_options(ExpressionOptions, "jaw=1")("--expression", text),
        "size": frame_size,
        "fps": checked_fps,
    }
    readers[path.name](text)


# Sounds, photos and videos.

_SOUNDS = {
    "a.wav": ("WAV", "PCM_16"), "b.wav": ("WAV", "FLOAT"), "c.wav": ("WAV", "PCM_24"),
    "d.flac": ("FLAC", "PCM_16"), "e.ogg": ("OGG", "VORBIS"), "f.mp3": ("MP3", "MPEG_LAYER_III"),
}  # fmt: skip


@cache
def _sounds() -> dict[str, bytes]:
    import soundfile

    time = np.arange(6400) / 16000
    wave = 0.3 * np.sin(2 * np.pi * 180 * time) * np.hanning(len(time))
    made = {}
    for name, (form, subtype) in _SOUNDS.items():
        stream = io.BytesIO()
        soundfile.write(stream, wave, 16000, format=form, subtype=subtype)
        made[name] = stream.getvalue()
    made["g.mp4"] = _videos()["a.mp4"]
    return made


def _read_sound(path: Path, rng: Random) -> Any:
    from osmnet_sdk.audio.load import load_audio

    load_audio(path)


@cache
def _photos() -> dict[str, bytes]:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (48, 40, 4), np.uint8)
    made = {}
    for name, mode in (("a.png", "RGB"), ("b.png", "RGBA"), ("c.png", "P"), ("d.jpg", "RGB"),
                       ("e.webp", "RGBA"), ("f.tif", "CMYK"), ("g.bmp", "RGB"), ("h.gif", "P"),
                       ("i.png", "I;16")):  # fmt: skip
        image = Image.fromarray(pixels).convert("L" if mode == "I;16" else mode)
        image = image.convert("I;16") if mode == "I;16" else image
        stream = io.BytesIO()
        image.save(stream, {"jpg": "JPEG", "tif": "TIFF"}.get(name[2:], name[2:].upper()))
        made[name] = stream.getvalue()
    return made


def _read_photo(path: Path, rng: Random) -> Any:
    from osmnet_sdk.formats.photo import load_photo

    load_photo(path)


@cache
def _videos() -> dict[str, bytes]:
    import av

    def write(path: Path) -> None:
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            sound = container.add_stream("aac", rate=16000)
            sound.layout = "mono"
            for index in range(5):
                image = np.full((48, 64, 3), 40 * index, np.uint8)
                for packet in video.encode(av.VideoFrame.from_ndarray(image)):
                    container.mux(packet)
            samples = np.zeros((1, 3200), np.float32)
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
            frame.sample_rate = 16000
            for packet in [*sound.encode(frame), *sound.encode(None), *video.encode(None)]:
                container.mux(packet)

    return {"a.mp4": _saved(write, ".mp4"), "b.mkv": _saved(write, ".mkv")}


def _read_video(path: Path, rng: Random) -> Any:
    from osmnet_sdk.formats.video import read_frames, video_info

    video_info(path)
    for _ in read_frames(path):
        pass


KINDS = {
    "take": Kind(_takes, mutated_npz, _read_take),
    "tracks": Kind(_tracks, mutated_npz, _read_tracks),
    "extension's take": Kind(_takes, mutated_npz, _addon_reads("take")),
    "extension's head": Kind(_heads, mutated_npz, _addon_reads("head")),
    "extension's mapping": Kind(_mappings, mutated_json, _addon_reads("mapping")),
    "bundle manifest": Kind(_manifests, mutated_json, _read_bundle),
    "weights": Kind(_weights, mutated_bytes, _read_weights),
    "table": Kind(_tables, mutated_text, _read_table),
    "engine line": Kind(_lines, mutated_json, _read_line),
    "option": Kind(_options, mutated_text, _read_options),
    "sound": Kind(_sounds, mutated_bytes, _read_sound),
    "photo": Kind(_photos, mutated_bytes, _read_photo),
    "video": Kind(_videos, mutated_bytes, _read_video),
}
"""Every kind by name."""


def check_message(message: str) -> None:
    """Hold that a message is short and shows nothing that a terminal takes for a command."""
    assert 0 < len(message) <= 500, f"a message of {len(message)} characters"
    bad = [
        letter for letter in message if not letter.isprintable() and letter not in "\u200c\u200d"
    ]
    assert not bad, f"a message with {bad[0]!r}"
