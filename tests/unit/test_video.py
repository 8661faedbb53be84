"""Reading and writing video: time, colour, orientation, sound, metadata, failures."""

import io
import os
import struct
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from osmnet_sdk.audio.load import Audio, load_audio
from osmnet_sdk.errors import (
    AudioError,
    Cancelled,
    InputError,
    OSMNetWarning,
    OutputError,
    PhotoError,
)
from osmnet_sdk.formats import video_writer
from osmnet_sdk.formats.image_sequence import write_png_sequence
from osmnet_sdk.formats.video import read_frames, video_info
from osmnet_sdk.formats.video_writer import VideoWriter, check_writable

FPS = Fraction(25)


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


def write(path, frames, **options):
    with VideoWriter(path, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def tone(rate, seconds, channels=1):
    time = np.arange(int(rate * seconds)) / rate
    wave = 0.5 * np.sin(2 * np.pi * (200 * time + 500 * time**2)) * np.hanning(len(time))
    return np.repeat(wave[:, None].astype(np.float32), channels, axis=1)


def lag(reference, samples):
    size = 1 << 18
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(reference, size))
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak - size if peak > size // 2 else peak


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".m4v"])
def test_frames_come_back_in_order_and_in_time(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", map(numbered, range(40)))
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(40))
    assert [number(frame.image) for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.seconds for frame in frames], np.arange(40) / 25, atol=1e-3)
    info = video_info(path)
    assert (info.width, info.height, info.frames, info.fps) == (64, 64, 40, FPS)
    assert info.seconds == pytest.approx(1.6, abs=0.002)
    assert not info.has_audio
    assert names(tmp_path) == [path.name]


COLOURS = [
    (0, 0, 0),
    (255, 255, 255),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (128, 128, 128),
    (224, 172, 150),
    (90, 56, 40),
    (12, 200, 180),
]


def test_flat_colours_come_back_within_two_levels(tmp_path):
    flat = [np.full((48, 48, 3), colour, np.uint8) for colour in COLOURS]
    path = write(tmp_path / "a.mp4", [frame for frame in flat for _ in range(3)])
    for index, frame in enumerate(read_frames(path)):
        assert np.abs(frame.image.astype(int) - flat[index // 3]).max() <= 2, index
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
        # BT.709 in limited range, said so, so that every player shows the same colours.
        assert (first.colorspace, first.color_range) == (1, 1)
        assert (first.color_primaries, first.color_trc) == (1, 1)
        assert first.format.name == "yuv420p"


@pytest.mark.parametrize(
    ("codec", "pixels", "space"),
    [
        ("libx264", "yuv420p", "ITU601"),
        ("libx264", "yuv444p", "ITU709"),
        ("libx264", "yuvj420p", "ITU601"),
        ("mjpeg", "yuvj420p", "ITU601"),
        ("libx264rgb", "rgb24", None),
    ],
)
def test_other_colour_spaces_are_read_as_they_say(tmp_path, codec, pixels, space):
    path = tmp_path / "a.mkv"
    full = pixels.startswith("yuvj")
    options = {"crf": "4"} if codec.startswith("libx264") else {"qmin": "1", "qmax": "1"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width = stream.height = 48
        stream.pix_fmt = pixels
        if space:
            stream.codec_context.colorspace = {"ITU709": 1, "ITU601": 6}[space]
            stream.codec_context.color_range = 2 if full else 1
        for index, colour in enumerate(COLOURS):
            frame = av.VideoFrame.from_ndarray(np.full((48, 48, 3), colour, np.uint8))
            if space:
                frame = frame.reformat(
                    format=pixels,
                    src_color_range="JPEG",
                    dst_color_range="JPEG" if full else "MPEG",
                    dst_colorspace=space,
                )
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for frame, colour in zip(read_frames(path), COLOURS, strict=True):
        assert np.abs(frame.image.astype(int) - colour).max() <= 4


@given(
    source=st.sampled_from([10, 15, 24, 25, 30, 50, 60, Fraction(30000, 1001)]),
    wanted=st.sampled_from([12, 24, 25, 30, 60, Fraction(24000, 1001)]),
    count=st.integers(1, 30),
)
@settings(max_examples=12, deadline=None)
def test_another_rate_takes_the_nearest_frame(tmp_path_factory, source, wanted, count):
    source, wanted = Fraction(source), Fraction(wanted)
    path = tmp_path_factory.mktemp("rate") / "a.mp4"
    write(path, map(numbered, range(count)), fps=source)
    frames = list(read_frames(path, fps=wanted))
    # As long as the video, give or take the 2 ms that containers may round.
    assert abs(len(frames) - count / source * wanted) < 1 + 0.002 * wanted
    for index, frame in enumerate(frames):
        assert frame.index == index
        assert frame.seconds == pytest.approx(float(index / wanted))
        nearest = min(range(count), key=lambda k: abs(k / source - index / wanted))
        distance = abs(number(frame.image) / source - index / wanted)
        assert distance == pytest.approx(float(abs(nearest / source - index / wanted)), abs=1e-4)


def test_uneven_time_stamps_are_respected(tmp_path):
    path = tmp_path / "a.mkv"
    times = [0, 40, 60, 400, 440]  # milliseconds
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(index))
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert [frame.seconds for frame in read_frames(path)] == pytest.approx(
        [time / 1000 for time in times]
    )
    shown = [number(frame.image) for frame in read_frames(path, fps=FPS)]
    assert shown == [0, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]


MATRICES = {
    "as it is": ((1, 0, 0, 1), lambda image: image),
    "quarter turn clockwise": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "half turn": ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
    "quarter turn counter-clockwise": ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "transposed": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_rotation_and_mirroring_are_applied(tmp_path, name):
    (a, b, c, d), expected = MATRICES[name]
    path = write(tmp_path / "phone.mp4", [corners(64, 96)] * 3)
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd")  # version 0: the matrix lies 40 bytes behind the version
    unit = 1 << 16
    matrix = (a * unit, b * unit, 0, c * unit, d * unit, 0, 0, 0, 1 << 30)
    data[header + 44 : header + 80] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    upright = expected(corners(64, 96))
    image = next(read_frames(path)).image
    assert image.shape == upright.shape
    assert image.flags.c_contiguous
    np.testing.assert_allclose(corner_colours(image), corner_colours(upright), atol=6)
    info = video_info(path)
    assert (info.height, info.width) == upright.shape[:2]


@pytest.mark.parametrize(("height", "width"), [(63, 64), (64, 65), (33, 47)])
def test_odd_sizes_are_made_even(tmp_path, height, width):
    image = corners(height, width)
    path = write(tmp_path / "a.mp4", [image] * 2)
    read = next(read_frames(path)).image
    assert read.shape == (height + height % 2, width + width % 2, 3)
    np.testing.assert_allclose(corner_colours(read), corner_colours(image), atol=6)
    np.testing.assert_allclose(read[-1].astype(int), read[-2], atol=12)


@pytest.mark.parametrize(
    ("rate", "channels", "expected"),
    [
        (16000, 1, 48000),
        (8000, 1, 48000),
        (44100, 2, 44100),
        (22050, 1, 44100),
        (48000, 2, 48000),
        (96000, 6, 48000),
    ],
)
def test_sound_is_encoded_in_place_and_cut_or_filled(tmp_path, rate, channels, expected):
    for seconds, frames in ((1.0, 50), (2.0, 30)):
        path = tmp_path / "a.mp4"
        sound = (tone(rate, seconds, channels), rate)
        write(path, [corners(48, 48)] * frames, audio=sound)
        audio = load_audio(path)
        assert audio.frames == frames
        reference = load_audio(sound).samples[: frames * 640]
        assert abs(lag(reference, audio.samples)) <= 1
        size = min(len(reference), len(audio.samples)) - 800
        assert np.corrcoef(reference[:size], audio.samples[:size])[0, 1] > 0.99
        assert np.abs(audio.samples[len(reference) + 800 :]).max(initial=0) < 0.02
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            assert stream.codec_context.name == "aac"
            assert stream.codec_context.sample_rate == expected
            assert stream.codec_context.layout.nb_channels == (2 if channels == 2 else 1)
        assert video_info(path).has_audio


def test_sound_may_be_a_file_a_file_object_or_a_recording(tmp_path):
    voice = write(tmp_path / "voice.mp4", [corners(48, 48)] * 20, audio=(tone(16000, 0.8), 16000))
    reference = load_audio(voice)
    data = io.BytesIO(voice.read_bytes())
    for source in (voice, str(voice), data, Audio(reference.samples)):
        audio = load_audio(write(tmp_path / "b.mkv", [corners(48, 48)] * 20, audio=source))
        assert abs(lag(reference.samples, audio.samples)) <= 1
    assert not data.closed


def test_sound_that_is_not_a_multiple_of_anything_stays_in_step(tmp_path):
    fps = Fraction(30000, 1001)
    write(tmp_path / "a.mp4", [corners(48, 48)] * 61, fps=fps, audio=(tone(44100, 3), 44100))
    assert load_audio(tmp_path / "a.mp4").seconds == pytest.approx(float(61 / fps), abs=1e-3)


def test_bad_sound_is_refused_before_the_first_frame(tmp_path):
    target = tmp_path / "a.mp4"
    with pytest.raises(AudioError, match="nowhere"):
        VideoWriter(target, audio=tmp_path / "nowhere.wav")
    assert not target.exists()


def test_metadata_is_kept(tmp_path):
    tags = {"title": "AI-generated talking head", "comment": 'AI-generated. {"seed": 7, "a": "ü"}'}
    for suffix in (".mp4", ".mov", ".mkv"):
        path = write(tmp_path / f"a{suffix}", [corners(48, 48)], metadata=tags)
        with av.open(str(path)) as container:
            read = {key.lower(): value for key, value in container.metadata.items()}
        assert {key: read[key] for key in tags} == tags


def test_quality_and_size_follow_crf(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    sizes = {}
    for crf in (5, 40):
        sizes[crf] = write(tmp_path / f"{crf}.mp4", [noise] * 5, crf=crf).stat().st_size
    assert sizes[5] > 2 * sizes[40]


def test_the_caller_may_use_its_array_again(tmp_path):
    buffer = np.empty((64, 64, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for index in range(30):
            buffer[:] = numbered(index)
            writer.write(buffer)
    assert [number(frame.image) for frame in read_frames(tmp_path / "a.mp4")] == list(range(30))


@pytest.mark.parametrize("error", [Cancelled("stop"), KeyboardInterrupt(), ValueError("bug")])
@pytest.mark.parametrize("frames", [0, 1, 60])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error, frames):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old file")

    def interrupted():
        yield from (numbered(index % 50) for index in range(frames))
        raise error

    with pytest.raises(type(error)):
        write(path, interrupted(), audio=(tone(16000, 1.0), 16000))
    assert path.read_bytes() == b"the old file"
    assert names(tmp_path) == ["a.mp4"]
    assert not [thread for thread in threading.enumerate() if thread.name == "video encoder"]


def test_a_video_replaces_the_old_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old file")
    write(path, [corners(48, 48)])
    assert video_info(path).frames == 1


def test_a_failing_encoder_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(video_writer.av, "open", full)
    # More frames than the queue holds: waiting for a dead encoder must not last for ever.
    with pytest.raises(OutputError, match=r"a\.mp4.*No space left"):
        write(tmp_path / "a.mp4", map(numbered, range(50)))
    assert names(tmp_path) == []


def test_no_frames_and_wrong_frames_are_refused(tmp_path):
    with pytest.raises(OutputError, match="no frames"):
        write(tmp_path / "a.mp4", [])
    for wrong in (
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((32, 64, 3), np.uint8),
    ):
        with pytest.raises(PhotoError):
            write(tmp_path / "a.mp4", [corners(64, 64), wrong])
    with pytest.raises(InputError, match="with"):
        VideoWriter(tmp_path / "a.mp4").write(corners(64, 64))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "options", [{"fps": Fraction(0)}, {"crf": 52}, {"crf": -1}, {"preset": "best"}, {"threads": -1}]
)
def test_options_out_of_range_are_refused(tmp_path, options):
    with pytest.raises(InputError):
        VideoWriter(tmp_path / "a.mp4", **options)


def test_unwritable_places_are_refused_at_once(tmp_path, monkeypatch):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    for path in (
        tmp_path / "folder.mp4",
        tmp_path / "a.txt",
        tmp_path / "a",
        tmp_path / "nowhere" / "a.mp4",
        tmp_path / "file" / "a.mp4",
        "a\0b.mp4",
    ):
        for refused in (check_writable, VideoWriter):
            with pytest.raises(OutputError) as caught:
                refused(path)
            assert str(caught.value).endswith(".")
    (tmp_path / "a.mp4").touch()
    check_writable(tmp_path / "a.mp4")
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda *_: False)
        with pytest.raises(OutputError, match="write-protected"):
            check_writable(tmp_path / "a.mp4")

    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(video_writer.tempfile, "TemporaryFile", forbidden)
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(tmp_path / "b.mp4")


def test_a_video_that_is_cut_short_gives_what_it_has_and_warns(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = write(tmp_path / "a.mkv", [np.roll(noise, k, 0) for k in range(40)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(OSMNetWarning, match="cut short"):
        frames = list(read_frames(path))
    assert 3 < len(frames) < 40
    path = write(tmp_path / "b.mp4", [np.roll(noise, k, 0) for k in range(40)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(OSMNetWarning, match="cut short"):
        frames = list(read_frames(path))
    assert 3 < len(frames) < 40


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("these are words\n" * 100)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(4).bytes(5000))
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
    for path in (tmp_path, *sorted(tmp_path.iterdir()), tmp_path / "nowhere.mp4"):
        for read in (video_info, lambda path: list(read_frames(path))):
            with pytest.raises(PhotoError, match=path.name) as caught:
                read(path)
            assert str(caught.value).endswith(".")
    with pytest.raises(InputError, match="frame rate"):
        read_frames(tmp_path / "empty.mp4", fps=Fraction(0))


def test_reading_is_lazy_and_may_stop(tmp_path):
    path = write(tmp_path / "a.mp4", map(numbered, range(30)))
    frames = read_frames(path)
    assert number(next(frames).image) == 0
    frames.close()
    path.unlink()


def test_png_sequence(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (3, 40, 51, 3)).astype(np.uint8)
    seen = []
    folder = tmp_path / "new" / "take1"
    count = write_png_sequence(
        folder,
        iter(noise),
        metadata={"comment": "AI-generated. ü"},
        total=3,
        progress=lambda *step: seen.append(step),
    )
    assert count == 3
    assert seen == [("Writing frames", done, 3) for done in range(4)]
    written = [f"frame_00000{index}.png" for index in range(3)]
    assert names(folder) == written
    for name, expected in zip(written, noise, strict=True):
        with Image.open(folder / name) as image:
            np.testing.assert_array_equal(np.asarray(image), expected)
            assert image.text["comment"] == "AI-generated. ü"


def test_png_sequence_warns_of_the_rest_of_a_longer_one(tmp_path):
    write_png_sequence(tmp_path, [corners(40, 40)] * 4)
    with pytest.warns(OSMNetWarning, match="from number 2 on"):
        write_png_sequence(tmp_path, [numbered(1, 40, 40)] * 2)
    assert len(names(tmp_path)) == 4


def test_png_sequence_refuses_bad_places_and_frames_and_can_be_cancelled(tmp_path):
    (tmp_path / "file").touch()

    def untouched():
        raise AssertionError("a frame was asked for")
        yield

    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="file"):
            write_png_sequence(folder, untouched())
    with pytest.raises(PhotoError, match="Frame 1"):
        write_png_sequence(tmp_path / "a", [corners(40, 40), np.zeros((40, 40), np.uint8)])
    calls = iter([False, False, True])
    with pytest.raises(Cancelled):
        write_png_sequence(tmp_path / "b", iter([corners(40, 40)] * 9), cancel=lambda: next(calls))
    assert names(tmp_path / "b") == ["frame_000000.png", "frame_000001.png"]
