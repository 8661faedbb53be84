"""Training data of the Expression Feature Extractor: mel windows with coefficients."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from osmnet_sdk.audio.highpass import HighPass
from osmnet_sdk.audio.mel import mel_windows
from osmnet_sdk.core.conventions import (
    ARKIT_NAMES,
    MAX_ARRAYS,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    frame_count,
)
from osmnet_sdk.core.files import replaced
from osmnet_sdk.core.json_reading import Unreadable
from osmnet_sdk.core.npz_reading import Numbers, Texts, read_arrays
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.coarticulation import TimedPhone, viseme_track
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.loudness import levelled, loudness_gain
from osmnet_sdk.expression.network import ExtractorConfig
from osmnet_sdk.expression.phones import ARTICULATIONS, phone_classes
from osmnet_sdk.progress import Reporter
from osmnet_sdk.research.trainers.expression.augmentation import (
    AugmentationConfig,
    augmented,
    change_speed,
)
from osmnet_sdk.research.trainers.expression.sounds_without_voice import sound_without_voice
from osmnet_sdk.research.trainers.expression.speech_synthesis import Utterance, Voice, speak

_LENGTHS = ("windows", "bands", "hops", "frames", "clips")
_CACHED: dict[str, Numbers | Texts] = {
    "key": Texts(longest=64),
    "mel": Numbers(("windows", "bands", "hops")),
    "coefficients": Numbers(("frames", len(ARKIT_NAMES))),
    "frames": Numbers(("clips", 2), read_as=np.int64),
    "mask": Numbers(("clips", len(ARKIT_NAMES))),
}
"""What a file of prepared clips holds, one clip after another."""

_CONSONANTS = "p p b b m m f v t d n s l k g r"
_VOWELS = "a a e i o u"


class VoicePlan(BaseModel):
    """How much of which voice is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voice: Voice
    minutes: float = Field(gt=0.0, le=600.0)
    """Speech before augmentation, in minutes."""
    copies: int = Field(default=2, ge=1, le=20)
    """Augmented versions of each utterance."""
    invented: float = Field(default=0.35, ge=0.0, le=1.0)
    """Share of utterances made of invented words rather than sentences."""


@dataclass(frozen=True)
class Clip:
    """One recording as the network sees it.

    Attributes:
        mel: (past + T + ahead, bands, hops) float16 log-mel windows of the levelled sound.
        coefficients: (T, 52) float16, the truth.
        mask: (52,) float32, 1 for coefficients that the truth speaks of, 0 for others.
    """

    mel: NDArray[np.float16]
    coefficients: NDArray[np.float16]
    mask: NDArray[np.float32]


ALL_COEFFICIENTS = np.ones(len(ARKIT_NAMES), np.float32)


def mel_context(samples: NDArray[np.float32], config: ExtractorConfig) -> NDArray[np.float32]:
    """Levelled mel windows (past + T + ahead, bands, hops) of a whole recording."""
    heard = HighPass().push(samples)
    level = levelled(heard, loudness_gain(heard))
    frames = frame_count(len(samples))
    whole = np.pad(
        level,
        (
            config.past * SAMPLES_PER_FRAME,
            (frames + config.ahead) * SAMPLES_PER_FRAME - len(samples),
        ),
    )
    return mel_windows(whole, bands=config.bands, hops=config.hops)


def invented_text(rng: np.random.Generator, words: int = 10) -> str:
    """Words that mean nothing, rich in sounds of the lips, readable in most languages."""
    consonants, vowels = _CONSONANTS.split(), _VOWELS.split()
    made = []
    for _ in range(words):
        syllables = int(rng.integers(1, 4))
        word = "".join(
            str(rng.choice(consonants)) + str(rng.choice(vowels)) for _ in range(syllables)
        )
        if rng.random() < 0.3:
            word += str(rng.choice(["n", "s", "m", "p", "l", "r"]))
        made.append(word + ("," if rng.random() < 0.1 else ""))
    return " ".join(made).strip(",") + "."


def loudness_emphasis(utterance: Utterance) -> NDArray[np.float64]:
    """(phones,) how wide each vowel opens: louder ones wider, 3 % for each dB."""
    levels = np.full(len(utterance.phones), np.nan)
    for index, phone in enumerate(utterance.phones):
        names = phone_classes(phone.symbol, utterance.alphabet)
        if ARTICULATIONS[names[0]].vowel and phone.end > phone.start:
            part = utterance.samples[
                int(phone.start * SAMPLE_RATE) : max(int(phone.end * SAMPLE_RATE), 1)
            ]
            if len(part):
                levels[index] = 10 * np.log10(float((part**2).mean()) + 1e-9)
    known = np.isfinite(levels)
    if not known.any():
        return np.ones(len(levels))
    relative = np.where(known, levels - np.median(levels[known]), 0.0)
    return np.clip(1.0 + 0.03 * relative, 0.7, 1.25)


def _text(plan: VoicePlan, texts: dict[str, list[str]], rng: np.random.Generator) -> str:
    lines = texts.get(plan.voice.language)
    if not lines:
        raise InputError(
            f"The texts have none in '{plan.voice.language}' for the voice '{plan.voice.name}'; "
            "add some or use another language."
        )
    # Invented words are in Latin letters, which not every voice can read.
    latin = plan.voice.language not in ("ru", "hi", "ar", "ko", "el", "fa")
    if latin and rng.random() < plan.invented:
        return invented_text(rng)
    return " ".join(str(line) for line in rng.choice(lines, min(2, len(lines)), replace=False))


def spoken_clips(
    plan: VoicePlan,
    texts: dict[str, list[str]],
    geometry: LipGeometry,
    config: ExtractorConfig,
    augmentation: AugmentationConfig | None,
    rng: np.random.Generator,
    others: list[NDArray[np.float32]],
) -> Iterator[Clip]:
    """Speak until the plan's minutes are full.

    Args:
        plan: which voice, and how much of it.
        texts: lines to read, by language.
        geometry: of the face model for which coefficients are made.
        config: of the network.
        augmentation: None leaves the voice clean.
        rng: source of chance.
        others: recordings for babble.

    Raises:
        InputError: if there are no texts in the voice's language.
        ModelError: if the voice's engine is not installed.
    """
    seconds = 0.0
    while seconds < plan.minutes * 60:
        spread = float(rng.uniform(0.8, 1.3))
        voice = plan.voice.model_copy(
            update={"rate": plan.voice.rate * spread, "pitch": float(rng.uniform(0.8, 1.25))}
        )
        utterance = speak(_text(plan, texts, rng), voice)
        seconds += len(utterance.samples) / SAMPLE_RATE
        emphasis = loudness_emphasis(utterance)
        for _ in range(plan.copies):
            limit = augmentation.speed if augmentation else 0.0
            speed = float(rng.uniform(1 - limit, 1 + limit))
            before, after = rng.uniform(0.1, 0.9, 2)
            sound = change_speed(utterance.samples.astype(np.float64), speed)
            sound = np.pad(sound, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
            phones = [
                TimedPhone(p.symbol, p.start / speed + before, p.end / speed + before)
                for p in utterance.phones
            ]
            if augmentation:
                sound = augmented(sound, rng, augmentation, others)
            truth = viseme_track(
                phones,
                frame_count(len(sound)),
                geometry,
                alphabet=utterance.alphabet,
                emphasis=emphasis,
            )
            yield Clip(
                mel_context(sound.astype(np.float32), config).astype(np.float16),
                truth.astype(np.float16),
                ALL_COEFFICIENTS,
            )


def babble_voices(
    texts: dict[str, list[str]], rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """A dozen utterances by different voices, to be heard in the background."""
    variants = ("m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f4", "m1", "f2")
    result = []
    for variant in variants:
        voice = Voice(engine="espeak-ng", name=f"en-us+{variant}", pitch=rng.uniform(0.8, 1.2))
        line = " ".join(str(text) for text in rng.choice(texts["en"], 3))
        result.append(speak(line, voice).samples)
    return result


def still_clips(
    count: int,
    config: ExtractorConfig,
    augmentation: AugmentationConfig,
    rng: np.random.Generator,
) -> Iterator[Clip]:
    """Noise and music of 4 s, to which the mouth keeps still."""
    for index in range(count):
        length = 4 * SAMPLE_RATE
        sound = sound_without_voice(length, rng)
        if index % 3 == 0:
            # Sound that comes and goes.
            gate = np.repeat(rng.random(16) < 0.6, length // 16).astype(np.float64)
            sound = sound * (0.02 + gate)
        sound = augmented(sound, rng, augmentation, [])
        frames = frame_count(length)
        yield Clip(
            mel_context(sound.astype(np.float32), config).astype(np.float16),
            np.zeros((frames, len(ARKIT_NAMES)), np.float16),
            ALL_COEFFICIENTS,
        )


def cached_clips(path: Path, key: object, make: Iterator[Clip], report: Reporter) -> list[Clip]:
    """Clips of a cache file, made first if it is missing, damaged or made from something else."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    kept = _kept(path)
    if kept is not None and str(kept["key"]) == digest:
        return _unpacked(
            kept["mel"].astype(np.float16), kept["coefficients"].astype(np.float16),
            kept["frames"], kept["mask"],
        )  # fmt: skip
    clips = []
    for clip in make:
        clips.append(clip)
        report.step(f"Preparing {path.stem}", len(clips))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            key=np.array(digest),
            mel=np.concatenate([clip.mel for clip in clips]),
            coefficients=np.concatenate([clip.coefficients for clip in clips]),
            frames=np.array([[len(clip.mel), len(clip.coefficients)] for clip in clips]),
            mask=np.array([clip.mask for clip in clips]),
        )
    return clips


def _kept(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a cache file; None if there is none that can be read."""
    try:
        with path.open("rb") as stream:
            return read_arrays(stream, _CACHED, dict.fromkeys(_LENGTHS, MAX_ARRAYS))
    except (OSError, Unreadable):
        return None


def _unpacked(
    mel: NDArray[np.float16],
    coefficients: NDArray[np.float16],
    frames: NDArray[np.int64],
    mask: NDArray[np.float32],
) -> list[Clip]:
    ends = np.cumsum(frames, axis=0)
    starts = ends - frames
    return [
        Clip(mel[m0:m1], coefficients[c0:c1], mask[index])
        for index, ((m0, c0), (m1, c1)) in enumerate(zip(starts, ends, strict=True))
    ]
