"""Devices, the precision that pictures are drawn in, and the threads of small networks."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch

from osmnet_sdk.core.devices import fast_precision, one_thread, resolve_device
from osmnet_sdk.errors import DeviceError


@pytest.mark.parametrize("feature", ["avx2", "avx512_bf16", "avx512_fp16", "amx_bf16", "sve_bf16"])
def test_every_processor_draws_in_float32(monkeypatch, feature):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True}, raising=False)
    assert fast_precision(torch.device("cpu")) == torch.float32


@pytest.mark.parametrize(
    ("kind", "has", "wanted"),
    [
        ("cuda", True, torch.bfloat16),
        ("cuda", False, torch.float32),
        ("mps", True, torch.float32),
    ],
)
def test_only_gpus_that_have_bfloat16_draw_in_it(monkeypatch, kind, has, wanted):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert fast_precision(torch.device(kind)) == wanted


@pytest.mark.parametrize(
    "name", ["", " ", "CPU", "cpu ", "auto:1", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:07",
             "cuda:999", "cuda:" + "9" * 30, "mps:x"],
)  # fmt: skip
def test_a_name_that_is_no_device_is_one_sentence(monkeypatch, name):
    for there in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        with pytest.raises(DeviceError) as caught:
            resolve_device(name)
        assert "\n" not in str(caught.value)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("device", "within"), [("cpu", 1), ("cuda:1", 3), ("mps", 3)])
def test_one_thread_is_for_the_cpu_and_gives_the_others_back(three_threads, device, within, fails):
    with suppress(RuntimeError), one_thread(torch.device(device)):
        assert torch.get_num_threads() == within
        if fails:
            raise RuntimeError("on purpose")
    assert torch.get_num_threads() == 3


def test_small_networks_use_one_thread_and_give_the_others_back(osm, three_threads, monkeypatch):
    from osmnet_sdk.expression.network import ExpressionExtractor
    from osmnet_sdk.motion.network import PoseDecoder

    seen = []
    for network in (ExpressionExtractor, PoseDecoder):

        def spied(self, *inputs, forward=network.forward):
            seen.append((type(self).__name__, torch.get_num_threads()))
            return forward(self, *inputs)

        monkeypatch.setattr(network, "forward", spied)
    voice = (np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32), 16000)
    stream = osm.expression_stream()
    stream.feed(voice[0])
    osm.sample_motions(voice)
    assert {name for name, _ in seen} == {"ExpressionExtractor", "PoseDecoder"}
    assert {threads for _, threads in seen} == {1}
    assert torch.get_num_threads() == 3
