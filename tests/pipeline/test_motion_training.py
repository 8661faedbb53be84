"""Training of the motion network on a few seconds of made-up motion and sound."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from osmnet_sdk.core.bundle import load_arrays
from osmnet_sdk.core.conventions import SAMPLE_RATE
from osmnet_sdk.errors import (
    Cancelled,
    InputError,
    ModelError,
    OSMNetWarning,
    OutputError,
    TrackError,
)
from osmnet_sdk.motion.network import MotionConfig
from osmnet_sdk.motion.sampler import MotionSampler
from osmnet_sdk.research.data.clips import read_clips, split_speakers
from osmnet_sdk.research.trainers import loop
from osmnet_sdk.research.trainers.checkpoint import load_checkpoint, save_checkpoint
from osmnet_sdk.research.trainers.loop import TrainingRun
from osmnet_sdk.research.trainers.motion import train as motion
from osmnet_sdk.research.trainers.motion.data import MotionWindows
from osmnet_sdk.research.trainers.motion.recipe import MotionRecipe, StageRecipe
from osmnet_sdk.research.trainers.motion.train import train_motion, train_network
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

RECIPES = Path(__file__).parents[2] / "models" / "recipes"

SMALL = MotionRecipe(
    config=MotionConfig(basis_vectors=6, feature_size=24, hidden_size=16, audio_size=8),
    validation_share=0.3,
    motion_space=StageRecipe(steps=8, batch=16),
    audio=StageRecipe(steps=6, batch=16),
)

EARLIER = {
    "directions": 13.288892,
    "log_kappa": 2.3072035,
    "feature_scale": 3.3496168,
    "motion_encoder.linear.weight": 8.6999769,
    "motion_encoder.curve.0.weight": 39.79468,
    "decoder.curve.2.weight": 46.305841,
    "audio_encoder.patch.0.weight": 25.747103,
    "audio_encoder.clip.4.weight": 10.000562,
}
"""Sums of absolute weights that the first version's trainer made."""


def write_clip(
    folder: Path, name: str, seed: int, *, frames: int = 200, sound: bool = True
) -> None:
    generator = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / 25
    rate = generator.uniform(2.0, 8.0, 6)
    size = np.array([3.0, 4.0, 3.0, 0.005, 0.005, 0.005])
    poses = size * np.sin(rate * time + generator.uniform(0, 6, 6))
    Take(
        MotionTrack(25, poses[:, :3], poses[:, 3:]),  # type: ignore[arg-type]
        ExpressionTrack(25, np.zeros((frames, 52))),  # type: ignore[arg-type]
    ).save(folder / f"{name}.npz")
    if not sound:
        return
    samples = 0.2 * generator.standard_normal(frames * 640)
    samples *= np.repeat(np.abs(np.sin(np.arange(frames) / 3)), 640)
    with wave.open(str(folder / f"{name}.wav"), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(SAMPLE_RATE)
        stream.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as `osmnet train` does
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "clips"
    place.mkdir()
    rows = ["id,speaker,av_lag_ms"]
    for index in range(4):
        write_clip(place, f"c{index}", index, sound=index < 3)
        rows.append(f"c{index},s{index},")
    (place / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return place


def test_weights_and_card_are_written(folder: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    weights, card = train_motion(
        SMALL,
        folder,
        tmp_path,
        TrainingRun(tmp_path / "work", progress=lambda stage, done, total: stages.append(stage)),
    )
    assert list(dict.fromkeys(stages)) == ["clips", "motion space", "audio", "calibration"]
    text = card.read_text(encoding="utf-8")
    assert "{" not in text
    assert text.count("\nb0") == 6  # a bar for each basis vector
    sampler = MotionSampler.from_arrays(*load_arrays(weights, "test again"), "a test")
    assert sampler.attention is not None
    assert sampler.attention.sum() == pytest.approx(1.0, abs=1e-5)
    smallest = int(sampler.attention.argmin())
    assert f"smallest is b{smallest + 1:02d} with {100 * sampler.attention.min():.2f}" in text
    clips = read_clips(folder)
    assert clips[0].samples is not None
    from osmnet_sdk.audio.load import Audio

    track = sampler.sample(sampler.features(Audio(clips[0].samples)), take=0, seed=0)
    assert len(track) == 200
    assert track.rotation.std() > 0.1


def test_training_lowers_the_losses(folder: Path, tmp_path: Path) -> None:
    recipe = SMALL.model_copy(update={"motion_space": StageRecipe(steps=300, batch=32)})
    network = train_network(recipe, read_clips(folder), TrainingRun(tmp_path / "work"))
    curves = EventAccumulator(str(tmp_path / "work")).Reload()

    def points(name: str) -> list[tuple[int, float]]:
        return [(event.step, event.value) for event in curves.Scalars(name)]

    pose = points("motion space/pose")
    assert [step for step, _ in pose] == list(range(10, 301, 10))
    assert pose[-1][1] < 0.4  # 0.6 before training
    assert points("motion space/basis_pose")[-1][1] < 0.5
    # The last point is of before the last step.
    assert points("motion space/kappa")[-1][1] == pytest.approx(network.kappa.item(), rel=1e-3)
    assert points("motion space/learning rate")[-1][1] == pytest.approx(1e-4, rel=1e-3)
    assert [step for step, _ in points("audio/total")] == [306]


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 2)
    clips = read_clips(folder)
    whole = train_network(SMALL, clips, TrainingRun(tmp_path / "whole")).state_dict()
    for stop in (5, 9, 12):  # in both stages, and between two checkpoints
        work = tmp_path / f"stopped-{stop}"
        calls = [0]

        def cancelled(calls: list[int] = calls, stop: int = stop) -> bool:
            calls[0] += 1
            return calls[0] > stop

        with pytest.raises(Cancelled):
            train_network(SMALL, clips, TrainingRun(work, cancel=cancelled))
        resumed = train_network(SMALL, clips, TrainingRun(work)).state_dict()
        assert all(torch.equal(resumed[name], value) for name, value in whole.items())


def test_the_same_recipe_makes_the_same_network_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that networks of earlier versions stay what their recipe makes."""
    generator = torch.Generator().manual_seed(3)
    clips = torch.randn(40, 5, 6, generator=generator) * torch.tensor([2.0] * 3 + [0.003] * 3)
    windows = MotionWindows(
        clips - clips[:, :1],
        torch.randn(50, 16, 16, generator=generator) - 5.0,
        torch.arange(40).where(torch.arange(40) % 4 > 0, -1),
    )
    monkeypatch.setattr(motion, "motion_windows", lambda clips, recipe: windows)
    state = train_network(SMALL, [], TrainingRun(tmp_path)).state_dict()
    found = {name: float(state[name].double().abs().sum()) for name in EARLIER}
    assert found == pytest.approx(EARLIER, rel=1e-5)


def test_another_recipe_starts_anew(folder: Path, tmp_path: Path) -> None:
    clips = read_clips(folder)
    first = train_network(SMALL, clips, TrainingRun(tmp_path)).state_dict()
    other = SMALL.model_copy(update={"seed": 9})
    with pytest.warns(OSMNetWarning, match=r"another recipe.* starts anew, and the other is kept"):
        here = train_network(other, clips, TrainingRun(tmp_path)).state_dict()
    elsewhere = train_network(other, clips, TrainingRun(tmp_path / "other")).state_dict()
    assert all(torch.equal(here[name], value) for name, value in elsewhere.items())
    cancelled = TrainingRun(tmp_path, cancel=lambda: True)
    with pytest.warns(OSMNetWarning, match="starts anew"), pytest.raises(Cancelled):
        train_network(SMALL, clips[:3], cancelled)  # other data
    again = train_network(SMALL, clips, cancelled).state_dict()
    assert all(torch.equal(first[name], value) for name, value in again.items())


def test_checkpoints_of_other_recipes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    network = torch.nn.Linear(2, 2)
    adam = torch.optim.Adam(network.parameters())
    for step, recipe in enumerate("ab"):
        save_checkpoint(path, network, adam, stage="s", step=step, fingerprint=recipe)
        with pytest.warns(OSMNetWarning, match=r"'checkpoint-[0-9a-f]{8}\.safetensors'"):
            assert load_checkpoint(path, "c") is None
    found = load_checkpoint(path, "a")  # nothing was made since: no word is needed
    assert found is not None
    assert found.step == 0
    with pytest.warns(OSMNetWarning, match="goes on from its own"):
        found = load_checkpoint(path, "b")
    assert found is not None
    assert found.step == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_silent_clips_do_for_the_motion_space_but_not_alone(folder: Path, tmp_path: Path) -> None:
    clips = read_clips(folder)
    assert [clip.samples is None for clip in clips] == [False, False, False, True]
    with pytest.raises(InputError, match="sound"):
        train_network(SMALL, clips[3:], TrainingRun(tmp_path))


def test_speakers_are_never_on_both_sides(folder: Path) -> None:
    clips = read_clips(folder)
    for seed in range(20):
        training, validation = split_speakers(clips, 0.4, seed)
        assert {c.speaker for c in training}.isdisjoint(c.speaker for c in validation)
        assert len(training) + len(validation) == 4
        assert sum(clip.samples is not None for clip in validation) == 1
    training, validation = split_speakers(clips, 0.0, 0)
    assert (len(training), len(validation)) == (4, 0)


def test_lag_is_taken_out(folder: Path) -> None:
    plain = read_clips(folder)[0].samples
    text = (folder / "clips.csv").read_text(encoding="utf-8")
    # Lips 80 ms before the sound: frame i belongs to sound two frames later.
    (folder / "clips.csv").write_text(text.replace("c0,s0,", "c0,s0,-80"), encoding="utf-8")
    early = read_clips(folder)[0].samples
    (folder / "clips.csv").write_text(text.replace("c0,s0,", "c0,s0,40"), encoding="utf-8")
    late = read_clips(folder)[0].samples
    assert plain is not None
    assert early is not None
    assert late is not None
    assert len(plain) == len(early) == len(late) == 200 * 640
    np.testing.assert_array_equal(early[:-1280], plain[1280:])
    assert (early[-1280:] == 0).all()
    np.testing.assert_array_equal(late[640:], plain[:-640])


def test_bad_listings(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"clips\.csv"):
        read_clips(tmp_path / "nowhere")
    listing = folder / "clips.csv"
    bad = {
        "name,who\nc0,s0\n": "'id' and 'speaker'",
        "id,speaker\n": "'id' and 'speaker'",
        "id,speaker\nc0,s0\nc0,s0\n": "twice",
        "id,speaker\n../c0,s0\n": "no folder",
        "id,speaker,av_lag_ms\nc0,s0,soon\n": "'soon'",
    }
    for text, message in bad.items():
        listing.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_clips(folder)
    listing.write_text("id,speaker\nmissing,s0\n", encoding="utf-8")
    with pytest.raises(TrackError, match=r"missing\.npz"):
        read_clips(folder)


def test_recipes_are_checked(tmp_path: Path) -> None:
    assert MotionRecipe.read(RECIPES / "motion.json").config == MotionConfig()
    path = tmp_path / "recipe.json"
    for text in (
        '{"seed": -1}',
        '{"unknown": 1}',
        "[",
        '{"audio": {"steps": 0}}',
        '{"config": {"clip_frames": 2}}',
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=r"recipe\.json"):
            MotionRecipe.read(path)
    with pytest.raises(InputError, match="Cannot read"):
        MotionRecipe.read(tmp_path / "none.json")


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "motion-checkpoint.safetensors"
    assert load_checkpoint(path, "a") is None
    network = torch.nn.Linear(2, 2)
    adam = torch.optim.Adam(network.parameters())
    save_checkpoint(path, network, adam, stage="audio", step=3, fingerprint="a")
    found = load_checkpoint(path, "a")
    assert found is not None
    assert (found.stage, found.step) == ("audio", 3)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ModelError, match="damaged"):
        load_checkpoint(path, "a")


def test_work_folder_must_be_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="folder"):
        train_network(SMALL, read_clips(folder), TrainingRun(tmp_path / "file" / "work"))
