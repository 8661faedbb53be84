"""Choosing what draws: the warp, and the paper's generator with small weights made by chance."""

from __future__ import annotations

import itertools
import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_support import osmnet

from osmnet_sdk.client import OSMNet
from osmnet_sdk.core.bundle import find_bundle, save_arrays, write_manifest
from osmnet_sdk.core.conventions import FPS
from osmnet_sdk.errors import Cancelled, DeviceError, InputError, ModelError, OSMNetWarning
from osmnet_sdk.motion.network import MotionConfig, PoseDecoder
from osmnet_sdk.rendering.frames import CROP_SIZE
from osmnet_sdk.rendering.paper.config import GeneratorConfig
from osmnet_sdk.rendering.paper.generator import FORMAT, VideoGenerator, stored_generator
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

CONFIG = GeneratorConfig(
    image_size=64, half_window=3, driving_size=16, channels=(4, 6, 8), residual_layers=1
)
PARTS = ("motion.safetensors", "face_model.safetensors", "face_detection_full.safetensors",
         "face_detection_short.safetensors", "face_landmarks.safetensors",
         "person_mask.safetensors", "expression_mel.safetensors")  # fmt: skip


def write_bundle(folder: Path, renderer: str | None = None) -> Path:
    """The starter bundle's weights, and a generator that has learned nothing."""
    folder.mkdir()
    for name in PARTS:
        shutil.copy(find_bundle().folder / name, folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        generator = VideoGenerator(CONFIG)
    save_arrays(
        folder / FORMAT.file,
        *stored_generator(generator, PoseDecoder(MotionConfig(feature_size=8))),
    )
    write_manifest(folder, name="with paper", version="1", licence="none", renderer=renderer)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundles") / "mit Maler é")


@pytest.fixture(scope="module")
def painter(bundle) -> OSMNet:
    return OSMNet("cpu", bundle)


@pytest.fixture(scope="module")
def take() -> Take:
    time = np.arange(75) / 25
    rotation = np.stack([3 * np.sin(4 * time), 10 * np.sin(3 * time), 2 * np.sin(5 * time)], 1)
    values = np.random.default_rng(0).random((75, 52)) * 0.4
    return Take(MotionTrack(FPS, rotation, np.zeros((75, 3))), ExpressionTrack(FPS, values))


@pytest.fixture(scope="module")
def take_file(take, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("take") / "take.npz"
    take.slice(0, 4).save(path)
    return path


def run(*arguments: object) -> tuple[int, str]:
    done = osmnet(*arguments)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return done.returncode, " ".join(said.split())


@pytest.mark.parametrize(("renderer", "window"), [("warp", 0), ("paper", 3)])
def test_frames_do_not_depend_on_how_a_render_is_split(painter, face, take, renderer, window):
    assert painter.renderer_window(renderer) == window
    options = {"renderer": renderer, "size": (64, 64)}
    whole = list(painter.render(face, take, **options))
    parts = [
        list(painter.render(face, take, frames=part, **options))
        for part in (range(40), range(40, 75))
    ]
    again = list(painter.render(face, take, frames=[74, 0, 41], **options))
    for one, other in zip(whole, parts[0] + parts[1], strict=True):
        assert np.array_equal(one, other)
    for number, frame in zip([74, 0, 41], again, strict=True):
        assert np.array_equal(frame, whole[number])
    # a slice that keeps the window's neighbours gives the same frames, one without them does not
    kept = list(painter.render(face, take.slice(40 - window, 75), **options))[window:]
    assert all(np.array_equal(a, b) for a, b in zip(kept, whole[40:], strict=True))
    alone = next(painter.render(face, take.slice(40, 75), **options))
    assert np.array_equal(alone, whole[40]) == (window == 0)


@pytest.mark.parametrize(
    ("size", "shape"), [("crop", (CROP_SIZE,) * 2), ("photo", (512, 512)), ((90, 160), (90, 160)),
                        ((64, 64), (64, 64)), ((301, 199), (301, 199))]
)  # fmt: skip
def test_the_painted_crop_is_put_into_frames_of_every_size(painter, face, take, size, shape):
    options = {"renderer": "paper", "size": size, "frames": [3]}
    plain = next(painter.render(face, take, label=False, **options))
    assert plain.shape == (*shape, 3)
    assert plain.dtype == np.uint8
    labelled = next(painter.render(face, take, **options))
    changed = (plain != labelled).any(axis=2)
    assert changed.any()
    assert not changed[: shape[0] // 2].any()


def test_the_whole_photo_keeps_its_pixels_around_the_painted_crop(painter, face, take):
    from osmnet_sdk.rendering.view import crop_view

    square = crop_view(face, 64, 64)
    left, right = int(square.x), int(np.ceil(square.x + 64 / square.scale))
    options = {"renderer": "paper", "label": False, "frames": [0]}
    whole = next(painter.render(face, take, size="photo", **options))
    np.testing.assert_array_equal(whole[:, right + 1 :], face.photo[:, right + 1 :])
    np.testing.assert_array_equal(whole[:, : left - 1], face.photo[:, : left - 1])
    crop = next(painter.render(face, take, size=(64, 64), **options)).astype(float)
    top = int(square.y)
    middle = whole[top + 100 : top + 101, left + 50 : right - 50].astype(float)
    assert np.abs(middle.mean(axis=(0, 1)) - crop.mean(axis=(0, 1))).max() < 60
    assert np.abs(middle - face.photo[top + 100, left + 50 : right - 50]).mean() > 10


def test_the_photos_own_look_counts_or_not(painter, face, take):
    first, second = (
        next(painter.render(face, take, renderer="paper", size=(64, 64), keep_rest=keep))
        for keep in (True, False)
    )
    assert not np.array_equal(first, second)


def test_progress_is_told_and_cancel_is_heard(painter, face, take):
    told = []
    frames = painter.render(
        face, take, renderer="paper", size=(64, 64), frames=range(5),
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert len(list(frames)) == 5
    assert told == [
        ("Preparing", 0, 1), ("Preparing", 1, 1), *(("Rendering", n, 5) for n in range(6))
    ]  # fmt: skip
    asked = itertools.count()
    with pytest.raises(Cancelled):
        list(painter.render(face, take, renderer="paper", cancel=lambda: next(asked) > 3))


def test_the_guided_generator_is_chosen_by_name(bundle, face, take, tmp_path):
    from osmnet_sdk.rendering.guided.network import FORMAT as GUIDED
    from osmnet_sdk.rendering.guided.network import GuidedConfig, GuidedPainter, stored_guided

    folder = shutil.copytree(bundle, tmp_path / "guided")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = GuidedPainter(GuidedConfig(window_size=64))
        torch.nn.init.normal_(network.image.weight, std=0.1)  # else it leaves the warp as it is
    save_arrays(folder / GUIDED.file, *stored_guided(network))
    write_manifest(folder, name="guided", version="1", licence="none", renderer="guided")
    osm, threads = OSMNet("cpu", folder), torch.get_num_threads()
    assert osm.info()["renderers"] == {"warp": 0, "guided": 0, "paper": 3}
    options = {"size": (96, 96), "label": False}
    whole = list(osm.render(face, take.slice(0, 6), **options))
    part = list(osm.render(face, take.slice(0, 6), frames=[4, 1], renderer="guided", **options))
    assert np.array_equal(part[0], whole[4])
    assert np.array_equal(part[1], whole[1])
    plain = next(osm.render(face, take, renderer="warp", **options))
    assert not np.array_equal(plain, whole[0])
    assert torch.get_num_threads() == threads
    with pytest.raises(ModelError, match=r"guided\.safetensors"):
        OSMNet("cpu", bundle).render(face, take, renderer="guided")


def test_auto_is_what_the_bundle_says(painter, bundle, osm, face, take, tmp_path):
    default = write_bundle(tmp_path / "default", renderer="paper")
    options = {"size": (64, 64), "frames": [20]}
    painted = next(painter.render(face, take, renderer="paper", **options))
    warped = next(osm.render(face, take, renderer="warp", **options))
    assert not np.array_equal(painted, warped)
    for made_by, expected in ((painter, warped), (OSMNet("cpu", default), painted)):
        assert np.array_equal(next(made_by.render(face, take, **options)), expected)
    write_manifest(default, name="default", version="2", licence="none")  # keeps what it says
    assert find_bundle(default).manifest.renderer == "paper"
    info = OSMNet("cpu", default).info()
    assert info["renderer"] == "paper"
    assert info["renderers"] == {"warp": 0, "paper": 3}
    assert "paper" not in osm.info()["renderers"]


def test_a_turned_head_a_video_and_pictures_are_painted(painter, face, take, tmp_path):
    import av

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OSMNetWarning)
        turned = painter.rotate(face, yaw=10, renderer="paper", size=(64, 64))
        warped = painter.rotate(face, yaw=10, renderer="warp", size=(64, 64))
    assert np.abs(turned.astype(int) - warped).mean() > 5
    options = {"renderer": "paper", "size": (64, 64)}
    path = painter.render_video(face, take.slice(0, 4), tmp_path / "v.mp4", **options)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4
    assert painter.render_images(face, take.slice(0, 3), tmp_path / "pictures", **options) == 3
    with Image.open(tmp_path / "pictures" / "frame_000002.png") as picture:
        [frame] = painter.render(face, take.slice(0, 3), frames=[2], **options)
        assert np.array_equal(np.asarray(picture), frame)


def test_the_command_line_paints(bundle, photo, take_file, tmp_path):
    common = ["--renderer", "paper", "--bundle", bundle, "--device", "cpu", "--size", "64x64"]
    code, said = run("render", photo, take_file, "-o", tmp_path / "out", *common)
    assert code == 0, said
    assert len(list((tmp_path / "out").glob("*.png"))) == 4
    code, said = run("rotate", photo, "--yaw", "8", "-o", tmp_path / "turned.png", *common)
    assert code == 0, said
    code, said = run("info", "--bundle", bundle, "--device", "cpu", "--json")
    assert json.loads(said)["renderers"] == {"warp": 0, "paper": 3}
    code, said = run("info", "--bundle", bundle, "--device", "cpu")
    assert "renderers: warp, paper" in said


def damaged(folder: Path, kind: str, bundle: Path) -> Path:
    """A copy of the bundle in which the generator's file is missing, cut, or no number."""
    shutil.copytree(bundle, folder)
    path = folder / FORMAT.file
    if kind == "missing":
        path.unlink()
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        arrays, metadata = find_bundle(bundle).arrays(FORMAT.file)
        name = next(name for name in arrays if name.startswith("generator."))
        arrays[name] = np.full_like(arrays[name], np.nan)
        save_arrays(path, arrays, metadata)
        write_manifest(folder, name="broken", version="1", licence="none")
    return folder


@pytest.mark.parametrize(
    ("kind", "words"),
    [("missing", "cannot be read"), ("cut", "not as long as"), ("nan", "not numbers")],
)
def test_weights_that_are_missing_or_damaged(kind, words, bundle, face, take, photo, take_file,
                                             tmp_path):  # fmt: skip
    broken = damaged(tmp_path / "broken", kind, bundle)
    with pytest.raises(ModelError, match=words):
        OSMNet("cpu", broken).render(face, take, renderer="paper")
    code, said = run(
        "render", photo, take_file, "-o", tmp_path / "v.mp4", "--renderer", "paper", "--bundle",
        broken, "--device", "cpu",
    )  # fmt: skip
    assert code == 2
    assert words in said
    assert not (tmp_path / "v.mp4").exists()


def test_a_bundle_without_these_weights_says_how_to_train_some(osm, face, take, photo, voice,
                                                               tmp_path):  # fmt: skip
    with pytest.raises(ModelError, match="osmnet train generator"):
        osm.render(face, take, renderer="paper")
    with pytest.raises(ModelError, match="osmnet train generator"):
        osm.renderer_window("paper")
    code, said = run("talk", photo, voice, "-o", tmp_path / "out", "--renderer", "paper")
    assert code == 2
    assert "osmnet train generator" in said
    assert not list((tmp_path / "out").glob("*"))  # said before anything is made


def test_weights_that_the_manifest_does_not_name_yet(bundle, face, take, tmp_path):
    fresh = shutil.copytree(bundle, tmp_path / "fresh")
    (fresh / FORMAT.file).rename(fresh / "kept")
    write_manifest(fresh, name="fresh", version="1", licence="none")
    (fresh / "kept").rename(fresh / FORMAT.file)  # as `osmnet train generator` leaves it
    with pytest.raises(ModelError, match="osmnet train manifest"):
        OSMNet("cpu", fresh).render(face, take, renderer="paper")


def test_names_and_numbers_that_are_none(osm, face, take, photo, take_file, tmp_path):
    with pytest.raises(InputError, match="renderer must be auto, warp, guided, paper, not 'oil'"):
        osm.render(face, take, renderer="oil")
    for wrong in (-1, 75):
        with pytest.raises(InputError, match=f"frame {wrong}, but the track has frames 0 to 74"):
            osm.render(face, take, frames=[0, wrong])
    output = tmp_path / "v.mp4"
    for option, value, words in (
        ("--renderer", "oil", "renderer must be"), ("--device", "abacus", "Unknown device 'abacus'")
    ):  # fmt: skip
        code, said = run("render", photo, take_file, "-o", output, option, value)
        assert code == 2
        assert words in said
    with pytest.raises(InputError, match="renderer must be"):
        write_manifest(tmp_path, name="x", version="1", licence="none", renderer="oil")


def test_a_track_with_values_that_are_no_numbers(bundle, photo, take_file, tmp_path):
    with np.load(take_file) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["rotation"][2, 1] = np.nan
    np.savez(tmp_path / "broken.npz", **arrays)
    code, said = run(
        "render", photo, tmp_path / "broken.npz", "-o", tmp_path / "v.mp4", "--renderer", "paper",
        "--bundle", bundle,
    )  # fmt: skip
    assert code == 2
    assert "not finite, first in frame 2" in said
    assert "broken.npz" in said


@pytest.mark.parametrize("room", [1, 0])
def test_no_memory_means_one_frame_at_a_time_and_then_a_sentence(
    room, bundle, face, take, photo, take_file, tmp_path, monkeypatch
):
    from osmnet_sdk.rendering.paper import painting
    from osmnet_sdk.rendering.paper.generator import ImageGenerator

    expected = list(OSMNet("cpu", bundle).render(face, take, renderer="paper", frames=range(8)))
    draw = ImageGenerator.forward

    def limited(self, source, driving):
        if len(driving) > room:
            raise torch.OutOfMemoryError("out of memory")
        return draw(self, source, driving)

    monkeypatch.setattr(ImageGenerator, "forward", limited)
    monkeypatch.setitem(painting._BATCH, False, 4)
    frames = OSMNet("cpu", bundle).render(face, take, renderer="paper", frames=range(8))
    if room:
        assert all(np.array_equal(a, b) for a, b in zip(frames, expected, strict=True))
        return
    with pytest.raises(DeviceError, match="'cpu' has no memory for one frame of 64 × 64"):
        next(frames)
    code, said = run(
        "render", photo, take_file, "-o", tmp_path / "v.mp4", "--renderer", "paper", "--bundle",
        bundle, "--device", "cpu",
    )  # fmt: skip
    assert code == 2
    assert "no memory for one frame" in said
    assert not (tmp_path / "v.mp4").exists()
