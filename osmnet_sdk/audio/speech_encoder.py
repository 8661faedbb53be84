"""A pretrained speech encoder: what is said, 50 times a second, instead of mel bands alone.

It is the encoder of Whisper (Radford et al. 2022, *Robust Speech Recognition via Large-Scale Weak
Supervision*), of which the first layers tell the mouth's classes apart far better than mel bands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.core.weights import WeightsFormat
from osmnet_sdk.progress import check_cancelled

FloatArray = NDArray[np.float32]

BANDS = 80
WINDOW = 400
"""Length of the Hann window, in samples (25 ms)."""
HOP = 160
"""Distance of two mel columns, in samples (10 ms)."""
DYNAMIC_RANGE = 8.0
"""Powers of ten below the loudest column that are heard; what is softer counts as this."""
_LEAST_POWER = 1e-10


class EncoderConfig(BaseModel):
    """Size of the encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=384, ge=8, le=1280, multiple_of=2)
    heads: int = Field(default=6, ge=1, le=20)
    layers: int = Field(default=3, ge=0, le=32)
    """Layers kept of the pretrained encoder; its last norm is not among them."""
    positions: int = Field(default=1500, ge=1, le=1500)
    """Features that one window can hold: 1500 are 30 s."""


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward part, each with its norm before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) → (B, N, width)."""
        batch, count, width = x.shape
        parts = self.attention_in(self.attention_norm(x))
        query, key, value = parts.view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.attention_out(seen.transpose(1, 2).reshape(batch, count, width))
        fed: Tensor = x + self.feed_out(functional.gelu(self.feed_in(self.feed_norm(x))))
        return fed


class SpeechEncoder(nn.Module):
    """Mel columns → features of what is said.

    Args:
        config: sizes.
    """

    positions: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(BANDS, config.width, 3, padding=1)
        self.second = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(config.positions, config.width))
        self.layers = nn.ModuleList(
            [EncoderLayer(config.width, config.heads) for _ in range(config.layers)]
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Features of windows of sound.

        Args:
            mel: (B, 80, hops) from `scaled_mel`; at most 2 · positions hops.

        Returns:
            (B, ceil(hops / 2), width); feature k is centred on hop 2 · k.
        """
        x = functional.gelu(self.first(mel))
        x = functional.gelu(self.second(x)).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            check_cancelled()
            x = layer(x)
        return x


def encoder_mel(samples: FloatArray) -> FloatArray:
    """Log-mel columns as the encoder was taught them, before the loudest is known.

    Args:
        samples: float32 (n,), 16 kHz mono, n ≥ 400.

    Returns:
        float32 (80, 1 + (n − 400) // 160), log10 of the power in Slaney bands, −10 in silence;
        column h is centred on sample 160 · h + 200.

    Example:
        >>> encoder_mel(np.zeros(16240, np.float32)).shape
        (80, 100)
    """
    import librosa

    powers = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP, center=False)) ** 2
    logs: FloatArray = np.log10(np.maximum(_filters() @ powers, _LEAST_POWER)).astype(np.float32)
    return logs


def scaled_mel(logs: FloatArray, loudest: float) -> FloatArray:
    """The encoder's input for columns of `encoder_mel`.

    Args:
        logs: (80, hops).
        loudest: greatest value of what was heard so far.
    """
    scaled = (np.maximum(logs, loudest - DYNAMIC_RANGE) + 4.0) / 4.0
    return scaled.astype(np.float32)


@cache
def _filters() -> Any:
    from librosa.filters import mel

    return mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=BANDS)


FORMAT = WeightsFormat(
    "speech_encoder.safetensors",
    "speech encoder's weights",
    EncoderConfig,
    SpeechEncoder,
    schema="osmnet.speech_encoder/1",
)


def load_encoder(bundle: Bundle) -> SpeechEncoder:
    """The speech encoder of a bundle, on the CPU.

    Raises:
        ModelError: if the bundle has none, or its weights do not fit this version.
    """
    return FORMAT.load(bundle)
