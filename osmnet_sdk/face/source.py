"""One photo, made ready to be moved: the face found, fitted and cut out."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.files import replaced
from osmnet_sdk.errors import NoFaceError, OSMNetWarning, PhotoError
from osmnet_sdk.face.camera import Camera
from osmnet_sdk.face.covered import look_for_covers
from osmnet_sdk.face.face_file import read_face, write_face
from osmnet_sdk.face.fit import FaceFit, FaceFitter
from osmnet_sdk.face.model import FaceModel, load_face_model
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.photo_quality import PhotoQuality, photo_quality
from osmnet_sdk.face.upright import upright
from osmnet_sdk.tracks import ExpressionTrack

_SIDE = 1.886
"""Side of the head crop over the larger extent of the landmarks: head, hair and some shoulder."""
_LIFT = 0.036
"""How far the crop is shifted up, over its side: hair needs more room than the chin."""
_MIN_FACE = 50.0
"""Pixels between the face's edges below which landmarks are too coarse."""
_REGION_SCALE = 2.0


@dataclass(frozen=True)
class Crop:
    """A square of the photo around the head; it may reach beyond the photo's edges.

    Attributes:
        x: left edge in pixels, the first pixel's centre.
        y: top edge in pixels.
        side: width and height in pixels.
    """

    x: float
    y: float
    side: float

    @property
    def camera(self) -> Camera:
        """Camera whose optical axis is the crop's middle, in the photo's pixels."""
        camera = Camera.of_square(self.side)
        return Camera(camera.focal, (camera.centre[0] + self.x, camera.centre[1] + self.y))

    def share_within(self, width: int, height: int) -> float:
        """Share of the square's area that lies within a photo of this size, 0 to 1."""
        across = min(self.x + self.side, width) - max(self.x, 0.0)
        down = min(self.y + self.side, height) - max(self.y, 0.0)
        return max(across, 0.0) * max(down, 0.0) / self.side**2

    def leaves(self, width: int, height: int) -> bool:
        """Whether the crop reaches beyond a photo of this size by more than 2 % of its side."""
        slack = 0.02 * self.side
        return (
            self.x < -slack
            or self.y < -slack
            or self.x + self.side > width + slack
            or self.y + self.side > height + slack
        )


def crop_around(points: NDArray[np.floating]) -> Crop:
    """The head crop of landmarks (478, 2+) in pixels."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    side = float((high - low).max()) * _SIDE
    x, y = (low + high) / 2 - side / 2
    return Crop(float(x), float(y) - _LIFT * side, side)


@dataclass(frozen=True, eq=False, repr=False)
class SourceFace:
    """A fitted photo; make it once with `fit_face` and render any number of takes from it.

    Attributes:
        photo: (H, W, 3) uint8 RGB, the whole photo, turned so that the face is upright.
        crop: the head's square in it.
        landmarks: (478, 2) float32 pixels.
        fit: identity, expression, pose and camera, all for the photo's pixels.
        mask: (H, W) uint8, 255 where the person is; only around the head.
        model: the morphable model that the fit belongs to.
        quality: how well the photo will work, aspect by aspect.
        alpha: (H, W) uint8, 255 where the photo is opaque; None if it is so everywhere.
        notes: what was done to the photo and what was chosen in it, one sentence each.
        index: number of the face in the photo, counted from the largest.

    Example:
        >>> face = sdk.fit_face("portrait.png")
        >>> 0 < face.quality.score <= 1
        True
    """

    photo: NDArray[np.uint8]
    crop: Crop
    landmarks: NDArray[np.float32]
    fit: FaceFit
    mask: NDArray[np.uint8]
    model: FaceModel
    quality: PhotoQuality
    alpha: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    index: int = 0

    def __repr__(self) -> str:
        height, width = self.photo.shape[:2]
        return f"SourceFace({width} × {height} photo, quality {self.quality.score:.2f})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the face as .npz (schema "osmnet.face/1"), photo and all; return the path.

        Raises:
            OutputError: if the file cannot be written, or the photo is too large for it.

        Example:
            >>> path = sdk.fit_face("portrait.png").save("face.npz")
            >>> sdk.SourceFace.load(path).photo.shape
            (512, 512, 3)
        """
        with replaced(path) as temporary, temporary.open("wb") as stream:
            write_face(stream, vars(self))
        return Path(path)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] | BinaryIO, model: FaceModel | None = None
    ) -> SourceFace:
        """Read a face that `save` wrote; its frames are those of the face that was saved.

        The file may come from anywhere: what it claims is checked before any of it is used.

        Args:
            path: of the file, or the open binary file.
            model: `OSMNet.face_model` of the bundle that the face was fitted with; None is that of
                the bundle "starter".

        Raises:
            InputError: if the file is missing, is another one, holds values that are not allowed,
                or was fitted with another model.
        """
        model = model or load_face_model(find_bundle("starter"))
        found = read_face(path, model)
        return cls(**{**found, "crop": Crop(*found["crop"])})

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may disappoint about this photo, one sentence each, the worst first; then notes."""
        return self.quality.warnings + self.notes

    @property
    def identity(self) -> NDArray[np.float64]:
        """(K,) identity coefficients."""
        return self.fit.identity

    def lip_gap(self, expression: ArrayLike | ExpressionTrack) -> NDArray[np.float32]:
        """Distance of this face's inner lips over its mouth's width at rest, no unit.

        Args:
            expression: a track, or coefficients (52,) or (T, 52).

        Returns:
            () or (T,) float32, 0 where the lips touch.

        Raises:
            InputError: if the last axis is not 52.
        """
        values = expression.coefficients if isinstance(expression, ExpressionTrack) else expression
        return self.model.lip_gap(values, self.identity)


def choose_face(count: int, face_index: int | None, name: str) -> tuple[int, str | None]:
    """The number of the face asked for, else of the largest, and a note if there are several.

    Raises:
        NoFaceError: if there is no face, or none with that index.
    """
    if count == 0:
        raise NoFaceError(
            f"No face was found in {name}; use a picture in which the face is at least 50 pixels "
            "wide and seen from the front."
        )
    if face_index is None:
        if count == 1:
            return 0, None
        return 0, (
            f"{name} has {count} faces; the largest is used. Choose another with "
            f"face_index 0 to {count - 1}, counted from the largest."
        )
    if not 0 <= face_index < count:
        raise NoFaceError(
            f"{name} has {count} face(s); face_index {face_index} must be 0 to {count - 1}."
        )
    return face_index, None


_LAY = {1: "lies on its side", 2: "is upside down", 3: "lies on its side"}


def _person_mask(photo: NDArray[np.uint8], crop: Crop, networks: FaceNetworks) -> NDArray[np.uint8]:
    """Mask of the person, looked at in the part of the photo around the head."""
    height, width = photo.shape[:2]
    grow = crop.side * (_REGION_SCALE - 1) / 2
    left, top = max(0, round(crop.x - grow)), max(0, round(crop.y - grow))
    right = min(width, round(crop.x + crop.side + grow))
    bottom = min(height, round(crop.y + crop.side + grow))
    mask = np.zeros((height, width), np.uint8)
    if right > left and bottom > top:
        part = np.ascontiguousarray(photo[top:bottom, left:right])
        mask[top:bottom, left:right] = np.round(networks.person_mask(part) * 255)
    return mask


def fit_photo(
    photo: NDArray[np.uint8],
    networks: FaceNetworks,
    model: FaceModel,
    *,
    alpha: NDArray[np.uint8] | None = None,
    face_index: int | None = None,
    name: str = "the photo",
) -> SourceFace:
    """Find and fit the face of a photo, turning the photo upright if it needs that.

    Args:
        photo: (H, W, 3) uint8 RGB.
        networks: detector, landmarks and mask.
        model: the morphable model.
        alpha: (H, W) uint8, 255 where the photo is opaque; None if it is so everywhere.
        face_index: which face, counted from the largest; None takes the largest.
        name: how messages call the photo.

    Raises:
        NoFaceError: if there is no face.
        PhotoError: if the face is too small.

    Warns:
        OSMNetWarning: if the photo was turned, will not work well, or has several faces.
    """
    righted = upright(photo, networks)
    photo, faces = np.ascontiguousarray(righted.photo), righted.faces
    chosen, several = choose_face(len(faces), face_index, name)
    notes = [several] if several else []
    if righted.turns:
        notes.append(
            f"The face in {name} {_LAY[righted.turns]}; the photo was turned upright, and so will "
            "be the frames."
        )
        if alpha is not None:
            alpha = np.ascontiguousarray(np.rot90(alpha, righted.turns))
    points = faces[chosen][1].points[:, :2]
    extent = float(np.ptp(points, axis=0).max())
    if extent < _MIN_FACE:
        raise PhotoError(
            f"The face in {name} is only {extent:.0f} pixels high; use a picture in which it has "
            f"at least {_MIN_FACE:.0f}."
        )
    crop = crop_around(points)
    fit = FaceFitter(model).fit(points, crop.camera, iterations=14)
    inside = crop.share_within(photo.shape[1], photo.shape[0])
    covered = look_for_covers(photo, points)
    quality = photo_quality(photo, points, fit, model, inside=inside, covered=covered, name=name)
    mask = _person_mask(photo, crop, networks)
    face = SourceFace(
        photo,
        crop,
        points.astype(np.float32),
        fit,
        mask,
        model,
        quality,
        alpha,
        tuple(notes),
        chosen,
    )
    for advice in face.warnings:
        warnings.warn(advice, OSMNetWarning, stacklevel=3)
    return face
