"""Shares of several clips together."""

from __future__ import annotations

import numpy as np

from osmnet_sdk.evaluation.lips import LipFigures, pooled_shares


def clip(closure: float, bilabials: int, opening: float, vowels: int) -> LipFigures:
    return LipFigures(
        closure=closure, closure_shifted=closure / 2, teeth=float("nan"), opening=opening,
        ratio=10.0, rounding=1.0, silence=0.0, percentile=0.2, bilabials=bilabials, vowels=vowels,
        labiodentals=0,
    )  # fmt: skip


def test_each_clip_counts_by_its_number_of_phones():
    shares = pooled_shares([clip(1.0, 30, 0.5, 1), clip(0.0, 10, 1.0, 3)])
    assert shares["closure"] == 0.75
    assert shares["closure_shifted"] == 0.375
    assert shares["opening"] == 0.875
    assert np.isnan(shares["teeth"])


def test_a_clip_without_such_phones_does_not_count():
    assert pooled_shares([clip(float("nan"), 0, 0.5, 1), clip(0.8, 5, 0.5, 1)])["closure"] == 0.8
