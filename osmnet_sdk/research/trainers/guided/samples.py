"""What the guided generator learns from: warped photos beside the truth, made by the renderer."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.core.curves import named_seed
from osmnet_sdk.core.files import output_folder, replaced
from osmnet_sdk.errors import InputError, NoFaceError, OSMNetWarning, PhotoError
from osmnet_sdk.face.camera import Pose
from osmnet_sdk.face.fit import FaceFitter
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.face.networks import FaceNetworks
from osmnet_sdk.face.performance import track_frames
from osmnet_sdk.face.source import SourceFace, fit_photo
from osmnet_sdk.formats.photo import load_photo
from osmnet_sdk.progress import Reporter
from osmnet_sdk.rendering.guided.frame import WindowSampler
from osmnet_sdk.rendering.guided.guides import GUIDES
from osmnet_sdk.rendering.view import crop_view
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe

Image = NDArray[np.uint8]
Rows = NDArray[np.void]

_TURN = (6.0, 9.0, 4.0)
"""Standard deviations in degrees (pitch, yaw, roll) by which portraits turn."""
_SHIFT = 0.006
"""Standard deviation in metres by which they are shifted."""
_EXACT_ITERATIONS = 14
"""Steps of a fit whose landmarks are known: it starts far from them."""
_ZONES = GUIDES.index("mouth"), GUIDES.index("eyes")
_MOUTHS = 0.7
"""Share of patches that show the mouth; the others show an eye."""
_LIGHT, _TINT = 0.2, 0.08
"""Standard deviations of the logarithm of gains of all colours, and of each."""
_COMPARED = 3
"""Pictures of a clip by which its kept samples are known again; reading all would take long."""
_PICTURES = (".jpg", ".jpeg", ".png")


def sample_type(size: int) -> np.dtype[np.void]:
    """One sample: pictures of a face window (size, size), and what drove it."""
    square = (size, size)
    return np.dtype(
        [
            ("warp", np.uint8, (*square, 3)),
            ("source", np.uint8, (*square, 3)),
            ("guides", np.uint8, (*square, len(GUIDES))),
            ("pose", np.float32, (6,)),
            ("expression", np.float32, (52,)),
            ("truth", np.uint8, (*square, 3)),
        ]
    )


@dataclass(frozen=True, eq=False)
class GuidedSamples:
    """Samples of some clips or portraits, read from disk when they are asked for.

    Attributes:
        parts: of each clip or portrait, (M,) of `sample_type`; all of one size.
    """

    parts: Sequence[Rows]

    def __len__(self) -> int:
        """Number of samples."""
        return sum(map(len, self.parts))

    def rows(self, places: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """The samples at some places, (B, …) for each field of `sample_type`."""
        ends = np.cumsum([len(part) for part in self.parts])
        found = []
        for place in places.tolist():
            index = int(np.searchsorted(ends, place, side="right"))
            found.append(self.parts[index][place - int(ends[index])])
        names = self.parts[0].dtype.names or ()
        return tuple(torch.from_numpy(np.stack([row[name] for row in found])) for name in names)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """A random batch: every sample is as likely as any other."""
        return self.rows(torch.randint(len(self), (count,), generator=generator).numpy())

    def spread(self, count: int) -> tuple[Tensor, ...]:
        """Samples spread evenly over all."""
        return self.rows(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int))


def cut_patches(
    tensors: Sequence[Tensor], size: int, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """Patches (size, size) of samples, each around a random place of the mouth or of the eyes.

    Args:
        tensors: fields of `sample_type`, (B, …) each; pictures are cut, the others kept.
        size: height and width of a patch, pixels.
        generator: decides where.
    """
    guides = tensors[2]
    limit = guides.shape[1] - size
    chance, place = torch.rand((2, len(guides)), generator=generator)
    corners = []
    for row, zones in enumerate(guides):
        zone = zones[..., _ZONES[int(chance[row] >= _MOUTHS)]]
        found = (zone > 127).nonzero()
        middle = (
            found[int(place[row] * len(found))] if len(found) else torch.tensor(zone.shape) // 2
        )
        corners.append([int(value) for value in (middle - size // 2).clamp(0, limit)])
    return tuple(
        torch.stack([
            picture[top : top + size, left : left + size]
            for picture, (top, left) in zip(tensor, corners, strict=True)
        ]) if tensor.ndim == 4 else tensor
        for tensor in tensors
    )  # fmt: skip


def recoloured(tensors: Sequence[Tensor], generator: torch.Generator) -> tuple[Tensor, ...]:
    """Samples in another light: warp, source and truth of each brighter, darker or tinted."""
    warp, source, *others, truth = tensors
    light = torch.randn((len(warp), 4), generator=generator)
    gain = torch.exp(_LIGHT * light[:, :1] + _TINT * light[:, 1:])[:, None, None]
    lit = [(picture * gain).round().clamp(0, 255).to(torch.uint8) for picture in (warp, source)]
    return (*lit, *others, (truth * gain).round().clamp(0, 255).to(torch.uint8))


class SampleMaker:
    """Makes samples with the renderer as it is, and keeps them.

    Args:
        recipe: how many, and of which size.
        networks: detector, landmarks and mask.
        model: the morphable model.
        folder: where samples are kept; it is made. Samples of clips, portraits or
            expressions that have changed are made anew; delete it when the renderer has changed.
        report: progress and cancel.
    """

    def __init__(
        self,
        recipe: GuidedRecipe,
        networks: FaceNetworks,
        model: FaceModel,
        folder: Path,
        report: Reporter | None = None,
    ) -> None:
        self.recipe, self.networks, self.model = recipe, networks, model
        self.folder = output_folder(folder)
        self.report = report or Reporter()

    def of_clips(self, segments: Sequence[Segment]) -> GuidedSamples:
        """Pairs of frames: some frames of each clip, moved to others of the same clip.

        Raises:
            InputError: if no clip gives a sample, or kept samples are damaged.
            Cancelled: if the reporter's cancel callback says so.
        """
        parts = []
        for segment in self.report.each("Samples of clips", segments, len(segments)):
            clip = segment.clip
            key = f"{clip.name} {len(segment)} {self.recipe.sources} {self.recipe.drivers}"
            seed = named_seed(self.recipe.seed, key)
            made_of = f"{key} {_clip_digest(segment)}"
            parts.append(
                self._kept(clip.name, made_of, lambda s=segment, n=seed: self._pairs(s, n))  # type: ignore[misc]
            )
        parts = [part for part in parts if len(part)]
        if not parts:
            raise InputError("No clip gives a sample: its face could not be fitted in any of them.")
        return GuidedSamples(parts)

    def of_portraits(
        self, photos: Sequence[tuple[str, Image]], expressions: NDArray[np.float32]
    ) -> GuidedSamples:
        """Portraits moved by the renderer, and back from there; the truth is the portrait.

        Args:
            photos: names and pictures.
            expressions: (N, 52) from which the expressions to move to are drawn.
        """
        parts = []
        acted = _digest(expressions)
        for name, photo in self.report.each("Samples of portraits", photos, len(photos)):
            key = f"{name} {photo.shape} {self.recipe.cycles}"
            draw = np.random.default_rng(named_seed(self.recipe.seed, key))
            chosen = expressions[draw.integers(len(expressions), size=self.recipe.cycles)]
            made_of = f"{key} {_digest(photo)} {acted}"
            parts.append(
                self._kept(name, made_of, lambda p=photo, c=chosen, d=draw: self._cycles(p, c, d))  # type: ignore[misc]
            )
        return GuidedSamples([part for part in parts if len(part)])

    def _kept(
        self, name: str, made_of: str, make: Callable[[], Iterator[tuple[object, ...]]]
    ) -> Rows:
        """Samples read from disk, made first if they are not there or were made of other things."""
        recipe = self.recipe
        key = f"{made_of} {recipe.seed} {recipe.image_size}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        kind = sample_type(recipe.config.window_size)
        path = self.folder / f"{Path(name).stem}-{recipe.config.window_size}-{digest[:12]}.npy"
        if not path.is_file():
            with warnings.catch_warnings():  # advice on choosing a photo; training has no choice
                warnings.simplefilter("ignore", OSMNetWarning)
                made = np.array(list(make()), kind)
            with replaced(path) as temporary, temporary.open("wb") as stream:
                np.save(stream, made)
        try:
            found: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(f"The kept samples '{path}' are damaged; delete the file.") from error
        if found.dtype != kind:
            raise InputError(f"The kept samples '{path}' are of another version; delete the file.")
        return found

    def _pairs(self, segment: Segment, seed: int) -> Iterator[tuple[object, ...]]:
        draw = np.random.default_rng(seed)
        frames = segment.pictures[np.arange(len(segment))]
        try:
            tracked = track_frames(frames, self.networks, self.model, reporter=self.report)
        except NoFaceError:
            return
        found = np.flatnonzero(tracked.found)
        for source in draw.permutation(found)[: self.recipe.sources]:
            face = self._face(frames[source])
            if face is None:
                continue
            face = replace(
                face,
                crop=tracked.crop,
                landmarks=tracked.landmarks[source],
                fit=tracked.fits[source],
            )
            others = draw.permutation(found[found != source])[: self.recipe.drivers]
            samples = _Sampled(face, self.recipe)
            for other in others:
                fit = tracked.fits[other]
                yield samples.take(fit.pose, fit.expression, frames[other])

    def _cycles(
        self, photo: Image, expressions: NDArray[np.float32], draw: np.random.Generator
    ) -> Iterator[tuple[object, ...]]:
        face = self._face(photo)
        if face is None:
            return
        size = self.recipe.image_size
        away = FrameRenderer(face, crop_view(face, size, size))
        truth = away.view.still(photo)
        points = away.view.to_frame(face.landmarks)
        for expression in expressions:
            turn, shift = draw.normal(size=3) * _TURN, draw.normal(size=3) * _SHIFT
            moved = self._face(away.draw(face.fit.pose.moved(turn, shift), expression))
            if moved is None:
                continue
            fit = FaceFitter(self.model).fit(
                points, moved.fit.camera, identity=moved.fit.identity, iterations=_EXACT_ITERATIONS
            )
            yield _Sampled(moved, self.recipe).take(fit.pose, fit.expression, truth)

    def _face(self, picture: Image) -> SourceFace | None:
        try:
            return fit_photo(picture, self.networks, self.model)
        except (NoFaceError, PhotoError):
            return None


class _Sampled:
    """Samples of one photo."""

    def __init__(self, face: SourceFace, recipe: GuidedRecipe) -> None:
        size = recipe.image_size
        self.renderer = FrameRenderer(face, crop_view(face, size, size))
        self.sampler = WindowSampler(self.renderer, recipe.config.window_size)

    def take(self, pose: Pose, expression: NDArray[np.floating], real: Image) -> tuple[object, ...]:
        """A sample of the photo moved to where a real picture of the same camera shows it."""
        head = self.renderer.scene.posed(pose, expression)
        window, seen = self.sampler.take(self.renderer.draw_head(head), head)
        size = seen[0].shape[0]
        return (*seen, window.cut(self.renderer.view.still(real), size))


def _digest(*arrays: NDArray[np.generic]) -> str:
    """SHA-256 of what arrays hold, their shapes and types."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype.str} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _clip_digest(segment: Segment) -> str:
    """Of some pictures, and of the track, which tells of a change in any of the others."""
    some = np.linspace(0, len(segment) - 1, _COMPARED).round().astype(np.int64)
    return _digest(segment.pictures[some], segment.poses, segment.expression)


def read_portraits(folder: Path) -> list[tuple[str, Image]]:
    """The pictures (.jpg, .jpeg, .png) of a folder, by name.

    Raises:
        InputError: if there is none.
        PhotoError: if one cannot be read.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in _PICTURES)
    if not files:
        raise InputError(f"The folder of portraits '{folder}' holds no .jpg or .png file.")
    return [(path.name, load_photo(path)) for path in files]
