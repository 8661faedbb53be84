"""osmnet evaluate motion on made-up clips, and on takes that are to be found out."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pipeline.test_motion_training import SMALL, write_clip
from typer.testing import CliRunner

from osmnet_sdk.cli.application import app
from osmnet_sdk.errors import InputError, ModelError
from osmnet_sdk.motion.shaping import smooth
from osmnet_sdk.research.data.clips import read_clips
from osmnet_sdk.research.evaluation.motion import classifier as motion_classifier
from osmnet_sdk.research.evaluation.motion import folds as motion_folds
from osmnet_sdk.research.evaluation.motion.evaluate import evaluate_motion, measurable
from osmnet_sdk.research.evaluation.motion.folds import fold_weights, load_sampler, speaker_folds
from osmnet_sdk.research.evaluation.motion.hour import hour_figures
from osmnet_sdk.research.evaluation.motion.rows import figures
from osmnet_sdk.research.evaluation.table import ComparedClip, Figure
from osmnet_sdk.research.trainers.motion.recipe import StageRecipe


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer halves of the speakers for the classifier, which takes most of the time."""
    for name in ("takes_from_real", "real_from_real"):
        monkeypatch.setattr(
            motion_classifier, name, partial(getattr(motion_classifier, name), rounds=6)
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("Aufnahmen é")
    rows = ["id,speaker"]
    for index in range(6):
        write_clip(place, f"c{index}", index, frames=260 if index else 300)
        rows.append(f"c{index},s{min(index, 4)}")
    write_clip(place, "short", 8, frames=80)
    write_clip(place, "silent", 9, sound=False)
    rows += ["short,s8", "silent,s9"]
    (place / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return place


def test_folds_hold_every_speaker_once_and_share_the_frames(folder: Path) -> None:
    clips = measurable(read_clips(folder))
    assert [clip.name for clip in clips] == [f"c{index}" for index in range(6)]
    for count in (2, 3, 5):
        groups = speaker_folds(clips, count)
        assert len(groups) == count
        assert sorted(s for group in groups for s in group) == ["s0", "s1", "s2", "s3", "s4"]
    frames = [sum(len(c) for c in clips if c.speaker in g) for g in speaker_folds(clips, 3)]
    assert max(frames) <= 580
    for count in (1, 6):
        with pytest.raises(InputError, match="2 to 5"):
            speaker_folds(clips, count)
    with pytest.raises(InputError, match="at least 4 speakers"):
        measurable(clips[:3])


def test_a_fold_never_sees_who_is_left_out_and_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_clips(folder)
    trained, calibrated, found = [], [], []
    train, calibrate = motion_folds.train_network, motion_folds.calibrate

    def calibrated_once(network, used, *arguments, **options):  # type: ignore[no-untyped-def]
        calibrated.append(used)
        if not found:  # what is found does not count here, and takes long
            found.append(calibrate(network, used, *arguments, **options))
        return found[0]

    monkeypatch.setattr(
        motion_folds,
        "train_network",
        lambda recipe, used, *a, **k: trained.append(used) or train(recipe, used, *a, **k),
    )
    monkeypatch.setattr(motion_folds, "calibrate", calibrated_once)
    first = fold_weights(clips, ["s4"], SMALL, tmp_path)
    for used in (trained[0], calibrated[0]):
        names = [c.name for c in used]
        assert names == ["c0", "c1", "c2", "c3", "short", "silent"]
    assert fold_weights(clips, ["s4"], SMALL, tmp_path) == first
    assert len(trained) == len(calibrated) == 1
    other = fold_weights(clips, ["s3"], SMALL, tmp_path)
    longer = SMALL.model_copy(update={"audio": StageRecipe(steps=7, batch=16)})
    assert (
        len({first.parent, other.parent, fold_weights(clips, ["s4"], longer, tmp_path).parent}) == 3
    )
    monkeypatch.setattr(motion_folds, "sampler_code", lambda: "another" * 10)
    again = fold_weights(clips, ["s4"], SMALL, tmp_path)
    assert again.parent == first.parent
    assert len(calibrated) == 4
    before, after = (load_sampler(path).stored()[0] for path in (first, again))
    assert all(np.array_equal(after[name], value) for name, value in before.items())
    again.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="delete it"):
        load_sampler(again)


def test_the_command_trains_once_and_tells_what_it_did(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(SMALL.model_dump_json(), encoding="utf-8")
    models = tmp_path / "models"
    arguments = ["evaluate", "motion", str(folder), "--recipe", str(recipe), "--folds", "2"]
    arguments += ["--models", str(models), "--takes", "2", "--seeds", "2", "--controls"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["unseen"] is True
    assert (report["clips"], report["speakers"], report["takes"]) == (6, 5, 4)
    assert sorted(s for fold in report["folds"] for s in fold) == ["s0", "s1", "s2", "s3", "s4"]
    names = [row["name"] for row in report["figures"]]
    assert len(set(names)) == len(names) >= 32
    controls = {row["name"]: row for row in report["controls"]}
    assert len(controls) == 6
    whole = controls["as it ships"]
    assert whole["asked"] == sum(row["passed"] is not None for row in report["figures"])
    deaf, still = controls["no sound"], controls["without bursts"]
    assert deaf["correlation"] != whole["correlation"] != still["correlation"]
    before = {path: path.stat().st_mtime_ns for path in models.rglob("*.safetensors")}
    again = CliRunner().invoke(app, [*arguments, "--json"])
    assert again.stdout == done.stdout
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*.safetensors")} == before
    table = CliRunner().invoke(app, arguments)
    assert "left out of training" in " ".join(table.stdout.split())
    assert "another recording's sound" in table.stdout
    weights = next(path for path in before if "checkpoint" not in path.name)
    hour = hour_figures(weights, [np.zeros(16000, np.float32)], seconds=120)
    assert 0 <= hour.minute <= hour.angle <= 30
    assert min(hour.seconds, hour.short_seconds) > 0


def test_further_clips_are_measured_and_calibrated_with_but_never_trained_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_clips(folder)
    own, more = clips[:4], clips[4:6]
    seen: dict[str, list[str]] = {}
    calibrate = motion_folds.calibrate
    monkeypatch.setattr(
        motion_folds,
        "calibrate",
        lambda network, used, *a, **k: (
            seen.update(calibrated=[c.name for c in used]) or calibrate(network, used, *a, **k)
        ),
    )
    train = motion_folds.train_network
    monkeypatch.setattr(
        motion_folds,
        "train_network",
        lambda recipe, used, *a: (
            seen.update(trained=[c.name for c in used]) or train(recipe, used, *a)
        ),
    )
    fold_weights(own, ["s0"], SMALL, tmp_path, measured_only=more)
    assert seen["trained"] == ["c1", "c2", "c3"]
    assert seen["calibrated"] == ["c1", "c2", "c3", "c4", "c5"]
    fold_weights(own, ["s4"], SMALL, tmp_path, measured_only=more)
    assert seen["calibrated"] == ["c0", "c1", "c2", "c3"]


def test_a_bundle_is_said_to_know_the_speakers(folder: Path, tmp_path: Path) -> None:
    report = evaluate_motion(
        folder, SMALL, folds=5, models=tmp_path / "none", bundle="starter", takes=2, seeds=1
    )
    assert not report.unseen
    assert "MAY HAVE SEEN" in report.summary()
    assert not (tmp_path / "none").exists()
    with pytest.raises(ModelError, match="no bundle"):
        evaluate_motion(folder, SMALL, folds=5, models=tmp_path, bundle="none")


def performances(change: float = 1.0, *, deaf: bool = False) -> list[ComparedClip]:
    """Clips and takes of one process whose speed follows the sound; takes are `change` as large."""
    generator = np.random.default_rng(5)

    def path(loud: np.ndarray, size: float) -> np.ndarray:
        steps = smooth(generator.standard_normal((len(loud), 6)), 3.0)
        scale = np.array([1.0, 1.0, 1.0, 0.001, 0.001, 0.001])
        poses = np.cumsum(size * scale * steps * loud[:, None], axis=0)
        return np.asarray(poses - smooth(poses, 40.0))

    clips = []
    for speaker in range(10):
        for part in range(2):
            loud = np.exp(smooth(generator.standard_normal(500), 5.0) * 1.5)
            loud[200:260] = 0.2
            size = generator.uniform(0.7, 1.4)
            heard = np.roll(loud, 170 + 20 * speaker) if deaf else loud
            takes = [
                [path(heard, change * generator.uniform(0.7, 1.4)) for _ in range(3)]
                for _ in range(2)
            ]
            clips.append(
                ComparedClip(
                    f"{speaker}-{part}", f"s{speaker}", path(loud, size), np.array(takes), 1.0,
                    20 * np.log10(loud), loud > 0.2,
                )
            )  # fmt: skip
    return clips


def rows(clips: list[ComparedClip]) -> dict[str, Figure]:
    return {row.name: row for row in figures(clips)}


def test_takes_of_the_same_process_pass() -> None:
    found = rows(performances())
    missed = [name for name, row in found.items() if not row.passed]
    assert len(missed) <= 6, missed  # of 49: 90 % intervals leave some out by chance
    for name in (
        "pitch: speed over real",
        "diversity over time, windows, over real",
        "distance between takes over that between clips",
        "correlation of head speed with level",
        "p that shifted sound does as well",
        "speed in pauses over that in speech",
        "classifier: area under the curve",
    ):
        assert found[name].passed, found[name]


def test_takes_that_are_too_small_are_found_out() -> None:
    found = rows(performances(0.4))
    for axis in ("pitch", "yaw", "roll"):
        assert found[f"{axis}: speed over real"].value == pytest.approx(0.4, abs=0.12)
        for name in ("standard deviation", "mean speed", "mean acceleration", "speed over real"):
            assert not found[f"{axis}: {name}"].passed
        power = found[f"{axis}: power 0.8–1.6 Hz"]
        assert power.values["real"] is not None
        assert power.value - power.values["real"] == pytest.approx(20 * np.log10(0.4), abs=3)
        assert not power.passed
    assert not found["classifier: area under the curve"].passed
    assert not found["distance between takes over that between clips"].passed


def test_takes_that_do_not_listen_are_found_out() -> None:
    found = rows(performances(deaf=True))
    assert not found["p that shifted sound does as well"].passed
    assert not found["correlation of head speed with level"].passed
    assert found["pitch: speed over real"].passed


def test_takes_that_are_all_alike_are_found_out() -> None:
    clips = [
        dataclasses.replace(clip, takes=np.repeat(clip.takes[:, :1], 3, axis=1))
        for clip in performances()
    ]
    row = rows(clips)["distance between takes over that between clips"]
    assert row.value == 0.0
    assert not row.passed
