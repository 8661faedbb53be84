"""Reading video: time, colour, orientation, damage and bad input."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import corner_colours, corners, names, number, numbered, write_video
from PIL import Image

from osmnet_sdk.errors import InputError, OSMNetWarning, PhotoError
from osmnet_sdk.formats.video import read_frames, video_info

FPS = Fraction(25)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".m4v"])
def test_frames_come_back_in_order_and_in_time(tmp_path, suffix):
    path = write_video(tmp_path / f"a{suffix}", map(numbered, range(40)))
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
    path = write_video(tmp_path / "a.mp4", [frame for frame in flat for _ in range(3)])
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
    write_video(path, map(numbered, range(count)), fps=source)
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
    path = write_video(tmp_path / "phone.mp4", [corners(64, 96)] * 3)
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


def test_a_video_that_is_cut_short_gives_what_it_has_and_warns(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = write_video(tmp_path / "a.mkv", [np.roll(noise, k, 0) for k in range(40)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(OSMNetWarning, match="cut short"):
        frames = list(read_frames(path))
    assert 3 < len(frames) < 40
    path = write_video(tmp_path / "b.mp4", [np.roll(noise, k, 0) for k in range(40)])
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
            with pytest.raises(InputError, match=path.name) as caught:
                read(path)
            assert not isinstance(caught.value, PhotoError)
            assert str(caught.value).endswith(".")
    with pytest.raises(InputError, match="frame rate"):
        read_frames(tmp_path / "empty.mp4", fps=Fraction(0))


def test_reading_is_lazy_and_may_stop(tmp_path):
    path = write_video(tmp_path / "a.mp4", map(numbered, range(30)))
    frames = read_frames(path)
    assert number(next(frames).image) == 0
    frames.close()
    path.unlink()


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(2), (64, 128)),
        (Fraction(64, 45), (64, 91)),
        (Fraction(8, 9), (72, 64)),
        (Fraction(1, 2), (128, 64)),
        (Fraction(100), (64, 64)),  # cannot be meant
    ],
)
def test_oblong_pixels_are_made_square(tmp_path, aspect, shape):
    path = tmp_path / "tape.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.codec_context.sample_aspect_ratio = aspect
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(corners(64, 64))))
        container.mux(stream.encode(None))
    image = next(read_frames(path)).image
    assert image.shape[:2] == shape
    np.testing.assert_allclose(corner_colours(image), corner_colours(corners(64, 64)), atol=8)
    info = video_info(path)
    assert (info.height, info.width) == shape
