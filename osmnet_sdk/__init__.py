"""One photo and one voice in, several natural head performances out.

    import osmnet_sdk as sdk
    takes = sdk.sample_motions("speech.wav", n=5)

Names are loaded when they are first used, so that a bare import costs next to nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType

from osmnet_sdk.version import __version__ as __version__

TYPE_CHECKING = False  # as of `typing`, whose import takes longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from osmnet_sdk.audio.load import Audio as Audio
    from osmnet_sdk.audio.load import load_audio as load_audio
    from osmnet_sdk.client import OSMNet as OSMNet
    from osmnet_sdk.client import default_osmnet
    from osmnet_sdk.core.conventions import ARKIT_NAMES as ARKIT_NAMES
    from osmnet_sdk.core.phones import Phone as Phone
    from osmnet_sdk.core.phones import PhoneTrack as PhoneTrack
    from osmnet_sdk.errors import AudioError as AudioError
    from osmnet_sdk.errors import Cancelled as Cancelled
    from osmnet_sdk.errors import DeviceError as DeviceError
    from osmnet_sdk.errors import EngineError as EngineError
    from osmnet_sdk.errors import InputError as InputError
    from osmnet_sdk.errors import ModelError as ModelError
    from osmnet_sdk.errors import NoFaceError as NoFaceError
    from osmnet_sdk.errors import OSMNetError as OSMNetError
    from osmnet_sdk.errors import OSMNetWarning as OSMNetWarning
    from osmnet_sdk.errors import OutputError as OutputError
    from osmnet_sdk.errors import PhotoError as PhotoError
    from osmnet_sdk.errors import TrackError as TrackError
    from osmnet_sdk.expression.stream import ExpressionStream as ExpressionStream
    from osmnet_sdk.face.source import SourceFace as SourceFace
    from osmnet_sdk.formats.livelink_csv import read_livelink_csv as read_livelink_csv
    from osmnet_sdk.formats.livelink_csv import write_livelink_csv as write_livelink_csv
    from osmnet_sdk.formats.phone_files import read_phones as read_phones
    from osmnet_sdk.formats.phone_files import write_phones as write_phones
    from osmnet_sdk.options import ExpressionOptions as ExpressionOptions
    from osmnet_sdk.options import Limits as Limits
    from osmnet_sdk.options import Mood as Mood
    from osmnet_sdk.options import Pin as Pin
    from osmnet_sdk.options import SampleOptions as SampleOptions
    from osmnet_sdk.tracks import ExpressionTrack as ExpressionTrack
    from osmnet_sdk.tracks import MotionTrack as MotionTrack
    from osmnet_sdk.tracks import Provenance as Provenance
    from osmnet_sdk.tracks import Take as Take
    from osmnet_sdk.tracks import load_take as load_take

    sample_motions = default_osmnet().sample_motions
    predict_expression = default_osmnet().predict_expression
    predict_phones = default_osmnet().predict_phones
    expression_stream = default_osmnet().expression_stream
    sample_takes = default_osmnet().sample_takes
    retake = default_osmnet().retake
    fit_face = default_osmnet().fit_face
    track_video = default_osmnet().track_video
    render = default_osmnet().render
    render_video = default_osmnet().render_video
    render_images = default_osmnet().render_images
    lip_gap = default_osmnet().lip_gap
    motion_basis = default_osmnet().motion_basis
    head_turn = default_osmnet().head_turn
    rotate = default_osmnet().rotate

_HOMES = {
    "Audio": "audio.load",
    "load_audio": "audio.load",
    "ARKIT_NAMES": "core.conventions",
    "Phone": "core.phones",
    "PhoneTrack": "core.phones",
    "ExpressionStream": "expression.stream",
    "SourceFace": "face.source",
    "read_livelink_csv": "formats.livelink_csv",
    "write_livelink_csv": "formats.livelink_csv",
    "read_phones": "formats.phone_files",
    "write_phones": "formats.phone_files",
    "SampleOptions": "options",
    "ExpressionOptions": "options",
    "Limits": "options",
    "Mood": "options",
    "Pin": "options",
    "OSMNet": "client",
    "MotionTrack": "tracks",
    "ExpressionTrack": "tracks",
    "Provenance": "tracks",
    "Take": "tracks",
    "load_take": "tracks",
    **dict.fromkeys(
        (
            "AudioError", "Cancelled", "DeviceError", "EngineError", "InputError", "ModelError",
            "NoFaceError", "OSMNetError", "OSMNetWarning", "OutputError", "PhotoError",
            "TrackError",
        ),
        "errors",
    ),
}  # fmt: skip
_CALLS = (
    "sample_motions", "predict_expression", "predict_phones", "expression_stream", "sample_takes",
    "retake", "fit_face", "track_video", "render", "render_video", "render_images", "lip_gap",
    "motion_basis", "head_turn", "rotate",
)  # fmt: skip
"""Methods of the default `OSMNet` that the module offers as functions."""

__all__ = sorted([*_HOMES, *_CALLS, "__version__"])


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f"osmnet_sdk.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _CALLS:
        return getattr(import_module("osmnet_sdk.client").default_osmnet(), name)
    raise AttributeError(f"module 'osmnet_sdk' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """This module, in which a submodule never takes the place of a public name.

    Python sets each submodule, when it is first imported, as an attribute of its package.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in __all__):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
