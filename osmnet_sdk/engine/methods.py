"""What the engine answers, apart from how heads, takes and frames are made: that is a backend's.

Nothing heavy is imported before a request needs it, so that `hello` takes milliseconds.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from osmnet_sdk.engine.protocol import PROTOCOL
from osmnet_sdk.engine.request import Method, ParameterError, Request
from osmnet_sdk.errors import EngineError
from osmnet_sdk.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osmnet_sdk.core.phones import PhoneTrack
    from osmnet_sdk.engine.frame_files import FrameTracks
    from osmnet_sdk.engine.head_file import Head
    from osmnet_sdk.engine.parameters import (
        FitHead,
        Parameters,
        PredictPhones,
        RenderFrames,
        RetakeRange,
        SampleTakes,
    )
    from osmnet_sdk.tracks import Take

    Image = NDArray[np.uint8]


class Backend(Protocol):
    """Makes heads, takes and frames; that of the tests has the same calls."""

    def use(self, device: str | None, bundle: str | None) -> None:
        """Change device and bundle; None keeps what was named before."""

    def facts(self) -> dict[str, Any]:
        """Device, bundle, its version and SHA-256, and the renderers with their windows."""

    def head(self, wanted: FitHead, request: Request) -> tuple[Head, Image, Image]:
        """The head of a photo, the upright photo, and the frame that shows it unmoved."""

    def takes(self, wanted: SampleTakes, request: Request) -> Iterable[Take]:
        """The takes that are asked for, in their order."""

    def retake(self, wanted: RetakeRange, take: Take, request: Request) -> Take:
        """A take with a range of time sampled anew."""

    def phones(self, wanted: PredictPhones, request: Request) -> PhoneTrack:
        """What is said in a voice, and when."""

    def frames(
        self, wanted: RenderFrames, tracks: FrameTracks, request: Request
    ) -> Iterable[Image]:
        """The frames of tracks, one by one, in their order."""


class Methods:
    """The engine's methods on top of a backend.

    Args:
        load: makes the backend; called when a request first needs it.
    """

    def __init__(self, load: Callable[[], Backend]) -> None:
        self._load = load
        self._loaded: Backend | None = None

    def table(self) -> dict[str, Method]:
        """Every method by its name."""
        return {
            "hello": self.hello,
            "check": self.check,
            "options": self.options,
            "fit_head": self.fit_head,
            "sample_takes": self.sample_takes,
            "retake": self.retake,
            "predict_phones": self.predict_phones,
            "render_frames": self.render_frames,
            "write_video": self.write_video,
            "convert_take": self.convert_take,
        }

    def _backend(self, wanted: Parameters) -> Backend:
        if self._loaded is None:
            self._loaded = self._load()
        self._loaded.use(wanted.device, wanted.bundle)
        return self._loaded

    def hello(self, request: Request) -> dict[str, Any]:
        """Say who is there.

        Raises:
            EngineError: if the client speaks another version of the protocol.
        """
        theirs = request.params.get("protocol")
        if not isinstance(theirs, int) or set(request.params) != {"protocol"}:
            raise ParameterError("hello needs the parameter 'protocol', a whole number, alone.")
        if theirs != PROTOCOL:
            older = "the extension" if theirs < PROTOCOL else "the engine (the osmnet-sdk package)"
            raise EngineError(
                f"The extension speaks version {theirs} of the protocol and the engine version "
                f"{PROTOCOL}; update {older}."
            )
        return {
            "protocol": PROTOCOL,
            "version": __version__,
            "python": platform.python_version(),
            "pid": os.getpid(),
        }

    def check(self, request: Request) -> dict[str, Any]:
        """Versions, device and bundle, after every file of the bundle was checked."""
        from osmnet_sdk.engine.parameters import Parameters, checked

        facts = self._backend(checked(Parameters, request)).facts()
        return {"version": __version__, "python": platform.python_version(), **facts}

    def options(self, request: Request) -> dict[str, Any]:
        """JSON schemas of what `sample_takes` takes as `motion` and as `expression`."""
        from osmnet_sdk.engine.parameters import Parameters, checked
        from osmnet_sdk.options import option_schemas

        checked(Parameters, request)
        return option_schemas()

    def fit_head(self, request: Request) -> dict[str, Any]:
        """Fit a photo and write head.npz, portrait.png and still.png."""
        from osmnet_sdk.core.files import output_folder
        from osmnet_sdk.core.provenance import file_metadata
        from osmnet_sdk.engine.head_file import write_head
        from osmnet_sdk.engine.parameters import FitHead, checked
        from osmnet_sdk.formats.image_sequence import write_png

        wanted = checked(FitHead, request)
        folder = output_folder(wanted.folder)
        head, portrait, still = self._backend(wanted).head(wanted, request)
        request.check_cancelled()
        paths = {name: folder / file for name, file in _HEAD_FILES.items()}
        write_head(paths["head"], head)
        write_png(paths["portrait"], _texture(portrait))
        write_png(paths["still"], still, file_metadata("{}"))
        return {name: str(path) for name, path in paths.items()}

    def sample_takes(self, request: Request) -> dict[str, Any]:
        """Sample takes and write each as take_SEED_NUMBER.npz."""
        from osmnet_sdk.core.files import output_folder
        from osmnet_sdk.engine.parameters import SampleTakes, checked

        wanted = checked(SampleTakes, request)
        folder = output_folder(wanted.folder)
        paths = []
        made = self._backend(wanted).takes(wanted, request)
        for number, take in zip(wanted.takes, made, strict=True):
            request.check_cancelled()
            path = folder / f"take_{number.seed}_{number.take}.npz"
            paths.append(str(take.save(path)))
        return {"takes": paths}

    def retake(self, request: Request) -> dict[str, Any]:
        """Sample a range of a take file anew and write the result to another file."""
        from osmnet_sdk.engine.parameters import RetakeRange, checked
        from osmnet_sdk.formats.take_files import check_take_suffix, read_take_file, write_take_file

        wanted = checked(RetakeRange, request)
        check_take_suffix(wanted.output)
        made = self._backend(wanted).retake(wanted, read_take_file(wanted.source), request)
        request.check_cancelled()
        output = write_take_file(made, wanted.output)
        return {"output": str(output), "seed": made.provenance.options["retakes"][-1]["seed"]}

    def predict_phones(self, request: Request) -> dict[str, Any]:
        """Write which speech sounds are said, and when; the suffix names the kind of file."""
        from osmnet_sdk.core.files import check_output_file
        from osmnet_sdk.engine.parameters import PredictPhones, checked
        from osmnet_sdk.formats.phone_files import check_phone_suffix, write_phones

        wanted = checked(PredictPhones, request)
        check_phone_suffix(wanted.output)
        check_output_file(wanted.output)
        track = self._backend(wanted).phones(wanted, request)
        request.check_cancelled()
        path = write_phones(track, wanted.output)
        count = sum(phone.phone != "silence" for phone in track)
        return {"output": str(path), "seconds": track.seconds, "count": count}

    def render_frames(self, request: Request) -> dict[str, Any]:
        """Render the frames of a tracks file, each a PNG file."""
        from osmnet_sdk.engine.frame_files import read_frame_tracks, write_frames
        from osmnet_sdk.engine.parameters import RenderFrames, checked

        wanted = checked(RenderFrames, request)
        tracks = read_frame_tracks(wanted.tracks)
        if wanted.audio is not None:
            from osmnet_sdk.audio.same_sound import warn_of_other_sound

            warn_of_other_sound(
                [tracks.made_by], wanted.audio, progress=request.progress, cancel=request.cancelled
            )
        frames = self._backend(wanted).frames(wanted, tracks, request)
        return {"frames": write_frames(wanted.folder, tracks, frames, request)}

    def write_video(self, request: Request) -> dict[str, Any]:
        """Make a video of frames that are there already, with sound."""
        from osmnet_sdk.engine.parameters import WriteVideo, checked
        from osmnet_sdk.engine.video_file import video_of_frames

        wanted = checked(WriteVideo, request)
        output = video_of_frames(wanted, request)
        return {"output": str(output), "frames": wanted.count}

    def convert_take(self, request: Request) -> dict[str, Any]:
        """Convert a take between file formats, which the suffixes name."""
        from osmnet_sdk.engine.parameters import ConvertTake, checked
        from osmnet_sdk.formats.take_files import convert_take_file

        wanted = checked(ConvertTake, request)
        take = convert_take_file(wanted.source, wanted.output, wanted.fps)
        fps = f"{take.fps.numerator}/{take.fps.denominator}"
        return {"output": wanted.output, "frames": len(take), "fps": fps}


def _texture(photo: Image) -> Image:
    """The photo at a size that a texture can have; all that reads it goes by fractions."""
    import cv2
    import numpy as np

    share = _TEXTURE / max(photo.shape[:2])
    if share >= 1:
        return photo
    height, width = (max(1, round(side * share)) for side in photo.shape[:2])
    return np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


_TEXTURE = 2048
"""Pixels of the longer side of portrait.png at most: it is kept in every .blend."""

_HEAD_FILES = {"head": "head.npz", "portrait": "portrait.png", "still": "still.png"}
