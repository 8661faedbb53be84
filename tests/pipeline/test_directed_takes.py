"""The animator's control over takes of the shipped bundle: pins, retakes, references and more."""

from __future__ import annotations

import json

import numpy as np
import pytest

import osmnet_sdk as sdk
from osmnet_sdk.motion.edit.follow import centre_motion
from osmnet_sdk.motion.edit.min_jerk import move_seconds
from osmnet_sdk.motion.edit.pins import pose_at

Pin, Options = sdk.Pin, sdk.SampleOptions


@pytest.fixture(scope="module")
def free(osm, voice):
    return osm.sample_motions(voice, n=3, seed=1)


def poses(track):
    return np.hstack([track.rotation, track.translation]).astype(float)


def speed(track, part=slice(None)):
    return np.abs(np.diff(track.rotation[part].astype(float), axis=0)) * 25


def acceleration(track, part=slice(None)):
    return np.abs(np.diff(track.rotation[part].astype(float), 2, axis=0)) * 625


def sampled(osm, voice, seed=1, **options):
    return osm.sample_motions(voice, seed=seed, options=Options(**options))[0]


def test_options_that_change_nothing_change_no_bit(osm, voice, free):
    nothing = Options(
        smoothing=0, tempo=1, basis={}, hold=[], pins=[], limits=sdk.Limits(), start=None, end=None
    )
    assert osm.sample_motions(voice, n=3, seed=1, options=nothing) == free
    assert sampled(osm, voice, basis={3: 1.0}) == free[0]


def test_pins_are_met_with_natural_motion_between(osm, voice, free):
    pins = [
        Pin(0.0, (2.0, None, None)),
        Pin(3.2, (-5.0, 30.0, None)),
        Pin(4.017, (None, -20.0, 6.0), (0.0, None, 0.02)),
        Pin(4.1, (9.0, None, None)),
        Pin(8.0, (0.0, 15.0, 0.0)),
    ]
    for plain in free:
        take = plain.provenance.take
        (track,) = osm.sample_motions(voice, first=take, seed=1, options=Options(pins=pins))
        for pin in pins:
            for axis, value in enumerate(pin.pose):
                if value is not None:
                    found = pose_at(poses(track), pin.time, 25.0)[axis]
                    assert found == pytest.approx(value, abs=1e-4 if axis < 3 else 1e-7)
        near = slice(150, 165)  # 6 to 6.6 s, more than a move away from each pin
        np.testing.assert_array_equal(track.rotation[near], plain.rotation[near])
        # The largest move is 50° of yaw in 0.8 s.
        assert speed(track).max() < speed(plain).max() + 1.9 * 60 / 0.8
        assert acceleration(track).max() < acceleration(plain).max() + 5.8 * 60 / 0.8**2


def test_a_single_pin_costs_no_more_than_its_move(osm, voice, free):
    for plain in free:
        (track,) = osm.sample_motions(
            voice, first=plain.provenance.take, seed=1,
            options=Options(pins=[Pin(5.0, (None, 25.0, None))]),
        )  # fmt: skip
        miss = abs(25.0 - plain.rotation[125, 1])
        seconds = move_seconds([0.0, miss, 0.0])
        assert speed(track).max() <= speed(plain).max() + 1.9 * miss / seconds
        assert acceleration(track).max() <= acceleration(plain).max() + 5.8 * miss / seconds**2
        np.testing.assert_array_equal(track.rotation[:, ::2], plain.rotation[:, ::2])


def test_tempo_runs_motion_faster_along_its_path_in_the_same_pauses(osm, voice, free):
    for tempo in (0.5, 1.5, 2.0):
        tracks = osm.sample_motions(voice, n=3, seed=1, options=Options(tempo=tempo))
        ratio = np.mean([speed(t).mean() for t in tracks]) / np.mean(
            [speed(t).mean() for t in free]
        )
        assert ratio == pytest.approx(tempo, rel=0.3)
        for track in tracks:
            assert len(track) == len(free[0])
            assert not track.rotation[0].any()
    near = osm.sample_motions(voice, seed=1, options=Options(tempo=1.0001))[0]
    assert np.abs(near.rotation - free[0].rotation).max() < 0.5  # the same path


def test_basis_gains_change_what_the_head_does(osm, voice, free):
    nods = [v.index + 1 for v in osm.motion_basis() if v.name in ("nod", "nod up", "nod down")]
    more = sampled(osm, voice, basis=dict.fromkeys(nods, 3.0))
    fewer = sampled(osm, voice, basis=dict.fromkeys(nods, 0.0))
    shares = [
        speed(track)[:, 0].mean() / speed(track)[:, 1:].mean() for track in (more, free[0], fewer)
    ]
    assert shares[0] > 1.3 * shares[1]
    assert shares[1] > 1.1 * shares[2]
    none = sampled(osm, voice, basis=dict.fromkeys(range(1, 49), 0.0))
    assert speed(none).mean() < 0.5 * speed(free[0]).mean()
    with pytest.raises(sdk.InputError, match="basis vector 49; the numbers are 1 to 48"):
        sampled(osm, voice, basis={49: 2.0})


def test_smoothing_limits_ends_and_calm_ranges(osm, voice, free):
    smooth = sampled(osm, voice, smoothing=0.15)
    assert acceleration(smooth).mean() < 0.5 * acceleration(free[0]).mean()
    assert not smooth.rotation[0].any()
    tight = sampled(osm, voice, limits={"yaw": 3.0})
    assert np.abs(tight.rotation[:, 1]).max() <= 3.0
    ends = sampled(osm, voice, start=(5, 10, -3), end=(0, -20, 0, 0, 0, 0.02))
    np.testing.assert_array_equal(ends.rotation[[0, -1]], [[5, 10, -3], [0, -20, 0]])
    np.testing.assert_array_equal(ends.translation[-1], np.float32([0, 0, 0.02]))
    assert speed(ends)[[0, -1]].max() < 1.5
    still = sampled(osm, voice, hold=[(4, 6)])
    assert 0 < speed(still, slice(100, 151)).mean() < 0.2 * speed(free[0], slice(100, 151)).mean()
    np.testing.assert_array_equal(still.rotation[:75], free[0].rotation[:75])


def test_takes_around_a_reference(osm, voice, free):
    reference = osm.sample_motions(voice, seed=99)[0]
    centre = centre_motion(reference, len(reference))
    alone = osm.sample_motions(voice, n=2, seed=1, options=Options(epsilon=0), follow=reference)
    assert alone[0] == alone[1]
    np.testing.assert_allclose(poses(alone[0]), centre, atol=1e-5)
    around = osm.sample_motions(voice, n=8, seed=1, follow=reference)
    mean = np.mean([track.rotation for track in around], axis=0)
    assert np.corrcoef(mean[:, 1], centre[:, 1])[0, 1] > 0.5
    for track, plain in zip(around[: len(free)], free, strict=True):
        assert track != plain
    record = around[0].provenance.options["follow"]
    assert record["frames"] == len(reference)
    short = osm.sample_motions(voice, seed=1, follow=reference.resample(30).slice(0, 60))[0]
    assert np.isfinite(short.rotation).all()
    np.testing.assert_allclose(short.rotation[120:].std(axis=0), free[0].rotation[120:].std(axis=0),
                               rtol=0.5)  # fmt: skip
    take = osm.sample_takes(voice, seed=1, follow=reference)[0]
    assert take.motion == around[0]
    assert take.provenance.options["motion"]["follow"] == record


@pytest.fixture(scope="module")
def take(osm, voice):
    return osm.sample_takes(voice, seed=4)[0]


def test_a_retake_changes_its_range_alone(osm, voice, take, tmp_path):
    new = osm.retake(take, voice, 2.0, 5.0)
    assert isinstance(new, sdk.Take)
    outside = np.r_[0:50, 125 : len(take)]
    np.testing.assert_array_equal(new.motion.rotation[outside], take.motion.rotation[outside])
    np.testing.assert_array_equal(new.motion.translation[outside], take.motion.translation[outside])
    assert np.abs(new.motion.rotation - take.motion.rotation)[60:115].max() > 1.0
    # No kink at the joins: acceleration there is none that heads do not have elsewhere.
    fresh = osm.sample_motions(voice, seed=5)[0]
    most = 1.25 * max(acceleration(take.motion).max(), acceleration(fresh).max())
    assert acceleration(new.motion, slice(45, 55)).max() < most
    assert acceleration(new.motion, slice(120, 130)).max() < most
    (entry,) = new.provenance.options["retakes"]
    assert (entry["start"], entry["end"], entry["seed"], entry["take"]) == (2.0, 5.0, 5, 0)
    again = osm.retake(new, voice, 7.0, 8.0)
    assert [e["seed"] for e in again.provenance.options["retakes"]] == [5, 6]
    loaded = sdk.load_take(again.save(tmp_path / "retake.npz"))
    assert loaded == again
    assert loaded.provenance == again.provenance
    assert osm.retake(take, voice, 2.0, 5.0) == new
    json.dumps(again.provenance.options)


def test_a_retake_meets_pins_and_keeps_the_kind_and_rate_of_a_track(osm, voice, take):
    options = Options(pins=[Pin(3.2, (None, 20.0, None)), Pin(9.0, (50.0, None, None))])
    fast = take.motion.resample("30000/1001")
    new = osm.retake(fast, voice, 2.0, 5.0, seed=8, take=2, options=options)
    assert isinstance(new, sdk.MotionTrack)
    assert (new.fps, len(new)) == (fast.fps, len(fast))
    assert pose_at(poses(new), 3.2, float(new.fps))[1] == pytest.approx(20.0, abs=0.1)
    np.testing.assert_array_equal(new.rotation[150:], fast.rotation[150:])
    assert sdk.retake(take.motion, voice, 0, 1, seed=4).provenance.options["retakes"]


def test_eyes_of_a_range_are_sampled_anew_unless_kept(osm, voice, take):
    new = osm.retake(take, voice, 2.0, 8.0)
    before, after = take.expression.coefficients, new.expression.coefficients
    outside = np.r_[0:50, 200 : len(take)]
    np.testing.assert_array_equal(after[outside], before[outside])
    eyes = np.array([name.startswith("eye") for name in take.expression.names])
    np.testing.assert_array_equal(after[:, ~eyes], before[:, ~eyes])
    assert np.abs(after - before)[55:195, eyes].max() > 0.3
    looks = [take.expression.names.index(f"eyeLook{way}Left") for way in ("Out", "In")]
    gaze = after[:, looks] @ [1.0, -1.0]
    turn = new.motion.rotation[:, 1]
    assert np.corrcoef(gaze[60:190], turn[60:190])[0, 1] < -0.5  # eyes make up for the new turns
    kept = osm.retake(take, voice, 2.0, 8.0, eyes=False)
    assert kept.motion == new.motion
    assert kept.expression == take.expression


def test_retakes_that_are_impossible(osm, voice, take):
    for start, end in ((-1, 2), (3, 2), (5, 500), (float("nan"), 3)):
        with pytest.raises(sdk.InputError, match="range"):
            osm.retake(take, voice, start, end)
    with pytest.raises(sdk.InputError, match="the sound that the track was made for"):
        osm.retake(take.slice(0, 100), voice, 1, 2)
    with pytest.raises(sdk.InputError, match="seed"):
        osm.retake(take, voice, 1, 2, seed=-1)


def test_one_frame_of_sound(osm):
    sound = (np.full(300, 0.1, np.float32), 16000)
    for options in (Options(tempo=0.5, smoothing=0.5), Options(hold=[(0, 1)], epsilon=0)):
        (track,) = osm.sample_motions(sound, options=options)
        np.testing.assert_array_equal(track.rotation, np.zeros((1, 3)))
    (track,) = osm.sample_motions(sound, options=Options(pins=[Pin(0, (0, 9, 0))]))
    np.testing.assert_allclose(track.rotation, [[0, 9, 0]], atol=1e-6)
    (other,) = osm.sample_motions(sound, options=Options(end=(1, 2, 3)), follow=track)
    np.testing.assert_array_equal(other.rotation, [[1, 2, 3]])
    assert len(osm.retake(track, sound, 0, 0.04)) == 1
    for wrong in (Options(pins=[Pin(1, (0, 9, 0))]), Options(start=(1, 0, 0), end=(0, 0, 0))):
        with pytest.raises(sdk.InputError):
            osm.sample_motions(sound, options=wrong)


def test_numbers_of_takes(osm):
    sound = (np.full(1600, 0.1, np.float32), 16000)
    assert len(osm.sample_motions(sound, n=30)) == 30
    with pytest.raises(sdk.Cancelled):  # begun, so as many are allowed
        osm.sample_motions(sound, n=1000, cancel=lambda: True)
    for number in (0, 1001):
        with pytest.raises(sdk.InputError, match="1 to 1000"):
            osm.sample_motions(sound, n=number)
