"""The kinds of input that are tried: what they grow from, how they change, and what reads them."""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.kind import Kind, Random, saved
from tests.fuzz.media import MEDIA
from tests.fuzz.mutation import mutated_bytes, mutated_json, mutated_npz, mutated_text

ROOT = Path(__file__).parents[2]


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
    plain = saved(_take().save, ".npz")
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
    return {"head.npz": saved(lambda path: write_head(path, head), ".npz")}


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
        "w.safetensors": saved(
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

    text = saved(lambda path: write_livelink_csv(_take(), path, fps=30), ".csv").decode()
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
        "retake": {"source": "/none/a.npz", "output": "/none/b.npz", "audio": "/none/a.wav",
                   "start": 1.0, "end": 2.0, "seed": 3, "follow": "/none/c.npz"},
        "render_frames": {"photo": "/none/a.png", "tracks": "/none/t.npz", "folder": "/none/b",
                          "size": [64, 64], "label": True, "renderer": "warp"},
        "write_video": {"folder": "/none/a", "first": 0, "count": 2, "fps": "24", "start": 0.5,
                        "output": "/none/b.mp4", "audio": "/none/c.wav"},
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


# Phones.


@cache
def _phones() -> dict[str, bytes]:
    from osmnet_sdk.core.phones import Phone, PhoneTrack
    from osmnet_sdk.formats.phone_files import write_phones

    said = PhoneTrack((Phone(0.1, 0.2, "bilabial"), Phone(0.2, 0.5, "a")), 0.8)
    marks = "".join(
        json.dumps({"time": time, "type": "viseme", "value": value}) + "\n"
        for time, value in ((0, "sil"), (120, "p"), (180, "E"))
    )
    written = {f"said{suffix}": saved(partial(write_phones, said), suffix)
               for suffix in (".TextGrid", ".tsv")}  # fmt: skip
    return {**written, "said.marks": marks.encode()}


@cache
def _phones_json() -> dict[str, bytes]:
    from osmnet_sdk.core.phones import Phone, PhoneTrack

    cues = {"metadata": {"duration": 1.0}, "mouthCues": [{"start": 0, "end": 0.5, "value": "A"}]}
    events = [{"audio_offset": 500000, "viseme_id": 21}, {"audio_offset": 900000, "viseme_id": 2}]
    return {
        "own.json": saved(PhoneTrack((Phone(0.1, 0.2, "bilabial"),), 0.8).save, ".json"),
        "rhubarb.json": json.dumps(cues).encode(),
        "azure.json": json.dumps(events).encode(),
    }


def _read_phones(path: Path, rng: Random) -> Any:
    from osmnet_sdk.formats.phone_files import PHONE_SUFFIXES, read_phones, write_phones

    track = read_phones(path)
    for suffix in PHONE_SUFFIXES:
        write_phones(track, path.with_name(f"again{suffix}"))


KINDS = {
    "take": Kind(_takes, mutated_npz, _read_take),
    "tracks": Kind(_tracks, mutated_npz, _read_tracks),
    "extension's take": Kind(_takes, mutated_npz, _addon_reads("take")),
    "extension's head": Kind(_heads, mutated_npz, _addon_reads("head")),
    "extension's mapping": Kind(_mappings, mutated_json, _addon_reads("mapping")),
    "bundle manifest": Kind(_manifests, mutated_json, _read_bundle),
    "weights": Kind(_weights, mutated_bytes, _read_weights),
    "table": Kind(_tables, mutated_text, _read_table),
    "phones": Kind(_phones, mutated_text, _read_phones),
    "phones in JSON": Kind(_phones_json, mutated_json, _read_phones),
    "engine line": Kind(_lines, mutated_json, _read_line),
    "option": Kind(_options, mutated_text, _read_options),
    **MEDIA,
}
"""Every kind by name."""


def check_message(message: str) -> None:
    """Hold that a message is short and shows nothing that a terminal takes for a command."""
    assert 0 < len(message) <= 500, f"a message of {len(message)} characters"
    bad = [
        letter for letter in message if not letter.isprintable() and letter not in "\u200c\u200d"
    ]
    assert not bad, f"a message with {bad[0]!r}"
