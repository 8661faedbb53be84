"""The paper's Expression Feature Extractor: sound and identity in, 52 coefficients out.

Per video frame a window of the mel spectrogram and the identity coefficients of the source face
give β, the expression coefficients of the morphable model S = S̄ + α B_id + β B_exp (paper,
section III-B). The windows of a few neighbouring frames come in as context.
"""

from __future__ import annotations

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.audio.mel import HOPS_PER_FRAME
from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.core.weights import WeightsFormat
from osmnet_sdk.face.landmark_sets import LIPS_INNER, NOSE_BRIDGE
from osmnet_sdk.face.model import FaceModel
from osmnet_sdk.progress import check_cancelled

FILE = "expression.safetensors"
"""Name of the weights in a bundle."""

LANDMARK_WEIGHT = 0.02
"""λ_ldmk, weight of the landmark loss beside the loss on β (paper, section III-B)."""

EMPHASIS = 20.0
"""ω of the landmarks of the inner mouth and the nose; all others have 1 (paper, eq. 9)."""

_IMAGE = 256
_FACE_SHARE = 0.55  # of the image's height that the face oval takes
_DISTANCE = 0.7  # metres from the camera to the head joint

_MEL_MEAN, _MEL_SCALE = -5.5, 2.0
_TAPS = 5  # of a convolution over the frames


class ExtractorConfig(BaseModel):
    """Size of the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bands: int = Field(default=32, ge=1, le=80)
    """Mel bands; the paper's 16 tell a T from a P less well."""
    hops: int = Field(default=16, ge=12, le=64, multiple_of=4)
    """Hops of 10 ms in the window of one frame."""
    layers: int = Field(default=3, ge=1, le=6)
    """Convolutions over the frames, each looking twice as far back as the one before."""
    ahead: int = Field(default=2, ge=0, le=2)
    """Frames after the current one whose windows are seen as well; 2 make a look-ahead of
    182.5 ms from the time of the frame to the end of the last window."""
    identity: int = Field(default=50, ge=1)
    """Identity coefficients K that come in."""
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


class ExpressionExtractor(nn.Module):
    """Mel windows with context and identity → β.

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
        # The first layer looks to both sides, the others only back.
        self.context = nn.ModuleList(
            [
                ContextLayer(config.hidden, 2**k, 0 if k else config.ahead, config.dropout)
                for k in range(config.layers)
            ]
        )
        self.identity = nn.Linear(config.identity, config.hidden)
        self.mix = nn.ModuleList([nn.Linear(config.hidden, config.hidden) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(config.hidden) for _ in range(2)])
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, len(ARKIT_NAMES))
        self.register_buffer("lip_gain", torch.zeros(len(ARKIT_NAMES)))
        # Most coefficients are near 0 most of the time: start there.
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, mel: Tensor, identity: Tensor) -> Tensor:
        """Coefficients for the frames that have their whole context.

        Args:
            mel: (B, past + T + ahead, bands, hops) log-mel windows of neighbouring frames.
            identity: (B, K) identity coefficients α of the source face; 0 is the mean head.

        Returns:
            (B, T, 52) coefficients β in [0, 1].
        """
        # Windows of neighbouring frames overlap: lay them side by side without the overlap, so that
        # every hop is looked at once.
        last = mel[:, -1, :, HOPS_PER_FRAME:]
        hops = mel[..., :HOPS_PER_FRAME].transpose(1, 2).flatten(2)
        x = (torch.cat([hops, last], 2) - _MEL_MEAN) / _MEL_SCALE
        for layer in self.convolutions:
            check_cancelled()
            x = functional.leaky_relu(layer(x), 0.1)
        x = functional.leaky_relu(self.window(x), 0.1).transpose(1, 2)
        check_cancelled()
        for layer in self.context:
            x = layer(x)
        x = functional.leaky_relu(x + self.identity(identity)[:, None], 0.1)
        check_cancelled()
        for norm, layer in zip(self.norms, self.mix, strict=True):
            x = x + functional.leaky_relu(layer(self.dropout(norm(x))), 0.1)
        return torch.sigmoid(self.out(x))


class LandmarkLoss(nn.Module):
    """The weighted landmark loss of the paper's eq. 9.

    The 3DMM of the face in question, with the predicted and with the true expression, is seen by a
    pinhole camera from the front; the loss is the weighted mean of the squared distance of the
    projected landmarks, in pixels of a 256 × 256 image.

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
        self.register_buffer("weights", torch.from_numpy(weights / weights.sum()))

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


FORMAT = WeightsFormat(
    FILE, "expression weights", ExtractorConfig, ExpressionExtractor, trained_by="expression"
)
