"""The parameters of each request, checked strictly: no unknown names, no silent conversions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osmnet_sdk.core.conventions import RendererName
from osmnet_sdk.engine.request import ParameterError, Request

Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
"""A path or a name; no operating system takes a null character in one."""
Count = Annotated[int, Field(ge=0, lt=2**63)]
Side = Annotated[int, Field(ge=1)]


class Parameters(BaseModel):
    """What every request but hello and shutdown may have."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    device: Text | None = None
    """Holds until another is named."""
    bundle: Text | None = None
    """Name or folder; holds until another is named."""


class PhotoParameters(Parameters):
    """A request about one face of a photo."""

    photo: Text
    face_index: Count | None = None


class FitHead(PhotoParameters):
    """Parameters of `fit_head`."""

    folder: Text


class TakeNumber(BaseModel):
    """Which take: its number among those of a seed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    seed: Count
    take: Count


class VoiceParameters(Parameters):
    """A request about a voice."""

    audio: Text
    channel: Annotated[int, Field(ge=1, le=64)] | Text | None = None
    """Number from 1, "left", "right", "centre" or "mix"; None leaves the choice to `load_audio`."""
    track: Annotated[int, Field(ge=1)] | None = None
    """Number of the sound track, from 1; likewise."""


class MotionParameters(VoiceParameters):
    """A request for motion to a voice."""

    motion: dict[str, Any] = {}
    """Fields of `SampleOptions`."""
    follow: Text | None = None
    """A take file, or a video that is tracked, whose slow motion the takes go around."""


class SampleTakes(MotionParameters):
    """Parameters of `sample_takes`."""

    folder: Text
    takes: Annotated[list[TakeNumber], Field(min_length=1, max_length=1000)]
    photo: Text | None = None
    face_index: Count | None = None
    expression: dict[str, Any] = {}
    """Fields of `ExpressionOptions`."""
    phones: Text | None = None
    """File of what is said, which decides the lips."""


class RetakeRange(MotionParameters):
    """Parameters of `retake`."""

    source: Text
    output: Text
    start: Annotated[float, Field(allow_inf_nan=False)]
    """Seconds; the range is checked against the take."""
    end: Annotated[float, Field(allow_inf_nan=False)]
    seed: Count | None = None
    """None is one that the take has not seen."""
    take: Count = 0
    eyes: bool = True


class PredictPhones(VoiceParameters):
    """Parameters of `predict_phones`."""

    output: Text


class RenderFrames(PhotoParameters):
    """Parameters of `render_frames`."""

    audio: Text | None = None
    """The sound that the frames are shown with; one that is not the take's own is warned of."""
    tracks: Text
    folder: Text
    size: Literal["crop", "photo"] | Annotated[list[Side], Field(min_length=2, max_length=2)] = (
        "crop"
    )
    label: bool = True
    renderer: Literal["auto", RendererName] = "auto"


class WriteVideo(Parameters):
    """Parameters of `write_video`."""

    folder: Text
    first: Count
    """Number of the first picture."""
    count: Annotated[int, Field(ge=1, le=10_000_000)]
    fps: Annotated[str, Field(max_length=40)]
    output: Text
    audio: Text | None = None
    start: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    """Seconds into the sound at which the pictures begin."""
    channel: Annotated[int, Field(ge=1, le=64)] | Text | None = None
    track: Annotated[int, Field(ge=1)] | None = None


class ConvertTake(Parameters):
    """Parameters of `convert_take`."""

    source: Text
    output: Text
    fps: Annotated[str, Field(max_length=40)] | None = None
    """Rate of the rows of a .csv, such as "30" or "30000/1001"; None is the file's own."""


_Kind = TypeVar("_Kind", bound=Parameters)


def checked(kind: type[_Kind], request: Request) -> _Kind:
    """The parameters of a request.

    Raises:
        ParameterError: if one is missing, unknown, or has a wrong type or value.
    """
    try:
        return kind.model_validate(request.params)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        raise ParameterError(f"{request.method} has no parameter '{name}'.")
    if first["type"] == "missing":
        raise ParameterError(f"{request.method} needs the parameter '{name}'.")
    given = repr(first["input"])
    given = given if len(given) <= 60 else f"{given[:60]}…"
    reason = first["msg"][:1].lower() + first["msg"][1:]
    raise ParameterError(f"Parameter '{name}' of {request.method} cannot be {given}: {reason}.")
