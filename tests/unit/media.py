"""Sounds, pictures and videos that the tests of this folder make and compare."""

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from osmnet_sdk.formats.video_writer import VideoWriter

PACKED = {"pcm_s16le": "s16", "pcm_f32le": "flt", "pcm_u8": "u8", "flac": "s16", "libopus": "flt"}


def chirp(rate, seconds=1.3, level=0.5):
    """A sweep that fades in and out, so that its place in time can be found."""
    time = np.arange(int(rate * seconds)) / rate
    wave = np.sin(2 * np.pi * (200 * time + 700 * time**2)) * np.hanning(len(time))
    return (level * wave).astype(np.float32)


def write_sound(path, samples, rate, codec, *, layout="mono", start=0.0, picture=False):
    """Write samples (n,) or (n, channels); with `picture`, beside one second of black frames."""
    channels = av.AudioLayout(layout).nb_channels
    form = PACKED.get(codec, "fltp" if channels < 8 else "flt")
    samples = np.broadcast_to(samples.reshape(len(samples), -1), (len(samples), channels))
    if form == "s16":
        samples = np.rint(samples * 32767).astype(np.int16)
    elif form == "u8":
        samples = np.rint(samples * 127 + 128).astype(np.uint8)
    data = samples.T if form == "fltp" else samples.reshape(1, -1)
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=rate)
        sound.layout = layout
        if picture:
            video = container.add_stream("libx264", rate=25)
            video.width = video.height = 64
            for index in range(25):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), form, layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = round(start * rate), Fraction(1, rate)
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def lag(reference, samples):
    """By how many samples the second lies behind the first."""
    size = 1 << 18
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(reference, size))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak - size if peak > size // 2 else peak


def tone(rate, seconds, channels=1):
    time = np.arange(int(rate * seconds)) / rate
    wave = 0.5 * np.sin(2 * np.pi * (200 * time + 500 * time**2)) * np.hanning(len(time))
    return np.repeat(wave[:, None].astype(np.float32), channels, axis=1)


def numbered(index, height=64, width=64):
    """A grey whose level tells the number of the frame."""
    return np.full((height, width, 3), 20 + 4 * index, np.uint8)


def number(image):
    return round((float(image.mean()) - 20) / 4)


def corners(height, width):
    """Red, green, blue and white quarters: top left, top right, bottom left, bottom right."""
    image = np.zeros((height, width, 3), np.uint8)
    half, middle = height // 2, width // 2
    image[:half, :middle], image[:half, middle:] = (220, 30, 30), (30, 200, 30)
    image[half:, :middle], image[half:, middle:] = (30, 30, 220), (230, 230, 230)
    return image


def corner_colours(image):
    height, width = image.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return [image[y, x].astype(int).tolist() for y in rows for x in columns]


def write_video(path, frames, **options):
    with VideoWriter(path, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def png():
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()
