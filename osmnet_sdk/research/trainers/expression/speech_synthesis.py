"""Synthetic speech with phone timings, for training only.

Three free engines speak here, all of them Debian packages: espeak-ng (formant synthesis, many
languages and voices), flite and festival (recorded human voices). They give speech in any
amount with the time of every phone, which real recordings do not come with.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.signal import resample_poly

from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.expression.coarticulation import TimedPhone
from osmnet_sdk.expression.phones import Alphabet, phone_classes

Engine = Literal["espeak-ng", "flite", "festival"]

_TIMEOUT = 120.0


class Voice(BaseModel):
    """One voice of one engine, and how it speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Engine
    name: str
    """espeak-ng: "LANGUAGE" or "LANGUAGE+VARIANT"; flite: "slt"; festival: "ked_diphone"."""
    language: str = "en"
    """Key of the texts that the voice reads."""
    alphabet: Alphabet = "arpabet"
    """Phone set that festival reports for this voice; the other engines have one of their own."""
    rate: float = Field(default=1.0, ge=0.4, le=2.5)
    """Speed of speech, 1 for the engine's usual one."""
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    """Pitch, 1 for the voice's own; festival's voices keep their own."""


@dataclass(frozen=True)
class Utterance:
    """Speech with the time of every phone.

    Attributes:
        samples: (n,) float32 at 16 kHz, −1 to 1.
        phones: in order of time; what lies between them is silence.
        alphabet: phone set of the symbols.
        voice: who speaks.
    """

    samples: NDArray[np.float32]
    phones: tuple[TimedPhone, ...]
    alphabet: Alphabet
    voice: Voice


def speak(text: str, voice: Voice) -> Utterance:
    """Speak a text and report when each phone is heard.

    Raises:
        ModelError: if the engine or the voice is not installed.
        InputError: if nothing of the text can be spoken.
    """
    makers: dict[str, Callable[[str, Voice], tuple[NDArray[np.float32], list[TimedPhone]]]] = {
        "espeak-ng": _espeak,
        "flite": _flite,
        "festival": _festival,
    }
    samples, phones = makers[voice.engine](text, voice)
    if len(samples) < SAMPLE_RATE // 20 or not phones:
        raise InputError(f"{voice.engine} {voice.name} finds nothing to speak in '{text[:40]}'.")
    alphabet: Alphabet = (
        "ipa"
        if voice.engine == "espeak-ng"
        else ("arpabet" if voice.engine == "flite" else voice.alphabet)
    )
    if voice.engine == "espeak-ng":
        phones = _with_closures(samples, phones)
    return Utterance(samples, tuple(phones), alphabet, voice)


def _resampled(samples: NDArray[Any], rate: int) -> NDArray[np.float32]:
    divisor = gcd(rate, SAMPLE_RATE)
    values = samples.astype(np.float64) / 32768.0
    if rate != SAMPLE_RATE:
        values = resample_poly(values, SAMPLE_RATE // divisor, rate // divisor)
    result: NDArray[np.float32] = np.clip(values, -1.0, 1.0).astype(np.float32)
    return result


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of espeak-ng's speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_ESPEAK_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_CHARS_UTF8 = 1
_EVENT_PHONEME = 7
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3


@cache
def _espeak_library() -> tuple[ctypes.CDLL, int]:
    """The library, ready to speak, and its sample rate."""
    found = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
    try:
        library = ctypes.CDLL(found)
    except OSError as error:
        raise ModelError(
            "Training speech needs espeak-ng, which is not installed; install the system package "
            "'espeak-ng'."
        ) from error
    rate = int(
        library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IN_IPA)
    )
    if rate <= 0:
        raise ModelError("espeak-ng finds no voices; install the system package 'espeak-ng-data'.")
    return library, rate


def _espeak(text: str, voice: Voice) -> tuple[NDArray[np.float32], list[TimedPhone]]:
    library, rate = _espeak_library()
    chunks: list[NDArray[np.int16]] = []
    starts: list[tuple[str, float]] = []

    @_ESPEAK_CALLBACK  # type: ignore[untyped-decorator]
    def receive(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != 0:
            event = events[index]
            if event.type == _EVENT_PHONEME:
                symbol = event.id.string.decode("utf-8", "ignore")
                starts.append((symbol, event.audio_position / 1000.0))
            index += 1
        return 0

    library.espeak_SetSynthCallback(receive)
    if library.espeak_SetVoiceByName(voice.name.encode()) != 0:
        raise ModelError(f"espeak-ng has no voice '{voice.name}'; see `espeak-ng --voices`.")
    library.espeak_SetParameter(_PARAMETER_RATE, round(175 * voice.rate), 0)
    library.espeak_SetParameter(_PARAMETER_PITCH, int(np.clip(50 * voice.pitch, 0, 99)), 0)
    data = text.encode("utf-8")
    library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    if not chunks:
        return np.zeros(0, np.float32), []
    samples = _resampled(np.concatenate(chunks), rate)
    ends = [start for _, start in starts[1:]] + [len(samples) / SAMPLE_RATE]
    return samples, [
        TimedPhone(symbol, start, max(end, start))
        for (symbol, start), end in zip(starts, ends, strict=True)
    ]


def _with_closures(samples: NDArray[np.float32], phones: list[TimedPhone]) -> list[TimedPhone]:
    """Begin each P, T, K at its closure: espeak-ng reports their release.

    The closure is the quiet stretch of up to 90 ms that ends where the phone is reported.
    """
    hop = SAMPLE_RATE // 200
    frames = len(samples) // hop
    loud = np.sqrt((samples[: frames * hop].reshape(frames, hop) ** 2).mean(1) + 1e-12)
    result = list(phones)
    for index in range(1, len(result)):
        phone, before = result[index], result[index - 1]
        if not phone.symbol.startswith(("p", "t", "k")):
            continue
        first = min(int(phone.start * 200), frames - 1)
        peak = loud[max(first - 40, 0) : first + 1].max()
        begin = first
        while begin > 0 and first - begin < 18 and loud[begin - 1] < 0.15 * peak:
            begin -= 1
        start = max(begin / 200, before.start)
        result[index] = TimedPhone(phone.symbol, min(start, phone.start), phone.end)
        result[index - 1] = TimedPhone(before.symbol, before.start, result[index].start)
    return result


def _run(command: list[str], program: str) -> str:
    if shutil.which(program) is None:
        raise ModelError(
            f"Training speech needs {program}, which is not installed; install the system "
            f"package '{program}'."
        )
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_TIMEOUT, check=False, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{program} did not finish within {_TIMEOUT:.0f} s.") from error
    if done.returncode != 0:
        raise ModelError(f"{program} failed: {done.stderr.strip()[-200:] or 'it gives no reason'}.")
    return done.stdout


def _read_wave(path: Path, program: str) -> NDArray[np.float32]:
    try:
        with wave.open(str(path), "rb") as stream:
            data = np.frombuffer(stream.readframes(stream.getnframes()), "<i2")
            return _resampled(data, stream.getframerate())
    except (OSError, EOFError, wave.Error) as error:
        raise ModelError(f"{program} wrote no sound that can be read.") from error


def _from_ends(pairs: list[tuple[str, float]], alphabet: Alphabet) -> list[TimedPhone]:
    """Phones from (symbol, end time) pairs; silences are left out."""
    result, start = [], 0.0
    for symbol, end in pairs:
        if phone_classes(symbol, alphabet) != ("silence",):
            result.append(TimedPhone(symbol, start, max(end, start)))
        start = max(end, start)
    return result


def _flite(text: str, voice: Voice) -> tuple[NDArray[np.float32], list[TimedPhone]]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice.name, "-psdur"]
        command += ["--setf", f"duration_stretch={1 / voice.rate:.4f}"]
        if voice.pitch != 1.0:
            command += ["--setf", f"f0_shift={voice.pitch:.4f}"]
        printed = _run([*command, "-t", text, "-o", str(target)], "flite")
        samples = _read_wave(target, "flite")
    pairs = [(s, float(end)) for s, end in re.findall(r"([a-z#]+\d?):([\d.]+)", printed)]
    # Every clause of a long text starts its clock anew.
    total, last, absolute = 0.0, 0.0, []
    for symbol, end in pairs:
        total += last if end < last else 0.0
        last = end
        absolute.append((symbol, total + end))
    return samples, _from_ends(absolute, "arpabet")


_FESTIVAL_SCRIPT = """(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch:.4f})
(set! u (Utterance Text {text}))
(utt.synth u)
(utt.save.wave u {target} 'riff)
(mapcar (lambda (s) (format t "%s\\t%s\\n" (item.name s) (item.feat s "end")))
 (utt.relation.items u 'Segment))
"""


# Festival knows no Unicode: each language's voices were made for one encoding.
_FESTIVAL_ENCODINGS = {"cs": "iso-8859-2", "ru": "utf-8", "hi": "utf-8"}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", " ").replace('"', " ") + '"'


def _festival(text: str, voice: Voice) -> tuple[NDArray[np.float32], list[TimedPhone]]:
    with tempfile.TemporaryDirectory() as folder:
        target, script = Path(folder) / "speech.wav", Path(folder) / "speak.scm"
        content = _FESTIVAL_SCRIPT.format(
            voice=voice.name, stretch=1 / voice.rate, text=_quoted(text),
            target=_quoted(target.as_posix()),
        )  # fmt: skip
        encoding = _FESTIVAL_ENCODINGS.get(voice.language, "iso-8859-1")
        script.write_text(content, encoding=encoding, errors="replace")
        printed = _run(["festival", "-b", str(script)], "festival")
        samples = _read_wave(target, "festival")
    pairs = []
    for line in printed.splitlines():
        symbol, tab, end = line.partition("\t")
        if tab and re.fullmatch(r"[\d.]+", end):
            pairs.append((symbol, float(end)))
    return samples, _from_ends(pairs, voice.alphabet)
