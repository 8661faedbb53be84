"""The bar only goes forward, and the time left is steady and near the truth."""

from __future__ import annotations

import numpy as np
import pytest
from osmnet_addon.core.progress import Progress, time_left

TICK = 0.05


def rendering(seconds: list[float], batch: int, fit: float = 3.0, start: float = 6.0):
    """Events of a render whose frames take these seconds, and are told of in batches."""
    events = [("check", None, 0.0), ("render_frames", None, start)]
    now = start + 0.1
    events += [("Fitting the photo", (0, 1), now), ("Fitting the photo", (1, 1), now + fit)]
    now += fit
    events.append(("Rendering", (0, len(seconds)), now))
    for first in range(0, len(seconds), batch):
        part = seconds[first : first + batch]
        now += sum(part)
        events.append(("Rendering", (first + len(part), len(seconds)), now))
    return events, now


def watched(events, end):
    """(N, 3): time, share and seconds left at every tick, as a panel would show them."""
    progress, rows, waiting = Progress(0.0), [], list(events)
    for now in np.arange(0.0, end, TICK):
        while waiting and waiting[0][2] <= now:
            name, counts, _ = waiting.pop(0)
            if counts is None:
                progress.begin(name, name == "check", now)
            else:
                progress.update(name, *counts, now)
        rows.append((now, *progress.look(now)))
    return np.array(rows)


@pytest.mark.parametrize(
    ("seconds", "batch"),
    [
        ([0.2] * 400, 1),
        ([0.2] * 400, 8),
        ([0.4] * 50 + [0.2] * 350, 8),
        ([0.1] * 200 + [0.3] * 200, 4),
        (list(np.random.default_rng(5).exponential(0.2, 400)), 8),
    ],
    ids=["steady", "batches", "slow at first", "slower later", "irregular"],
)
def test_time_left(seconds, batch):
    events, end = rendering(seconds, batch)
    rows = watched(events, end)
    assert np.diff(rows[:, 1]).min() >= 0
    assert rows[-1, 1] > 0.95
    known = rows[:, 2] >= 0
    assert known[np.searchsorted(rows[:, 0], 20.0) :].all()
    shown = rows[known]
    # no jumps within a second: up only if it really gets slower, down not by much
    second = round(1 / TICK)
    change = shown[second:, 2] - shown[:-second, 2]
    assert change.max() < (4 if seconds[-1] > 2 * seconds[0] else 2)
    assert change.min() > -8.0
    truth = end - shown[:, 0]
    if len(set(seconds)) == 1:
        late = truth < 0.8 * (end - 9)
        assert np.abs(shown[late, 2] - truth[late]).max() < 0.1 * end
    last = truth < 10
    assert np.abs(shown[last, 2] - truth[last]).max() < 5


def test_a_stage_that_is_not_counted_moves_on():
    progress = Progress(0.0)
    progress.begin("fit_head", True, 0.0)
    shares = [progress.look(now)[0] for now in np.arange(0.0, 8.0, 0.5)]
    progress.update("Fitting the photo", 0, 1, 8.0)
    assert progress.stage == "Fitting the photo"
    shares += [progress.look(now)[0] for now in np.arange(8.0, 20.0, 0.5)]
    assert np.diff(shares).min() > 0
    assert shares[4] > 0.05
    assert shares[-1] < 1.0
    progress.update("Fitting the photo", 1, 1, 20.0)
    assert progress.look(20.0)[0] == pytest.approx(1.0)


def test_unknown_stages_requests_and_totals():
    progress = Progress(0.0)
    assert progress.look(1.0) == (0.0, -1.0)
    progress.begin("no such method", False, 1.0)
    progress.update("Something new", 3, 0, 2.0)
    progress.update("Another", 5, 10, 3.0)
    share, left = progress.look(4.0)
    assert 0 < share < 1
    assert left == -1.0
    progress.update("Another", 12, 10, 5.0)
    progress.begin("render_frames", False, 6.0)
    assert 0 < progress.look(7.0)[0] <= 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, ""), (0, "1 s left"), (3.2, "4 s left"), (51, "55 s left"), (61, "2 min left")],
)
def test_words(seconds, text):
    assert time_left(seconds) == text
