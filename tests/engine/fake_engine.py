"""python tests/engine/fake_engine.py: an engine without torch and weights, for tests of clients.

It answers as the real one does, with a head of some hundred vertices, takes of smooth noise, and
frames that are the photo with a drawn face. The same request gives the same files. The environment
variable OSMNET_FAKE_FRAME_SECONDS makes each frame take that long.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from osmnet_sdk.audio.load import Audio, load_audio
from osmnet_sdk.core.bundle import file_sha256
from osmnet_sdk.core.conventions import ARKIT_NAMES, FPS
from osmnet_sdk.core.made_by import retaken_provenance, unused_seed
from osmnet_sdk.core.phones import Phone, PhoneTrack
from osmnet_sdk.engine.frame_files import FrameTracks
from osmnet_sdk.engine.head_file import Head, photo_fractions
from osmnet_sdk.engine.parameters import (
    FitHead,
    PredictPhones,
    RenderFrames,
    RetakeRange,
    SampleTakes,
    TakeNumber,
)
from osmnet_sdk.engine.request import Request
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.formats.phone_files import read_phones
from osmnet_sdk.formats.photo import load_photo
from osmnet_sdk.formats.take_files import read_take_file
from osmnet_sdk.motion.edit.directing import directed
from osmnet_sdk.motion.edit.follow import centre_motion
from osmnet_sdk.motion.edit.retake import frame_range, retaken_motion
from osmnet_sdk.options import ExpressionOptions, SampleOptions
from osmnet_sdk.rendering.label import draw_label
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Provenance, Take
from osmnet_sdk.version import __version__

Pixels = NDArray[np.uint8]

_BUNDLE = "fake"
_BUNDLE_SHA256 = hashlib.sha256(_BUNDLE.encode()).hexdigest()
_CROP = 256
_RENDERERS = {"warp": 0, "paper": 2}
"""With their windows; "paper" draws the mean of its window."""
_RINGS, _SECTORS = 18, 32
_RADII = np.array([0.075, 0.115, 0.095])
_MIDDLE = np.array([0.0, 0.075, 0.04])
"""Of the ellipsoid, seen from the head joint, in metres."""
_DISTANCE = 2.0
"""Metres from the camera to the head."""
_PARTS = ("skin", "left_eye", "right_eye")
_EYE = np.array([0.032, 0.115])
_EYE_RADIUS = 0.022


class FakeBackend:
    """Has no state: everything is quick to make."""

    def use(self, device: str | None, bundle: str | None) -> None:
        """Do nothing; there is neither device nor bundle."""

    def facts(self) -> dict[str, Any]:
        """What `check` says of a fake engine."""
        return {
            "device": "none (fake engine)",
            "bundle": _BUNDLE,
            "bundle_version": __version__,
            "bundle_sha256": _BUNDLE_SHA256,
            "renderer": "warp",
            "renderers": _RENDERERS,
        }

    def head(self, wanted: FitHead, request: Request) -> tuple[Head, Pixels, Pixels]:
        """An ellipsoid over the middle of the photo."""
        request.progress("Fitting the photo", 0, 1)
        photo = _photo(wanted.photo, wanted.face_index)
        height, width = photo.shape[:2]
        vertices, triangles, parts = _ellipsoid()
        # The head takes 60 % of the photo's shorter side, seen straight from the front.
        scale = 0.3 * min(height, width) / _RADII[1]
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        pixels = middle + scale * (vertices - _MIDDLE)[:, :2] * [1, -1]
        head = Head(
            vertices=vertices,
            shapes=_shapes(vertices),
            triangles=triangles,
            parts=parts,
            part_names=_PARTS,
            uv=photo_fractions(pixels, height, width),
            rest_expression=np.zeros(len(ARKIT_NAMES)),
            rest_rotation=np.zeros(3),
            rest_translation=np.array([0.0, 0.0, -_DISTANCE]),
            photo_sha256=file_sha256(Path(wanted.photo)),
            photo_size=(height, width),
            crop_size=(_CROP, _CROP),
        )
        request.progress("Fitting the photo", 1, 1)
        nothing = np.zeros(3)
        still = _draw(
            photo, (_CROP, _CROP), nothing, nothing, np.zeros(len(ARKIT_NAMES)), label=True
        )
        return head, photo, still

    def takes(self, wanted: SampleTakes, request: Request) -> Iterator[Take]:
        """Takes of smooth noise, as long as the voice."""
        options = SampleOptions(**wanted.motion)
        spoken = ExpressionOptions(**wanted.expression)
        voice = load_audio(
            wanted.audio, channel=wanted.channel, track=wanted.track,
            progress=request.progress, cancel=request.cancelled,
        )  # fmt: skip
        if wanted.photo is not None:
            _photo(wanted.photo, wanted.face_index)
        if wanted.phones is not None:
            read_phones(wanted.phones)
        count = len(wanted.takes)
        for done, number in enumerate(wanted.takes):
            request.check_cancelled()
            request.progress("Sampling takes", done, count)
            yield _take(voice, number, options, spoken, wanted.follow)
        request.progress("Sampling takes", count, count)

    def retake(self, wanted: RetakeRange, take: Take, request: Request) -> Take:
        """The range of another take; the joins are the SDK's."""
        voice = load_audio(wanted.audio, channel=wanted.channel, track=wanted.track)
        options = SampleOptions(**wanted.motion)
        frames = frame_range(wanted.start, wanted.end, len(take), float(take.fps))
        seed = unused_seed(take.provenance) if wanted.seed is None else wanted.seed
        number = TakeNumber(seed=seed, take=wanted.take)
        new = _take(voice, number, options, ExpressionOptions(), wanted.follow)
        made_by = retaken_provenance(
            take.provenance, new.provenance, wanted.start, wanted.end, wanted.eyes
        )
        motion = retaken_motion(take.motion, new.motion, *frames, options.pins)
        return replace(take, motion=motion, provenance=made_by)

    def phones(self, wanted: PredictPhones, request: Request) -> PhoneTrack:
        """A P in the middle of every second of the voice."""
        voice = load_audio(
            wanted.audio, channel=wanted.channel, track=wanted.track,
            progress=request.progress, cancel=request.cancelled,
        )  # fmt: skip
        times = [second + 0.5 for second in range(int(voice.seconds))]
        phones = tuple(Phone(time, time + 0.1, "bilabial") for time in times)
        return PhoneTrack(phones, voice.seconds)

    def frames(
        self, wanted: RenderFrames, tracks: FrameTracks, request: Request
    ) -> Iterator[Pixels]:
        """Drawn faces."""
        photo = _photo(wanted.photo, wanted.face_index)
        seconds = float(os.environ.get("OSMNET_FAKE_FRAME_SECONDS", "0"))
        size = (_CROP, _CROP)
        if wanted.size == "photo":
            size = (photo.shape[0], photo.shape[1])
        elif not isinstance(wanted.size, str):
            size = (wanted.size[0], wanted.size[1])
        if wanted.renderer not in ("auto", *_RENDERERS):
            raise ModelError(f"The fake engine has no renderer '{wanted.renderer}'; use another.")
        window = _RENDERERS.get(wanted.renderer, 0)
        total = len(tracks.frames)
        for done, index in enumerate(tracks.frames):
            request.progress("Rendering", done, total)
            request.pause(seconds)
            request.check_cancelled()
            rows = slice(max(0, index - window), index + window + 1)
            yield _draw(
                photo,
                size,
                tracks.motion.rotation[rows].mean(axis=0),
                tracks.motion.translation[rows].mean(axis=0),
                tracks.expression.coefficients[rows].mean(axis=0),
                label=wanted.label,
            )
        request.progress("Rendering", total, total)


def _photo(path: str, face_index: int | None) -> Pixels:
    if face_index not in (None, 0):
        raise InputError(f"'{path}' has 1 face(s); face_index {face_index} must be 0 to 0.")
    return load_photo(path)


def _ellipsoid() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Vertices (V, 3) with a nose towards +Z, triangles (F, 3) seen from outside, parts (F,)."""
    down, around = np.meshgrid(
        np.linspace(0, np.pi, _RINGS), np.arange(_SECTORS) * 2 * np.pi / _SECTORS, indexing="ij"
    )
    unit = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)])
    vertices = _MIDDLE + _RADII * unit.reshape(3, -1).T
    nose = np.exp(-(((vertices[:, :2] - _MIDDLE[:2]) / 0.018) ** 2).sum(1))
    vertices[:, 2] += 0.02 * nose * (vertices[:, 2] > _MIDDLE[2])
    ring, sector = np.mgrid[: _RINGS - 1, :_SECTORS].reshape(2, -1)
    beside = (sector + 1) % _SECTORS
    a, b = ring * _SECTORS + sector, ring * _SECTORS + beside
    c, d = a + _SECTORS, b + _SECTORS
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    centres = vertices[triangles].mean(1)
    parts = np.zeros(len(triangles), np.int32)
    for part, side in ((1, 1), (2, -1)):
        eye = _EYE * [side, 1]
        near = np.linalg.norm((centres[:, :2] - eye), axis=1) < _EYE_RADIUS
        parts[near & (centres[:, 2] > _MIDDLE[2])] = part
    return vertices, triangles, parts


def _shapes(vertices: NDArray[Any]) -> NDArray[Any]:
    """(52, V, 3) bumps of a centimetre at most, each at a place of its own on the front."""
    shapes = np.zeros((len(ARKIT_NAMES), len(vertices), 3))
    for index, name in enumerate(ARKIT_NAMES):
        angle = 2.4 * index
        reach = 0.06 * np.sqrt((index + 1) / len(ARKIT_NAMES))
        place = _MIDDLE + [reach * np.cos(angle), reach * np.sin(angle), _RADII[2]]
        direction = np.array([0, -1, 0]) if name == "jawOpen" else np.array([0, 0.5, 0.5])
        near = np.exp(-((vertices - place) ** 2).sum(1) / 0.03**2)
        shapes[index] = 0.01 * near[:, None] * direction
    return shapes


def _noise(random: np.random.Generator, frames: int, columns: int) -> NDArray[Any]:
    """(frames, columns) sums of slow waves that start at 0, within −1 and 1."""
    times = np.arange(frames)[:, None, None] / float(FPS)
    speed = random.uniform(0.5, 3.0, (1, columns, 3))
    phase = random.uniform(0, 2 * np.pi, (1, columns, 3))
    waves: NDArray[Any] = (np.sin(speed * times + phase) - np.sin(phase)).sum(2) / 6
    return waves


def _take(
    voice: Audio, number: TakeNumber, options: SampleOptions, spoken: ExpressionOptions,
    follow: str | None,
) -> Take:  # fmt: skip
    random = np.random.default_rng([number.seed, number.take])
    gains = np.array([options.pitch, options.yaw, options.roll])
    waves = _noise(random, voice.frames, 6)
    rotation = options.intensity * options.epsilon * gains * [8.0, 12.0, 6.0] * waves[:, :3]
    translation = options.intensity * options.translation * 0.01 * waves[:, 3:].astype(np.float32)
    if follow is not None:
        centre = centre_motion(read_take_file(follow).motion, voice.frames)
        rotation, translation = rotation + centre[:, :3], translation + centre[:, 3:]
    if options.pins or options.hold:
        asked = SampleOptions(pins=options.pins, hold=options.hold)
        poses = directed(np.hstack([rotation, translation]), asked)
        rotation, translation = poses[:, :3], poses[:, 3:]
    # What is said decides the expression, so that it is the same in each take of a voice.
    words = np.random.default_rng(int(voice.sha256[:8], 16))
    coefficients = spoken.intensity * np.abs(_noise(words, voice.frames, len(ARKIT_NAMES)))
    provenance = Provenance(
        source="sampled",
        sdk_version=__version__,
        bundle=_BUNDLE,
        bundle_sha256=_BUNDLE_SHA256,
        audio=voice.name,
        audio_sha256=voice.sha256,
        seed=number.seed,
        take=number.take,
        options={"motion": options.changed(), "expression": spoken.changed()},
    )
    return Take(
        MotionTrack(FPS, rotation, translation, provenance),
        ExpressionTrack(FPS, np.clip(coefficients, 0, 1), provenance=provenance),
        np.zeros(3, np.float32),
        np.array([0, 0, -_DISTANCE], np.float32),
        provenance,
    )


def _draw(
    photo: Pixels,
    size: tuple[int, int],
    rotation: NDArray[Any],
    translation: NDArray[Any],
    coefficients: NDArray[Any],
    *,
    label: bool,
) -> Pixels:
    """The photo with a face drawn from the pose, and a bar for each coefficient."""
    height, width = size
    image = Image.fromarray(photo).resize((width, height))
    draw = ImageDraw.Draw(image)
    unit = 0.25 * min(size)
    pitch, yaw, roll = (float(value) for value in rotation)
    jaw = float(coefficients[ARKIT_NAMES.index("jawOpen")])
    right, up, _ = (float(value) * unit / 0.1 for value in translation)
    x, y = width / 2 + unit * yaw / 30 + right, height / 2 + unit * pitch / 30 - up
    draw.ellipse((x - unit, y - unit, x + unit, y + unit), outline=(255, 220, 0), width=3)
    cosine, sine = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    for side in (-0.4, 0.4):
        eye_x = x + unit * (side * cosine + 0.3 * sine)
        eye_y = y + unit * (side * sine - 0.3 * cosine)
        draw.ellipse((eye_x - 5, eye_y - 5, eye_x + 5, eye_y + 5), fill=(255, 220, 0))
    mouth = y + 0.4 * unit
    opened = 2 + 0.4 * unit * jaw
    draw.ellipse((x - 0.3 * unit, mouth, x + 0.3 * unit, mouth + opened), fill=(200, 0, 0))
    step = width / len(coefficients)
    for index, value in enumerate(coefficients):
        draw.rectangle(
            (index * step, height * (1 - 0.2 * float(value)), (index + 1) * step, height),
            fill=(0, 160, 255),
        )
    frame = np.array(image)
    return draw_label(frame) if label else frame


if __name__ == "__main__":
    from osmnet_sdk.engine.__main__ import serve

    serve(FakeBackend)
