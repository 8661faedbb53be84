# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold and retake: a range of a take made anew."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.props import BoolProperty, IntProperty

from ...core.channels import MOTION, performance_values
from ...core.pins import Pin, check_pose, pin_parameters
from ...core.takes import TakeFile, read_take, write_take
from ...engine import jobs
from ...rig.head import need_rig, rig_of_id
from ...takes import actions, collection, layers, nla, pins, ranges, voices
from ..options import chosen_of, follow_property, with_motion
from .base import JobOperator, a_take, no_job, no_missing_field
from .sampling import Order, index_of


@dataclass(frozen=True)
class Wanted:
    """What becomes of a range of a take.

    Attributes:
        name: of the take.
        range: of scene frames.
        seed: of the new motion; −1 is one that the take has not seen.
        number: of the take in that seed.
        options: of `SampleOptions`.
        eyes: whether blinks and gaze are sampled anew, too.
        hold: the pose, (6,) radians and metres, in which the head settles; None for none.
    """

    name: str
    range: ranges.Chosen
    seed: int
    number: int
    options: dict[str, Any]
    eyes: bool
    hold: tuple[float, ...] | None = None


class _RangeOperator(JobOperator):
    """Works on a range of the chosen take."""

    needs = (no_job, a_take, no_missing_field)

    start: IntProperty(  # type: ignore[valid-type]
        name="From",
        description="First scene frame that may change; if not given, what is selected",
        options={"SKIP_SAVE"},
    )
    end: IntProperty(  # type: ignore[valid-type]
        name="To",
        description="Last scene frame that may change; if not given, what is selected",
        options={"SKIP_SAVE"},
    )
    eyes: BoolProperty(  # type: ignore[valid-type]
        name="Eyes",
        description="Sample blinks and gaze of the range, too, since eyes follow the head's turns",
        default=True,
    )

    def _range(self, scene: bpy.types.Scene) -> ranges.Chosen:
        found = ranges.chosen(scene)
        given = self.properties.is_property_set
        if not given("start") and not given("end"):
            return found
        first = self.start if given("start") else found.first
        return ranges.Chosen(first, self.end if given("end") else found.last, "given")


@with_motion
class RetakeRange(_RangeOperator, bpy.types.Operator):
    """Sample the selected range of the chosen take anew; outside not a key changes."""

    bl_idname = "osmnet.retake_range"
    bl_label = "Retake Range"
    title = "Sampling a range anew"

    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed",
        description="Of the new motion; -1 takes another one each time",
        default=-1,
        min=-1,
    )
    follow: follow_property()  # type: ignore[valid-type]

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Sample and replace."""
        rig = need_rig(context)
        wanted = Wanted(
            nla.chosen_take(rig).name, self._range(context.scene), self.seed, 0,
            chosen_of(self, "motion"), self.eyes,
        )  # fmt: skip
        return _retake(Order.of(rig, context, self.follow), wanted)


class HoldRange(_RangeOperator, bpy.types.Operator):
    """Let the head of the chosen take be calm in the selected range, in its pose here."""

    bl_idname = "osmnet.hold_range"
    bl_label = "Hold Here"
    title = "Holding the head"

    def steps(self, context: bpy.types.Context) -> jobs.Steps:
        """Find the pose, and sample the same motion, calm."""
        rig, scene = need_rig(context), context.scene
        take, where = nla.chosen_take(rig), self._range(scene)
        made = actions.provenance_of(take.action)
        here = scene.frame_current
        if not where.first <= here <= where.last:
            here = (where.first + where.last) // 2
        timing = actions.timing_of(take.action)
        sampled = actions.sampled_curves(take.action)[:, MOTION]
        pose = tuple(float(np.interp(here, timing.frames, column)) for column in sampled.T)
        check_pose(pose)
        kept = (made.get("options") or {}).get("motion") or {}
        options = {k: v for k, v in kept.items() if k not in ("pins", "hold", "follow")}
        seed = made.get("seed")
        wanted = Wanted(
            take.name, where, -1 if seed is None else int(seed), int(made.get("take") or 0),
            options, self.eyes, pose,
        )  # fmt: skip
        return _retake(Order.of(rig, context), wanted)


def _retake(order: Order, wanted: Wanted) -> jobs.Steps:
    rig = rig_of_id(order.rig_id)
    take = rig.osmnet.takes[index_of(rig, wanted.name)]
    timing = actions.timing_of(take.action)
    rows = ranges.samples(timing, wanted.range.first, wanted.range.last)
    edge = (timing.frames[rows.start], timing.frames[rows.stop - 1])
    met = [pin for pin in pins.wanted(rig) if edge[0] <= pin.frame <= edge[1]]
    met = pins.less(met, layers.edits_at(take, [pin.frame for pin in met]))
    asked = met
    seconds = [row / float(timing.fps) for row in (rows.start, rows.stop)]
    options = dict(wanted.options)
    if wanted.hold is not None:
        options["hold"] = [seconds]
        if not met:
            asked = [Pin("The pose to hold", round(sum(edge) / 2), wanted.hold)]
    spoken = max(actions.sampled_channels(take.action)) >= collection.EXPRESSION_CHANNELS[0]
    file, seed = yield from _ask(order, wanted, take, (seconds[0], seconds[1]), options, asked)
    rig = rig_of_id(order.rig_id)
    index = index_of(rig, wanted.name)
    curves = pins.met(file.curves, timing, met) if met else file.curves
    ranges.replace(
        rig, index, (wanted.range.first, wanted.range.last), rows, curves, file.provenance,
        collection.ALL if spoken else collection.MOTION_CHANNELS, met,
    )  # fmt: skip
    voices.note(rig.osmnet.takes[index].action, order.voice)
    what = f"sampled anew with seed {seed}" if wanted.hold is None else "held"
    return (
        f"'{wanted.name}', frames {wanted.range.first} to {wanted.range.last}, "
        f"{what}.{wanted.range.hint}"
    )


def _ask(
    order: Order, wanted: Wanted, take: Any, seconds: tuple[float, float],
    options: dict[str, Any], asked: Sequence[Pin],
) -> Any:  # fmt: skip
    """Let the engine make the range anew; return the take file and its seed."""
    timing = actions.timing_of(take.action)
    spoken = max(actions.sampled_channels(take.action)) >= collection.EXPRESSION_CHANNELS[0]
    met = pin_parameters(asked, timing.start, timing.rate)
    params: dict[str, Any] = {
        "audio": str(order.voice), "start": seconds[0], "end": seconds[1],
        "motion": {**options, "pins": met} if met else options,
        "take": wanted.number, "eyes": wanted.eyes and spoken, **order.sound,
    }  # fmt: skip
    if wanted.seed >= 0:
        params["seed"] = wanted.seed
    with tempfile.TemporaryDirectory(prefix="osmnet-") as folder:
        source, output = Path(folder) / "take.npz", Path(folder) / "retaken.npz"
        write_take(source, _as_sampled(take))
        params |= {"source": str(source), "output": str(output), **order.reference(folder)}
        answer = yield jobs.Request("retake", params)
        return read_take(output), answer["seed"]


def _as_sampled(take: Any) -> TakeFile:
    """A take as it was sampled, without edits."""
    rotation, translation, coefficients = performance_values(actions.sampled_curves(take.action))
    return TakeFile(
        fps=Fraction(actions.timing_of(take.action).fps),
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        coefficients=coefficients.astype(np.float32),
        provenance=actions.provenance_of(take.action),
    )


CLASSES = (HoldRange, RetakeRange)
