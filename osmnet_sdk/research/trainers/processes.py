"""The process, or processes, that a training runs on: devices, shares of a batch, what they gather.

Lightning Fabric does the work; this module says what the project uses of it. One process is
started as any command, several by torchrun, which tells each of them its place.
"""

from __future__ import annotations

import importlib
import logging
import os
from contextlib import AbstractContextManager
from typing import Any, Literal, cast, get_args

from torch import Tensor

from osmnet_sdk.core.devices import resolve_device
from osmnet_sdk.errors import DeviceError, InputError, ModelError

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]
"""Numbers of forward passes; parameters are float32 in each."""

PRECISIONS: tuple[str, ...] = get_args(Precision)
"""The names of all precisions."""


class Processes:
    """This process and those beside it. All of them must make the same calls in the same order.

    Attributes:
        count: how many there are; 1 unless torchrun started them.
        rank: place of this one, from 0.
        device: of this one.
        fabric: the Lightning Fabric that wraps modules and optimisers.

    Args:
        device: as of `resolve_device`; "auto" and a kind without a number give each process of a
            machine a device of its own.
        precision: of forward passes.

    Raises:
        DeviceError: if the device is not there or does not go with the number of processes.
        ModelError: if the packages of the extra "train" are not installed.
    """

    def __init__(self, device: str = "cpu", precision: Precision = "32-true") -> None:
        _check_packages()
        from lightning_fabric import Fabric
        from lightning_fabric.utilities.exceptions import MisconfigurationException

        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        wanted = resolve_device(device)
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if self.count > 1 and wanted.index is not None:
            raise DeviceError(
                f"'{device}' is one device, but {self.count} processes were started; say "
                f"'{wanted.type}', and each takes one of its own."
            )
        try:
            self.fabric = Fabric(
                accelerator=wanted.type,
                devices=beside if wanted.index is None else [wanted.index],
                num_nodes=self.count // beside,
                strategy="ddp" if self.count > 1 else "auto",
                plugins=_precision_plugin(precision, wanted.type),
            )
            self.fabric.launch()
        except (MisconfigurationException, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise DeviceError(
                f"Training cannot start on '{device}' in {self.count} processes: {reason}."
            ) from error
        self.rank = self.fabric.global_rank
        self.device = self.fabric.device

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files and talks to people."""
        return self.rank == 0

    def first_alone(self) -> AbstractContextManager[None]:
        """A block that the first process runs before the others, to make files that they read."""
        alone: AbstractContextManager[None] = self.fabric.rank_zero_first()
        return alone

    def share(self, batch: Tensor) -> Tensor:
        """The rows of a whole batch that are this process's, in the order of ranks.

        Args:
            batch: (B, …), the same in all processes.

        Returns:
            (B / count, …).

        Raises:
            InputError: if B is no multiple of the number of processes.
        """
        if self.count == 1:
            return batch
        rows, rest = divmod(len(batch), self.count)
        if rest:
            raise InputError(
                f"A batch of {len(batch)} cannot be shared evenly by {self.count} processes; start "
                "a number of them that divides it, or change the recipe's batch."
            )
        return batch[self.rank * rows : (self.rank + 1) * rows]

    def gathered(self, share: Tensor) -> Tensor:
        """The whole batch from the shares, the opposite of `share`; gradients flow back.

        Args:
            share: (B / count, …).

        Returns:
            (B, …).
        """
        if self.count == 1:
            return share
        whole = cast(Tensor, self.fabric.all_gather(share, sync_grads=share.requires_grad))
        return whole.flatten(0, 1)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over the processes, without gradients."""
        if self.count == 1:
            return value.detach()
        return cast(Tensor, self.fabric.all_reduce(value.detach().clone(), reduce_op="mean"))


def _precision_plugin(precision: Precision, device: str) -> Any:
    """Mixed precision that leaves inputs alone: autocast rounds what gains from it.

    Fabric's own rounds a batch first, and angles and times would be off by a hundredth.
    """
    from lightning_fabric.plugins.precision import MixedPrecision
    from lightning_fabric.plugins.precision import Precision as FullPrecision

    if precision == "32-true":
        return FullPrecision()

    class Autocast(MixedPrecision):
        def convert_input(self, data: Any) -> Any:
            return data

    return Autocast(precision, device)


def _check_packages() -> None:
    """Say what is missing before any work is done."""
    for name in ("lightning_fabric", "tensorboard"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ModelError(
                f"Training needs the package {name.replace('_', '-')}, which is not installed; "
                'run: pip install "osmnet-sdk[train]".'
            ) from error
