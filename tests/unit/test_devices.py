"""The precision that pictures are drawn in."""

from __future__ import annotations

import pytest
import torch

from osmnet_sdk.core.devices import fast_precision, resolve_device
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
