"""Loading photos: modes, depths, orientation, damage and bad input."""

import contextlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from osmnet_sdk.errors import PhotoError
from osmnet_sdk.formats.photo import load_photo


def picture(height=48, width=64):
    """Smooth colours, all four corners different."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (height + width - 2)],
        axis=2,
    ).astype(np.uint8)


def difference(first, second):
    assert first.shape == second.shape
    return np.abs(first.astype(int) - second).max()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".gif", ".jpg"])
def test_every_format_gives_rgb(tmp_path, suffix):
    path = tmp_path / f"face{suffix}"
    options = {".webp": {"lossless": True}, ".jpg": {"quality": 98, "subsampling": 0}}
    Image.fromarray(picture()).save(path, **options.get(suffix, {}))
    image = load_photo(path)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert difference(image, picture()) <= {".gif": 40, ".jpg": 8}.get(suffix, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    upright = picture()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in (".png", ".jpg"):
        path = tmp_path / f"face{suffix}"
        Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=97)
        assert difference(load_photo(path), upright) <= (12 if suffix == ".jpg" else 0)


def test_grey_palette_bilevel_and_cmyk(tmp_path):
    grey = Image.fromarray(picture()).convert("L")
    grey.save(tmp_path / "grey.png")
    expected = np.repeat(np.asarray(grey)[..., None], 3, axis=2)
    assert difference(load_photo(tmp_path / "grey.png"), expected) == 0
    blocks = np.repeat(np.repeat(np.arange(48).reshape(6, 8), 8, axis=0), 8, axis=1)
    palette = Image.fromarray(blocks.astype(np.uint8)).convert("P")
    colours = np.random.default_rng(1).integers(0, 256, (256, 3))
    palette.putpalette(colours.astype(np.uint8).tobytes())
    palette.save(tmp_path / "palette.png")
    assert difference(load_photo(tmp_path / "palette.png"), colours[blocks]) == 0
    Image.fromarray(blocks > 20).save(tmp_path / "two.png")
    assert set(np.unique(load_photo(tmp_path / "two.png"))) == {0, 255}
    for suffix in (".tif", ".jpg"):
        path = tmp_path / f"print{suffix}"
        Image.fromarray(picture()).convert("CMYK").save(path, quality=98)
        assert difference(load_photo(path), picture()) <= 8


def test_transparent_places_become_white(tmp_path):
    alpha = np.zeros((48, 64, 1), np.uint8)
    alpha[:24], alpha[24:36] = 255, 128
    rgba = np.concatenate([picture(), alpha], axis=2)
    Image.fromarray(rgba).save(tmp_path / "face.png")
    for image in (load_photo(tmp_path / "face.png"), load_photo(rgba)):
        assert difference(image[:24], picture()[:24]) == 0
        middle = picture()[24:36] * (128 / 255) + 255 * (127 / 255)
        np.testing.assert_allclose(image[24:36], middle, atol=1.01)
        assert (image[36:] == 255).all()
    grey = Image.fromarray(rgba).convert("LA")
    grey.save(tmp_path / "grey.png")
    assert (load_photo(tmp_path / "grey.png")[36:] == 255).all()
    palette = Image.fromarray(np.kron([[0, 1], [2, 3]], np.ones((32, 32))).astype(np.uint8))
    palette = palette.convert("P")
    palette.putpalette([10, 20, 30] * 256)
    palette.save(tmp_path / "palette.png", transparency=2)
    image = load_photo(tmp_path / "palette.png")
    assert image[40, 10].tolist() == [255, 255, 255]
    assert image[10, 10].tolist() == [10, 20, 30]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits(tmp_path, suffix, channels):
    rng = np.random.default_rng(2)
    deep = rng.integers(0, 65536, (40, 50, channels)).astype(np.uint16)
    if channels == 4:
        deep[..., 3] = 65535
    path = tmp_path / f"deep{suffix}"
    stored = deep if channels == 1 else deep[..., [2, 1, 0, 3][:channels]]
    assert cv2.imwrite(str(path), stored)
    expected = np.rint(np.broadcast_to(deep[..., : min(channels, 3)], (40, 50, 3)) / 257)
    for image in (load_photo(path), load_photo(deep)):
        assert difference(image, expected) <= 1


def test_float_pictures(tmp_path):
    grey = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    expected = np.repeat(np.rint(grey * 255)[..., None], 3, axis=2)
    for scale in (1, 255, 65535):
        Image.fromarray(grey * np.float32(scale)).save(tmp_path / "grey.tif")
        assert difference(load_photo(tmp_path / "grey.tif"), expected) <= 1
    Image.fromarray(grey * np.float32(1e9)).save(tmp_path / "grey.tif")
    with pytest.raises(PhotoError, match="beyond 16 bits"):
        load_photo(tmp_path / "grey.tif")


@given(
    height=st.integers(32, 40),
    width=st.integers(32, 40),
    channels=st.sampled_from([0, 1, 3]),
    kind=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_arrays_of_every_type_agree(height, width, channels, kind, seed):
    shape = (height, width, channels) if channels else (height, width)
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    factor = {"uint8": 1, "uint16": 257}.get(kind, 1 / 255)
    image = load_photo((values * np.float64(factor)).astype(kind))
    assert image.shape == (height, width, 3)
    expected = np.broadcast_to(values.reshape(height, width, -1), image.shape)
    assert difference(image, expected) == 0
    image[:] = 0  # a copy, even if nothing had to be converted
    assert values.any()


def test_file_objects_are_read_from_their_start_and_left_open(tmp_path):
    path = tmp_path / "face.png"
    Image.fromarray(picture()).save(path)
    memory = io.BytesIO(path.read_bytes())
    with path.open("rb") as file:
        for source in (memory, file, memory):
            source.seek(5)
            assert difference(load_photo(source), picture()) == 0
            assert not source.closed

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    assert difference(load_photo(Pipe(path.read_bytes())), picture()) == 0


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".gif", ".bmp"])
def test_a_file_that_is_cut_short_says_so(tmp_path, suffix):
    path = tmp_path / f"face{suffix}"
    noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(PhotoError, match=rf"face\{suffix}.*(cut short|can be read)"):
        load_photo(path)


@given(seed=st.integers(0, 10_000), suffix=st.sampled_from(["JPEG", "PNG", "TIFF", "GIF", "WEBP"]))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_give_a_photo_or_one_error(seed, suffix):
    rng = np.random.default_rng(seed)
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, suffix)
    data = bytearray(file.getvalue())
    for place in rng.integers(0, len(data), 6):
        data[place] = rng.integers(0, 256)
    with contextlib.suppress(PhotoError):
        assert load_photo(io.BytesIO(bytes(data))).ndim == 3


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("these are words")
    (tmp_path / "noise.png").write_bytes(np.random.default_rng(4).bytes(5000))
    Image.fromarray(picture(31, 200)).save(tmp_path / "thin.png")
    for source in [
        tmp_path,
        *sorted(tmp_path.iterdir()),
        tmp_path / "nowhere.jpg",
        "a\0b",
        b"bytes",
        None,
        7,
        io.BytesIO(),
        io.StringIO("words"),
    ]:
        with pytest.raises(PhotoError) as caught:
            load_photo(source)
        assert str(caught.value).endswith(".")
    with pytest.raises(PhotoError, match="200 × 31"):
        load_photo(tmp_path / "thin.png")


BAD_ARRAYS = {
    "one axis": np.zeros(500, np.uint8),
    "two channels": np.zeros((40, 40, 2), np.uint8),
    "channels first": np.zeros((3, 40, 40), np.uint8),
    "a batch": np.zeros((1, 40, 40, 3), np.uint8),
    "too small": np.zeros((20, 40, 3), np.uint8),
    "empty": np.zeros((0, 0, 3), np.uint8),
    "int64": np.zeros((40, 40, 3), np.int64),
    "bool": np.zeros((40, 40), bool),
    "text": np.full((40, 40), "a"),
    "above 1": np.full((40, 40, 3), 255.0),
    "negative": np.full((40, 40, 3), -0.5),
    "NaN": np.full((40, 40, 3), np.nan),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_are_refused(name):
    with pytest.raises(PhotoError):
        load_photo(BAD_ARRAYS[name])


def test_photos_beyond_pillows_own_limit_are_read_but_bombs_are_not(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    Image.fromarray(picture()).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert difference(load_photo(path), picture()) == 0
    assert Image.MAX_IMAGE_PIXELS == 1000
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 30_000, 12_500)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=r"30000 × 12500.*200 megapixels"):
        load_photo(path)
    assert Image.MAX_IMAGE_PIXELS == 1000
