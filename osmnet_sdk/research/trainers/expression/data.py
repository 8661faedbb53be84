"""Training data of the Expression Feature Extractor: what is heard, with coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import maximum_filter1d

from osmnet_sdk.core.conventions import ARKIT_NAMES, SAMPLE_RATE, SAMPLES_PER_FRAME, frame_count
from osmnet_sdk.errors import InputError
from osmnet_sdk.expression.coarticulation import TimedPhone, viseme_track
from osmnet_sdk.expression.given_phones import loudness_emphasis
from osmnet_sdk.expression.lips import LipGeometry
from osmnet_sdk.expression.network import PER_FRAME, PHONE_CLASSES
from osmnet_sdk.expression.phones import Alphabet, phone_classes
from osmnet_sdk.research.trainers.expression.augmentation import (
    AugmentationConfig,
    augmented,
    change_speed,
)
from osmnet_sdk.research.trainers.expression.clips import ALL_COEFFICIENTS, Clip, Hears
from osmnet_sdk.research.trainers.expression.held_vowels import held_vowels
from osmnet_sdk.research.trainers.expression.sounds_without_voice import sound_without_voice
from osmnet_sdk.research.trainers.expression.speech_synthesis import Utterance, Voice, speak
from osmnet_sdk.research.trainers.expression.speech_variants import varied

_SILENCE = PHONE_CLASSES.index("silence")
_AROUND = 5
_LEAD = 0.01
"""Seconds of one step of `lead`."""
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


def phone_labels(
    phones: Sequence[TimedPhone], alphabet: Alphabet, frames: int
) -> NDArray[np.int16]:
    """`Clip.said` (2 · frames, 2) of timed phones.

    A voice is heard wherever a phone is not silence, and `_AROUND` steps before and after it, since
    lips part before they sound.
    """
    rate = PER_FRAME * SAMPLE_RATE / SAMPLES_PER_FRAME
    classes = np.full(PER_FRAME * frames, _SILENCE, np.int16)
    for phone in phones:
        parts = phone_classes(phone.symbol, alphabet)
        edges = np.linspace(phone.start, max(phone.end, phone.start + 0.5 / rate), len(parts) + 1)
        steps = np.rint(np.maximum(edges, 0.0) * rate).astype(int)
        for part, name in enumerate(parts):
            classes[steps[part] : steps[part + 1]] = PHONE_CLASSES.index(name)
    voice = maximum_filter1d((classes != _SILENCE).astype(np.int16), 2 * _AROUND + 1)
    return np.stack([classes, voice], axis=1).astype(np.int16)


def spoken_clips(
    plan: VoicePlan,
    texts: dict[str, list[str]],
    geometry: LipGeometry,
    hear: Hears,
    augmentation: AugmentationConfig | None,
    rng: np.random.Generator,
    others: list[NDArray[np.float32]],
    *,
    lead: int = 0,
) -> Iterator[Clip]:
    """Speak until the plan's minutes are full.

    Args:
        plan: which voice, and how much of it.
        texts: lines to read, by language.
        geometry: of the face model for which coefficients are made.
        hear: how the network hears.
        augmentation: None leaves the voice clean.
        rng: source of chance.
        others: recordings for babble.
        lead: hops of 10 ms by which the lips come before the sound.

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
        emphasis = loudness_emphasis(utterance.samples, utterance.phones, utterance.alphabet)
        for _ in range(plan.copies):
            sound, phones = _version(utterance, augmentation, rng)
            if augmentation:
                sound = augmented(sound, rng, augmentation, others)
            frames = frame_count(len(sound))
            early = lead * _LEAD
            truth = viseme_track(
                [TimedPhone(p.symbol, p.start - early, p.end - early) for p in phones],
                frames,
                geometry,
                alphabet=utterance.alphabet,
                emphasis=emphasis,
            )
            yield Clip(
                hear(sound.astype(np.float32)),
                truth.astype(np.float16),
                ALL_COEFFICIENTS,
                phone_labels(phones, utterance.alphabet, frames),
            )


def _version(
    utterance: Utterance, augmentation: AugmentationConfig | None, rng: np.random.Generator
) -> tuple[NDArray[np.float64], list[TimedPhone]]:
    """An utterance at another speed, with silence around it, now and then sung out or whispered."""
    limit = augmentation.speed if augmentation else 0.0
    speed = float(rng.uniform(1 - limit, 1 + limit))
    before, after = rng.uniform(0.1, 0.9, 2)
    sound = change_speed(utterance.samples.astype(np.float64), speed)
    if augmentation:
        sound, factor = varied(sound, augmentation, rng)
        speed *= factor
    sound = np.pad(sound, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
    phones = [
        TimedPhone(p.symbol, p.start / speed + before, p.end / speed + before)
        for p in utterance.phones
    ]
    return sound, phones


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
    count: int, hear: Hears, augmentation: AugmentationConfig, rng: np.random.Generator
) -> Iterator[Clip]:
    """Noise and music of 4 s, to which the mouth keeps still."""
    for index in range(count):
        length = 4 * SAMPLE_RATE
        sound = sound_without_voice(length, rng)
        gate = np.repeat(rng.random(16) < 0.6, length // 16).astype(np.float64)
        if index % 3 == 0:
            # Sound that comes and goes.
            sound = sound * (0.02 + gate)
        sound = augmented(sound, rng, augmentation, [])
        if index % 6 == 1:
            # Between cuts there is nothing at all.
            sound = sound * (gate if index % 12 == 1 else 0.0)
        frames = frame_count(length)
        yield Clip(
            hear(sound.astype(np.float32)),
            np.zeros((frames, len(ARKIT_NAMES)), np.float16),
            ALL_COEFFICIENTS,
            phone_labels([], "ipa", frames),
        )


def held_clips(
    count: int,
    geometry: LipGeometry,
    hear: Hears,
    augmentation: AugmentationConfig,
    rng: np.random.Generator,
) -> Iterator[Clip]:
    """Vowels that are held, sung or whispered, to which the mouth keeps open."""
    for _ in range(count):
        sound, phones = held_vowels(rng)
        sound = augmented(sound, rng, augmentation, [])
        frames = frame_count(len(sound))
        truth = viseme_track(phones, frames, geometry, alphabet="ipa")
        yield Clip(
            hear(sound.astype(np.float32)),
            truth.astype(np.float16),
            ALL_COEFFICIENTS,
            phone_labels(phones, "ipa", frames),
        )
