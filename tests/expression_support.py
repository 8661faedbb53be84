"""A small extractor and a made-up voice for tests of expression."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from osmnet_sdk.audio.speech_encoder import EncoderConfig, SpeechEncoder
from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import ExpressionExtractor, ExtractorConfig
from osmnet_sdk.face.model import load_face_model

SMALL = ExtractorConfig(bands=16, layers=1, ahead=1, identity=50, width=16, hidden=16, dropout=0.0)


def small_extractor(config: ExtractorConfig = SMALL) -> ExpressionExtractor:
    """Untrained, but knowing the lips of the bundle's face model; lively."""
    torch.manual_seed(0)
    network = ExpressionExtractor(config).eval()
    torch.nn.init.normal_(network.out.weight, std=2.0)
    gain = LipGeometry.from_model(load_face_model(find_bundle())).gain
    network.lip_gain.copy_(torch.from_numpy(gain))
    return network


def voice(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Noise in syllables of a tenth of a second and more, at 16 kHz."""
    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    envelope = np.repeat(rng.random(count // 1600 + 1) > 0.4, 1600)[:count]
    return (0.2 * envelope * rng.standard_normal(count)).astype(np.float32)


def small_encoder() -> SpeechEncoder:
    """An untrained speech encoder."""
    torch.manual_seed(0)
    encoder = SpeechEncoder(EncoderConfig(width=16, heads=2, layers=1)).eval()
    torch.nn.init.normal_(encoder.positions, std=0.1)
    return encoder
