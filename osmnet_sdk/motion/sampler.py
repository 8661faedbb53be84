"""Takes: paths through the motion space, decoded and chained into head motion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osmnet_sdk.audio.load import Audio
from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.devices import one_thread
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.motion.amplitude import take_pace, take_size, take_tremor
from osmnet_sdk.motion.batches import in_batches
from osmnet_sdk.motion.calibration import Calibration
from osmnet_sdk.motion.edit.directing import directed
from osmnet_sdk.motion.edit.follow import centre_motion
from osmnet_sdk.motion.equaliser import equalised
from osmnet_sdk.motion.features import MotionFeatures, check_gains, played, stretched, with_gains
from osmnet_sdk.motion.liveliness import liveliness
from osmnet_sdk.motion.mel_input import MelInput
from osmnet_sdk.motion.network import MotionConfig, MotionNetwork
from osmnet_sdk.motion.path import random_path, unit_directions
from osmnet_sdk.motion.shaping import (
    blend_steps,
    integrate_steps,
    rise,
)
from osmnet_sdk.motion.voice_path import SHARE, gesture_moments, voice_path
from osmnet_sdk.options import SampleOptions
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.tracks import MotionTrack, Provenance

Array = NDArray[np.float64]

WEIGHTS = "motion.safetensors"
"""Name of the weights in a bundle."""

FORMAT = WeightsFormat(
    WEIGHTS, "motion weights", MotionConfig, MotionNetwork, "osmnet.motion/1", prefix="network.",
    trained_by="motion",
)  # fmt: skip

_BEGIN = 15
"""Frames in which a take sets out from rest (0.6 s)."""


class MotionSampler:
    """Samples head motion for a voice.

    Args:
        network: trained network; it is put on the CPU, in evaluation mode.
        calibration: statistics of real motion in its feature space.
        attention: (S,) float32, mean attention on each basis vector over the training clips, for
            who looks at the basis; takes do not need it.

    Raises:
        ModelError: if shapes do not fit the network.
    """

    def __init__(
        self,
        network: MotionNetwork,
        calibration: Calibration,
        attention: NDArray[np.float32] | None = None,
    ) -> None:
        self.network = network.cpu().eval()
        self.calibration = calibration
        self.attention = attention
        if attention is not None and attention.shape != (network.config.basis_vectors,):
            raise ModelError("The motion weights' attention does not fit them; get a new bundle.")
        if calibration.directions.shape[1] != network.config.feature_size:
            raise ModelError("The motion calibration belongs to other weights; get a new bundle.")
        with one_thread(), torch.no_grad():
            self._basis = network.basis.clone()
            self._still = network.still_feature()
            changes = network.decode(self._basis)[:, -1, :3] / network.pose_scale[:3]
            self._basis_speed = changes.norm(dim=1)
        self._directions = torch.from_numpy(unit_directions(calibration).astype(np.float32))

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: str = "cpu") -> MotionSampler:
        """The sampler of a bundle.

        Args:
            bundle: with motion.safetensors.
            device: not used: the network is so small that the CPU is fastest, and takes are
                the same whatever else the machine has.

        Raises:
            ModelError: if the weights are missing, damaged, or of another kind.
        """
        return cls.from_arrays(*FORMAT.read(bundle), f"bundle '{bundle.name}'")

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], origin: str
    ) -> MotionSampler:
        """The sampler of a weights file, as `Bundle.arrays("motion.safetensors")` gives it.

        Args:
            arrays: tensors by name.
            metadata: of the file.
            origin: where it came from, for messages.

        Raises:
            ModelError: if the file is of another kind, or a part is missing or has a wrong shape.
        """
        network = FORMAT.build(arrays, metadata, origin)
        return cls(network, Calibration.from_arrays(arrays), arrays.get("attention"))

    def stored(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """Arrays and metadata for `bundle.save_arrays`; `from_arrays` reads them."""
        arrays = network_arrays(self.network, FORMAT.prefix, np.float32)
        if self.attention is not None:
            arrays["attention"] = self.attention
        return arrays | self.calibration.arrays(), FORMAT.metadata(self.network.config)

    def check(self, options: SampleOptions, frames: int) -> None:
        """Hold, before anything is sampled, that options fit a sound of so many frames.

        Raises:
            InputError: if a time lies outside, poses stand too close, or there is no such basis
                vector.
        """
        check_gains(options.basis, self.network.config.basis_vectors)
        times = options.pins or options.hold
        if times or options.start is not None or options.end is not None:
            directed(np.zeros((frames, 6)), options, None)

    def features(
        self,
        audio: Audio,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> MotionFeatures:
        """What takes need to know of a recording.

        Args:
            audio: the recording.
            progress: called with ("Listening", seconds done, seconds).
            cancel: asked every 10 s of sound.

        Raises:
            Cancelled: if `cancel` returns True.
        """
        weights, log_speed, activity = self._heard(audio, Reporter(progress, cancel))
        lively = liveliness(log_speed, activity, self.calibration.predicted_speed)
        moments = gesture_moments(
            audio.analysis.prosody, self.network.config.clip_frames, len(weights)
        )
        asked = voice_path(self.calibration, moments, self.centre_offsets(weights.numpy()))
        return MotionFeatures(weights.numpy(), lively.astype(np.float32), asked, moments)

    def centre_offsets(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The centre features w^a · B, w^a (K, S), along the calibration's directions: (K, R)."""
        with one_thread(), torch.no_grad():
            along = self._basis @ self._directions.T
        found: NDArray[np.float32] = in_batches(
            lambda part: part @ along, torch.from_numpy(weights)
        ).numpy()
        return found

    def predicted_speed(self, audio: Audio) -> tuple[Array, NDArray[np.float32]]:
        """Logarithm of the speed that w^a predicts for each clip, and whether somebody speaks.

        Returns:
            (F + T − 2,) each, for the clips of `MotionFeatures`.
        """
        _, log_speed, activity = self._heard(audio, Reporter())
        return log_speed, activity

    def sample(
        self,
        features: MotionFeatures,
        *,
        take: int,
        seed: int,
        options: SampleOptions | None = None,
        frames: int | None = None,
        follow: MotionTrack | None = None,
        bearing: Array | None = None,
    ) -> MotionTrack:
        """One take; it depends on its number and the seed, never on how many others there are.

        Unless options say otherwise, the take starts at rest: zero pose, zero velocity.

        Args:
            features: of the recording.
            take: number of the take, 0 or more.
            seed: 0 or more.
            options: what is asked of the take.
            frames: length T of the take, that of the recording by default; a shorter take is the
                beginning of the full one.
            follow: reference whose low-passed motion (`centre_motion`) the take goes around; with
                it, what is sampled is the difference from the voice's own centre.
            bearing: (F, 3) degrees that are added to the head's angles, F frames of the recording.

        Returns:
            The motion, 25 fps, degrees and metres.

        Raises:
            InputError: if a number is out of its range, or what is asked for does not fit the
                sound.
        """
        most = len(features.weights) - (self.network.config.clip_frames - 2)
        length = most if frames is None else frames
        if not 1 <= length <= most or take < 0 or seed < 0:
            raise InputError(
                f"A take needs 1 to {most} frames, and take and seed of 0 or more, not "
                f"{length} frames, take {take} and seed {seed}."
            )
        chosen = options or SampleOptions()
        centre = None
        sampled = self._sampled(features, seed, take, chosen)
        if follow is not None:
            sampled = sampled - self._sampled(features, seed, take, chosen, alone=True)
            centre = centre_motion(follow, most)
        poses = directed(sampled, chosen, centre, bearing)[:length].astype(np.float32)
        return MotionTrack(
            FPS,
            poses[:, :3],
            poses[:, 3:],
            Provenance(source="sampled", seed=seed, take=take, options=chosen.changed()),
        )

    def _sampled(
        self,
        features: MotionFeatures,
        seed: int,
        take: int,
        options: SampleOptions,
        *,
        alone: bool = False,
    ) -> Array:
        """Poses (F, 6) of a take under ε, basis gains and tempo; `alone`: of its voice's part."""
        before = self.network.config.clip_frames - 2
        warped = features
        if options.tempo != 1.0:
            warped = stretched(features, options.tempo, before)
        frames, length = len(features.weights), len(warped.weights)
        # Up to ε = 1 chance takes the place of what the voice asks for: the size stays.
        chance = min(1.0, options.epsilon)
        path: NDArray[Any] = (
            np.float32(math.sqrt(1.0 - chance**2 * (1.0 - SHARE**2))) * warped.asked
        )
        if not alone:
            own = random_path(
                self.calibration, frames, seed=seed, take=take, begin=_BEGIN, length=length
            )
            own *= options.epsilon * math.sqrt(1.0 - SHARE**2)
            own += path
            path = own
        if options.basis:
            warped = with_gains(warped, self._attention(warped, path), options.basis)
        pace = take_pace(
            self.calibration, warped.moments, frames, seed=seed, take=take, length=length,
            chance=chance,
        )  # fmt: skip
        tremor = chance * take_tremor(self.calibration, frames, seed=seed, take=take, length=length)
        poses = self.decode_path(warped, path, pace, tremor)
        level = take_size(self.calibration, frames, seed=seed, take=take) ** chance
        poses[:, :3] *= level
        poses[:, 3:] *= level.mean()
        if options.tempo != 1.0:
            poses = played(poses, options.tempo, frames - before)
        return poses

    def _attention(self, features: MotionFeatures, path: NDArray[Any]) -> NDArray[np.float32]:
        """w_m of the features of a path (paper eq. 1 and 2), (F + T − 2, S)."""
        offsets = torch.from_numpy((path * features.liveliness[:, None]).astype(np.float32))
        inputs = torch.cat([torch.from_numpy(features.weights), offsets], dim=1)
        size = features.weights.shape[1]

        def attended(part: Tensor) -> Tensor:
            feature = part[:, :size] @ self._basis + part[:, size:] @ self._directions
            return self.network.log_attention(feature).exp()

        shares: NDArray[np.float32] = in_batches(attended, inputs).numpy()
        return shares

    def _heard(self, audio: Audio, reporter: Reporter) -> tuple[Tensor, Array, NDArray[np.float32]]:
        """Weights w^a, logarithm of the predicted speed, and activity, of each clip."""
        config = self.network.config
        warped, activity = self._encoded(audio, reporter)
        # A clip starts at each frame, and T − 2 before the first; ends of sound are held.
        starts = torch.arange(-(config.clip_frames - 2), len(warped))
        clips = starts[:, None] + torch.arange(config.clip_frames)
        clips = clips.clamp(0, len(warped) - 1)
        encoder = self.network.audio_encoder
        weights = in_batches(lambda frames: encoder.log_weights(warped[frames]).exp(), clips)
        log_speed = torch.log(weights @ self._basis_speed).numpy().astype(np.float64)
        return weights, log_speed, activity[clips[:, config.clip_frames // 2].numpy()]

    def _encoded(self, audio: Audio, reporter: Reporter) -> tuple[Tensor, NDArray[np.float32]]:
        """What the audio encoder makes of each frame, (F, …), and activity."""
        config = self.network.config
        seconds = round(audio.seconds)
        reporter.step("Listening", 0, seconds)
        sound = MelInput(audio.analysis, config.mel_bands, config.mel_hops)

        def encoded(frames: Tensor) -> Tensor:
            reporter.step("Listening", int(int(frames[0]) / FPS), seconds)
            return self.network.audio_frames(torch.from_numpy(sound.patches(frames.numpy())))

        warped = in_batches(encoded, torch.arange(len(sound)))
        reporter.step("Listening", seconds, seconds)
        return warped, sound.activity

    def decode_path(
        self, features: MotionFeatures, path: NDArray[Any], pace: Array, tremor: Array
    ) -> Array:
        """Poses of a path around the centre features, before levels, gains and limits.

        Args:
            features: of the recording.
            path: (F + T − 2, R), offsets along the calibration's directions for each clip, in
                speech; they shrink with liveliness.
            pace: (F + T − 2, 6), factor on the steps of these clips' frames.
            tremor: (F + T − 2, 6), steps that are added to them.

        Returns:
            (F, 6), degrees and metres; the first pose is zero.
        """
        path = path * features.liveliness[:, None]
        before = self.network.config.clip_frames - 2
        # Clips before the first frame rest; from there on the head sets out smoothly.
        awake = np.concatenate([np.zeros(before), rise(len(path) - before, _BEGIN)])
        weights = torch.from_numpy(features.weights)
        inputs = torch.cat(
            [weights, torch.from_numpy(np.c_[path, awake].astype(np.float32))], dim=1
        )
        size = weights.shape[1]

        def decoded(part: Tensor) -> Tensor:
            centre = part[:, :size] @ self._basis
            feature = centre + part[:, size:-1] @ self._directions
            feature = self._still + part[:, -1:] * (feature - self._still)
            return self.network.decode(feature)

        calibration = self.calibration
        steps = blend_steps(in_batches(decoded, inputs).numpy()[:-1])
        there = slice(before + 1, before + 1 + len(steps))
        steps = steps * calibration.gains * pace[there] + tremor[there] * awake[there, None]
        steps = equalised(steps, calibration.octaves)
        return integrate_steps(steps, calibration.leaks, float(calibration.drift))
