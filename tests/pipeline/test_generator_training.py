"""Training of the Video Generator on made-up segments."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from generator_support import RECIPE, SIZE, segment
from safetensors import safe_open
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app
from osmnet_sdk.core.bundle import find_bundle, write_manifest
from osmnet_sdk.errors import Cancelled, DeviceError, InputError, ModelError
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.rendering.paper.generator import FORMAT, VideoGenerator
from osmnet_sdk.research.data.segments import folder_segments
from osmnet_sdk.research.trainers import loop
from osmnet_sdk.research.trainers.generator.objective import GeneratorChain, GeneratorObjective
from osmnet_sdk.research.trainers.generator.recipe import GeneratorRecipe
from osmnet_sdk.research.trainers.generator.train import SHEET, train_generator
from osmnet_sdk.research.trainers.generator.windows import SegmentWindows, WindowPlan
from osmnet_sdk.research.trainers.image_losses import ImageLosses
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun
from osmnet_sdk.research.trainers.processes import Processes

RECIPES = Path(__file__).parents[2] / "models" / "recipes"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def motion_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with motion weights alone."""
    folder = tmp_path_factory.mktemp("bundle")
    shutil.copy(find_bundle().path("motion.safetensors"), folder)
    write_manifest(folder, name="small", version="1", licence="none")
    return folder


@pytest.fixture
def bundle(motion_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(motion_bundle, tmp_path / "bundle é"))


SEGMENTS = [segment("a"), segment("bc", sound=False)]


def updated(**fields: object) -> GeneratorRecipe:
    return RECIPE.model_copy(update=fields)


def trained(bundle: Path, work: Path, recipe: GeneratorRecipe = RECIPE, **options: object) -> Path:
    return train_generator(recipe, SEGMENTS, bundle, TrainingRun(work, **options))[0]  # type: ignore[arg-type]


def same(first: Path, second: Path) -> bool:
    one, other = load_file(first), load_file(second)
    return all(torch.equal(value, other[name]) for name, value in one.items())


def objective(recipe: GeneratorRecipe, bundle: Path) -> tuple[GeneratorObjective, SegmentWindows]:
    motion = MotionSampler.from_bundle(find_bundle(bundle)).network
    windows = SegmentWindows(SEGMENTS, recipe, motion.config)
    torch.manual_seed(1)
    chain = GeneratorChain(VideoGenerator(recipe.config), motion, windows.plan)
    return GeneratorObjective(recipe, chain, ImageLosses(None)), windows


def test_weights_card_curves_and_sheet_are_written(bundle: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    recipe = updated(validation_share=0.3, steps=3)
    segments = [segment(name, sound=False) for name in "abcd"] + [segment("e")]
    weights, card = train_generator(recipe, segments, bundle, TrainingRun(work))
    write_manifest(bundle, name="made", version="1", licence="none")
    assert FORMAT.load(find_bundle(bundle)).config == RECIPE.config
    with safe_open(weights, framework="np") as stream:
        assert stream.metadata()["schema"] == "osmnet.generator/1"
        assert any(name.startswith("decoder.") for name in stream.keys())  # noqa: SIM118
    text = card.read_text(encoding="utf-8")
    assert '"half_window": 2' in text
    assert "| validation, other speakers | " in text
    assert cv2.imdecode(np.fromfile(work / SHEET, np.uint8), 1).shape == (4 * SIZE, 4 * SIZE, 3)
    curves = EventAccumulator(str(work)).Reload()
    assert {"generator/reconstruction", "generator/pose", "generator/ssim real"} <= set(
        curves.Tags()["scalars"]
    )
    assert curves.Tags()["images"] == ["generator/source, real, generated"]


def test_thirty_steps_lower_the_loss(bundle: Path, tmp_path: Path) -> None:
    recipe = updated(steps=30, batch=4, source="first")
    before, windows = objective(recipe, bundle)
    batch = windows.draw(torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = float(before(*batch)["reconstruction"])
    trained(bundle, tmp_path, recipe)
    write_manifest(bundle, name="made", version="1", licence="none")
    before.chain.generator.load_state_dict(FORMAT.load(find_bundle(bundle)).state_dict())
    with torch.no_grad():
        assert float(before(*batch)["reconstruction"]) < 0.6 * first


@pytest.mark.parametrize("clip_motion", [True, False])
def test_a_stopped_run_goes_on_bit_for_bit(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip_motion: bool
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 2)
    recipe = updated(clip_motion=clip_motion)
    whole = trained(bundle, tmp_path / "whole", recipe).rename(bundle / "whole.safetensors")
    calls = iter(range(99))
    with pytest.raises(Cancelled):
        trained(bundle, tmp_path / "half", recipe, cancel=lambda: next(calls) >= 3)
    assert same(trained(bundle, tmp_path / "half", recipe), whole)


def test_shares_of_a_batch_add_up_to_its_gradients(bundle: Path) -> None:
    made, windows = objective(RECIPE, bundle)
    batch = windows.draw(torch.Generator().manual_seed(0))
    gradients = []
    for parts in (1, 2):  # as parts of a batch, and as processes beside each other
        made.zero_grad()
        for part in zip(*(tensor.chunk(parts) for tensor in batch), strict=True):
            (made(*part)["total"] / parts).backward()
        gradients.append(made.chain.generator.painter.image.weight.grad.clone())
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-5)


def test_both_passes_reach_the_decoder_and_nothing_else_of_motion(bundle: Path) -> None:
    made, windows = objective(updated(pose_weight=0.0), bundle)
    motion = made.chain.motion
    motion.requires_grad_(False)
    motion.decoder.requires_grad_(True)
    batch = windows.batch([(0, 5, 0), (1, 5, 0)])
    made(*batch)["total"].backward()
    assert all(parameter.grad is not None for parameter in motion.decoder.parameters())
    assert motion.decoder.linear.weight.grad.abs().sum() > 0
    frames, _ = made.chain(batch)
    assert not torch.allclose(frames[0][0], frames[1][0], atol=1e-5)  # F_m and the sound's F_c


def test_the_second_pass_hears_sound_and_rebuilds_silence(bundle: Path) -> None:
    made, windows = objective(RECIPE, bundle)
    batch = windows.batch([(0, 5, 0), (1, 5, 0)])
    assert batch.heard.tolist() == [True, False]
    louder = batch._replace(mel=batch.mel + torch.rand(batch.mel.shape))
    made.train()
    (real, second), _ = made.chain(batch)
    assert torch.equal(second, made.chain(batch)[0][1])  # what stands still drops nothing
    (real_again, changed), _ = made.chain(louder)
    assert torch.equal(real, real_again)
    assert not torch.equal(second[0], changed[0])
    assert torch.allclose(second[1], changed[1], atol=1e-6)


@pytest.mark.parametrize("half", [0, 1, 2, 8])
@pytest.mark.parametrize("frames", [3, 5, 9])
def test_clips_cover_the_window(half: int, frames: int) -> None:
    plan = WindowPlan(half, frames, clip_motion=True)
    for middle in (0, 3, 30, 59):
        chosen = plan.frames(middle, 60)
        assert chosen.shape == (plan.clips, frames)
        assert (chosen[1:, 0] == chosen[:-1, -1]).all()
        track = np.append(chosen[:, :-1].ravel(), chosen[-1, -1])
        first = plan.before - half
        window = track[first : first + 2 * half + 1]
        assert (window == np.clip(np.arange(middle - half, middle + half + 1), 0, 59)).all()
    assert WindowPlan(8, 5, clip_motion=True).clips == 4


def test_decoded_real_clips_would_give_the_real_window() -> None:
    motion = MotionSampler.from_bundle(find_bundle()).network.config
    windows = SegmentWindows(SEGMENTS, RECIPE, motion)
    batch = windows.batch([(0, 8, 4)])
    poses = windows.plan.poses(batch.start, batch.clips)
    yaw = windows.poses[0][6:11, 1] - windows.poses[0][4, 1]
    assert torch.allclose(poses[0, :, 1], torch.tensor(yaw, dtype=torch.float32), atol=1e-4)


def test_without_a_window_neighbours_do_not_count(bundle: Path) -> None:
    recipe = updated(config=RECIPE.config.model_copy(update={"half_window": 0}))
    for ablated, expected in ((recipe, True), (RECIPE, False)):
        made, windows = objective(ablated, bundle)
        batch = windows.batch([(0, 7, 0)])
        assert batch.expression.shape[1] == ablated.config.window
        middle = ablated.config.half_window
        changed = batch.expression.clone()
        kept = changed[:, middle].clone()
        changed *= 0.2
        changed[:, middle] = kept
        frames = [made.chain(b)[0][0] for b in (batch, batch._replace(expression=changed))]
        assert torch.allclose(*frames, atol=1e-6) == expected


def test_frame_level_motion_has_no_memory_of_a_clip() -> None:
    plan = WindowPlan(1, 2, clip_motion=False)
    assert plan.clips == 3
    decoded = torch.randn(2, 3, 2, 6)
    assert torch.equal(plan.poses(torch.zeros(2, 6), decoded), decoded[:, :, 1])
    changed = decoded.clone()
    changed[:, 0] += 1.0  # one frame's pose moves no other's
    assert torch.equal(plan.poses(torch.zeros(2, 6), changed)[:, 1:], decoded[:, 1:, 1])
    chained = WindowPlan(1, 3, clip_motion=True)
    clips = torch.zeros(1, 1, 3, 6)
    clips[:, :, 1, 0] = 5.0
    assert chained.poses(torch.ones(1, 6), clips).shape == (1, 3, 6)


def test_frame_level_motion_trains_its_own_space(bundle: Path, tmp_path: Path) -> None:
    trained(bundle, tmp_path, updated(clip_motion=False, steps=2))
    made = load_file(tmp_path / "generator-checkpoint.safetensors")
    assert made["network.motion.motion_encoder.linear.weight"].shape[1] == 6  # one pose, no clip
    kept = load_file(bundle / "motion.safetensors")
    (tmp_path / "clips").mkdir()
    trained(bundle, tmp_path / "clips", updated(steps=2))
    made = load_file(tmp_path / "clips" / "generator-checkpoint.safetensors")
    for part, changes in (("directions", False), ("decoder.linear.weight", True)):
        equal = torch.equal(made[f"network.motion.{part}"], kept[f"network.{part}"])
        assert equal != changes


def test_mixed_precision_trains(bundle: Path, tmp_path: Path) -> None:
    weights = trained(bundle, tmp_path, processes=Processes(precision="bf16-mixed"))
    assert all(value.isfinite().all() for value in load_file(weights).values())


def test_mixed_precision_leaves_poses_exact() -> None:
    given = torch.tensor([12.3456])

    class Echo(torch.nn.Module):
        def forward(self, angles: torch.Tensor) -> torch.Tensor:
            assert torch.equal(angles, given)
            return angles @ angles

    out = Processes(precision="bf16-mixed").fabric.setup(Echo())(given)
    assert not torch.equal(out, given @ given)  # what autocast rounds is rounded


def test_the_shipped_recipes_and_the_papers_numbers() -> None:
    paper = GeneratorRecipe.read(RECIPES / "generator.json")
    assert (paper.reconstruction_weight, paper.perceptual_weight, paper.style_weight) == (
        4,
        2.5,
        1e3,
    )
    assert (paper.rate(0), paper.rate(299_999), paper.rate(300_000)) == (1e-4, 1e-4, 2e-5)
    assert paper.extractor == "vgg19"
    assert paper.config.image_size == 256
    assert GeneratorRecipe.read(RECIPES / "generator-overfit.json").validation_share == 0.0


def test_what_cannot_be_trained_is_said(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"vgg19-dcbb9e9d\.pth"):
        trained(bundle, tmp_path, updated(style_weight=1.0))
    with pytest.raises(InputError, match="no clip"):
        train_generator(RECIPE, [], bundle, TrainingRun(tmp_path))
    with pytest.raises(InputError, match=r"'s' has fewer than 2 frames"):
        train_generator(RECIPE, [segment("s", frames=1)], bundle, TrainingRun(tmp_path))
    with pytest.raises(InputError, match=r"'x' .*32 × 32"):
        train_generator(RECIPE, [segment("x", size=40)], bundle, TrainingRun(tmp_path))
    with pytest.raises(ModelError, match="no bundle"):
        train_generator(RECIPE, SEGMENTS, tmp_path, TrainingRun(tmp_path))


class Mean(torch.nn.Module):
    """Squares of a batch; fails beyond a number of rows, or gives no number."""

    def __init__(self, network: torch.nn.Linear, room: int = 99, nan: bool = False) -> None:
        super().__init__()
        self.network, self.room, self.nan = network, room, nan

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        if len(inputs) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        total = self.network(inputs).square().mean()
        return {"total": total * float("nan") if self.nan else total}


def weights_of(folder: Path, *, divisible: bool = True, **options: object) -> torch.Tensor:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 1)
    stage = Stage(
        name="squares",
        steps=5,
        parameters=list(network.parameters()),
        batch=lambda step: (torch.randn(7, 3),),
        objective=Mean(network, **options),  # type: ignore[arg-type]
        rate=lambda step: 0.1,
        seed=lambda step: step,
        divisible=divisible,
    )
    path = folder / "checkpoint.safetensors"
    TrainingRun(path.parent).train(network, [stage], path.name, str(options))
    return network.weight.detach()


def test_a_batch_without_memory_is_taken_in_parts(tmp_path: Path) -> None:
    whole = weights_of(tmp_path / "whole")
    assert torch.allclose(weights_of(tmp_path / "parts", room=2), whole, atol=1e-5)
    with pytest.raises(DeviceError, match=r"'squares' with 1 of 7 samples"):
        weights_of(tmp_path / "none", room=0)
    with pytest.raises(DeviceError, match=r"with 7 of 7 samples"):
        weights_of(tmp_path / "indivisible", room=2, divisible=False)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'squares' is no longer a number at step 5"):
        weights_of(tmp_path, nan=True)
    assert not (tmp_path / "checkpoint.safetensors").is_file()


def write_video(path: Path, picture: np.ndarray, frames: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, picture.shape[1::-1])
    for _ in range(frames):
        writer.write(picture[..., ::-1])
    writer.release()


def folder_with_video(tmp_path: Path, picture: np.ndarray) -> tuple[Path, Path]:
    takes, videos = tmp_path / "takes", tmp_path / "videos"
    takes.mkdir()
    videos.mkdir()
    SEGMENTS[0].clip.take.slice(0, 4).save(takes / "a.npz")
    write_video(videos / "a.mp4", picture, 4)
    with (takes / "clips.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["id", "file", "speaker"], ["a", "a.mp4", "anna"]])
    return takes, videos


def test_segments_of_takes_and_videos(tmp_path: Path, astronaut: np.ndarray, osm) -> None:  # type: ignore[no-untyped-def]
    from osmnet_sdk.face.networks import load_face_networks

    networks = load_face_networks(osm.bundle)
    takes, videos = folder_with_video(tmp_path, astronaut)
    cache = tmp_path / "cache"
    for _ in range(2):  # made, then read
        (found,) = folder_segments(takes, videos, cache, size=64, networks=networks, frames=3)
        assert (len(found), found.clip.speaker) == (3, "anna")
        pictures = found.pictures[np.array([0, 2])]
        assert pictures.shape == (2, 64, 64, 3)
        assert len(list(cache.iterdir())) == 1
    # the head fills the crop: its middle is skin, as in the photo's face
    face = astronaut[80:140, 190:250].reshape(-1, 3).mean(0)
    assert np.abs(pictures[0, 24:40, 24:40].reshape(-1, 3).mean(0) - face).max() < 40
    (videos / "a.mp4").unlink()
    with pytest.raises(InputError, match=r"a\.mp4"):
        folder_segments(takes, videos, cache, size=64, networks=networks)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, bundle: Path) -> None:
    for arguments, wanted in (
        (["--device", "abacus"], "abacus"),
        (["--precision", "8-bit"], "32-true"),
        ([], "recipe"),
    ):
        done = CliRunner().invoke(
            app,
            ["train", "generator", str(tmp_path / "no.json"), str(tmp_path), "--videos"]
            + [str(tmp_path), "-o", str(bundle), *arguments],
        )
        assert done.exit_code == 2
        assert wanted in done.output
        assert "Traceback" not in done.output


def test_takes_without_their_videos_are_told_of_them(tmp_path: Path, bundle: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(RECIPE.model_dump_json(), encoding="utf-8")
    takes = tmp_path / "takes"
    takes.mkdir()
    for wanted in ("osmnet prepare", "--videos"):
        done = CliRunner().invoke(
            app, ["train", "generator", str(recipe), str(takes), "-o", str(bundle)]
        )
        assert done.exit_code == 2
        assert wanted in done.output
        SEGMENTS[0].clip.take.save(takes / "a.npz")
