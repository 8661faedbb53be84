"""What is asked of a video before it becomes training data."""

from __future__ import annotations

from pydantic import Field

from osmnet_sdk.options import Options

SIZE = 256
"""Width and height of prepared frames, in pixels."""


class PreparationSettings(Options):
    """Limits within which a piece of video is accepted; a folder is prepared with one set."""

    minimum_seconds: float = Field(default=1.0, ge=0.2, le=60.0)
    """Shorter pieces are rejected, seconds, 0.2 to 60; clips of LRW last 1.16 s."""

    maximum_seconds: float = Field(default=10.0, ge=1.0, le=60.0)
    """Longer pieces are cut into equal parts, seconds, 1 to 60; a part is read at once."""

    smallest_face: float = Field(default=80.0, ge=20.0, le=1000.0)
    """Height of the smallest face, from the brow to the chin, pixels of the video, 20 to 1000."""

    greatest_yaw: float = Field(default=60.0, ge=10.0, le=90.0)
    """Farthest turn to a side, degrees, 10 to 90; the tracker's own error grows beyond ±45°."""

    greatest_pitch: float = Field(default=40.0, ge=10.0, le=90.0)
    """Farthest turn up or down, degrees, 10 to 90."""

    silent: bool = False
    """Whether pieces without sound are accepted."""

    quality: int = Field(default=95, ge=50, le=100)
    """JPEG quality of the frames, 50 to 100; chroma is never halved."""
