"""The precision that pictures are drawn in."""

from __future__ import annotations

import pytest
import torch

from osmnet_sdk.core.devices import fast_precision


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
