"""One prepared piece of video: frames, track, sound and origin, and its form within a shard.

In the shard a sample is a run of tar members whose names share everything before the first point,
as WebDataset wants it: KEY.json, KEY.take.npz, KEY.face.npz, KEY.wav (if there is sound) and
KEY.0000.jpg, KEY.0001.jpg, …
"""

from __future__ import annotations

import io
import json
import tarfile
import wave
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.core.npz_reading import Numbers
from osmnet_sdk.core.reading import read_npz
from osmnet_sdk.errors import InputError, TrackError
from osmnet_sdk.face.camera import Camera
from osmnet_sdk.face.source import Crop
from osmnet_sdk.research.data.settings import SIZE
from osmnet_sdk.tracks import Take, load_take

SAMPLE_SCHEMA = "osmnet.sample/1"
"""Schema name and version in the JSON text of every sample."""

_FACE_ARRAYS = {"identity": Numbers(("values",)), "landmarks": Numbers(("frames", "points", 2))}
_FACE_LENGTHS = {"values": 1000, "frames": 100_000, "points": 1000}


@dataclass(frozen=True, eq=False)
class PreparedSample:
    """A piece of video, ready for training.

    Attributes:
        key: name of the sample, unique in its data set.
        source: path of the video within the data set's folder.
        speaker: who is seen; None if the data set does not say.
        subset: part of the published split; None if there is none.
        start: seconds of the video at which the sample starts.
        crop: square of the video, in its pixels, that the frames show.
        jpegs: T encoded frames at 25 fps.
        take: (T) head motion and expression; its rest pose belongs to `camera`.
        identity: (K,) float32, shape of the head, standard deviations.
        landmarks: (T, 478, 2) float32, pixels of the frames, NaN where no face was found; kept as
            float16, so within 0.07 pixels.
        sound: (640 · T,) float32, 16 kHz mono, in step with the frames; None for a silent video.
    """

    key: str
    source: str
    speaker: str | None
    subset: str | None
    start: float
    crop: Crop
    jpegs: tuple[bytes, ...]
    take: Take
    identity: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    sound: NDArray[np.float32] | None

    def __len__(self) -> int:
        """Number of frames T."""
        return len(self.jpegs)

    @property
    def camera(self) -> Camera:
        """Camera of the frames, in their pixels."""
        return Camera.of_square(SIZE)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Frame `index`, uint8 RGB (256, 256, 3).

        Raises:
            InputError: if it cannot be decoded.
        """
        return decode_frame(self.jpegs[index], self.key)

    def frames(self) -> NDArray[np.uint8]:
        """All frames, uint8 RGB (T, 256, 256, 3)."""
        return np.stack([self.frame(index) for index in range(len(self))])

    def jpeg_places(self, size: int) -> list[tuple[int, int]]:
        """First byte and length of each encoded frame in the sample's `size` packed bytes."""
        places, end = [], size
        for data in reversed(self.jpegs):
            end -= len(data) + -len(data) % tarfile.BLOCKSIZE
            places.append((end, len(data)))
            end -= tarfile.BLOCKSIZE
        return places[::-1]


def encode_frame(image: NDArray[np.uint8], quality: int) -> bytes:
    """A frame, uint8 RGB (H, W, 3), as JPEG with full chroma: lips are mostly colour."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]  # fmt: skip
    _, data = cv2.imencode(".jpg", image[..., ::-1], options)
    return data.tobytes()


def decode_frame(data: bytes, key: str) -> NDArray[np.uint8]:
    """A frame of sample `key`, uint8 RGB (256, 256, 3).

    Raises:
        InputError: if it is damaged.
    """
    stored = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if image is None or image.shape != (SIZE, SIZE, 3):
        raise InputError(f"A frame of sample '{key}' is damaged; prepare the folder again.")
    return np.asarray(image, np.uint8)


def encode_sample(sample: PreparedSample) -> bytes:
    """A sample as tar members, without the end of an archive; the same sample, the same bytes."""
    meta = {
        "schema": SAMPLE_SCHEMA,
        "source": sample.source,
        "speaker": sample.speaker,
        "subset": sample.subset,
        "start": sample.start,
        "frames": len(sample),
        "crop": [sample.crop.x, sample.crop.y, sample.crop.side],
    }
    files = {
        "json": json.dumps(meta, ensure_ascii=False).encode(),
        "take.npz": _npz(sample.take.write),
        "face.npz": _npz(
            lambda stream: np.savez_compressed(
                stream,
                identity=sample.identity.astype(np.float32),
                landmarks=sample.landmarks.astype(np.float16),
            )
        ),
    }
    if sample.sound is not None:
        files["wav"] = _wave(sample.sound)
    # Last, so that their places follow from their sizes.
    files |= {f"{index:04d}.jpg": data for index, data in enumerate(sample.jpegs)}
    members = bytearray()
    for suffix, data in files.items():
        info = tarfile.TarInfo(f"{sample.key}.{suffix}")
        info.size = len(data)
        members += info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
    return bytes(members)


def decode_sample(data: bytes) -> PreparedSample:
    """The sample that `encode_sample` packed.

    Raises:
        InputError: if the bytes are no such sample.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            files = {m.name: _member(archive, m) for m in archive.getmembers()}
        key = next(iter(files)).split(".")[0]
        parts = {name.removeprefix(f"{key}."): content for name, content in files.items()}
        meta = parse_json(parts["json"])
        if meta["schema"] != SAMPLE_SCHEMA:
            raise InputError(
                f"Sample '{key}' has schema '{meta['schema']}', this version reads "
                f"'{SAMPLE_SCHEMA}'; update OSM-Net or prepare the folder again."
            )
        face = read_npz(
            io.BytesIO(parts["face.npz"]), "face of a sample", _FACE_ARRAYS, _FACE_LENGTHS
        )
        return PreparedSample(
            key,
            meta["source"],
            meta["speaker"],
            meta["subset"],
            meta["start"],
            Crop(*meta["crop"]),
            tuple(parts[f"{index:04d}.jpg"] for index in range(meta["frames"])),
            load_take(io.BytesIO(parts["take.npz"])),
            face["identity"].copy(),
            face["landmarks"].copy(),
            _samples(parts["wav"]) if "wav" in parts else None,
        )
    except (
        tarfile.TarError, KeyError, ValueError, TypeError, StopIteration, EOFError, TrackError,
        wave.Error,
    ) as error:  # fmt: skip
        raise InputError(f"A sample is damaged ({error}); prepare the folder again.") from error


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return b"" if stream is None else stream.read()


def _npz(write: Any) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _wave(samples: NDArray[np.float32]) -> bytes:
    stream = io.BytesIO()
    write_wave(stream, samples)
    return stream.getvalue()


def write_wave(target: str | io.BytesIO, samples: NDArray[np.float32]) -> None:
    """Write (n,) samples, 16 kHz mono, full scale ±1, as a 16-bit wav file."""
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        levels = np.clip(np.rint(samples * 32768.0), -32768, 32767)
        sound.writeframes(levels.astype("<i2").tobytes())


def _samples(data: bytes) -> NDArray[np.float32]:
    with wave.open(io.BytesIO(data)) as sound:
        levels = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    return (levels / 32768.0).astype(np.float32)
