"""Calls of `OSMNet` that look at faces: a photo, a video, the head model."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.calls.models import Models, PathLike
from osmnet_sdk.core.bundle import file_sha256
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import InputError
from osmnet_sdk.formats.photo import PhotoSource, load_picture
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter, asks_often
from osmnet_sdk.tracks import ExpressionTrack, Take

if TYPE_CHECKING:
    from osmnet_sdk.face.source import SourceFace


class FaceCalls(Models):
    """Fitting a photo, tracking a video, measuring lips."""

    @asks_often
    def fit_face(
        self,
        photo: PhotoSource,
        *,
        face_index: int | None = None,
        cancel: CancelCallback | None = None,
    ) -> SourceFace:
        """Find and fit the face of a photo; reuse the result for any number of takes.

        A photo that lies on its side or stands on its head is turned upright.

        The person in the photo must have agreed.

        Args:
            photo: a path, a binary file object, or uint8 RGB (H, W, 3).
            face_index: which face, counted from the largest; None takes the largest.
            cancel: asked all the time.

        Raises:
            NoFaceError: if there is no face.
            PhotoError: if the photo cannot be read or used.
            Cancelled: if `cancel` returns True.

        Warns:
            OSMNetWarning: if the photo will not work well or was turned, or there are several
                faces; `SourceFace.warnings` has the same sentences.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> face.photo.shape
            (512, 512, 3)
        """
        from osmnet_sdk.face.source import fit_photo

        name = f"'{photo}'" if isinstance(photo, (str, os.PathLike)) else "the photo"
        picture = load_picture(photo)
        return fit_photo(
            picture.pixels, self._networks, self.face_model, alpha=picture.alpha,
            face_index=face_index, name=name,
        )  # fmt: skip

    @asks_often
    def track_video(
        self,
        path: PathLike,
        *,
        shot: int | None = None,
        face_index: int | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Take:
        """The take of a real performance, resampled to 25 fps; its rest is its median pose.

        One shot is tracked, and one face in it.

        Args:
            path: a video file.
            shot: which shot, counted from 1; None takes the longest that shows a face.
            face_index: which face, counted from the largest where the shot begins; None takes the
                largest.
            progress: called with (stage, done, total).
            cancel: asked before each frame.

        Raises:
            InputError: if the video cannot be read, or there is no such shot.
            NoFaceError: if fewer than half of the frames show the face.

        Warns:
            OSMNetWarning: if there are several shots or faces and none was named, or the face is
                lost in some frames.

        Example:
            >>> face = sdk.fit_face("portrait.png")
            >>> take = sdk.sample_takes("speech.wav")[0].slice(0, 5)
            >>> film = sdk.render_video(face, take, "actor.mp4", renderer="warp")
            >>> len(sdk.track_video(film))
            5
        """
        from osmnet_sdk.face.footage import track_footage
        from osmnet_sdk.formats.video import read_frames, video_info

        if shot is not None and shot < 1:
            raise InputError(f"shot must be 1 or more, not {shot}; shots are counted from 1.")
        if face_index is not None and face_index < 0:
            raise InputError(f"face_index must be 0 or more, not {face_index}.")
        total = round(video_info(path).seconds * FPS)
        frames = (frame.image for frame in read_frames(path, fps=FPS))
        take = track_footage(
            frames,
            self._networks,
            self.face_model,
            shot=shot,
            face_index=face_index,
            total=total,
            name=f"'{path}'",
            reporter=Reporter(progress, cancel),
        ).take
        return _of_video(take, Path(path))

    def lip_gap(self, expression: ArrayLike | ExpressionTrack) -> NDArray[np.float32]:
        """Distance of the inner lips over the mouth's width at rest, on the average face.

        Args:
            expression: a track, or coefficients (52,) or (T, 52).

        Returns:
            (T,) or () float32, 0 when the lips touch.

        Example:
            >>> import numpy as np
            >>> closed = np.zeros(52)
            >>> float(sdk.lip_gap(closed))
            0.0
        """
        values = expression.coefficients if isinstance(expression, ExpressionTrack) else expression
        return self.face_model.lip_gap(values)


def _of_video(take: Take, video: Path) -> Take:
    """The take with the video that it was tracked in named in its provenance."""
    origin = {"video": video.name, "video_sha256": file_sha256(video)}
    options = {**take.provenance.options, **origin}
    made_by = take.provenance.model_copy(update={"options": options})
    return replace(
        take,
        motion=replace(take.motion, provenance=made_by),
        expression=replace(take.expression, provenance=made_by),
        provenance=made_by,
    )
