"""Training of the guided generator: samples, losses, resuming, what is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from generator_support import segment
from numpy.typing import NDArray
from safetensors.torch import load_file
from skimage.metrics import structural_similarity
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app
from osmnet_sdk.core.bundle import find_bundle, write_manifest
from osmnet_sdk.errors import Cancelled, InputError, ModelError
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.face.networks import load_face_networks
from osmnet_sdk.progress import CancelCallback
from osmnet_sdk.rendering.guided.guides import GUIDES
from osmnet_sdk.rendering.guided.network import FORMAT, GuidedConfig, GuidedPainter
from osmnet_sdk.rendering.view import crop_view
from osmnet_sdk.rendering.warp.frame import FrameRenderer
from osmnet_sdk.research.data.segments import Segment
from osmnet_sdk.research.trainers import loop
from osmnet_sdk.research.trainers.guided import samples as guided_samples
from osmnet_sdk.research.trainers.guided.objective import (
    Adversary,
    GuidedObjective,
    GuidedTraining,
    gradient_loss,
    structure_loss,
)
from osmnet_sdk.research.trainers.guided.recipe import GuidedRecipe
from osmnet_sdk.research.trainers.guided.samples import (
    GuidedSamples,
    SampleMaker,
    cut_patches,
    recoloured,
    sample_type,
)
from osmnet_sdk.research.trainers.guided.train import CHECKPOINT, SHEET, train_guided
from osmnet_sdk.research.trainers.image_losses import ImageLosses
from osmnet_sdk.research.trainers.loop import TrainingRun

Picture = NDArray[np.uint8]
Curves = NDArray[np.float32]

RECIPES = Path(__file__).parents[2] / "models" / "recipes"
SIZE = 32
RECIPE = GuidedRecipe(
    config=GuidedConfig(window_size=SIZE, driving_size=8, channels=(4, 6, 8), residual_layers=1),
    patch_steps=4,
    patch_size=16,
    window_steps=2,
    adversarial_steps=4,
    batch=2,
    adversary_channels=4,
    perceptual_weight=0.0,
    validation_share=0.0,
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def made_up(count: int = 6, seed: int = 0) -> GuidedSamples:
    """Windows in which the warp is grey where a bright mouth should be."""
    draw = np.random.default_rng(seed)
    rows = np.zeros(count, sample_type(SIZE))
    rows["warp"] = 120
    rows["source"] = draw.integers(0, 255, rows["source"].shape)
    rows["truth"] = 120
    rows["truth"][:, 16:28, 8:24] = 200
    rows["guides"][:, 14:30, 6:26, GUIDES.index("doubt")] = 255
    rows["guides"][:, 16:28, 8:24, GUIDES.index("mouth")] = 255
    rows["guides"][:, 4:10, 4:28, GUIDES.index("eyes")] = 255
    rows["truth"][:, 4:10, 4:28:4] = rows["warp"][:, 4:10, 4:28:4] = 40
    rows["expression"] = draw.random((count, 52))
    return GuidedSamples([rows[:2], rows[2:]])


class MadeUp(SampleMaker):
    """Gives made-up samples, one for each clip or portrait named."""

    def of_clips(self, segments):  # type: ignore[no-untyped-def]
        return made_up(seed=len(segments))

    def of_portraits(self, photos, expressions):  # type: ignore[no-untyped-def]
        return GuidedSamples([])


def trained(folder: Path, recipe: GuidedRecipe = RECIPE, **watching: CancelCallback) -> Path:
    """A short run on made-up samples; its work folder and bundle lie in `folder`."""
    clips = [segment(name, sound=False) for name in "abcd"]
    return train_guided(
        recipe, clips, [], folder / "bundle", TrainingRun(folder / "work", **watching),
        networks=None, model=None,  # type: ignore[arg-type]
    )[0]  # fmt: skip


@pytest.fixture
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osmnet_sdk.research.trainers.guided.train.SampleMaker", MadeUp)


def objective(adversarial: bool = True) -> GuidedObjective:
    torch.manual_seed(0)
    networks = GuidedTraining(GuidedPainter(RECIPE.config), Adversary(4))
    torch.nn.init.normal_(networks.painter.image.weight, std=0.1)
    return GuidedObjective(RECIPE, networks, ImageLosses(None), adversarial=adversarial)


@pytest.mark.usefixtures("_made_up")
def test_weights_card_curves_and_sheet_are_written(tmp_path: Path) -> None:
    weights = trained(tmp_path, RECIPE.model_copy(update={"validation_share": 0.3}))
    write_manifest(tmp_path / "bundle", name="made", version="1", licence="none")
    assert FORMAT.load(find_bundle(tmp_path / "bundle")).config == RECIPE.config
    text = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert '"window_size": 32' in text
    assert "| validation, other speakers | 6 | guided | " in text
    sheet = cv2.imdecode(np.fromfile(tmp_path / "work" / SHEET, np.uint8), 1)
    assert sheet.shape == (6 * SIZE, 4 * SIZE, 3)
    curves = EventAccumulator(str(tmp_path / "work")).Reload()
    assert {"patches/gradient", "adversarial/adversary", "windows/guided mouth_ssim"} <= set(
        curves.Tags()["scalars"]
    )
    assert "patches/photo, warp, guided, real" in curves.Tags()["images"]


@pytest.mark.usefixtures("_made_up")
def test_sixty_steps_paint_the_mouth(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(
        update={"patch_steps": 60, "adversarial_steps": 0, "learning_rate": 5e-3}
    )
    trained(tmp_path, recipe)
    write_manifest(tmp_path / "bundle", name="made", version="1", licence="none")
    before, after = objective(False), objective(False)
    torch.nn.init.zeros_(before.networks.painter.image.weight)
    learned = FORMAT.load(find_bundle(tmp_path / "bundle"))
    after.networks.painter.load_state_dict(learned.state_dict())
    with torch.no_grad():
        batch = made_up(seed=9).rows(np.arange(4))
        assert float(after(*batch)["reconstruction"]) < 0.8 * float(
            before(*batch)["reconstruction"]
        )


@pytest.mark.usefixtures("_made_up")
@pytest.mark.parametrize("stop", [3, 9])
def test_a_stopped_run_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 2)
    whole = load_file(trained(tmp_path / "whole"))
    calls = iter(range(99))
    with pytest.raises(Cancelled):
        trained(tmp_path / "half", cancel=lambda: next(calls) >= stop)
    assert (tmp_path / "half" / "work" / CHECKPOINT).is_file()
    half = load_file(trained(tmp_path / "half"))
    assert all(torch.equal(value, half[name]) for name, value in whole.items())


def test_patches_show_a_mouth_or_an_eye() -> None:
    tensors = made_up().rows(np.arange(6))
    generator = torch.Generator().manual_seed(0)
    patches = [cut_patches(tensors, 16, generator) for _ in range(9)]
    assert {tuple(patch[2].shape) for patch in patches} == {(6, 16, 16, len(GUIDES))}
    middles = torch.cat([patch[2][:, 7:9, 7:9].flatten(1, 2).amax(1) for patch in patches])
    mouths, eyes = (int((middles[:, GUIDES.index(zone)] > 0).sum()) for zone in ("mouth", "eyes"))
    assert mouths > eyes > 3
    assert torch.equal(patches[0][3], tensors[3])
    whole = cut_patches(tensors, SIZE, generator)
    assert all(torch.equal(one, other) for one, other in zip(whole, tensors, strict=True))


def test_all_pictures_of_a_sample_are_in_the_same_light() -> None:
    tensors = made_up().rows(np.arange(6))
    lit = recoloured(tensors, torch.Generator().manual_seed(0))
    assert all(torch.equal(lit[i], tensors[i]) for i in (2, 3, 4))
    gains = [
        (new[:, 12, 2].float() / old[:, 12, 2])
        for new, old in ((lit[0], tensors[0]), (lit[-1], tensors[-1]))
    ]
    assert torch.allclose(*gains)  # both show the same grey there
    assert gains[0].std() > 0.05
    assert lit[0].dtype == torch.uint8


def test_each_side_learns_from_its_own_loss() -> None:
    made, batch = objective(), made_up().rows(np.arange(3))
    painter, adversary = made.networks.painter, made.networks.adversary
    figures = made(*batch)
    figures["adversarial"].backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in adversary.parameters())
    assert painter.image.weight.grad.abs().sum() > 0
    painter.zero_grad()
    figures["adversary"].backward()
    assert painter.image.weight.grad is None or not painter.image.weight.grad.any()
    assert all(parameter.grad is not None for parameter in adversary.parameters())


def test_parts_of_a_batch_add_up_to_its_gradients() -> None:
    made, batch = objective(), made_up().rows(np.arange(4))
    gradients = []
    for parts in (1, 2):
        made.zero_grad()
        for part in zip(*(tensor.chunk(parts) for tensor in batch), strict=True):
            (made(*part)["total"] / parts).backward()
        gradients.append(made.networks.painter.image.weight.grad.clone())
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-4)


def test_structure_loss_is_that_of_scikit_image() -> None:
    draw = np.random.default_rng(0)
    real = cv2.GaussianBlur(draw.random((40, 40, 3)), (0, 0), 2)
    other = real + 0.05 * draw.random(real.shape)
    tensors = [torch.tensor(2 * p - 1).movedim(-1, 0)[None].float() for p in (other, real)]
    _, picture = structural_similarity(
        real, other, channel_axis=2, data_range=1.0, full=True, use_sample_covariance=False
    )
    assert float(structure_loss(*tensors)) == pytest.approx(
        1 - picture[3:-3, 3:-3].mean(), abs=1e-4
    )
    assert float(structure_loss(tensors[1], tensors[1])) == pytest.approx(0, abs=1e-5)


def test_gradient_loss_sees_edges_not_levels() -> None:
    real = torch.rand(1, 3, 32, 32)
    assert float(gradient_loss(real + 0.3, real)) == pytest.approx(0, abs=1e-6)
    blurred = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    assert float(gradient_loss(blurred, real)) > 0.05


@pytest.fixture(scope="module")
def clip(face) -> Segment:  # type: ignore[no-untyped-def]
    """Frames of the sample photo as the renderer turns it: a clip of a real face."""
    renderer = FrameRenderer(face, crop_view(face, 256, 256))
    frames = [
        renderer.draw(face.fit.pose.moved((0, yaw, 0), (0, 0, 0)), face.fit.expression)
        for yaw in (-6.0, -2.0, 2.0, 6.0)
    ]
    return Segment(segment("turning", frames=4).clip, np.stack(frames))


def maker(osm, folder: Path) -> SampleMaker:  # type: ignore[no-untyped-def]
    recipe = GuidedRecipe(sources=2, drivers=2, cycles=1)
    return SampleMaker(recipe, load_face_networks(osm.bundle), load_face_model(osm.bundle), folder)


def test_samples_of_clips_lie_on_the_truth(osm, clip, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    samples = maker(osm, tmp_path).of_clips([clip])
    assert len(samples) == 4
    fields = dict(zip(sample_type(128).names, samples.spread(9), strict=True))
    assert {name: tuple(value.shape) for name, value in fields.items()} == {
        "warp": (4, 128, 128, 3), "source": (4, 128, 128, 3), "guides": (4, 128, 128, 10),
        "pose": (4, 6), "expression": (4, 52), "truth": (4, 128, 128, 3),
    }  # fmt: skip
    alike = [
        [structural_similarity(truth.numpy(), other.numpy(), channel_axis=2) for other in others]
        for truth, *others in zip(*(fields[n] for n in ("truth", "warp", "source")), strict=True)
    ]
    warp, still = np.mean(alike, axis=0)
    assert warp > still + 0.04
    assert 1 < fields["pose"][:, 1].abs().max() < 14  # the turns between frames
    monkeypatch.setattr(guided_samples, "track_frames", None)
    again = maker(osm, tmp_path).of_clips([clip])  # kept, not made again
    assert np.array_equal(again.parts[0], samples.parts[0])


def test_portraits_come_back_from_where_they_were_moved(osm, astronaut, tmp_path) -> None:  # type: ignore[no-untyped-def]
    quiet = np.zeros((3, 52), np.float32)
    samples = maker(osm, tmp_path).of_portraits([("portrait.jpg", astronaut)], quiet)
    warp, source, _, pose, _, truth = (tensor.numpy()[0] for tensor in samples.spread(1))
    assert np.abs(pose[:3]).max() > 1
    alike = [structural_similarity(truth, other, channel_axis=2) for other in (warp, source)]
    assert alike[0] > max(0.75, alike[1])


class Noted(SampleMaker):
    """Notes with which seeds samples are made, each time that they are."""

    def of_all(self, clip: Segment, photo: Picture, acted: Curves) -> list[object]:
        """Kinds and seeds of a clip and a portrait, as far as not kept."""
        self.seeds: list[object] = []
        self.of_clips([clip])
        self.of_portraits([("portrait.jpg", photo)], acted)
        return self.seeds

    def _pairs(self, segment, seed):  # type: ignore[no-untyped-def]
        return self._note("clip", seed)

    def _cycles(self, photo, expressions, draw):  # type: ignore[no-untyped-def]
        return self._note("portrait", draw.bit_generator.state["state"]["state"])

    def _note(self, kind: str, seed: int) -> Iterator[tuple[object, ...]]:
        self.seeds.append((kind, seed))
        yield tuple(np.zeros(1, sample_type(self.recipe.config.window_size))[0])


def test_samples_are_kept_until_what_they_are_made_of_changes(tmp_path: Path) -> None:
    made = Noted(RECIPE, None, None, tmp_path)  # type: ignore[arg-type]
    clip, photo = segment("spoken", sound=False), np.zeros((8, 8, 3), np.uint8)
    acted = np.zeros((3, 52), np.float32)
    whole = made.of_all(clip, photo, acted)
    assert [kind for kind, _ in whole] == ["clip", "portrait"]  # type: ignore[misc]
    assert made.of_all(clip, photo, acted) == []
    pictures = np.array(clip.pictures)
    pictures[-1, 0, 0] += 1
    assert made.of_all(replace(clip, pictures=pictures), photo, acted) == whole[:1]
    track = segment("spoken!", sound=False).clip.take
    other = replace(clip, clip=replace(clip.clip, take=track))
    assert made.of_all(other, photo, acted) == whole[:1]
    assert made.of_all(clip, photo + np.uint8(1), acted) == whole[1:2]
    assert made.of_all(clip, photo, acted + np.float32(0.1)) == whole[1:]  # drawn by the same seeds


def test_what_cannot_be_used_is_said(osm, clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    empty = replace(clip, pictures=np.zeros((4, 256, 256, 3), np.uint8))
    with pytest.raises(InputError, match="No clip gives a sample"):
        maker(osm, tmp_path / "empty").of_clips([empty])
    maker(osm, tmp_path / "kept").of_clips([clip])
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(b"no array")
    with pytest.raises(InputError, match=r"turning.*damaged; delete the file"):
        maker(osm, tmp_path / "kept").of_clips([clip])
    np.save(kept, np.zeros(3))
    with pytest.raises(InputError, match=r"turning.*another version; delete the file"):
        maker(osm, tmp_path / "kept").of_clips([clip])
    with pytest.raises(InputError, match=r"holds no \.jpg or \.png"):
        guided_samples.read_portraits(tmp_path)
    with pytest.raises(ModelError, match="efficientnet-lite0-57934424"):
        train_guided(
            GuidedRecipe(), [clip], [], tmp_path, TrainingRun(tmp_path), networks=None, model=None  # type: ignore[arg-type]
        )  # fmt: skip


def test_the_shipped_recipe_is_one() -> None:
    assert GuidedRecipe.read(RECIPES / "guided.json").config == GuidedConfig()


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    shutil.copy(RECIPES / "guided.json", tmp_path / "recipe.json")
    for recipe, arguments, wanted in (
        ("recipe.json", ["--device", "abacus"], "abacus"),
        ("no.json", [], "recipe"),
        ("recipe.json", ["-o", str(tmp_path / "nothing")], "bundle"),
    ):
        done = CliRunner().invoke(
            app, ["train", "guided", str(tmp_path / recipe), str(tmp_path), *arguments]
        )
        assert done.exit_code == 2
        assert wanted in done.output
        assert "Traceback" not in done.output
