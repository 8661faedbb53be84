"""What every training shares: steps, checkpoints, curves, and several processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import training_processes
from pipeline.test_motion_training import write_clip
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from osmnet_sdk.errors import Cancelled, DeviceError, InputError, ModelError, OutputError
from osmnet_sdk.research.trainers import loop
from osmnet_sdk.research.trainers.loop import Stage, TrainingRun
from osmnet_sdk.research.trainers.processes import Processes

STEPS = 12


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Objective(nn.Module):
    """Learn the sum of three numbers, with dropout."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        return {"total": (self.network(inputs)[:, 0] - inputs.sum(1)).square().mean()}


def new_network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 1))


def rate(step: int) -> float:
    return 0.01 * (1 - step / STEPS)


def stages(network: nn.Sequential) -> list[Stage]:
    objective = Objective(network)
    return [
        Stage(
            name=name,
            steps=STEPS,
            parameters=list(part.parameters()),
            batch=lambda step: (torch.randn(8, 3),),
            objective=objective,
            rate=rate,
            seed=lambda step: 100 + step,
            largest_gradient=1.0,
            measure=lambda: {"bias": float(network[3].bias.detach())},
        )
        for name, part in (("last layer", network[3]), ("all", network))
    ]


def trained(folder: Path, processes: Processes | None = None, stop: int = 99) -> dict[str, Tensor]:
    network = new_network()
    calls = iter(range(100))
    run = TrainingRun(
        folder, processes=processes or Processes(), cancel=lambda: next(calls) >= stop
    )
    run.train(network, stages(network), "checkpoint.safetensors", "a")
    assert not network.training
    return network.state_dict()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], value) for name, value in second.items())


def test_one_process_does_what_a_plain_loop_does(tmp_path: Path) -> None:
    network = new_network()
    for stage in stages(network):
        adam = torch.optim.Adam(stage.parameters)
        for step in range(STEPS):
            adam.param_groups[0]["lr"] = rate(step)
            torch.manual_seed(100 + step)
            loss = stage.objective(torch.randn(8, 3))["total"]
            network.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(stage.parameters, 1.0)
            adam.step()
    assert same(trained(tmp_path), network.state_dict())


def test_torch_s_own_generator_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    trained(tmp_path)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("stop", [7, 13, 20])  # each stage, and between the two
def test_a_stopped_run_goes_on_and_so_do_its_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_STEPS", 4)
    monkeypatch.setattr(loop, "CURVE_STEPS", 1)
    whole = trained(tmp_path / "whole")
    with pytest.raises(Cancelled):
        trained(tmp_path / "half", stop=stop)
    time.sleep(1.0)  # files of curves are ordered by the second in their names
    assert same(trained(tmp_path / "half"), whole)
    assert same(trained(tmp_path / "half", stop=0), whole)  # nothing is left to do
    for name in ("whole", "half"):
        curves = EventAccumulator(str(tmp_path / name)).Reload()
        assert [e.step for e in curves.Scalars("last layer/total")] == list(range(1, 13))
        assert [e.step for e in curves.Scalars("all/total")] == list(range(13, 25))
        assert [e.step for e in curves.Scalars("all/bias")] == [16, 20, 24]
        rates = [e.value for e in curves.Scalars("all/learning rate")]
        assert rates == pytest.approx([rate(step) for step in range(STEPS)])


def test_mixed_precision_is_near_but_not_the_same(tmp_path: Path) -> None:
    full = trained(tmp_path / "full")
    mixed = trained(tmp_path / "mixed", Processes(precision="bf16-mixed"))
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert not same(full, mixed)
    assert all(torch.allclose(mixed[name], full[name], atol=0.05) for name in full)


@pytest.mark.parametrize("package", ["lightning_fabric", "tensorboard"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=rf"{package.replace('_', '-')}.*osmnet-sdk\[train\]"):
        Processes()


def test_bad_devices_batches_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="abacus"):
        Processes("abacus")
    processes = Processes()
    processes.count = 3
    with pytest.raises(InputError, match=r"batch of 8 .* 3 processes"):
        processes.share(torch.zeros(8, 2))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="file"):
        trained(tmp_path / "file")


def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    clips = tmp_path / "Aufnahmen é"
    clips.mkdir()
    rows = ["id,speaker"]
    for index in range(3):
        write_clip(clips, f"c{index}", index)
        rows.append(f"c{index},s{index}")
    (clips / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    script = Path(training_processes.__file__)
    two, one = tmp_path / "two", tmp_path / "one"
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [sys.executable, *launch, str(clips), str(two)],
        env=os.environ | {"USE_LIBUV": "0"},  # Windows' torch has none
        capture_output=True, encoding="utf-8", errors="replace", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    training_processes.train_both(clips, one, Processes())
    for name in ("motion", "expression", "work/motion-checkpoint", "work/expression-checkpoint"):
        expected, found = (load_file(place / f"{name}.safetensors") for place in (one, two))
        for key, value in expected.items():
            difference = float((found[key].double() - value.double()).abs().max())
            # The calibration follows the sizes of takes, in which rounding adds up over many poses.
            bound = 1e-3 if key.startswith("calibration.") else 2e-5
            assert difference < bound * max(1.0, float(value.abs().max())), (name, key)
    # The first process alone writes.
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}
    assert len(list((two / "work").glob("events*"))) == len(list((one / "work").glob("events*")))
