"""What made a track, as files say it: bounded all the way down, whoever wrote them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from osmnet_sdk.core.conventions import MAX_FRAMES, MAX_INTEGER, MAX_NESTING
from osmnet_sdk.core.wording import quoted

MOST_RETAKES = 1000
"""Retakes that provenance lists; of more, the newest."""

_MOST_ITEMS = 10_000
"""Items of a list or an object among the options."""
_LONGEST_KEY = 100


def _letters(text: Any) -> Any:
    """A text that can be written as UTF-8: names of files may hold bytes that are none."""
    if isinstance(text, str):
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


Text = Annotated[str, BeforeValidator(_letters), Field(max_length=1000)]
Hash = Annotated[str, BeforeValidator(_letters), Field(max_length=128)]
Number = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Seconds = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]


def _plain(value: Any, depth: int = MAX_NESTING - 4) -> Any:
    """A value of plain JSON within bounds, or an error."""
    if value is None or isinstance(value, (bool, float)):
        if isinstance(value, float) and not abs(value) <= 1e30:
            raise ValueError("it holds a number that is not finite or too large")
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("it holds a number that is too large")
        return value
    if isinstance(value, str):
        if len(value) > 1000:
            raise ValueError("it holds a text of more than 1000 characters")
        return _letters(value)
    if not isinstance(value, (list, tuple, dict)):
        raise ValueError(f"it holds something of type {type(value).__name__}")
    if depth <= 0:
        raise ValueError("its lists and objects lie too deep in one another")
    if len(value) > _MOST_ITEMS:
        raise ValueError(f"it holds a list of more than {_MOST_ITEMS} items")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or len(key) > _LONGEST_KEY:
                raise ValueError(f"it holds the name {quoted(key)}")
        return {_letters(key): _plain(item, depth - 1) for key, item in value.items()}
    return [_plain(item, depth - 1) for item in value]


Plain = Annotated[Any, AfterValidator(_plain)]
"""Whatever JSON can hold, within bounds."""
Settings = dict[Annotated[str, Field(max_length=_LONGEST_KEY)], Plain]
"""Options that differ from their defaults, by name."""


class _Record(BaseModel):
    """Part of the options that has fields of its own; others that come with it are kept, too."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Plain]


class Followed(_Record):
    """The reference around which a motion was sampled."""

    sha256: Hash
    frames: Annotated[int, Field(ge=1, le=MAX_FRAMES)]
    source: Text = "unknown"


class Retake(_Record):
    """A range of time that was sampled anew."""

    start: Seconds
    end: Seconds
    seed: Number
    take: Number = 0
    eyes: bool = True
    sdk_version: Text | None = None
    bundle_sha256: Hash | None = None
    audio_sha256: Hash | None = None
    options: Settings = {}


class MadeWith(_Record):
    """The options of a track: plain values by name, and parts with fields of their own."""

    motion: Settings | None = None
    expression: Settings | None = None
    follow: Followed | None = None
    retakes: Annotated[list[Retake], Field(max_length=MOST_RETAKES)] = []


def _checked(options: Any) -> dict[str, Any]:
    """The options as plain values, after `MadeWith` found nothing wrong with them."""
    if isinstance(options, dict):
        options = _plain(options)
    MadeWith.model_validate(options)
    result: dict[str, Any] = options
    return result


class Provenance(BaseModel):
    """What made a track, so that it can be made again.

    Every field is optional, since a track may come from elsewhere.

    Example:
        >>> made_by = sdk.sample_takes("speech.wav", seed=7)[0].provenance
        >>> made_by.seed, made_by.bundle
        (7, 'starter')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Text = "unknown"
    """"sampled", "predicted", "tracked", "imported", "edited" or "unknown"."""
    sdk_version: Text | None = None
    bundle: Text | None = None
    """Name of the bundle."""
    bundle_sha256: Hash | None = None
    """SHA-256 of the bundle's manifest, which holds that of each weight file."""
    audio: Text | None = None
    """File name of the voice."""
    audio_sha256: Hash | None = None
    """SHA-256 of the decoded samples, 16 kHz mono float32."""
    seed: Number | None = None
    take: Number | None = None
    """Number of the take, counted from 0."""
    options: Annotated[dict[str, Any], BeforeValidator(_checked)] = {}
    """The options that differ from their defaults; `MadeWith` says what they may be."""


def unused_seed(provenance: Provenance) -> int:
    """The smallest seed above those that made a track and its retakes; 0 if none did."""
    seeds = [entry["seed"] for entry in provenance.options.get("retakes", [])]
    if provenance.seed is not None:
        seeds.append(provenance.seed)
    return max(seeds) + 1 if seeds else 0


def retaken_provenance(
    old: Provenance, new: Provenance, start: float, end: float, eyes: bool
) -> Provenance:
    """Provenance of a track with one more retake, listed under the option "retakes"."""
    entry: dict[str, Any] = {"start": start, "end": end, "eyes": eyes}
    names = {"sdk_version", "bundle_sha256", "audio_sha256", "seed", "take", "options"}
    entry |= new.model_dump(include=names, exclude_none=True)
    retakes = [*old.options.get("retakes", []), entry][-MOST_RETAKES:]
    options = {**old.options, "retakes": retakes}
    source = old.source if old.source == "sampled" else "edited"
    return old.model_copy(update={"options": options, "source": source})
