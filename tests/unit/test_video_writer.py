"""Writing video: size, sound, metadata, failures and bad places."""

import io
import os
import tempfile
import threading
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from media import corner_colours, corners, lag, names, number, numbered, tone, write_video

from osmnet_sdk.audio.load import Audio, load_audio
from osmnet_sdk.errors import AudioError, Cancelled, InputError, OutputError, PhotoError
from osmnet_sdk.formats import video_writer
from osmnet_sdk.formats.video import read_frames, video_info
from osmnet_sdk.formats.video_writer import VideoWriter, check_writable


@pytest.mark.parametrize(("height", "width"), [(63, 64), (64, 65), (33, 47)])
def test_odd_sizes_are_made_even(tmp_path, height, width):
    image = corners(height, width)
    path = write_video(tmp_path / "a.mp4", [image] * 2)
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
        write_video(path, [corners(48, 48)] * frames, audio=sound)
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
    voice = write_video(
        tmp_path / "voice.mp4", [corners(48, 48)] * 20, audio=(tone(16000, 0.8), 16000)
    )
    reference = load_audio(voice)
    data = io.BytesIO(voice.read_bytes())
    for source in (voice, str(voice), data, Audio(reference.samples)):
        audio = load_audio(write_video(tmp_path / "b.mkv", [corners(48, 48)] * 20, audio=source))
        assert abs(lag(reference.samples, audio.samples)) <= 1
    assert not data.closed


def test_sound_that_is_not_a_multiple_of_anything_stays_in_step(tmp_path):
    fps = Fraction(30000, 1001)
    write_video(tmp_path / "a.mp4", [corners(48, 48)] * 61, fps=fps, audio=(tone(44100, 3), 44100))
    assert load_audio(tmp_path / "a.mp4").seconds == pytest.approx(float(61 / fps), abs=1e-3)


def test_bad_sound_is_refused_before_the_first_frame(tmp_path):
    target = tmp_path / "a.mp4"
    with pytest.raises(AudioError, match="nowhere"):
        VideoWriter(target, audio=tmp_path / "nowhere.wav")
    assert not target.exists()


def test_metadata_is_kept(tmp_path):
    tags = {"title": "AI-generated talking head", "comment": 'AI-generated. {"seed": 7, "a": "ü"}'}
    for suffix in (".mp4", ".mov", ".mkv"):
        path = write_video(tmp_path / f"a{suffix}", [corners(48, 48)], metadata=tags)
        with av.open(str(path)) as container:
            read = {key.lower(): value for key, value in container.metadata.items()}
        assert {key: read[key] for key in tags} == tags


def test_quality_and_size_follow_crf(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    sizes = {}
    for crf in (5, 40):
        sizes[crf] = write_video(tmp_path / f"{crf}.mp4", [noise] * 5, crf=crf).stat().st_size
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
        write_video(path, interrupted(), audio=(tone(16000, 1.0), 16000))
    assert path.read_bytes() == b"the old file"
    assert names(tmp_path) == ["a.mp4"]
    assert not [thread for thread in threading.enumerate() if thread.name == "video encoder"]


def test_a_video_replaces_the_old_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old file")
    write_video(path, [corners(48, 48)])
    assert video_info(path).frames == 1


def test_a_failing_encoder_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(video_writer.av, "open", full)
    # More frames than the queue holds: waiting for a dead encoder must not last for ever.
    with pytest.raises(OutputError, match=r"a\.mp4.*No space left"):
        write_video(tmp_path / "a.mp4", map(numbered, range(50)))
    assert names(tmp_path) == []


def test_no_frames_and_wrong_frames_are_refused(tmp_path):
    with pytest.raises(OutputError, match="no frames"):
        write_video(tmp_path / "a.mp4", [])
    for wrong in (
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((32, 64, 3), np.uint8),
    ):
        with pytest.raises(PhotoError):
            write_video(tmp_path / "a.mp4", [corners(64, 64), wrong])
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

    monkeypatch.setattr(tempfile, "TemporaryFile", forbidden)
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(tmp_path / "b.mp4")


@pytest.mark.parametrize("sound", [False, True])
def test_the_same_frames_make_the_same_bytes(tmp_path, sound):
    """At a size whose bytes were others in nearly every run, with uninitialised memory about."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (14, 48, 64, 3)).astype(np.uint8)
    audio = (np.sin(np.arange(8000) / 20).astype(np.float32), 16_000) if sound else None
    made = set()
    for _ in range(6):
        with VideoWriter(tmp_path / "a.mp4", audio=audio) as writer:
            for frame in frames:
                writer.write(cv2.GaussianBlur(frame, (0, 0), 2))
        made.add((tmp_path / "a.mp4").read_bytes())
    assert len(made) == 1
