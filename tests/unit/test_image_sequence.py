"""PNG sequences."""

import numpy as np
import pytest
from media import corners, names, numbered
from PIL import Image

from osmnet_sdk.errors import Cancelled, OSMNetWarning, OutputError, PhotoError
from osmnet_sdk.formats.image_sequence import write_png_sequence


def test_png_sequence(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (3, 40, 51, 3)).astype(np.uint8)
    folder = tmp_path / "new" / "take1"
    assert write_png_sequence(folder, iter(noise), metadata={"comment": "AI-generated. ü"}) == 3
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


def test_png_sequence_refuses_bad_places_and_frames(tmp_path):
    (tmp_path / "file").touch()

    def untouched():
        raise AssertionError("a frame was asked for")
        yield

    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="file"):
            write_png_sequence(folder, untouched())
    with pytest.raises(PhotoError, match="Frame 1"):
        write_png_sequence(tmp_path / "a", [corners(40, 40), np.zeros((40, 40), np.uint8)])


def test_frames_that_are_cancelled_leave_those_that_were_written(tmp_path):
    def drawn():
        yield from [corners(40, 40)] * 2
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_png_sequence(tmp_path / "b", drawn())
    assert names(tmp_path / "b") == ["frame_000000.png", "frame_000001.png"]
