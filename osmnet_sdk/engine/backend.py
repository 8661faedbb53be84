"""The engine's real backend: heads, takes and frames from `OSMNet`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.load import Audio, load_audio
from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.bundle import file_sha256
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.phones import PhoneTrack
from osmnet_sdk.engine.frame_files import FrameTracks
from osmnet_sdk.engine.head_file import Head, photo_fractions
from osmnet_sdk.engine.parameters import (
    FitHead,
    MotionParameters,
    PredictPhones,
    RenderFrames,
    RetakeRange,
    SampleTakes,
    TakeNumber,
    VoiceParameters,
)
from osmnet_sdk.engine.request import Request
from osmnet_sdk.face.model import PARTS
from osmnet_sdk.face.source import SourceFace
from osmnet_sdk.formats.take_files import TAKE_SUFFIXES, read_take_file
from osmnet_sdk.options import ExpressionOptions, SampleOptions
from osmnet_sdk.rendering.frames import CROP_SIZE, Size
from osmnet_sdk.rendering.warp.geometry import build_geometry
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

Image = NDArray[np.uint8]

_FACES = 4
"""Fitted photos that are kept; an animator goes back and forth between a few."""


class SdkBackend:
    """Keeps what is costly to make: loaded models, fitted photos, the voice last read."""

    def __init__(self) -> None:
        self._chosen = ("auto", "starter")
        self._osm: OSMNet | None = None
        self._faces: OrderedDict[tuple[str, int | None], SourceFace] = OrderedDict()
        self._voice: tuple[Any, Audio] | None = None
        self._reference: tuple[Any, Take] | None = None

    def use(self, device: str | None, bundle: str | None) -> None:
        """Change device and bundle; None keeps what was named before."""
        chosen = (device or self._chosen[0], bundle or self._chosen[1])
        if chosen != self._chosen:
            self._chosen = chosen
            self._osm = None
            self._faces.clear()

    @property
    def _osmnet(self) -> OSMNet:
        if self._osm is None:
            self._osm = OSMNet(*self._chosen)
        return self._osm

    def facts(self) -> dict[str, Any]:
        """Device, bundle, its version and SHA-256, and the renderers with their windows."""
        info = self._osmnet.info()
        names = ("device", "bundle", "bundle_version", "bundle_sha256", "renderer", "renderers")
        return {name: info[name] for name in names}

    def _face(self, photo: str, face_index: int | None, request: Request) -> SourceFace:
        key = (_digest(photo), face_index)
        if key not in self._faces:
            request.check_cancelled()
            request.progress("Fitting the photo", 0, 1)
            self._faces[key] = self._osmnet.fit_face(
                photo, face_index=face_index, cancel=request.cancelled
            )
            request.progress("Fitting the photo", 1, 1)
        self._faces.move_to_end(key)
        while len(self._faces) > _FACES:
            self._faces.popitem(last=False)
        return self._faces[key]

    def head(self, wanted: FitHead, request: Request) -> tuple[Head, Image, Image]:
        """The head of a photo, the upright photo, and the frame that shows it unmoved."""
        face = self._face(wanted.photo, wanted.face_index, request)
        height, width = face.photo.shape[:2]
        model, fit = face.model, face.fit
        request.check_cancelled()
        head = Head(
            vertices=model.vertices(fit.identity),
            shapes=model.expression_basis,
            triangles=model.triangles,
            parts=model.parts,
            part_names=PARTS,
            uv=photo_fractions(build_geometry(face).source, height, width),
            rest_expression=fit.expression,
            rest_rotation=fit.pose.angles,
            rest_translation=fit.pose.translation,
            photo_sha256=_digest(wanted.photo),
            photo_size=(height, width),
            crop_size=(CROP_SIZE, CROP_SIZE),
            warnings=face.warnings,
        )
        unmoved = MotionTrack(FPS, np.zeros((1, 3)), np.zeros((1, 3)))  # type: ignore[arg-type]
        expression = ExpressionTrack(FPS, fit.expression[None])  # type: ignore[arg-type]
        # The track is the very expression of the photo, so nothing of it is to be added again.
        frames = self._osmnet.render(
            face, unmoved, expression, keep_rest=False, cancel=request.cancelled
        )
        (still,) = frames
        return head, face.photo, still

    def takes(self, wanted: SampleTakes, request: Request) -> Iterator[Take]:
        """The takes that are asked for, in their order."""
        options = SampleOptions(**wanted.motion)
        spoken = ExpressionOptions(**wanted.expression)
        voice = self._read(wanted, request)
        face = None
        if wanted.photo is not None:
            face = self._face(wanted.photo, wanted.face_index, request)
        follow = self._followed(wanted, request)
        for seed, first, count in consecutive(wanted.takes):
            yield from self._osmnet.sample_takes(
                voice, n=count, seed=seed, first=first, face=face, options=options,
                expression_options=spoken, phones=wanted.phones, follow=follow,
                progress=request.progress, cancel=request.cancelled,
            )  # fmt: skip

    def retake(self, wanted: RetakeRange, take: Take, request: Request) -> Take:
        """A take with a range of time sampled anew."""
        return self._osmnet.retake(
            take, self._read(wanted, request), wanted.start, wanted.end,
            seed=wanted.seed, take=wanted.take, options=SampleOptions(**wanted.motion),
            follow=self._followed(wanted, request), eyes=wanted.eyes,
            progress=request.progress, cancel=request.cancelled,
        )  # fmt: skip

    def _followed(self, wanted: MotionParameters, request: Request) -> Take | None:
        """The reference of takes; a video is tracked once."""
        path = wanted.follow
        if path is None or Path(path).suffix.lower() in TAKE_SUFFIXES:
            return None if path is None else read_take_file(path)
        key = _state_of(path)
        if self._reference is None or key is None or self._reference[0] != key:
            tracked = self._osmnet.track_video(
                path, progress=request.progress, cancel=request.cancelled
            )
            self._reference = (key, tracked)
        return self._reference[1]

    def phones(self, wanted: PredictPhones, request: Request) -> PhoneTrack:
        """What is said in a voice, and when."""
        return self._osmnet.predict_phones(
            self._read(wanted, request), progress=request.progress, cancel=request.cancelled
        )

    def _read(self, wanted: VoiceParameters, request: Request) -> Audio:
        path, found = wanted.audio, _state_of(wanted.audio)
        key = None if found is None else (*found, wanted.channel, wanted.track)
        if self._voice is None or self._voice[0] != key:
            audio = load_audio(
                path, channel=wanted.channel, track=wanted.track,
                progress=request.progress, cancel=request.cancelled,
            )  # fmt: skip
            self._voice = (key, audio)
        return self._voice[1]

    def frames(
        self, wanted: RenderFrames, tracks: FrameTracks, request: Request
    ) -> Iterator[Image]:
        """The frames of tracks, one by one, in their order."""
        face = self._face(wanted.photo, wanted.face_index, request)
        return self._osmnet.render(
            face, tracks.motion, tracks.expression, renderer=wanted.renderer,
            size=frame_size(wanted.size), label=wanted.label, frames=tracks.frames,
            progress=request.progress, cancel=request.cancelled,
        )  # fmt: skip


def _state_of(path: str) -> tuple[str, int, int] | None:
    """What tells a file and its state from others; None if it cannot be read."""
    try:
        found = Path(path).stat()
    except OSError:
        return None  # whoever reads it says what is wrong
    return str(Path(path).resolve()), found.st_mtime_ns, found.st_size


def frame_size(size: str | list[int]) -> Size:
    """A size as JSON has it, as the renderer takes it."""
    if isinstance(size, str):
        return "photo" if size == "photo" else "crop"
    height, width = size
    return height, width


def consecutive(takes: list[TakeNumber]) -> list[tuple[int, int, int]]:
    """Runs of takes that follow one another in one seed, as (seed, first, count).

    One call makes them all, so that what belongs to the voice alone is worked out once.
    """
    runs = []
    at = 0
    for (seed, offset), members in groupby(
        enumerate(takes), key=lambda item: (item[1].seed, item[1].take - item[0])
    ):
        count = len(list(members))
        runs.append((seed, offset + at, count))
        at += count
    return runs


def _digest(photo: str) -> str:
    """SHA-256 of a file, "" if it cannot be read: fitting it will say why."""
    try:
        return file_sha256(Path(photo))
    except OSError:
        return ""
