"""Colour profiles, alpha, HEIC: what phones, presses and cutting programs put into files."""

from __future__ import annotations

import io
import struct
import sys

import av
import numpy as np
import pytest
from colour_profiles import cmyk_profile, grey_profile, rgb_profile, to_xyz
from PIL import Image

from osmnet_sdk.errors import OSMNetWarning, PhotoError
from osmnet_sdk.formats.photo import load_photo, load_picture

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))

COLOURS = [(200, 120, 90), (90, 140, 110), (60, 80, 150), (128, 128, 128), (255, 255, 255)]


def patch(colour, mode="RGB"):
    return Image.new(mode, (40, 40), colour)


def srgb_of(linear):
    value = np.clip(linear, 0, 1)
    curve = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return curve * 255


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize(("primaries", "gamma"), [(P3, 2.2), (ADOBE, 2.19921875), (SRGB, 1.8)])
def test_rgb_profiles_are_applied(tmp_path, suffix, primaries, gamma):
    options = {".webp": {"lossless": True}, ".jpg": {"quality": 100, "subsampling": 0}}
    for colour in COLOURS:
        path = tmp_path / f"face{suffix}"
        patch(colour).save(
            path, icc_profile=rgb_profile(primaries, gamma), **options.get(suffix, {})
        )
        linear = (np.array(colour) / 255) ** gamma
        wanted = srgb_of(np.linalg.solve(to_xyz(SRGB), to_xyz(primaries) @ linear))
        got = load_photo(path)[20, 20]
        np.testing.assert_allclose(got, wanted, atol=2.5 if suffix == ".jpg" else 1.5)


def test_a_profile_leaves_alpha_alone(tmp_path):
    picture = patch((90, 140, 110, 255), "RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((40, 40)))
    picture.save(tmp_path / "cut.png", icc_profile=rgb_profile(ADOBE, 2.2))
    loaded = load_picture(tmp_path / "cut.png")
    assert (loaded.alpha == np.asarray(picture)[..., 3]).all()
    opaque = loaded.pixels[loaded.alpha > 250].mean(0)
    linear = (np.array([90, 140, 110]) / 255) ** 2.2
    wanted = srgb_of(np.linalg.solve(to_xyz(SRGB), to_xyz(ADOBE) @ linear))
    np.testing.assert_allclose(opaque, wanted, atol=4)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_profiles_are_applied(tmp_path, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.full((40, 40), 100 * 257, np.uint16))
    else:
        picture = patch(100 if mode == "L" else (100, 255), mode)
    picture.save(tmp_path / "grey.png", icc_profile=grey_profile(1.0))
    got = load_photo(tmp_path / "grey.png")[20, 20]
    np.testing.assert_allclose(got, srgb_of(100 / 255), atol=1.5)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_press_profiles_are_applied(tmp_path, suffix):
    inks = np.array([[-100, -30, -50], [-130, 70, -5], [-25, -5, 90], [-230, 0, 0]])
    profile = cmyk_profile((250, 128, 128), inks)
    for colour, lab in (
        ((0, 0, 0, 0), (250, 128, 128)),
        ((0, 0, 0, 255), (20, 128, 128)),
        ((0, 255, 0, 0), (120, 198, 123)),
    ):
        patch(colour, "CMYK").save(tmp_path / f"press{suffix}", icc_profile=profile, quality=100)
        got = load_photo(tmp_path / f"press{suffix}")[20, 20].astype(float)
        light = lab[0] / 255 * 100
        relative = ((light + 16) / 116) ** 3 if light > 8 else light / 903.3
        luminance = to_xyz(SRGB)[1] @ np.where(
            got / 255 <= 0.04045, got / 255 / 12.92, ((got / 255 + 0.055) / 1.055) ** 2.4
        )
        assert abs(luminance - relative) < 0.06
        assert (np.ptp(got) < 3) == (lab[1] == 128)  # grey stays grey, magenta is a colour
        if lab[1] > 128:
            assert got[0] > got[1] + 60


def test_profiles_that_do_not_fit_or_cannot_be_read_do_no_harm(tmp_path):
    patch((90, 140, 110)).save(tmp_path / "wrong.png", icc_profile=grey_profile(1.0))
    assert load_photo(tmp_path / "wrong.png")[20, 20].tolist() == [90, 140, 110]
    patch((90, 140, 110)).save(tmp_path / "torn.png", icc_profile=rgb_profile(P3, 2.2)[:200])
    with pytest.warns(OSMNetWarning, match="colour profile of .* cannot be read"):
        assert load_photo(tmp_path / "torn.png")[20, 20].tolist() == [90, 140, 110]


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "array", "webp", "premultiplied"])
def test_alpha_is_kept_and_colours_lie_on_white(tmp_path, kind):
    alpha = np.zeros((40, 40), np.uint8)
    alpha[:, :20], alpha[:, 20:30] = 255, 255 if kind == "palette" else 100
    rgba = np.dstack([np.full((40, 40, 3), (80, 80, 80), np.uint8), alpha])
    source = tmp_path / "cut.png"
    if kind == "array":
        source = rgba
    elif kind == "webp":
        source = tmp_path / "cut.webp"
        Image.fromarray(rgba).save(source, lossless=True, exact=True)
    elif kind == "palette":
        index = Image.fromarray((alpha == 0).astype(np.uint8)).convert("P")
        index.putpalette([80, 80, 80, 0, 0, 0] + [0] * 762)
        index.save(source, transparency=1)
    elif kind == "premultiplied":
        source = tmp_path / "cut.tif"
        mixed = np.dstack([rgba[..., :3] * (alpha[..., None] / 255), alpha]).round()
        Image.fromarray(mixed.astype(np.uint8)).save(source)
        straight, premultiplied = (struct.pack("<HHIH", 338, 3, 1, kind) for kind in (2, 1))
        data = source.read_bytes()
        assert straight in data
        source.write_bytes(data.replace(straight, premultiplied))
    else:
        Image.fromarray(rgba).convert(kind).save(source)
    loaded = load_picture(source)
    assert (loaded.alpha == alpha).all()
    share = alpha[..., None] / 255
    wanted = 80 * share + 255 * (1 - share)
    np.testing.assert_allclose(loaded.pixels, np.broadcast_to(wanted, (40, 40, 3)), atol=1.6)


def test_an_opaque_picture_has_no_alpha(tmp_path):
    patch((90, 140, 110, 255), "RGBA").save(tmp_path / "full.png")
    assert load_picture(tmp_path / "full.png").alpha is None


def test_of_animations_the_first_frame_is_taken(tmp_path):
    frames = [patch((200, 30, 30)), patch((30, 200, 30))]
    for suffix, options in ((".gif", {}), (".webp", {"lossless": True}), (".png", {}),
                            (".tif", {}), (".avif", {"quality": 100})):  # fmt: skip
        path = tmp_path / f"moving{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_allclose(load_photo(path)[20, 20], (200, 30, 30), atol=4)


def _box(name: bytes, *parts: bytes, version: int | None = None) -> bytes:
    data = b"".join(parts)
    if version is not None:
        data = struct.pack(">I", version << 24) + data
    return struct.pack(">I", len(data) + 8) + name + data


def heic(pixels: np.ndarray, quarter_turns: int = 0) -> bytes:
    """A HEIC file (ISO 23008-12) around one frame that an HEVC encoder makes."""
    film = io.BytesIO()
    height, width = pixels.shape[:2]
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options={"x265-params": "log-level=0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    film.seek(0)
    with av.open(film) as container:
        data = bytes(next(container.demux(video=0)))
        settings = container.streams.video[0].codec_context.extradata
    properties = _box(
        b"ipco",
        _box(b"hvcC", settings),
        _box(b"ispe", struct.pack(">II", width, height), version=0),
        _box(b"irot", bytes([quarter_turns])),
    )
    used = _box(b"ipma", struct.pack(">IHBBBB", 1, 1, 3, 0x81, 2, 0x83), version=0)
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        return _box(
            b"meta",
            _box(b"hdlr", bytes(4), b"pict", bytes(13), version=0),
            _box(b"pitm", struct.pack(">H", 1), version=0),
            _box(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(data)),
                 version=0),
            _box(b"iinf", struct.pack(">H", 1),
                 _box(b"infe", struct.pack(">HH", 1, 0), b"hvc1", b"\0", version=2), version=0),
            _box(b"iprp", properties, used),
            version=0,
        )  # fmt: skip

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", data)


def test_heic_is_read_with_the_extra(tmp_path):
    pytest.importorskip("pi_heif")
    pixels = np.full((64, 96, 3), (200, 60, 60), np.uint8)
    pixels[:, 48:] = (60, 60, 200)
    (tmp_path / "phone.heic").write_bytes(heic(pixels))
    loaded = load_photo(tmp_path / "phone.heic")
    assert loaded.shape == (64, 96, 3)
    np.testing.assert_allclose(loaded[32, 12], (200, 60, 60), atol=12)
    np.testing.assert_allclose(loaded[32, 84], (60, 60, 200), atol=12)
    (tmp_path / "turned.heic").write_bytes(heic(pixels, quarter_turns=1))  # anticlockwise
    turned = load_photo(tmp_path / "turned.heic")
    assert turned.shape == (96, 64, 3)
    np.testing.assert_allclose(turned[12, 32], (60, 60, 200), atol=12)


def test_heic_without_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    (tmp_path / "phone.jpg").write_bytes(_box(b"ftyp", b"heic", bytes(4), b"mif1heic") + bytes(99))
    with pytest.raises(PhotoError, match=r"HEIC photo.*osmnet-sdk\[heic\].*JPEG"):
        load_photo(tmp_path / "phone.jpg")


def test_a_damaged_heic_is_refused(tmp_path):
    pytest.importorskip("pi_heif")
    whole = heic(np.full((64, 96, 3), 120, np.uint8))
    for cut in (40, len(whole) // 2, len(whole) - 20):
        (tmp_path / "torn.heic").write_bytes(whole[:cut])
        with pytest.raises(PhotoError, match=r"torn\.heic"):
            load_photo(tmp_path / "torn.heic")
