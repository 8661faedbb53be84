"""Writing a video: H.264 and AAC through PyAV, encoded beside the rendering."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from osmnet_sdk.audio.load import AudioSource
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.core.files import check_output_file, replaced
from osmnet_sdk.errors import InputError, OutputError, PhotoError
from osmnet_sdk.formats.sound_track import SoundTrack
from osmnet_sdk.progress import check_cancelled

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""FFmpeg's muxer for each suffix that a video may have."""

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
"""Presets of libx264, from fast and large to slow and small."""

# libswscale's SWS_AREA, SWS_FULL_CHR_H_INP and SWS_ACCURATE_RND: all pixels count for the colour.
_TO_YUV = 0x20 | 0x4000 | 0x40000
_BT709 = 1
_LIMITED_RANGE = 1
_SAME_EVERYWHERE = "cpu-independent=1"
"""Else x264's AVX-512 code makes other bytes in each run, at widths that 128 does not divide."""
_QUEUE, _QUEUE_BYTES = 8, 64_000_000
"""Frames that may wait for the encoder, and their size, of which two may always wait."""


def check_writable(path: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that a video can be written to `path`.

    Raises:
        OutputError: if the suffix is none of .mp4, .m4v, .mov and .mkv, the path is a folder, or
            the folder or an existing file may not be written to.
    """
    target = Path(path)
    check_output_file(target)
    if target.suffix.lower() not in CONTAINERS:
        raise OutputError(
            f"Cannot write '{target}': '{target.suffix}' is no known kind of video; use .mp4, .mov "
            "or .mkv."
        )


class VideoWriter:
    """Writes frames, and a sound if there is one, to a video file.

    Used as a context manager. Encoding runs on a thread of its own. The file appears under its name
    when the block ends well; if it ends with an error, a file that was there before stays.

    Args:
        path: .mp4, .m4v, .mov or .mkv.
        fps: frames per second.
        audio: sound from 0 s on, cut or filled with silence to the length of the picture. It is
            decoded from its source again, in mono or stereo, and encoded at 44.1 kHz if its own
            rate is that or a multiple or part of it, else at 48 kHz.
        audio_start: seconds into the sound at which the picture begins, 0 or more.
        metadata: tags of the file, such as "title" and "comment".
        crf: quality of libx264, 0 (lossless) to 51.
        preset: one of `PRESETS`.
        threads: threads of the encoder; 0 lets it choose.

    Raises:
        OutputError: if `path` cannot be written to.
        AudioError: if the sound cannot be read.
        InputError: if another argument is out of range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fps: Fraction = FPS,
        audio: AudioSource | None = None,
        audio_start: Fraction = Fraction(0),
        metadata: Mapping[str, str] | None = None,
        crf: int = 18,
        preset: str = "veryfast",
        threads: int = 0,
    ) -> None:
        check_writable(path)
        if (
            fps <= 0
            or audio_start < 0
            or not 0 <= crf <= 51
            or preset not in PRESETS
            or threads < 0
        ):
            raise InputError(
                f"A video needs fps above 0, a sound from 0 s or later on, crf from 0 to 51, a "
                f"preset among {', '.join(PRESETS)} and 0 threads or more, not {fps}, "
                f"{float(audio_start):g}, {crf}, '{preset}' and {threads}."
            )
        self._path = Path(path)
        self._fps = Fraction(fps)
        self._metadata = dict(metadata or {})
        self._options = {"crf": str(crf), "preset": preset, "x264-params": _SAME_EVERYWHERE}
        self._threads = threads
        self._sound = None if audio is None else SoundTrack(audio, audio_start)
        self._size: tuple[int, int] | None = None
        self._queue: queue.Queue[Any] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._temporary = Path()
        self._failure: BaseException | None = None
        self._aborted = threading.Event()
        self._session: AbstractContextManager[None] | None = None

    def __enter__(self) -> VideoWriter:
        self._session = self._writing()
        self._session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        assert self._session is not None
        return self._session.__exit__(kind, error, traceback)

    def write(self, image: NDArray[np.uint8]) -> None:
        """Add a frame; waits while more than a few frames are still to be encoded.

        Args:
            image: uint8 (H, W, 3), RGB; all of one size. A side of odd length is made even by
                repeating its last line, since H.264 needs it.

        Raises:
            PhotoError: if the image has another type, shape or size.
            OutputError: if encoding failed, for example because the disk is full.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise PhotoError(
                f"A frame must be uint8 of shape (height, width, 3), not {image.dtype} of shape "
                f"{image.shape}."
            )
        if self._session is None:
            raise InputError("A VideoWriter must be used in a 'with' block; open it there.")
        height, width = image.shape[:2]
        self._size = self._size or (height, width)
        if (height, width) != self._size:
            raise PhotoError(
                f"A frame of {width} × {height} pixels does not fit a video of "
                f"{self._size[1]} × {self._size[0]}; give all frames one size."
            )
        if self._thread is None:
            self._queue.maxsize = max(2, min(_QUEUE, _QUEUE_BYTES // image.nbytes))
            self._thread = threading.Thread(target=self._run, name="video encoder", daemon=True)
            self._thread.start()
        # PyAV copies the pixels, so that the caller may use the array again.
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        self._put(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24"))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with replaced(self._path) as temporary:
            self._temporary = temporary
            try:
                yield
                self._finish()
            except BaseException:
                self._abort()
                raise

    def _finish(self) -> None:
        if self._thread is None:
            raise OutputError(f"Cannot write '{self._path}': there are no frames; give at least 1.")
        self._put(None)
        self._thread.join()
        self._raise_failure()

    def _abort(self) -> None:
        self._aborted.set()
        if self._thread is not None:
            self._thread.join()

    def _put(self, frame: Any) -> None:
        while True:
            self._raise_failure()
            try:
                return self._queue.put(frame, timeout=0.05)
            except queue.Full:
                check_cancelled()

    def _raise_failure(self) -> None:
        failure = self._failure
        if isinstance(failure, (FFmpegError, OSError)):
            reason = getattr(failure, "strerror", None) or failure
            raise OutputError(
                f"Cannot write '{self._path}': {reason}; check the free space of the disk."
            ) from failure
        if failure is not None:
            raise failure

    def _run(self) -> None:
        try:
            self._encode()
        except BaseException as error:  # handed to the thread that writes
            self._failure = error
        finally:
            if self._sound is not None:
                self._sound.release()

    def _frames(self) -> Iterator[Any]:
        while not self._aborted.is_set():
            try:
                frame = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if frame is None:
                return
            yield frame

    def _encode(self) -> None:
        suffix = self._path.suffix.lower()
        options = {"movflags": "+faststart"} if suffix != ".mkv" else {}
        with av.open(
            str(self._temporary.absolute()), "w", format=CONTAINERS[suffix], options=options
        ) as container:
            container.metadata.update(self._metadata)
            picture = self._picture_stream(container)
            if self._sound is not None:
                self._sound.open(container)
            for index, frame in enumerate(self._frames()):
                converted = frame.reformat(
                    format="yuv420p",
                    interpolation=_TO_YUV,
                    src_color_range="JPEG",
                    dst_color_range="MPEG",
                    dst_colorspace="ITU709",
                )
                converted.pts = index
                converted.time_base = 1 / self._fps
                container.mux(picture.encode(converted))
                if self._sound is not None:
                    # In step with the picture, so that the muxer need not hold either back.
                    self._sound.write_until((index + 1) / self._fps)
            if not self._aborted.is_set():
                container.mux(picture.encode(None))
                if self._sound is not None:
                    self._sound.finish()

    def _picture_stream(self, container: Any) -> Any:
        assert self._size is not None
        height, width = self._size
        stream = container.add_stream("libx264", rate=self._fps, options=self._options)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        codec = stream.codec_context
        codec.time_base = 1 / self._fps
        codec.thread_count = self._threads
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        codec.color_range = _LIMITED_RANGE
        return stream
