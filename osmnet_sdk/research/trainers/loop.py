"""The training loop of every network: stages of steps, checkpoints, curves for TensorBoard.

A step draws its batch from its own number and nothing else. So a run that was stopped goes on
exactly as it would have, and every process draws the same batch, of which it takes its share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from osmnet_sdk.core.devices import is_out_of_memory
from osmnet_sdk.core.files import output_folder
from osmnet_sdk.errors import DeviceError, ModelError, OutputError
from osmnet_sdk.progress import CancelCallback, ProgressCallback, Reporter
from osmnet_sdk.research.trainers.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from osmnet_sdk.research.trainers.processes import Processes

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

CHECKPOINT_STEPS = 250
"""Steps from one checkpoint to the next."""
CURVE_STEPS = 10
"""Steps from one point of a curve to the next."""


@dataclass(frozen=True)
class Stage:
    """One stage of a training: Adam on some parameters of a network.

    Attributes:
        name: for people, checkpoints and curves.
        steps: how many.
        parameters: those of the network that learn; the others stand still.
        batch: step → tensors of the whole batch, (B, …) each; drawn on the CPU.
        objective: holds the network; takes this process's share of the batch and gives figures by
            name, each a mean over the share. "total" is minimised; all are drawn as curves.
        rate: step → learning rate.
        seed: step → seed of torch's own generator, for `batch` and for dropout.
        largest_gradient: norm to which gradients are clipped; None leaves them.
        measure: further figures, taken at checkpoints by the first process.
        pictures: sheets by name, uint8 RGB (H, W, 3), drawn at checkpoints by the first process.
        divisible: whether the figures of a batch are the means of those of its parts, so that a
            batch that does not fit into memory may be taken in parts.
    """

    name: str
    steps: int
    parameters: Sequence[nn.Parameter]
    batch: Callable[[int], tuple[Tensor, ...]]
    objective: nn.Module
    rate: Callable[[int], float]
    seed: Callable[[int], int]
    largest_gradient: float | None = None
    measure: Callable[[], Mapping[str, float]] | None = None
    pictures: Callable[[], Mapping[str, NDArray[np.uint8]]] | None = None
    divisible: bool = False


@dataclass(frozen=True)
class TrainingRun:
    """Where a training works, who takes part in it, and who watches.

    Attributes:
        work: folder for checkpoints and what else is kept; it is made. A run that was stopped goes
            on from there.
        curves: folder for TensorBoard; None is `work`. Curves run over the steps of all stages.
        processes: those that train, by default this one on the CPU; the first of them writes.
        progress: called with (stage, done, total).
        cancel: asked after each step, and between what is prepared before.
    """

    work: Path
    curves: Path | None = None
    processes: Processes = field(default_factory=Processes)
    progress: ProgressCallback | None = None
    cancel: CancelCallback | None = None

    @property
    def report(self) -> Reporter:
        """Tells progress and asks whether to stop."""
        return Reporter(self.progress, self.cancel)

    def train(
        self, network: nn.Module, stages: Sequence[Stage], checkpoint: str, fingerprint: str
    ) -> None:
        """Train a network, or go on where a stopped run of the same fingerprint left off.

        Args:
            network: is trained in place; it is on the CPU and in evaluation mode afterwards.
            stages: one after the other.
            checkpoint: name of the file to go on from, and to write every 250 steps.
            fingerprint: of recipe and data.

        Raises:
            InputError: if the processes cannot share a batch evenly.
            ModelError: if packages of the extra "train" are not installed, the checkpoint is
                damaged, or a loss is no longer a number.
            DeviceError: if memory runs out.
            OutputError: if a folder cannot be written to.
            Cancelled: if `cancel` returns True; the checkpoint stays.

        Warns:
            OSMNetWarning: if a checkpoint of another recipe or other data is there; it is kept.
        """
        processes, path = self.processes, output_folder(self.work) / checkpoint
        with processes.first_alone():  # or others would read what it renames
            resumed = load_checkpoint(path, fingerprint)
        current, start = 0, 0
        if resumed is not None:
            resumed.restore_network(network)
            current, start = [stage.name for stage in stages].index(resumed.stage), resumed.step
            if start == stages[current].steps:
                current, start, resumed = current + 1, 0, None
        network.to(processes.device)
        reporter = Reporter(self.progress if processes.is_first else None, self.cancel)
        before = sum(stage.steps for stage in stages[:current])
        if current < len(stages):
            with _writer(self.curves or self.work, before + start, processes) as writer:
                steps = _Steps(network, processes, path, fingerprint, reporter, writer)
                for stage in stages[current:]:
                    steps.stage(stage, before, start, resumed)
                    before, start, resumed = before + stage.steps, 0, None
        network.to("cpu").eval()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While this lasts, torch's own generator starts at a seed, such as for new weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@dataclass
class _Steps:
    """What the stages of a training share; `parts` is how many a batch is taken in."""

    network: nn.Module
    processes: Processes
    checkpoint: Path
    fingerprint: str
    reporter: Reporter
    writer: SummaryWriter | None
    parts: int = 1

    def stage(self, stage: Stage, before: int, start: int, resumed: Checkpoint | None) -> None:
        """Run the steps of a stage from `start` on; `before` steps were in earlier stages."""
        adam = torch.optim.Adam(stage.parameters, lr=stage.rate(start))
        if resumed is not None:
            resumed.restore_optimiser(adam)
        with _learning(self.network, stage.parameters):
            self.network.train()
            objective, optimiser = self.processes.fabric.setup(stage.objective, adam)
            for step in range(start, stage.steps):
                adam.param_groups[0]["lr"] = stage.rate(step)
                figures = self._step(stage, step, objective, optimiser)
                done = step + 1
                self.reporter.step(stage.name, done, stage.steps)
                if done % CURVE_STEPS == 0 or done == stage.steps:
                    means = self._means(figures) | {"learning rate": stage.rate(step)}
                    self._draw(stage, before + done, means)
                    _check_loss(stage, done, means["total"])
                if done % CHECKPOINT_STEPS == 0 or done == stage.steps:
                    self._keep(stage, before, done, adam)

    def _step(
        self, stage: Stage, step: int, objective: nn.Module, optimiser: torch.optim.Optimizer
    ) -> dict[str, Tensor]:
        processes, fabric = self.processes, self.processes.fabric
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stage.seed(step))
            batch = [processes.share(part).to(processes.device) for part in stage.batch(step)]
            if processes.rank:  # or dropout would be the same in every share
                torch.manual_seed(stage.seed(step) + processes.rank)
            figures = self._gradients(stage, batch, objective, optimiser)
        if stage.largest_gradient is not None:
            fabric.clip_gradients(
                objective, optimiser, max_norm=stage.largest_gradient, error_if_nonfinite=False
            )
        optimiser.step()
        return figures

    def _gradients(
        self,
        stage: Stage,
        batch: Sequence[Tensor],
        objective: nn.Module,
        optimiser: torch.optim.Optimizer,
    ) -> dict[str, Tensor]:
        """Figures of a batch, whose gradients are left on the parameters."""
        while True:
            optimiser.zero_grad()
            try:
                return self._in_parts(batch, objective)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._take_smaller_parts(stage, len(batch[0]), error)

    def _in_parts(self, batch: Sequence[Tensor], objective: nn.Module) -> dict[str, Tensor]:
        if self.parts == 1:
            figures: dict[str, Tensor] = objective(*batch)
            self.processes.fabric.backward(figures["total"])
            return figures
        sums: dict[str, Tensor] = {}
        for part in zip(*(tensor.chunk(self.parts) for tensor in batch), strict=True):
            weight = len(part[0]) / len(batch[0])
            weighted = {name: weight * value for name, value in objective(*part).items()}
            self.processes.fabric.backward(weighted["total"])
            for name, value in weighted.items():
                sums[name] = sums.get(name, value.new_zeros(())) + value.detach()
        return sums

    def _take_smaller_parts(self, stage: Stage, rows: int, error: Exception) -> None:
        """Halve what is taken at a time, or say why not."""
        # Among several processes the others would wait for gradients of a batch taken anew.
        if not stage.divisible or self.processes.count > 1 or self.parts >= rows:
            raise DeviceError(
                f"Memory of '{self.processes.device}' ran out in stage '{stage.name}' with "
                f"{-(-rows // self.parts)} of {rows} samples at a time; make the recipe's batch or "
                "sizes smaller, or use more or larger devices."
            ) from error
        self.parts = min(2 * self.parts, rows)

    def _means(self, figures: dict[str, Tensor]) -> dict[str, float]:
        values = self.processes.mean(torch.stack(list(figures.values()))).tolist()
        return dict(zip(figures, values, strict=True))

    def _keep(self, stage: Stage, before: int, done: int, adam: torch.optim.Adam) -> None:
        if not self.processes.is_first:
            return
        if stage.measure is not None:
            self.network.eval()
            self._draw(stage, before + done, stage.measure())
            self.network.train()
        if stage.pictures is not None and self.writer is not None:
            self.network.eval()
            for name, picture in stage.pictures().items():
                name = f"{stage.name}/{name}"
                self.writer.add_image(name, picture, before + done, dataformats="HWC")
            self.network.train()
        save_checkpoint(
            self.checkpoint,
            self.network,
            adam,
            stage=stage.name,
            step=done,
            fingerprint=self.fingerprint,
        )

    def _draw(self, stage: Stage, step: int, figures: Mapping[str, float]) -> None:
        if self.writer is not None:
            for name, value in figures.items():
                self.writer.add_scalar(f"{stage.name}/{name}", value, step)


def _check_loss(stage: Stage, done: int, loss: float) -> None:
    if not np.isfinite(loss):
        raise ModelError(
            f"The loss of stage '{stage.name}' is no longer a number at step {done}; lower the "
            "learning rate or train in full precision, and start again: the last checkpoint is "
            "from before that."
        )


@contextmanager
def _learning(network: nn.Module, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Let some parameters learn and the others stand still."""
    chosen = set(map(id, parameters))
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    try:
        yield
    finally:
        network.requires_grad_(True)


@contextmanager
def _writer(folder: Path, done: int, processes: Processes) -> Iterator[SummaryWriter | None]:
    """Curves of the first process; what a stopped run drew beyond `done` steps does not count."""
    from torch.utils.tensorboard import SummaryWriter

    if not processes.is_first:
        yield None
        return
    try:
        writer = SummaryWriter(str(output_folder(folder)), purge_step=done + 1)
    except OSError as error:
        raise OutputError(
            f"Cannot write curves to '{folder}': {error.strerror or error}; choose another folder."
        ) from error
    try:
        yield writer
    finally:
        writer.close()
