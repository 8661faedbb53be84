"""Weights formats: what is stored comes back, anything else is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from osmnet_sdk.core.bundle import find_bundle, save_arrays, write_manifest
from osmnet_sdk.core.weights import WeightsFormat, network_arrays
from osmnet_sdk.errors import ModelError


class SumConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=3, ge=1)


class Sum(nn.Module):
    def __init__(self, config: SumConfig) -> None:
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.linspace(0.1, 1.0, config.inputs))
        self.register_buffer("scale", torch.tensor(0.3))  # a single number, without axes


FORMAT = WeightsFormat("sum.safetensors", "sum's weights", SumConfig, Sum, "test.sum/1", "sum.")
BARE = WeightsFormat("sum.safetensors", "sum's weights", SumConfig, Sum)


def stored(dtype: type = np.float16) -> tuple[dict, dict]:
    network = Sum(SumConfig(inputs=4))
    return network_arrays(network, FORMAT.prefix, dtype), FORMAT.metadata(network.config)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_stored_network_comes_back_from_a_bundle(tmp_path: Path, dtype):
    arrays, metadata = stored(dtype)
    save_arrays(tmp_path / FORMAT.file, arrays | {"another.weight": np.ones(9)}, metadata)
    write_manifest(tmp_path, name="small", version="1", licence="CC0-1.0")
    found = FORMAT.load(find_bundle(tmp_path))
    assert not found.training
    assert found.config == SumConfig(inputs=4)
    assert found.scale.shape == ()
    wanted = Sum(found.config).state_dict()
    for name, value in found.state_dict().items():
        assert value.dtype == torch.float32
        np.testing.assert_array_equal(value.numpy(), wanted[name].numpy().astype(dtype))


def test_a_format_may_have_neither_schema_nor_prefix():
    network = Sum(SumConfig())
    assert set(BARE.metadata(network.config)) == {"config"}
    found = BARE.build(network_arrays(network), {"config": "{}"}, "a test")
    assert found.config == SumConfig()


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"schema": "test.sum/2"}, "have schema 'test.sum/2', this version reads 'test.sum/1'"),
        ({"config": "{"}, "do not fit"),
        ({"config": '{"inputs": 0}'}, "do not fit"),
        ({"config": '{"inputs": 5}'}, "do not fit"),
        ({"config": '{"width": 5}'}, "do not fit"),
    ],
)
def test_other_metadata_is_refused(metadata, words):
    arrays, right = stored()
    with pytest.raises(ModelError, match=rf"^The sum's weights of a test {words}.*\.$"):
        FORMAT.build(arrays, right | metadata, "a test")


def test_metadata_that_is_missing_is_refused():
    with pytest.raises(ModelError, match="schema 'None'"):
        FORMAT.read_config({}, "a test")
    with pytest.raises(ModelError, match="of a test do not fit"):
        FORMAT.read_config({"schema": "test.sum/1"}, "a test")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sum.weight": np.ones(3)}, "do not fit"),
        ({"sum.more": np.ones(3)}, "do not fit"),
        ({"sum.weight": np.array(["a"] * 4)}, "do not fit"),
        ({"sum.weight": np.array([1.0, 2.0, np.nan, 4.0])}, "not numbers"),
        ({"sum.weight": np.array([1.0, 2.0, np.inf, 4.0])}, "not numbers"),
    ],
)
def test_other_tensors_are_refused(change, words):
    arrays, metadata = stored()
    with pytest.raises(ModelError, match=rf"^The sum's weights of a test .*{words}.*\.$"):
        FORMAT.build(arrays | change, metadata, "a test")


def test_tensors_that_are_missing_are_refused():
    arrays, metadata = stored()
    del arrays["sum.scale"]
    with pytest.raises(ModelError, match="of a test do not fit"):
        FORMAT.build(arrays, metadata, "a test")
