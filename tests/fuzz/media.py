"""Sounds, photos, videos and fitted photos that are tried: what they grow from, what reads them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.kind import Kind, Random, saved
from tests.fuzz.mutation import mutated_bytes, mutated_npz

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

    return {"a.mp4": saved(write, ".mp4"), "b.mkv": saved(write, ".mkv")}


def _read_video(path: Path, rng: Random) -> Any:
    from osmnet_sdk.formats.video import read_frames, video_info

    video_info(path)
    for _ in read_frames(path):
        pass


@cache
def _faces() -> dict[str, bytes]:
    """A small photo on which the average head lies exactly."""
    from osmnet_sdk.face.camera import Camera, Pose
    from osmnet_sdk.face.fit import FaceFit
    from osmnet_sdk.face.photo_quality import PhotoAspect, PhotoQuality
    from osmnet_sdk.face.source import Crop, SourceFace

    model = _model()
    pixels = np.random.default_rng(0).integers(0, 255, (48, 40, 3), np.uint8)
    camera, pose = Camera(160.0, (20.0, 20.0)), Pose(np.eye(3), np.array([0.0, 0.0, -2.0]))
    fit = FaceFit(np.zeros(model.identity_count), np.zeros(52), pose, camera, 0.0)
    points = camera.project(model.landmark_mean, pose)[:, :2].astype(np.float32)
    quality = PhotoQuality((PhotoAspect("size", 0.0, "The face is small."),))
    face = SourceFace(pixels, Crop(0.0, 0.0, 40.0), points, fit, pixels[..., 0], model, quality)
    clear = SourceFace(**{**vars(face), "alpha": pixels[..., 1], "notes": ("Turned.",)})
    return {"plain.npz": saved(face.save, ".npz"), "clear.npz": saved(clear.save, ".npz")}


@cache
def _model() -> Any:
    from osmnet_sdk.core.bundle import find_bundle
    from osmnet_sdk.face.model import load_face_model

    return load_face_model(find_bundle("starter"))


def _read_face(path: Path, rng: Random) -> Any:
    """Read a face, and draw a frame of it."""
    from osmnet_sdk.face.source import SourceFace
    from osmnet_sdk.rendering.frames import render_frames
    from osmnet_sdk.tracks import ExpressionTrack, MotionTrack

    face = SourceFace.load(path, _model())
    repr(face), face.warnings, face.lip_gap(face.fit.expression)
    motion = MotionTrack(25, np.full((1, 3), 5.0), np.zeros((1, 3)))  # type: ignore[arg-type]
    expression = ExpressionTrack(25, np.full((1, 52), 0.3))  # type: ignore[arg-type]
    next(render_frames(face, motion, expression, size=(32, 32)))


MEDIA = {
    "sound": Kind(_sounds, mutated_bytes, _read_sound),
    "photo": Kind(_photos, mutated_bytes, _read_photo),
    "video": Kind(_videos, mutated_bytes, _read_video),
    "face": Kind(_faces, mutated_npz, _read_face),
}
"""Kinds by name."""
