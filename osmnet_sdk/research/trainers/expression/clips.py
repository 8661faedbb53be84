"""Recordings as the expression network sees them, made once and kept in a run's folder."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import mel_windows
from osmnet_sdk.audio.speech_encoder import SpeechEncoder
from osmnet_sdk.audio.speech_features import STREAM, WHOLE, SpeechFeatureStream
from osmnet_sdk.core.conventions import ARKIT_NAMES, MAX_ARRAYS, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable
from osmnet_sdk.core.npz_reading import Numbers, Texts, read_arrays
from osmnet_sdk.expression.loudness import levelled, loudness_gain
from osmnet_sdk.expression.network import AFTER, BEFORE, PER_FRAME, ExtractorConfig
from osmnet_sdk.progress import Reporter

Hears = Callable[[NDArray[np.float32]], NDArray[np.float16]]
"""Samples (n,), 16 kHz mono, of a whole recording → what the network takes for its frames."""

UNKNOWN = -1
"""Label where nobody knows what is said."""

ALL_COEFFICIENTS = np.ones(len(ARKIT_NAMES), np.float32)

_STREAMED = 3
"""One recording in so many is heard as in a stream."""
_TAUGHT_STREAM = replace(STREAM, block=2 * STREAM.block)
"""Its windows, with blocks of twice the length, which take half the time."""
_TAUGHT_WHOLE = replace(WHOLE, block=400)
"""Windows of the others: utterances are seldom longer than one."""
_LENGTHS = ("windows", "bands", "hops", "frames", "clips", "labels")
_ARRAYS: dict[str, Numbers | Texts] = {
    "key": Texts(longest=64),
    "coefficients": Numbers(("frames", len(ARKIT_NAMES))),
    "said": Numbers(("labels", 2), read_as=np.int64),
    "lengths": Numbers(("clips", 3), read_as=np.int64),
    "mask": Numbers(("clips", len(ARKIT_NAMES))),
}
_HEARD = (Numbers(("windows", "bands", "hops")), Numbers(("windows", "bands")))
"""Mel windows, and features of speech."""


@dataclass(frozen=True)
class Clip:
    """One recording as the network sees it.

    Attributes:
        heard: float16, what `ExpressionExtractor` takes for its T frames, past and ahead of them.
        coefficients: (T, 52) float16, the truth.
        mask: (52,) float32, 1 for coefficients that the truth speaks of, 0 for others.
        said: (2 · T, 2) int16, 50 a second: the number of the phone's class in `PHONE_CLASSES`, and
            1 where a voice is heard; `UNKNOWN` where nobody knows. (0, 2) if it is known nowhere.
    """

    heard: NDArray[np.float16]
    coefficients: NDArray[np.float16]
    mask: NDArray[np.float32]
    said: NDArray[np.int16]


def nothing_known() -> NDArray[np.int16]:
    """`Clip.said` of a recording of which nobody knows what is said."""
    return np.zeros((0, 2), np.int16)


def hears(config: ExtractorConfig, encoder: SpeechEncoder | None = None) -> Hears:
    """How a network of such sizes hears a recording.

    Args:
        config: sizes.
        encoder: of speech; needed unless the network takes mel windows.
    """
    if config.features == "mel":
        return lambda samples: mel_context(samples, config).astype(np.float16)
    assert encoder is not None
    return lambda samples: speech_context(samples, config, encoder)


def mel_context(samples: NDArray[np.float32], config: ExtractorConfig) -> NDArray[np.float32]:
    """Levelled mel windows (past + T + ahead, bands, hops) of a whole recording."""
    frames = frame_count(len(samples))
    whole = np.pad(
        _levelled(samples),
        (
            config.past * SAMPLES_PER_FRAME,
            (frames + config.ahead) * SAMPLES_PER_FRAME - len(samples),
        ),
    )
    return mel_windows(whole, bands=config.bands, hops=config.hops)


def speech_context(
    samples: NDArray[np.float32], config: ExtractorConfig, encoder: SpeechEncoder
) -> NDArray[np.float16]:
    """Features (2 · (past + T + ahead) + 3, width) of a levelled recording.

    Before the recording they are 0. A third of all recordings, told by their sound, is heard as in
    a stream, the others with the longer windows of whole recordings.
    """
    frames = frame_count(len(samples)) + config.ahead
    windows = _TAUGHT_STREAM if zlib.crc32(samples.tobytes()) % _STREAMED == 0 else _TAUGHT_WHOLE
    stream = SpeechFeatureStream(encoder, windows)
    count = PER_FRAME * (frames - 1) + AFTER + 1
    before = np.zeros((PER_FRAME * config.past + BEFORE, config.speech), np.float32)
    found = np.concatenate([before, stream.push(_levelled(samples)), stream.finish(count)])
    return found.astype(np.float16)


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    sound = HighPass().push(samples)
    return levelled(sound, loudness_gain(sound))


def cached_clips(path: Path, key: object, make: Iterator[Clip], report: Reporter) -> list[Clip]:
    """Clips of a cache file, made first if it is missing, damaged or made from something else."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    kept = _kept(path)
    if kept is not None and str(kept["key"]) == digest:
        return _unpacked(kept)
    clips = []
    for clip in make:
        clips.append(clip)
        report.step(f"Preparing {path.stem}", len(clips))
    path.parent.mkdir(parents=True, exist_ok=True)
    lengths = [[len(clip.heard), len(clip.coefficients), len(clip.said)] for clip in clips]
    with replaced(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            key=np.array(digest),
            heard=np.concatenate([clip.heard for clip in clips]),
            coefficients=np.concatenate([clip.coefficients for clip in clips]),
            said=np.concatenate([clip.said for clip in clips]),
            lengths=np.array(lengths),
            mask=np.array([clip.mask for clip in clips]),
        )
    return clips


def _kept(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a cache file; None if there is none that can be read."""
    for heard in _HEARD:
        try:
            with path.open("rb") as stream:
                wanted = {**_ARRAYS, "heard": heard}
                return read_arrays(stream, wanted, dict.fromkeys(_LENGTHS, MAX_ARRAYS))
        except (OSError, Unreadable):
            continue
    return None


def _unpacked(kept: dict[str, NDArray[Any]]) -> list[Clip]:
    heard, coefficients = kept["heard"].astype(np.float16), kept["coefficients"].astype(np.float16)
    said = kept["said"].astype(np.int16)
    ends = np.cumsum(kept["lengths"], axis=0)
    starts = ends - kept["lengths"]
    return [
        Clip(heard[h0:h1], coefficients[c0:c1], mask, said[s0:s1])
        for (h0, c0, s0), (h1, c1, s1), mask in zip(starts, ends, kept["mask"], strict=True)
    ]
