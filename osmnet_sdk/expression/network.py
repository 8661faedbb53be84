"""The paper's Expression Feature Extractor: sound in, 52 coefficients out.

Per video frame what is heard gives β, the expression coefficients of the morphable model
S = S̄ + α B_id + β B_exp (paper, section III-B). What is heard are features of a pretrained speech
encoder (`SpeechFront`), or, as in the paper, a window of the mel spectrogram together with the
identity coefficients α of the source face (`MelFront`). Neighbouring frames come in as context.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.audio.mel import HOPS_PER_FRAME
from osmnet_sdk.core.conventions import ARKIT_NAMES, AudioFeatures
from osmnet_sdk.core.phones import PHONE_CLASSES as PHONE_CLASSES
from osmnet_sdk.core.weights import WeightsFormat
from osmnet_sdk.face.landmark_sets import LIPS_INNER, NOSE_BRIDGE
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.progress import check_cancelled

LANDMARK_WEIGHT = 0.02
"""λ_ldmk, weight of the landmark loss beside the loss on β (paper, section III-B)."""

EMPHASIS = 20.0
"""ω of the landmarks of the inner mouth and the nose; all others have 1 (paper, eq. 9)."""

_IMAGE = 256
_FACE_SHARE = 0.55  # of the image's height that the face oval takes
_DISTANCE = 0.7  # metres from the camera to the head joint

PER_FRAME = 2
"""Features of speech in a frame."""
BEFORE, AFTER = 1, 3
"""Features of speech before and after the first one of a frame that it is made of."""

_MEL_MEAN, _MEL_SCALE = -5.5, 2.0
_TAPS = 5  # of a convolution over the frames


class ExtractorConfig(BaseModel):
    """Size of the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Literal["mel", "speech"] = "mel"
    """What is heard: mel windows as in the paper, or features of the speech encoder."""
    bands: int = Field(default=32, ge=1, le=80)
    """Mel bands; the paper's 16 tell a T from a P less well."""
    hops: int = Field(default=16, ge=12, le=64, multiple_of=4)
    """Hops of 10 ms in the mel window of one frame."""
    speech: int = Field(default=384, ge=1, le=1280)
    """Values of one feature of the speech encoder."""
    layers: int = Field(default=3, ge=1, le=6)
    """Convolutions over the frames, each looking twice as far back as the one before."""
    ahead: int = Field(default=2, ge=0, le=2)
    """Frames after the current one whose windows are seen as well; with mel windows 2 make a
    look-ahead of 182.5 ms from the time of the frame to the end of the last window."""
    identity: int = Field(default=50, ge=1)
    """Identity coefficients K of a face; they come in with mel windows alone."""
    width: int = Field(default=144, ge=12)
    """Features of one frame's window."""
    hidden: int = Field(default=224, ge=8)
    """Features after the context is joined."""
    dropout: float = Field(default=0.1, ge=0.0, le=0.9)
    """Share of features left out in training."""

    @property
    def past(self) -> int:
        """Frames before the current one whose windows are seen as well; 26 with 3 layers."""
        return (_TAPS - 1) * ((1 << self.layers) - 1) - self.ahead


class Extracted(NamedTuple):
    """What a network makes of sound, for T frames.

    Attributes:
        coefficients: (B, T, 52) β in [0, 1].
        phones: (B, T, 2, classes) logits of `PHONE_CLASSES`, 50 a second; None from mel windows.
        voice: (B, T, 2) logits of whether a voice is heard; None from mel windows.
    """

    coefficients: Tensor
    phones: Tensor | None = None
    voice: Tensor | None = None


class ContextLayer(nn.Module):
    """A residual convolution over the frames, without padding.

    Args:
        hidden: features that come in and go out.
        dilation: frames from one tap to the next.
        ahead: frames after the current one that are seen.
        dropout: share of features left out in training.
    """

    def __init__(self, hidden: int, dilation: int, ahead: int, dropout: float) -> None:
        super().__init__()
        self.ahead = ahead
        self.past = (_TAPS - 1) * dilation - ahead
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.convolution = nn.Conv1d(hidden, hidden, _TAPS, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(B, past + T + ahead, hidden) → (B, T, hidden)."""
        change = self.convolution(self.dropout(self.norm(x)).transpose(1, 2)).transpose(1, 2)
        inner = x[:, self.past : x.shape[1] - self.ahead]
        joined: Tensor = inner + functional.leaky_relu(change, 0.1)
        return joined


class MelFront(nn.Module):
    """Mel windows of frames → hidden features of frames.

    Args:
        config: sizes.
    """

    def __init__(self, config: ExtractorConfig) -> None:
        super().__init__()
        # Without padding, so that what comes out for a frame has seen its window and no more:
        # 3 hops, then 6, then 12, one every 4, and all of them in the last.
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(config.bands, config.width // 2, 3),
                nn.Conv1d(config.width // 2, config.width * 2 // 3, 4, stride=2),
                nn.Conv1d(config.width * 2 // 3, config.width, 4, stride=2),
            ]
        )
        self.window = nn.Conv1d(config.width, config.hidden, config.hops // HOPS_PER_FRAME - 2)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, F, bands, hops) log-mel windows of neighbouring frames → (B, F, hidden)."""
        # Windows of neighbouring frames overlap: lay them side by side without the overlap, so that
        # every hop is looked at once.
        last = mel[:, -1, :, HOPS_PER_FRAME:]
        hops = mel[..., :HOPS_PER_FRAME].transpose(1, 2).flatten(2)
        x = (torch.cat([hops, last], 2) - _MEL_MEAN) / _MEL_SCALE
        for layer in self.convolutions:
            check_cancelled()
            x = functional.leaky_relu(layer(x), 0.1)
        return functional.leaky_relu(self.window(x), 0.1).transpose(1, 2)


class SpeechFront(nn.Module):
    """Features of the speech encoder → hidden features of frames.

    Args:
        config: sizes.
    """

    def __init__(self, config: ExtractorConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.speech)
        self.narrow = nn.Linear(config.speech, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.window = nn.Linear(config.width * (BEFORE + 1 + AFTER), config.hidden)

    def forward(self, features: Tensor) -> Tensor:
        """(B, 2 · F + 3, speech), from the one before the first frame on → (B, F, hidden)."""
        check_cancelled()
        x = functional.leaky_relu(self.narrow(self.norm(features)), 0.1)
        x = x.unfold(1, BEFORE + 1 + AFTER, PER_FRAME).flatten(2)
        return functional.leaky_relu(self.window(self.dropout(x)), 0.1)


class ExpressionExtractor(nn.Module):
    """What is heard, with context → β, and what is said.

    Args:
        config: sizes.

    Attributes:
        lip_gain: (52,) how far each coefficient parts the lips of the face model that it was
            trained for (`lips.LipGeometry.gain`); 0 before training.
    """

    lip_gain: Tensor

    def __init__(self, config: ExtractorConfig) -> None:
        super().__init__()
        self.config = config
        hears_speech = config.features == "speech"
        self.front = SpeechFront(config) if hears_speech else MelFront(config)
        # The first layer looks to both sides, the others only back.
        self.context = nn.ModuleList(
            [
                ContextLayer(config.hidden, 2**k, 0 if k else config.ahead, config.dropout)
                for k in range(config.layers)
            ]
        )
        self.identity = None if hears_speech else nn.Linear(config.identity, config.hidden)
        self.mix = nn.ModuleList([nn.Linear(config.hidden, config.hidden) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(config.hidden) for _ in range(2)])
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, len(ARKIT_NAMES))
        said = PER_FRAME * (len(PHONE_CLASSES) + 1)
        self.said = nn.Linear(config.hidden, said) if hears_speech else None
        self.register_buffer("lip_gain", torch.zeros(len(ARKIT_NAMES)))
        # Most coefficients are near 0 most of the time: start there.
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, heard: Tensor, identity: Tensor | None = None) -> Extracted:
        """What is said in the frames that have their whole context.

        Args:
            heard: (B, past + T + ahead, bands, hops) log-mel windows of neighbouring frames, or
                (B, 2 · (past + T + ahead) + 3, speech) features of the speech encoder, from the one
                before the first frame on.
            identity: (B, K) identity coefficients α of the source face, heard with mel windows;
                None is the mean head.
        """
        x = self.front(heard)
        check_cancelled()
        for layer in self.context:
            x = layer(x)
        if self.identity is not None:
            if identity is None:
                identity = x.new_zeros(len(x), self.config.identity)
            x = functional.leaky_relu(x + self.identity(identity)[:, None], 0.1)
        check_cancelled()
        for norm, layer in zip(self.norms, self.mix, strict=True):
            x = x + functional.leaky_relu(layer(self.dropout(norm(x))), 0.1)
        coefficients = torch.sigmoid(self.out(x))
        if self.said is None:
            return Extracted(coefficients)
        said = self.said(x).unflatten(-1, (PER_FRAME, -1))
        return Extracted(coefficients, said[..., :-1], said[..., -1])


class LandmarkLoss(nn.Module):
    """The weighted landmark loss of the paper's eq. 9.

    The 3DMM of the face in question, with the predicted and with the true expression, is seen by a
    pinhole camera from the front; the loss is the sum of ω times the squared distance of the
    projected landmarks over their number, in pixels of a 256 × 256 image.

    Args:
        model: the morphable model.
        emphasis: ω of the inner mouth and the nose.
    """

    mean: Tensor
    identity_basis: Tensor
    expression_basis: Tensor
    weights: Tensor

    def __init__(self, model: FaceModel, emphasis: float = EMPHASIS) -> None:
        super().__init__()
        mean = model.landmark_mean
        height = float(np.ptp(mean[:, 1]))
        self.focal = _FACE_SHARE * _IMAGE / height * (_DISTANCE - float(mean[:, 2].mean()))
        weights = np.ones(len(mean), np.float32)
        weights[list(LIPS_INNER + NOSE_BRIDGE)] = emphasis
        self.register_buffer("mean", torch.from_numpy(mean.copy()))
        self.register_buffer("identity_basis", torch.from_numpy(model.landmark_identity.copy()))
        self.register_buffer("expression_basis", torch.from_numpy(model.landmark_expression.copy()))
        self.register_buffer("weights", torch.from_numpy(weights / len(weights)))

    def project(self, expression: Tensor, identity: Tensor) -> Tensor:
        """Landmarks (B, T, 478, 2) in pixels for β (B, T, 52) and α (B, K)."""
        still = self.mean + torch.einsum("bk,klc->blc", identity, self.identity_basis)
        moved = (expression @ self.expression_basis.flatten(1)).view(*expression.shape[:-1], -1, 3)
        points = still[:, None] + moved
        return self.focal * points[..., :2] / (_DISTANCE - points[..., 2:])

    def metric(self, identity: Tensor) -> Tensor:
        """Loss (B, 52, 52) as a quadratic form of the error of β, for faces α (B, K).

        The camera is linear in β about the face at rest, which leaves an error of some per cent
        and spares projecting 478 landmarks for every frame.
        """
        still = self.mean + torch.einsum("bk,klc->blc", identity, self.identity_basis)
        depth = (_DISTANCE - still[..., 2:])[:, None]
        moves = self.expression_basis[None]
        slope = (
            self.focal / depth * (moves[..., :2] + still[:, None, :, :2] / depth * moves[..., 2:])
        )
        slope = (slope * self.weights.sqrt()[:, None]).flatten(2)
        return slope @ slope.transpose(1, 2)

    def forward(self, predicted: Tensor, target: Tensor, identity: Tensor) -> Tensor:
        """Loss (B, T) in square pixels for β (B, T, 52), predicted and true, and α (B, K)."""
        error = predicted - target
        loss: Tensor = ((error @ self.metric(identity)) * error).sum(-1)
        return loss


def _format(file: str) -> WeightsFormat[ExtractorConfig, ExpressionExtractor]:
    return WeightsFormat(
        file, "expression weights", ExtractorConfig, ExpressionExtractor, trained_by="expression"
    )


FORMATS: dict[AudioFeatures, WeightsFormat[ExtractorConfig, ExpressionExtractor]] = {
    "speech": _format("expression.safetensors"),
    "mel": _format("expression_mel.safetensors"),
}
"""How the weights of a network lie in a bundle, by what it hears."""
