"""Networks to and from weights files: tensors by name, and their sizes as JSON beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from pydantic import BaseModel, ValidationError
from torch import nn

from osmnet_sdk.core.bundle import Bundle
from osmnet_sdk.errors import ModelError

Config = TypeVar("Config", bound=BaseModel)
Network = TypeVar("Network", bound=nn.Module)


def network_arrays(
    network: nn.Module, prefix: str = "", dtype: DTypeLike = np.float16
) -> dict[str, NDArray[Any]]:
    """Parameters and buffers of a network on the CPU, for `bundle.save_arrays`.

    Args:
        network: on the CPU.
        prefix: put before each name.
        dtype: what they are stored as.
    """
    return {
        prefix + name: value.numpy().astype(dtype) for name, value in network.state_dict().items()
    }


@dataclass(frozen=True)
class WeightsFormat(Generic[Config, Network]):
    """How the networks of one kind lie in weights files.

    Errors are one sentence that names the kind and where the weights came from.
    """

    file: str
    """Name of the weights in a bundle."""
    called: str
    """What messages call them, after "the"; plural."""
    config: type[Config]
    """Sizes, the metadata entry "config"."""
    network: Callable[[Config], Network]
    """Makes the network of such sizes."""
    schema: str | None = None
    """What the metadata entry "schema" must be; None for weights without one."""
    prefix: str = ""
    """Before the network's names; tensors without it are somebody else's."""
    trained_by: str = "--help"
    """What `osmnet train` calls their training, for the message where a bundle has none."""

    def metadata(self, config: Config) -> dict[str, str]:
        """Metadata for `bundle.save_arrays`; `read_config` reads it."""
        schema = {} if self.schema is None else {"schema": self.schema}
        return schema | {"config": config.model_dump_json()}

    def read_config(self, metadata: Mapping[str, str], origin: str) -> Config:
        """The sizes that a file's metadata names.

        Args:
            metadata: of the file.
            origin: where it came from, for messages.

        Raises:
            ModelError: if the schema is another one, or the sizes are missing or impossible.
        """
        found = metadata.get("schema")
        if self.schema is not None and found != self.schema:
            raise ModelError(
                f"The {self.called} of {origin} have schema '{found}', this version reads "
                f"'{self.schema}'; use a bundle that fits."
            )
        try:
            return self.config.model_validate_json(metadata["config"])
        except (KeyError, ValidationError) as error:
            raise self._unfit(origin) from error

    def build(
        self, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], origin: str
    ) -> Network:
        """The network that was stored, on the CPU and in evaluation mode.

        Args:
            arrays: tensors by name; half precision is widened.
            metadata: of the file.
            origin: where it came from, for messages.

        Raises:
            ModelError: if the schema is another one, weights and sizes do not fit together, or a
                weight is not a number.
        """
        config = self.read_config(metadata, origin)
        try:
            self._check_sizes(config, arrays)
            network = self.network(config)
            state = {
                name.removeprefix(self.prefix): torch.from_numpy(np.array(value, np.float32))
                for name, value in arrays.items()
                if name.startswith(self.prefix)
            }
            network.load_state_dict(state)
        except (TypeError, ValueError, RuntimeError) as error:
            raise self._unfit(origin) from error
        if not all(bool(value.isfinite().all()) for value in state.values()):
            raise ModelError(
                f"The {self.called} of {origin} hold values that are not numbers; train or get "
                "them again."
            )
        return network.eval()

    def _check_sizes(self, config: Config, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Hold that the sizes are those of the tensors, before a network of such sizes is made."""
        with torch.device("meta"):
            wanted = {
                self.prefix + name: value.numel()
                for name, value in self.network(config).state_dict().items()
            }
        if any(name not in arrays or arrays[name].size != wanted[name] for name in wanted):
            raise ValueError("other sizes")

    def load(self, bundle: Bundle) -> Network:
        """The network of a bundle; errors as for `read` and `build`."""
        return self.build(*self.read(bundle), f"bundle '{bundle.name}'")

    def read(self, bundle: Bundle) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """The weights of a bundle as `build` takes them, tensors and metadata.

        Raises:
            ModelError: if the bundle has none, or as for `Bundle.arrays`.
        """
        path = bundle.folder / self.file
        if self.file in bundle.manifest.files:
            return bundle.arrays(self.file)
        if path.is_file():
            raise ModelError(
                f"'{path}' is not in the bundle's manifest; write it anew with "
                f"`osmnet train manifest {bundle.folder} --name {bundle.name}`."
            )
        raise ModelError(
            f"The bundle '{bundle.name}' has no {self.called} ('{self.file}'); train them with "
            f"`osmnet train {self.trained_by}`, see docs/training.md, and name that bundle."
        )

    def _unfit(self, origin: str) -> ModelError:
        return ModelError(
            f"The {self.called} of {origin} do not fit this version; get the bundle again."
        )
