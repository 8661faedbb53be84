"""Figures of lips at phone labels."""

from __future__ import annotations

import numpy as np
import pytest

from osmnet_sdk.core.conventions import ARKIT_NAMES
from osmnet_sdk.errors import InputError
from osmnet_sdk.research.evaluation.expression.lip_rows import (
    degraded_row,
    phone_rows,
    speaker_interval,
)
from osmnet_sdk.research.evaluation.expression.lips import (
    LabelledPhone,
    LipSamples,
    lip_samples,
    load_phones,
    pooled_figures,
)

PHONES = [LabelledPhone("P" if i % 4 == 0 else "AA", 0.2 * i, 0.2 * (i + 1)) for i in range(100)]
TIMES = np.arange(500) / 25
FITS = np.where((TIMES / 0.2).astype(int) % 4 == 0, 0.0, 0.3)
FLAPS = 0.15 + 0.15 * np.sin(2 * np.pi * 6 * TIMES)


def test_speech_is_told_from_flapping():
    good, bad = (pooled_figures([lip_samples(gap, PHONES)]) for gap in (FITS, FLAPS))
    assert good.closure == 1
    assert good.opening == 1
    assert good.ratio > 10
    assert good.closure - good.closure_shifted > 0.3
    assert bad.closure - bad.closure_shifted < 0.1
    assert np.isnan([good.teeth, good.rounding, good.spreading, good.silence]).all()
    rows = {row.name: row.passed for row in phone_rows([[lip_samples(FLAPS, PHONES)]])}
    assert rows["P, B, M: closure"]
    assert not rows["P, B, M: closure, labels shifted 0.3–1 s"]
    assert "F, V: lower lip to the teeth" not in rows


def test_a_phone_may_come_40_ms_late_but_not_later():
    gap = np.full(100, 0.3)
    gap[50:53] = 0.0
    for start, closure in ((2.08, 1.0), (2.0, 1.0), (2.20, 0.0), (1.80, 0.0)):
        found = lip_samples(gap, [LabelledPhone("B", start, start + 0.06)])
        assert np.mean(found.closure < 0.15) == closure


def test_lips_at_the_teeth_need_not_close():
    gap = np.full(100, 0.3)
    gap[25:30] = 0.2 * 0.3
    found = pooled_figures([lip_samples(gap, [LabelledPhone(s, 1.0, 1.2) for s in "FVB"])])
    assert (found.teeth, found.closure) == (1.0, 0.0)


def test_each_recording_counts_by_its_number_of_phones():
    def recording(closed: int, parted: int) -> LipSamples:
        phones = [LabelledPhone("M", 0.4 * i + 0.1, 0.4 * i + 0.2) for i in range(closed + parted)]
        gap = np.full(10 * (closed + parted), 0.3)
        for index in range(closed):
            gap[10 * index : 10 * index + 7] = 0.0
        return lip_samples(gap, phones)

    both = [recording(30, 0), recording(5, 5)]
    # one that never opens has no scale of its own
    both[0] = lip_samples(np.r_[np.zeros(300), np.full(60, 0.3)], both[0].bilabials)
    assert pooled_figures(both).closure == 35 / 40
    assert degraded_row("hiss", [[both[0]]]).passed
    assert not degraded_row("hiss", [[both[1]]]).passed
    rows = {row.name: row for row in phone_rows([[one] for one in both])}
    assert rows["P, B, M: closure, worst recording"].value == 0.5


def test_lips_that_close_at_a_tongues_consonant_are_wrong_unless_a_bilabial_touches_it():
    gap = np.full(100, 0.3)
    gap[24:31] = 0.0
    beside = [LabelledPhone("M", 0.96, 1.06), LabelledPhone("T", 1.06, 1.16)]
    alone = [LabelledPhone("T", 1.0, 1.2), LabelledPhone("K", 2.0, 2.2), LabelledPhone("AA", 3, 4)]
    assert pooled_figures([lip_samples(gap, alone)]).wrong == 0.5
    assert np.isnan(pooled_figures([lip_samples(gap, beside)]).wrong)


def test_rounding_and_spreading_look_at_their_own_coefficients():
    phones = [LabelledPhone("UW" if i % 2 else "IY", 0.2 * i, 0.2 * (i + 1)) for i in range(50)]
    noise = 0.05 * np.random.default_rng(0).standard_normal(250)
    track = np.zeros((250, 52))
    rounded = (np.arange(250) // 5) % 2
    track[:, ARKIT_NAMES.index("mouthPucker")] = 0.3 * rounded + noise
    found = pooled_figures([lip_samples(FITS[:250], phones, coefficients=track)])
    assert found.rounding > 3
    assert found.spreading == pytest.approx(0)
    track[:, ARKIT_NAMES.index("mouthSmileLeft")] = 0.3 * rounded + noise
    assert pooled_figures([lip_samples(FITS[:250], phones, coefficients=track)]).spreading < -3


def test_intervals_are_over_speakers():
    good, bad = lip_samples(FITS, PHONES), lip_samples(FITS[::-1], PHONES)

    def closure(speakers):
        return pooled_figures([one for speaker in speakers for one in speaker]).closure

    assert speaker_interval([[good]], closure) is None
    assert speaker_interval([[good], [good]], closure) == (1.0, 1.0)
    low, high = speaker_interval([[good], [bad], [bad]], closure)
    assert low == pooled_figures([bad]).closure < high


def test_wrong_gaps_are_refused():
    for wrong in (np.zeros(0), np.zeros((3, 2))):
        with pytest.raises(InputError, match="gap"):
            lip_samples(wrong, PHONES)


def test_phone_labels_are_read_or_refused(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text('[{"word": "pa", "phones": [{"ph": "P", "bg": 10, "ed": 18}]}]')
    assert load_phones(path) == [LabelledPhone("P", 0.10, 0.18)]
    for wrong in ("no json", '{"a": 1}', '[{"word": "a"}]', '[{"phones": [{"ph": "P"}]}]'):
        path.write_text(wrong)
        with pytest.raises(InputError, match="labels"):
            load_phones(path)
    with pytest.raises(InputError):
        load_phones(tmp_path / "none.json")
